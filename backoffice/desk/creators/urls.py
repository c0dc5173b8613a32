"""Addresses of the area."""

from backoffice.desk.creators import applications, creators, documents, judging, reviews, tax

urlpatterns = [
    *applications.urlpatterns,
    *documents.urlpatterns,
    *judging.urlpatterns,
    *tax.urlpatterns,
    *reviews.urlpatterns,
    *creators.urlpatterns,
]
