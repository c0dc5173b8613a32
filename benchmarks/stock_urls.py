"""Titles in the admin as Django brings it: the columns, filters and search of the staff list, defaults otherwise."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest
from django.urls import path

from backoffice.catalogue.models import Title
from benchmarks.urls import urlpatterns as product


class StockTitles(ModelAdmin):
    """The list as the framework's tutorial would make it."""

    list_display = (
        "title",
        "creator",
        "category",
        "kind",
        "moderation_status",
        "processing_status",
        "visibility",
        "created_at",
        "price_minor",
    )
    list_filter = ("moderation_status", "processing_status", "visibility")
    list_select_related = ("creator", "category")
    search_fields = ("title", "creator__stage_name")
    list_per_page = 50

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True


class StockSite(AdminSite):
    """A site whose only visitor is signed in already."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


stock = StockSite(name="stock")
stock.register(Title, StockTitles)

urlpatterns = [path("stock/", stock.urls), *product]
