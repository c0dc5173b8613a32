"""Addresses of the area."""

from backoffice.desk.creators import applications, creators, documents

urlpatterns = [*applications.urlpatterns, *documents.urlpatterns, *creators.urlpatterns]
