"""Addresses of the import screens."""

from backoffice.desk.imports import runs

urlpatterns = runs.urlpatterns
