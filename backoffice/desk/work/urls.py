"""Addresses of My work."""

from django.urls import path

from backoffice.desk.work import my_work, requests

urlpatterns = [
    path("", my_work.my_work, name="work"),
    *requests.urlpatterns,
]
