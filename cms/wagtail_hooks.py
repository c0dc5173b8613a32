"""What the product adds to Wagtail: the featured board, the way back to the Desk, one look, fewer doors."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, reverse_lazy
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from wagtail import hooks
from wagtail.admin.api.views import PagesAdminAPIViewSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.api.v2.router import WagtailAPIRouter

from backoffice.accounts.models import User
from cms import doors
from cms.help import queries

# What editors work with. Everything else that Wagtail would list (users, groups, its own settings, reports on
# other people's work) is done on the Desk or not at all.
SHOWN = {"desk", "explorer", "featured", "images", "documents"}
MISSING_SHOWN = 8  # per language


class FeaturedMenuItem(MenuItem):
    """The way to the board, for those who may curate."""

    def is_shown(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.may("cms.edit")


class MissingTranslations(Component):
    """Published pages that a language does not have yet (W-020, L-001), on the editors' first page."""

    name = "missing_translations"
    template_name = "cms/help/missing.html"
    order = 50

    def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
        languages = [
            {"code": code, "name": name, "pages": list(queries.missing_translations(code)[:MISSING_SHOWN])}
            for code, name in settings.WAGTAIL_CONTENT_LANGUAGES
            if code != settings.LANGUAGE_CODE
        ]
        return {"languages": [language for language in languages if language["pages"]]}


class Editors(BasePermission):
    """For those who may edit pages; everybody else is refused, as everywhere in the API."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, User) and request.user.may(doors.EDIT)


class PageTree(PagesAdminAPIViewSet):
    """What the tree of pages in the menu reads."""

    permission_classes = (Editors,)


@hooks.register("construct_admin_api")
def page_tree(router: WagtailAPIRouter) -> None:
    router.register_endpoint("pages", PageTree)


@hooks.register("register_admin_urls")
def featured_urls() -> list[URLPattern | URLResolver]:
    return [path("featured/", include("cms.featured.urls"))]


@hooks.register("register_admin_menu_item")
def desk_menu_item() -> MenuItem:
    return MenuItem(_("Desk"), reverse_lazy("desk:work"), name="desk", icon_name="arrow-left", order=1)


@hooks.register("register_admin_menu_item")
def featured_menu_item() -> MenuItem:
    return FeaturedMenuItem(_("Featured"), reverse_lazy("cms_featured"), name="featured", icon_name="pick", order=150)


@hooks.register("construct_main_menu")
def only_what_editors_use(request: HttpRequest, items: list[MenuItem]) -> None:
    items[:] = [item for item in items if item.name in SHOWN]


@hooks.register("construct_homepage_summary_items", order=100)
def no_counts(request: HttpRequest, items: list[Any]) -> None:
    """The first page shows drafts and recent edits; how many rows there are helps nobody."""
    items.clear()


@hooks.register("construct_homepage_panels")
def what_is_missing(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(MissingTranslations())


@hooks.register("insert_global_admin_css")
def product_css() -> SafeString:
    files = [static("desk/tokens.css"), static("desk/cms.css")]
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((file,) for file in files))
