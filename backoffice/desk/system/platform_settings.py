"""Platform settings and kill switches: their values, who changed them, and changing them (W-029, E-078)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.roles import ROLES
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.states import UNFINISHED
from backoffice.configuration import rules, words
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.models import SettingVersion
from backoffice.configuration.setting import LEVELS, TO_APPROVE, TO_CHANGE, Level, Setting, Unit, group_label, group_of
from backoffice.core.errors import DomainError, Forbidden, NotFound
from backoffice.desk.access import has
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.journeys.services import platform_settings as services

VIEW = "settings.view"
CHANGE = ("settings.edit", "settings.edit_limited", "settings.security", "switches.edit")
HISTORY = 20
TONES = {Level.OPERATIONAL: "", Level.STANDARD: "", Level.SECURITY: "warn", Level.SWITCH: "danger"}


@dataclass(frozen=True, slots=True)
class Row:
    """One setting, ready for the list."""

    key: str
    setting: Setting
    about: str
    value: str
    default: str
    changed: bool
    stopped: bool
    version: SettingVersion | None
    pending: ApprovalRequest | None
    may_change: bool

    @property
    def is_switch(self) -> bool:
        """Whether it is a kill switch."""
        return self.setting.level == Level.SWITCH

    @property
    def level(self) -> str:
        """Who may change it, in a word."""
        return str(LEVELS[self.setting.level])

    @property
    def tone(self) -> str:
        """The badge of the level."""
        name = TONES[self.setting.level]
        return f" bl-badge--{name}" if name else ""


class ChangeForm(forms.Form):
    """A new value, in the field that fits the setting, and why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=services.MOST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the value; everybody who may see the setting reads it."),
    )
    field_order = ("value", "reason")

    def __init__(self, setting: Setting, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.setting = setting
        self.fields["value"] = _field(setting)
        self.order_fields(["value", "reason"])

    def clean_value(self) -> Any:
        """The value in its own type."""
        given = self.cleaned_data["value"]
        if self.setting.type is bool:
            return given in (True, "on")
        if self.setting.type is list:
            items = given if isinstance(given, list) else given.splitlines()
            return [item.strip() for item in items if item.strip()]
        try:
            return words.read(self.setting, given)
        except DomainError as error:
            raise forms.ValidationError(str(error), code=error.code) from error


class ReasonForm(forms.Form):
    """Why it goes back."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=services.MOST_REASON)


def _field(setting: Setting) -> forms.Field:
    label, allowed = gettext_lazy("New value"), rules.allowed(setting, labels=True)
    if setting.level == Level.SWITCH:
        return forms.ChoiceField(label=label, choices=[("on", "on"), ("off", "off")], widget=forms.HiddenInput)
    if setting.type is bool:
        return forms.BooleanField(label=words.about(setting), required=False)
    if setting.type is list and setting.choices:
        return forms.MultipleChoiceField(
            label=label, choices=setting.choices, required=False, widget=forms.CheckboxSelectMultiple
        )
    if setting.type is list:
        return forms.CharField(
            label=label,
            required=False,
            max_length=6000,
            widget=forms.Textarea(attrs={"rows": 5}),
            help_text=_("One per line. %(allowed)s.") % {"allowed": allowed},
        )
    if setting.choices:
        return forms.ChoiceField(label=label, choices=setting.choices)
    unit = words.SUFFIXES.get(setting.unit, "")
    numeric = setting.type is int and setting.unit not in (Unit.BYTES, Unit.USD)
    attrs = {"autocomplete": "off", **({"inputmode": "numeric"} if numeric else {})}
    if setting.unit == Unit.USD:
        attrs["inputmode"] = "decimal"
    return forms.CharField(
        label=label,
        max_length=200,
        widget=forms.TextInput(attrs=attrs),
        help_text=" · ".join(part for part in (str(unit), allowed) if part),
    )


def _initial(setting: Setting, value: Any) -> Any:
    """The value in force as it stands in the field; a kill switch offers the other position."""
    if setting.level == Level.SWITCH:
        return "off" if value else "on"
    if isinstance(value, bool) or (isinstance(value, list) and setting.choices):
        return value
    return "\n".join(value) if isinstance(value, list) else words.typed(setting, value)


@screen(permission=VIEW, title=gettext_lazy("Settings"), methods=("GET", "HEAD"))
def setting_list(request: StaffRequest) -> HttpResponse:
    """Every setting that this person may see, in groups, with a search over key and text."""
    text, only = request.GET.get("q", "").strip()[:100], request.GET.get("only", "")
    asked = text.casefold()
    newest = {
        version.key: version
        for version in SettingVersion.objects.order_by("key", "-created_at", "-id")
        .distinct("key")
        .select_related("changed_by", "approved_by")
    }
    waiting = {
        row.subject_id: row
        for row in ApprovalRequest.objects.filter(subject_type=services.SUBJECT, status__in=UNFINISHED)
    }
    groups: dict[str, list[Row]] = {}
    for key, setting in DEFAULTS.items():
        if not services.may_see(request.user, setting):
            continue
        row = _row(request, key, setting, newest.get(key), waiting.get(key))
        group = group_of(key, setting)
        if asked and asked not in f"{key} {row.about} {group_label(group)}".casefold():
            continue
        if (only == "changed" and not row.changed) or (only == "waiting" and row.pending is None):
            continue
        groups.setdefault(group, []).append(row)
    return render(
        request,
        "desk/system/settings/list.html",
        {
            # What is stopped is what one comes for in an emergency.
            "groups": sorted(
                ((code, group_label(code), rows) for code, rows in groups.items()),
                key=lambda found: (found[0] != "switch", found[1]),
            ),
            "q": text,
            "only": only,
            "filters": [("", _("All")), ("changed", _("Changed")), ("waiting", _("Waiting for approval"))],
            "total": sum(len(rows) for rows in groups.values()),
        },
    )


def _row(
    request: StaffRequest,
    key: str,
    setting: Setting,
    version: SettingVersion | None,
    pending: ApprovalRequest | None,
) -> Row:
    value = setting.default if version is None else version.value
    return Row(
        key=key,
        setting=setting,
        about=words.about(setting),
        value=words.in_words(setting, value),
        default=words.in_words(setting, setting.default),
        changed=value != setting.default,
        stopped=setting.level == Level.SWITCH and not value,
        version=version,
        pending=pending,
        may_change=services.may_change(request.user, setting),
    )


def _find(request: StaffRequest, key: str) -> Setting:
    """The setting. Raises NotFound, Forbidden."""
    setting = services.find(key)
    if not services.may_see(request.user, setting):
        raise Forbidden(_("Your role does not include this setting."))
    return setting


@screen(permission=VIEW, title=gettext_lazy("Setting"), methods=("GET", "HEAD"))
def setting(request: StaffRequest, key: str) -> HttpResponse:
    """One setting: what it is, its value, the form, and its history."""
    return _page(request, key, _find(request, key))


def _page(
    request: StaffRequest,
    key: str,
    setting: Setting,
    *,
    form: forms.Form | None = None,
    opened: str = "",
    status: int = 200,
) -> HttpResponse:
    group = group_label(group_of(key, setting))
    request.desk["title"] = f"{group}: {key}"
    versions = SettingVersion.objects.filter(key=key)
    # The history below may show an older page.
    version = versions.order_by("-created_at", "-id").select_related("changed_by", "approved_by").first()
    pending = (
        ApprovalRequest.objects.filter(subject_type=services.SUBJECT, subject_id=key, status__in=UNFINISHED)
        .select_related("requested_by")
        .first()
    )
    row = _row(request, key, setting, version, pending)
    value = setting.default if version is None else version.value
    page = keyset(
        request,
        versions.select_related("changed_by", "approved_by", "restored_from"),
        by=("-created_at", "-id"),
        size=HISTORY,
    )
    # A stop never waits, so it is offered whatever else is asked for.
    stops = setting.level == Level.SWITCH and bool(value)
    offered = row.may_change and (stops or pending is None or not setting.two_people)
    initial = {"value": _initial(setting, value)}
    return render(
        request,
        "desk/system/settings/detail.html",
        {
            "row": row,
            "allowed": rules.allowed(setting, labels=True),
            "group": group,
            "form": (form if opened == "change" else ChangeForm(setting, initial=initial)) if offered else None,
            "stops": stops,
            "alone": offered and setting.two_people and not services.others_may_approve(request.user, setting),
            "suffix": "" if setting.unit == Unit.BYTES else words.SUFFIXES.get(setting.unit, ""),
            "asked_for": words.in_words(setting, pending.payload["value"]) if pending is not None else "",
            "history": [
                (
                    kept,
                    "–" if kept.previous is None else words.in_words(setting, kept.previous),
                    words.in_words(setting, kept.value),
                    words.in_words(setting, kept.restored_from.value) if kept.restored_from else "",
                    offered and kept.value != value,
                )
                for kept in page.items
            ],
            "page": page,
            "may_reset": offered and row.changed,
            "opened": opened,
            "refused": form if opened not in ("", "change") else None,
            "changers": _holders(*TO_CHANGE[setting.level]),
            "approvers": _holders(TO_APPROVE[setting.level]) if setting.two_people else [],
        },
        status=status,
    )


def _holders(*permissions: str) -> list[str]:
    """The roles with one of these permissions, in words."""
    return [str(name) for role, name in ROLES.items() if any(has(role, asked) for asked in permissions)]


@screen(permission=CHANGE, title=gettext_lazy("Setting"), methods=("POST",))
@stepup.required
def setting_change(request: StaffRequest, key: str) -> HttpResponse:
    """A new value: in force at once, or asked for."""
    setting = _find(request, key)
    form = ChangeForm(setting, request.POST)

    def act(given: dict[str, Any]) -> SettingVersion | ApprovalRequest:
        return services.propose(key=key, value=given["value"], by=request.user, reason=given["reason"])

    return _act(request, key, setting, form, act, opened="change")


@screen(permission=CHANGE, title=gettext_lazy("Setting"), methods=("POST",))
@stepup.required
def setting_restore(request: StaffRequest, key: str, version_id: UUID) -> HttpResponse:
    """Back to the value of an earlier version, by the same rules."""
    setting = _find(request, key)
    version = SettingVersion.objects.filter(pk=version_id, key=key).first()
    if version is None:
        raise NotFound(_("There is no such version."))

    def act(given: dict[str, Any]) -> SettingVersion | ApprovalRequest:
        return services.rollback(version=version, by=request.user, reason=given["reason"])

    return _act(request, key, setting, ReasonForm(request.POST), act, opened=str(version.pk))


@screen(permission=CHANGE, title=gettext_lazy("Setting"), methods=("POST",))
@stepup.required
def setting_reset(request: StaffRequest, key: str) -> HttpResponse:
    """Back to the default, by the same rules."""
    setting = _find(request, key)

    def act(given: dict[str, Any]) -> SettingVersion | ApprovalRequest:
        return services.reset(key=key, by=request.user, reason=given["reason"])

    return _act(request, key, setting, ReasonForm(request.POST), act, opened="default")


def _act(
    request: StaffRequest,
    key: str,
    setting: Setting,
    form: forms.Form,
    act: Callable[[dict[str, Any]], SettingVersion | ApprovalRequest],
    *,
    opened: str,
) -> HttpResponse:
    """Runs a change; a refusal shows the page again with what was typed. Forbidden goes to the 403 page."""
    if not services.may_change(request.user, setting):
        raise Forbidden(_("Your role does not include a change of this setting."))
    if form.is_valid():
        try:
            done = act(form.cleaned_data)
        except Forbidden:
            raise
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _said(setting, done))
            return redirect("desk:setting", key=key)
    return _page(request, key, setting, form=form, opened=opened, status=400)


def _said(setting: Setting, done: SettingVersion | ApprovalRequest) -> str:
    if isinstance(done, ApprovalRequest):
        return _("%(reference)s: asked for. It is in force once somebody else has approved it.") % {
            "reference": done.reference
        }
    return _("Changed from %(before)s to %(after)s.") % {
        "before": words.in_words(setting, done.previous),
        "after": words.in_words(setting, done.value),
    }


urlpatterns = [
    path("settings/", setting_list, name="setting_list"),
    path("settings/<str:key>/", setting, name="setting"),
    path("settings/<str:key>/change/", setting_change, name="setting_change"),
    path("settings/<str:key>/default/", setting_reset, name="setting_reset"),
    path("settings/<str:key>/versions/<uuid:version_id>/", setting_restore, name="setting_restore"),
]
