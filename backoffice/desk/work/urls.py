"""Addresses of My work."""

from django.urls import path

from backoffice.desk.work import my_work

urlpatterns = [
    path("", my_work.my_work, name="work"),
]
