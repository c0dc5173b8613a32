"""Which of Wagtail's addresses are open: every one of them is listed, and what is not listed is closed (PG-013).

Wagtail brings some 190 addresses for people, groups, sites, workflows, reports and more. Editors write pages, keep
pictures and files and fill the featured board; people, roles, records and settings are the Desk's. `rule` answers for
one name; an address that a new version brings has no rule, is answered 404, and fails the tests until somebody decides.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLResolver, get_resolver
from django.utils.translation import gettext as _

from backoffice.accounts.models import User

EDIT: Final = "cms.edit"
EVERYONE: Final = "everyone"
CLOSED: Final = "closed"
PLACE: Final = "/cms/"
MIDDLEWARE: Final = "cms.doors.DoorMiddleware"

_OWN: Final = (
    "cms_featured",
    "cms_featured_place",
    "cms_featured_reorder",
    "cms_featured_schedule",
    "cms_featured_end",
)
_HOME: Final = (
    "wagtailadmin_home",
    "wagtailadmin_account",
    "wagtailadmin_dismissibles",
    "wagtailadmin_editing_sessions:ping",
    "wagtailadmin_editing_sessions:release",
)
_PAGES: Final = (
    "wagtailadmin_explore_root",
    "wagtailadmin_explore",
    "wagtailadmin_explore_results",
    # What the page tree in the menu reads.
    "wagtailadmin_api:pages:listing",
    "wagtailadmin_api:pages:detail",
    "wagtailadmin_api:pages:find",
    "wagtail_bulk_action",
    "simple_translation:submit_page_translation",
    *(
        f"wagtailadmin_pages:{name}"
        for name in (
            "add",
            "preview_on_add",
            "type_use",
            "type_use_results",
            "choose_parent",
            "usage",
            "edit",
            "preview_on_edit",
            "view_draft",
            "add_subpage",
            "delete",
            "unpublish",
            "convert_alias",
            "search",
            "search_results",
            "move",
            "move_confirm",
            "set_page_position",
            "copy",
            "lock",
            "unlock",
            "revisions_index",
            "revisions_view",
            "revisions_revert",
            "revisions_unschedule",
            "revisions_compare",
            "history",
            "history_results",
        )
    ),
)
_LINKS: Final = (
    "wagtailadmin_choose_page",
    "wagtailadmin_choose_page_child",
    "wagtailadmin_choose_page_search",
    "wagtailadmin_choose_page_chosen_multiple",
    "wagtailadmin_choose_page_external_link",
    "wagtailadmin_choose_page_email_link",
    "wagtailadmin_choose_page_phone_link",
    "wagtailadmin_choose_page_anchor_link",
)
_PICTURES: Final = (
    "wagtailadmin_tag_autocomplete",
    *(
        f"wagtailimages:{name}"
        for name in (
            "index",
            "index_results",
            "edit",
            "delete",
            "add",
            "image_usage",
            "add_multiple",
            "edit_multiple",
            "create_multiple_from_uploaded_image",
            "delete_multiple",
            "delete_upload_multiple",
        )
    ),
    *(
        f"wagtailimages_chooser:{name}"
        for name in ("choose", "choose_results", "chosen", "chosen_multiple", "create", "select_format")
    ),
)
_FILES: Final = (
    *(
        f"wagtaildocs:{name}"
        for name in (
            "index",
            "index_results",
            "add",
            "edit",
            "delete",
            "add_multiple",
            "edit_multiple",
            "create_multiple_from_uploaded_document",
            "delete_multiple",
            "delete_upload_multiple",
            "document_usage",
        )
    ),
    *(f"wagtaildocs_chooser:{name}" for name in ("choose", "choose_results", "chosen", "chosen_multiple", "create")),
)

# Signing in happens at the one door; the rest carries nothing of anybody.
_EVERYONE: Final = (
    "wagtailadmin_login",
    "wagtailadmin_logout",
    "wagtailadmin_password_reset",
    "wagtailadmin_password_reset_done",
    "wagtailadmin_password_reset_confirm",
    "wagtailadmin_password_reset_complete",
    "wagtailadmin_javascript_catalog",
    "wagtailadmin_sprite",
)

# A viewset of Wagtail's, with all that belongs to it.
_SET: Final = (
    "index",
    "index_results",
    "add",
    "edit",
    "delete",
    "history",
    "history_results",
    "usage",
)
_CLOSED: Final = (
    "",  # the pages that show what an error looks like, and whatever else has no name
    "wagtailadmin_error_test",
    "wagtailadmin_api:pages:action",
    *(f"wagtailadmin_api:{what}:{name}" for what in ("documents", "images") for name in ("listing", "detail", "find")),
    # Pages are public or drafts; there are no private ones, and publishing needs no second editor.
    "wagtailadmin_pages:set_privacy",
    "wagtailadmin_pages:workflow_action",
    "wagtailadmin_pages:collect_workflow_action_data",
    "wagtailadmin_pages:confirm_workflow_cancellation",
    "wagtailadmin_pages:workflow_preview",
    "wagtailadmin_pages:workflow_history",
    "wagtailadmin_pages:workflow_history_detail",
    *(
        f"wagtailadmin_workflows:{name}"
        for name in (
            "index",
            "index_results",
            "add",
            "enable",
            "disable",
            "edit",
            "usage",
            "usage_results",
            "remove",
            "add_task",
            "select_task_type",
            "task_index",
            "task_index_results",
            "edit_task",
            "disable_task",
            "enable_task",
            "task_chooser",
            "task_chooser_results",
            "task_chooser_create",
            "task_chosen",
        )
    ),
    # Who did what is in the audit log; these lists of colleagues' work download without a record.
    *(
        f"wagtailadmin_reports:{name}{results}"
        for name in ("locked_pages", "workflow", "workflow_tasks", "site_history", "aging_pages", "page_types_usage")
        for results in ("", "_results")
    ),
    *(f"wagtailadmin_collections:{name}" for name in ("index", "add", "edit", "delete", "set_privacy")),
    *(f"wagtailusers_users:{name}" for name in (*_SET, "copy")),
    *(f"wagtailusers_groups:{name}" for name in _SET),
    *(f"wagtailsites:{name}" for name in (*_SET, "copy")),
    *(f"wagtaillocales:{name}" for name in _SET),
    "wagtailadmin_tag_model_autocomplete",
    "wagtailadmin_block_preview",
    "wagtailsnippets:index",
    "simple_translation:submit_snippet_translation",
    # Fetches whatever address somebody types.
    "wagtailembeds:chooser",
    "wagtailembeds:chooser_upload",
    # Links to pictures at any size that need no session.
    "wagtailimages:url_generator",
    "wagtailimages:url_generator_output",
    "wagtailimages:preview",
)

RULES: Final[dict[str, str]] = {
    **dict.fromkeys((*_OWN, *_HOME, *_PAGES, *_LINKS, *_PICTURES, *_FILES), EDIT),
    **dict.fromkeys(_EVERYONE, EVERYONE),
    **dict.fromkeys(_CLOSED, CLOSED),
}

# Public addresses of Wagtail's that serve private pages and files, of which there are none.
SHUT_OUTSIDE: Final = {"wagtailcore_authenticate_with_password", "wagtaildocs_authenticate_with_password"}

# Addresses that name a model in the address open these models' rows only.
MODELS: Final = {
    "wagtail_bulk_action": {("wagtailcore", "page"), ("wagtailimages", "image"), ("wagtaildocs", "document")},
    "wagtailadmin_pages:type_use": {
        ("cms", name) for name in ("homepage", "helpindexpage", "helparticlepage", "policyindexpage", "policypage")
    },
}
MODELS["wagtailadmin_pages:type_use_results"] = MODELS["wagtailadmin_pages:type_use"]
MODELS["wagtailadmin_editing_sessions:ping"] = MODELS["wagtailadmin_pages:type_use"] | MODELS["wagtail_bulk_action"]


def rule(name: str) -> str | None:
    """Who may open the address of this qualified name: a permission, EVERYONE or CLOSED; None if nobody decided."""
    return RULES.get(name)


@cache
def patterns() -> dict[str, str]:
    """The qualified name ("" without one) of every address of Wagtail's by its whole pattern."""
    return dict(_patterns(get_resolver(), "", ""))


