"""Mounted at /storage/."""

from django.urls import path

from backoffice.media import views

urlpatterns = [
    path("parts/<str:token>", views.part, name="storage_part"),
    path("files/<str:token>/<str:name>", views.file, name="storage_file"),
    path("play/<str:token>/<path:name>", views.play, name="storage_play"),
]
