"""The audit log as people may read it: all of it, their own part, or the money's (PG-019, W-030)."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Upper
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.audit import exports
from backoffice.audit.models import AuditEntry
from backoffice.core.errors import NotFound
from backoffice.core.tables import Row, Table
from backoffice.desk import downloads
from backoffice.desk.paging import Page, keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.system import subjects

READ = ("audit.view", "audit.view_own", "audit.view_finance")
ASKED = ("actor", "action", "object", "request", "from", "to")
HEADER = (
    "position", "number", "at", "action", "person", "roles", "kind", "object", "label", "reason", "before", "after",
    "details", "address", "browser", "request", "hash",
)  # fmt: skip
PERSON_REFERENCE = re.compile(r"u-([0-9a-f]{8})", re.IGNORECASE)


def visible_to(user: User) -> QuerySet[AuditEntry]:
    """The entries that this person may read."""
    entries = AuditEntry.objects.select_related("actor")
    if user.may("audit.view"):
        return entries
    scope = Q(actor=user)
    if user.may("audit.view_finance"):
        scope |= Q(subject_type__startswith="finance.")
    return entries.filter(scope)


def asked_of(given: Mapping[str, str]) -> dict[str, str]:
    """What was searched for."""
    return {name: given.get(name, "").strip()[:200] for name in ASKED}


def matching(entries: QuerySet[AuditEntry], asked: Mapping[str, str], *, by: User) -> QuerySet[AuditEntry]:
    """The entries that fit the search. Addresses are for those who read the whole log: a hit would confirm one."""
    if asked["actor"]:
        entries = entries.filter(actor__in=people_called(asked["actor"], addresses=by.may("audit.view")))
    if asked["action"]:
        entries = entries.filter(action__startswith=asked["action"])
    if asked["object"]:
        entries = entries.annotate(label=Upper("subject_label")).filter(
            Q(subject_id=asked["object"].lower()) | Q(label=Upper(Value(asked["object"])))
        )
    if asked["request"]:
        entries = entries.filter(request_id=asked["request"])
    if first := _day(asked["from"]):
        entries = entries.filter(at__gte=_midnight(first))
    if last := _day(asked["to"]):
        entries = entries.filter(at__lt=_midnight(last + timedelta(days=1)))
    return entries


def people_called(text: str, *, addresses: bool = True) -> QuerySet[User]:
    """Staff by a part of their name; anybody by the whole key, reference (U-…) or, if wanted, address."""
    found = Q(display_name__icontains=text, is_staff=True)
    if addresses:
        found |= Q(email__iexact=text)
    if reference := PERSON_REFERENCE.fullmatch(text):
        found = Q(id__iendswith=reference[1])
    with suppress(ValueError):
        found |= Q(id=UUID(text))
    return User.objects.filter(found)


@screen(permission=READ, title=gettext_lazy("Audit log"), methods=("GET", "HEAD"))
def audit_list(request: StaffRequest) -> HttpResponse:
    """Search by person, action, object, request and day; every entry with what it changed."""
    asked = asked_of(request.GET.dict())
    return _list(
        request,
        keyset(request, matching(visible_to(request.user), asked, by=request.user)),
        {
            "asked": asked,
            "searching": any(asked.values()),
            "may_export": request.user.may("audit.export"),
        },
    )


@screen(permission=READ, title=gettext_lazy("History"), methods=("GET", "HEAD"))
def audit_object(request: StaffRequest, kind: str, key: str) -> HttpResponse:
    """Everything that is on record about one object, newest first."""
    if not subjects.known(kind):
        raise NotFound(_("There is no such kind of object."))
    page = keyset(request, visible_to(request.user).filter(subject_type=kind, subject_id=key))
    label = page.items[0].subject_label if page.items else key
    request.desk["title"] = _("History of %(what)s") % {"what": f"{subjects.noun(kind)} {label}"}
    own = subjects.page(kind, key)
    return _list(request, page, {"subject_page": own, "subject_label": label})


@screen(permission=READ, title=gettext_lazy("History"), methods=("GET", "HEAD"))
def audit_person(request: StaffRequest, pk: UUID) -> HttpResponse:
    """What one person did and what was done to their account, newest first."""
    person = get_object_or_404(User, pk=pk)
    about = Q(actor=person) | Q(subject_type="accounts.user", subject_id=str(person.pk))
    request.desk["title"] = _("History of %(what)s") % {"what": person}
    page = keyset(request, visible_to(request.user).filter(about))
    own = subjects.page("accounts.user", str(person.pk)) if request.user.may("users.view") else ""
    return _list(request, page, {"subject_page": own, "subject_label": str(person)})


@screen(permission="audit.export", title=gettext_lazy("Audit log"), methods=("POST",))
@stepup.required
def audit_export(request: StaffRequest) -> HttpResponse:
    """The search as a file, oldest first, each row with its place in the chain; on record with its reason."""
    asked = asked_of(request.POST.dict())
    made = exports.record(
        dataset="audit",
        by=request.user,
        format=request.POST.get("format", "csv"),
        reason=request.POST.get("reason", ""),
        filters=asked,
    )
    found = matching(visible_to(request.user), asked, by=request.user).select_related("actor", "link").order_by("id")
    return downloads.answer(made, [Table(_("Audit log"), HEADER, _rows(found))], name=f"audit-{made.reference}")


def _rows(found: QuerySet[AuditEntry]) -> Iterator[Row]:
    for entry in found.iterator(chunk_size=2000):
        link = getattr(entry, "link", None)
        yield (
            link.position if link else None,
            entry.pk,
            entry.at.isoformat(),
            entry.action,
            str(entry.actor) if entry.actor else "",
            " ".join(entry.actor_roles),
            entry.subject_type,
            entry.subject_id,
            entry.subject_label,
            entry.reason,
            _json(entry.before),
            _json(entry.after),
            _json(entry.data),
            entry.ip,
            entry.user_agent,
            entry.request_id,
            link.hash if link else "",
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _list(request: StaffRequest, page: Page[AuditEntry], context: dict[str, Any]) -> HttpResponse:
    return render(
        request,
        "desk/system/audit/list.html",
        {
            "page": page,
            "rows": [(entry, changes(entry)) for entry in page.items],
            "shows_origin": request.user.may("audit.view"),
            "reads_all": request.user.may("audit.view"),
            **context,
        },
    )


def changes(entry: AuditEntry) -> list[tuple[str, Any, Any]]:
    """What the entry changed: field, before, after; None where there was nothing."""
    before, after = entry.before or {}, entry.after or {}
    return [
        (name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    # The first and the last year have no day before and after them in every zone.
    return day if day is not None and date.min.year < day.year < date.max.year else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


urlpatterns = [
    path("audit/", audit_list, name="audit_list"),
    path("audit/export/", audit_export, name="audit_export"),
    path("audit/objects/<str:kind>/<str:key>/", audit_object, name="audit_object"),
    path("audit/people/<uuid:pk>/", audit_person, name="audit_person"),
]
