"""Addresses of the support screens."""

from backoffice.desk.support import sla, templates, tickets

urlpatterns = [*tickets.urlpatterns, *templates.urlpatterns, *sla.urlpatterns]
