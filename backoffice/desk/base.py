"""The generic admin with every door shut: a list opens only what its class declares.

`backoffice.desk.checks` refuses to start with a list, inline or action that declares nothing.
"""

from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, TabularInline

from backoffice.accounts.models import User
from backoffice.audit import entries


class Declared:
    """What lists and inlines have in common: rights by ``area``, and fields that only ``editable`` opens."""

    area: ClassVar[str]
    editable: ClassVar[tuple[str, ...]] = ()

    def _may(self, request: HttpRequest, verb: str) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_staff and user.may(f"{self.area}.{verb}")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "view")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(self.editable) and self._may(request, "edit")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class DeskInline(Declared, TabularInline):
    """Rows of another model on a record's page: read only but for ``editable``, none added, none deleted.

    Its own ``area`` decides who sees them, not that of the record around them. ``fields`` names what is shown.
    """

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [name for name in self.fields or () if name not in self.editable]  # type: ignore[misc]


class DeskAdmin(Declared, ModelAdmin):
    """Base of all generic lists.

    ``area`` names the permission area: ``<area>.view`` opens the list and the record, ``<area>.edit`` changes the
    fields of ``editable``; without ``editable`` everything is read only. Nothing is added or deleted here, lookups
    by query string are limited to ``list_filter``, and a change writes its audit row in the same transaction. Windows
    that choose for another form open where ``popups`` says so, autocompletion for ``autocomplete_fields``; files of
    rows are made by screens that record them, never here.
    """

    popups: ClassVar[bool] = False
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    compressed_fields = True
    warn_unsaved_form = True
    list_filter_submit = True
    list_fullwidth = True
    actions = ()
    view_on_site = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only what the class declares; Django's delete action is never among them."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        shown = [
            name
            for _title, options in self.get_fieldsets(request, obj)
            for item in options["fields"]
            for name in (item if isinstance(item, (list, tuple)) else [item])
        ]
        return [name for name in shown if name not in self.editable]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Without a declaration: the columns of the list and what can be edited, never every field of the
        model.
        """
        return self.fields or [*self.get_list_display(request), *self.editable]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only lookups that a declared filter makes; Django would allow any local field."""
        if request is None:
            return False
        allowed = set()
        for item in self.get_list_filter(request):
            entry = item[0] if isinstance(item, (list, tuple)) else item
            name = entry if isinstance(entry, str) else getattr(entry, "parameter_name", None)
            if name:
                allowed.add(name)
        return any(lookup == name or lookup.startswith(f"{name}__") for name in allowed)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if any("\x00" in value for _name, given in request.GET.lists() for value in given):
            raise BadRequest("a zero byte is no text")
        self._check_window(request)
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self._check_window(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _check_window(self, request: HttpRequest) -> None:
        """Choosing windows answer with keys and names of rows: closed unless declared, and by primary key only."""
        asked = {IS_POPUP_VAR, TO_FIELD_VAR} & {*request.GET, *request.POST}
        if asked and not self.popups:
            raise PermissionDenied

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are named to other forms by their key, never by another column."""
        return to_field in (self.opts.pk.name, self.opts.pk.attname)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What happened to a record is the audit log's to tell."""
        raise PermissionDenied

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        """Saves and writes the audit row; Django's change view holds the transaction around both."""
        before = {name: form.initial.get(name) for name in form.changed_data}
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        entries.record(
            action=f"{self.opts.model_name}.edit",
            by=request.user,
            subject=obj,
            before={name: str(value) for name, value in before.items()},
            after={name: str(form.cleaned_data[name]) for name in form.changed_data},
        )

    def log_addition(self, *args: Any) -> None:
        """The audit row stands instead of Django's log row."""

    def log_change(self, *args: Any) -> None:
        """The audit row stands instead of Django's log row."""
