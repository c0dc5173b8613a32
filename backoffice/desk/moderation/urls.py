"""Addresses of the area."""

from backoffice.desk.moderation import bench, cases, decisions

urlpatterns = [*bench.urlpatterns, *cases.urlpatterns, *decisions.urlpatterns]