def _patterns(resolver: URLResolver, prefix: str, space: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif path.startswith(PLACE.lstrip("/")):
            yield path, f"{space}{entry.name}" if entry.name else ""


def _names_another_model(name: str, given: dict[str, Any]) -> bool:
    app = given.get("app_label") or given.get("content_type_app_name") or ""
    model = given.get("model_name") or given.get("content_type_model_name") or ""
    return name in MODELS and (app.lower(), model.lower()) not in MODELS[name]


class DoorMiddleware:
    """Answers 404 for what is closed and 403 for whom `rule` does not let in, before Wagtail is asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Raises Http404 or PermissionDenied; visitors are left to Wagtail, which sends them to the door."""
        match = request.resolver_match
        if match is not None and match.view_name in SHUT_OUTSIDE:
            raise Http404(match.view_name)
        if match is None or not request.path.startswith(PLACE):
            return
        wanted = rule(match.view_name if match.url_name else "")
        if wanted is None or wanted == CLOSED or _names_another_model(match.view_name, kwargs):
            raise Http404(_("This part of the editor is closed."))
        user = request.user
        if wanted != EVERYONE and isinstance(user, User) and not user.may(wanted):
            raise PermissionDenied


@register(Tags.security)
def doors_are_guarded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without the middleware every page that Wagtail brings would be open to editors."""
    order = list(settings.MIDDLEWARE)
    wanted = "backoffice.accounts.middleware.StaffFactorMiddleware"
    if MIDDLEWARE not in order or (wanted in order and order.index(wanted) > order.index(MIDDLEWARE)):
        return [
            Error(
                "Wagtail's addresses are not held to the list of open ones.",
                hint=f"Put {MIDDLEWARE} after {wanted} in MIDDLEWARE.",
                id="cms.E001",
            )
        ]
    return []
