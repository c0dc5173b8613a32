"""The audit log as people may read it: all of it, their own part, or the money's (PG-019)."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.audit.models import AuditEntry
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen


def visible_to(user: User) -> QuerySet[AuditEntry]:
    """The entries that this person may read."""
    entries = AuditEntry.objects.select_related("actor")
    if user.may("audit.view"):
        return entries
    scope = Q(actor=user)
    if user.may("audit.view_finance"):
        scope |= Q(subject_type__startswith="finance.")
    return entries.filter(scope)


@screen(
    permission=("audit.view", "audit.view_own", "audit.view_finance"),
    title=_("Audit log"),
    methods=("GET", "HEAD"),
)
def audit_list(request: StaffRequest) -> HttpResponse:
    """Search by person, action, object and day; every entry with what it changed."""
    asked = {name: request.GET.get(name, "").strip() for name in ("actor", "action", "object", "from", "to")}
    entries = visible_to(request.user)
    if asked["actor"]:
        people = User.objects.filter(
            Q(display_name__icontains=asked["actor"]) | Q(email__iexact=asked["actor"]), is_staff=True
        )
        entries = entries.filter(actor__in=people)
    if asked["action"]:
        entries = entries.filter(action__startswith=asked["action"])
    if asked["object"]:
        entries = entries.filter(Q(subject_id=asked["object"]) | Q(subject_label__icontains=asked["object"]))
    if first := _day(asked["from"]):
        entries = entries.filter(at__gte=_midnight(first))
    if last := _day(asked["to"]):
        entries = entries.filter(at__lt=_midnight(last + timedelta(days=1)))
    page = keyset(request, entries)
    return render(
        request,
        "desk/system/audit/list.html",
        {
            "page": page,
            "rows": [(entry, changes(entry)) for entry in page.items],
            "asked": asked,
            "searching": any(asked.values()),
            "shows_origin": request.user.may("audit.view"),
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
