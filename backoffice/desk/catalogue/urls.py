"""Addresses of the area."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
