"""Addresses of the area."""

from backoffice.desk.catalogue import titles

urlpatterns = [*titles.urlpatterns]
