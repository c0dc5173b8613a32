"""Addresses of the system area: health, jobs, audit, staff, the style page."""

from django.urls import path

from backoffice.desk.system import audit, health, jobs, staff, style

urlpatterns = [
    path("health/", health.overview, name="health"),
    path("jobs/", jobs.job_list, name="job_list"),
    path("jobs/<uuid:job_id>/retry/", jobs.job_retry, name="job_retry"),
    path("jobs/<uuid:job_id>/discard/", jobs.job_discard, name="job_discard"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("staff/", staff.staff_list, name="staff_list"),
    path("roles/", staff.role_list, name="role_list"),
    path("style/", style.style, name="style"),
]
