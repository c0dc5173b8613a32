"""Addresses of the featured board below /cms/featured/."""

from django.urls import path

from cms.featured import views

urlpatterns = [
    path("", views.board, name="cms_featured"),
    path("place/", views.place, name="cms_featured_place"),
    path("sections/<slug:section_slug>/order/", views.reorder, name="cms_featured_reorder"),
    path("slots/<uuid:slot_id>/dates/", views.schedule, name="cms_featured_schedule"),
    path("slots/<uuid:slot_id>/end/", views.end, name="cms_featured_end"),
]
