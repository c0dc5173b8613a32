"""Addresses of the area."""

from backoffice.desk.creators import applications, creators, documents, reviews, tax

urlpatterns = [
    *applications.urlpatterns,
    *documents.urlpatterns,
    *tax.urlpatterns,
    *reviews.urlpatterns,
    *creators.urlpatterns,
]
