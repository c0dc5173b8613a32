"""Addresses of My work."""

from django.urls import path

from backoffice.desk.work import decided, duty, live, my_work, requests, supervision

urlpatterns = [
    path("", my_work.my_work, name="work"),
    *requests.urlpatterns,
    *decided.urlpatterns,
    *duty.urlpatterns,
    *live.urlpatterns,
    *supervision.urlpatterns,
]
