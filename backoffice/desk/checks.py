"""What the desk refuses to start with: a generic list, inline or action that does not say who may use it."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.checks import CheckMessage, Error, Tags, register

from backoffice.accounts.roles import MATRIX
from backoffice.desk.base import Declared, DeskAdmin, DeskInline
from backoffice.desk.site import desk_site

UNFOLD_ACTIONS = ("actions_list", "actions_row", "actions_detail", "actions_submit_line")
FILES = ("get_export_queryset", "get_import_formats", "get_export_formats")


@register(Tags.admin)
def everything_declares_who_may(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every list of the staff admin, with its inlines and actions."""
    return [problem for admin in desk_site._registry.values() for problem in problems(admin)]


def problems(admin: ModelAdmin) -> Iterator[CheckMessage]:
    """What is wrong with one list. Errors desk.E001 to desk.E006."""
    if not isinstance(admin, DeskAdmin):
        yield Error(
            f"{type(admin).__name__} is open by Django's rules.",
            hint="Derive it from backoffice.desk.base.DeskAdmin.",
            id="desk.E001",
        )
        return
    yield from _area(admin)
    for inline in admin.inlines:
        if not issubclass(inline, DeskInline):
            yield Error(
                f"The inline {inline.__name__} of {type(admin).__name__} does not say who may see it.",
                hint="Derive it from backoffice.desk.base.DeskInline and give it an area.",
                id="desk.E003",
            )
        else:
            yield from _area(inline)
            if not inline.fields:
                yield Error(f"The inline {inline.__name__} shows every field.", hint="Name them.", id="desk.E006")
    for name in (*(admin.actions or ()), *(entry for kind in UNFOLD_ACTIONS for entry in getattr(admin, kind) or ())):
        action = name if callable(name) else getattr(admin, str(name), None)
        if not getattr(action, "allowed_permissions", None):
            yield Error(
                f"The action {name} of {type(admin).__name__} does not say who may use it.",
                hint="Name permissions in its decorator.",
                id="desk.E004",
            )
    if any(hasattr(admin, name) for name in FILES):
        yield Error(
            f"{type(admin).__name__} makes or reads files of rows without a record.",
            hint="Exports go through backoffice.audit.exports, imports through the import screens.",
            id="desk.E005",
        )


def _area(declared: Declared | type[Declared]) -> Iterator[CheckMessage]:
    name = declared.__name__ if isinstance(declared, type) else type(declared).__name__
    area = getattr(declared, "area", "")
    verbs = {verb for row in MATRIX.get(area, {}).values() for verb in row.split()}
    missing = {"view", *(["edit"] if declared.editable else [])} - verbs
    if missing:
        yield Error(
            f"{name} asks for rights that the matrix does not have: {area or 'no area'}.{'/'.join(sorted(missing))}.",
            hint="Give it an area of backoffice.accounts.roles.MATRIX.",
            id="desk.E002",
        )
