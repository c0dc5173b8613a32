"""Addresses of the support screens."""

from backoffice.desk.support import person_export, sla, templates, tickets

urlpatterns = [*tickets.urlpatterns, *templates.urlpatterns, *sla.urlpatterns, *person_export.urlpatterns]
