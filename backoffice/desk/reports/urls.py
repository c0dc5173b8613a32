"""Addresses of the area."""

from backoffice.desk.reports import revenue

urlpatterns = [*revenue.urlpatterns]
