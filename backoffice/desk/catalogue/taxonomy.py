"""Categories and tags in the generic admin."""

from django.contrib import admin
from django.http import HttpRequest

from backoffice.catalogue.models import Category, Tag
from backoffice.desk.base import DeskAdmin
from backoffice.desk.site import desk_site

NAMES = ("slug", "name_en", "name_fr", "name_ht")


class WordAdmin(DeskAdmin):
    """Words that staff who edit titles may add and rename; they are never deleted, titles hang on them."""

    area = "titles"
    search_fields = NAMES
    # The window behind the plus sign beside a category's parent.
    popups = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "edit")


@admin.register(Category, site=desk_site)
class CategoryAdmin(WordAdmin):
    """Places in the catalogue."""

    editable = (*NAMES, "kind", "parent", "position", "is_active")
    fields = editable
    list_display = ("slug", "name_en", "name_fr", "name_ht", "kind", "position", "is_active")
    list_filter = ("kind", "is_active")


@admin.register(Tag, site=desk_site)
class TagAdmin(WordAdmin):
    """Free words on titles."""

    editable = NAMES
    fields = editable
    list_display = NAMES
