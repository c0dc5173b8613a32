"""Addresses of the system area: health, jobs, audit, staff, the style page."""

from django.urls import path

from backoffice.desk.system import (
    audit,
    exports,
    health,
    holds,
    investigations,
    jobs,
    platform_settings,
    security,
    staff,
    style,
)

urlpatterns = [
    path("health/", health.overview, name="health"),
    path("jobs/", jobs.job_list, name="job_list"),
    path("jobs/<uuid:job_id>/retry/", jobs.job_retry, name="job_retry"),
    path("jobs/<uuid:job_id>/discard/", jobs.job_discard, name="job_discard"),
    *audit.urlpatterns,
    *investigations.urlpatterns,
    *exports.urlpatterns,
    *holds.urlpatterns,
    *platform_settings.urlpatterns,
    path("staff/", staff.staff_list, name="staff_list"),
    path("staff/<uuid:pk>/", staff.staff_detail, name="staff_detail"),
    path("staff/<uuid:pk>/profile/", staff.staff_profile, name="staff_profile"),
    path("staff/<uuid:pk>/networks/", staff.staff_networks, name="staff_networks"),
    path("staff/<uuid:pk>/roles/give/", staff.role_give, name="role_give"),
    path("staff/<uuid:pk>/roles/<slug:role>/take/", staff.role_take, name="role_take"),
    path("staff/<uuid:pk>/deactivate/", staff.staff_deactivate, name="staff_deactivate"),
    path("staff/<uuid:pk>/reactivate/", staff.staff_reactivate, name="staff_reactivate"),
    path("roles/", staff.role_list, name="role_list"),
    path("roles/<slug:role>/networks/", staff.role_networks, name="role_networks"),
    path("sessions/", security.my_sessions, name="my_sessions"),
    path("sessions/end/", security.my_sessions_end, name="my_sessions_end"),
    path("sessions/<int:session_id>/end/", security.my_session_end, name="my_session_end"),
    path("sessions/devices/<uuid:pk>/forget/", security.my_device_forget, name="my_device_forget"),
    path("sign-ins/", security.security_log, name="security_log"),
    path("people/<uuid:pk>/sign-in/", security.person_security, name="person_security"),
    path("people/<uuid:pk>/sign-in/unlock/", security.person_unlock, name="person_unlock"),
    path("people/<uuid:pk>/sign-in/sessions/end/", security.person_sessions_end, name="person_sessions_end"),
    path("people/<uuid:pk>/sign-in/factor-reset/", security.factor_reset_ask, name="factor_reset_ask"),
    path("people/<uuid:pk>/sign-in/factor-reset/do/", security.factor_reset_do, name="factor_reset_do"),
    path(
        "people/<uuid:pk>/sign-in/factor-reset/withdraw/",
        security.factor_reset_withdraw,
        name="factor_reset_withdraw",
    ),
    path("style/", style.style, name="style"),
]
