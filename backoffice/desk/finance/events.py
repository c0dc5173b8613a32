"""What providers told us, and what became of it; failed events are replayed here (S-127)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backoffice.audit import queries as audit
from backoffice.core.errors import Conflict
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import EventOutcome
from backoffice.finance.services import events
from backoffice.finance.states import EventStatus as Status

TABS: dict[str, tuple[Any, str]] = {
    "failed": (gettext_lazy("Failed"), Status.FAILED),
    "waiting": (gettext_lazy("Waiting"), Status.VERIFIED),
    "applied": (gettext_lazy("Applied"), Status.APPLIED),
    "ignored": (gettext_lazy("Ignored"), Status.IGNORED),
}
TONES = {Status.FAILED: "danger", Status.VERIFIED: "warn", Status.APPLIED: "ok", Status.IGNORED: "muted"}


@screen(permission="payments.view", title=gettext_lazy("Provider events"), methods=("GET", "HEAD"))
def event_list(request: StaffRequest) -> HttpResponse:
    """One tab per fate; the failed ones come first because they wait for somebody."""
    # Only the two fates that wait are counted: the others grow for ever.
    counts = dict(
        EventOutcome.objects.filter(status__in=[Status.FAILED, Status.VERIFIED])
        .values_list("status")
        .annotate(n=Count("id"))
    )
    tab = request.GET.get("tab", "")
    if tab not in TABS:
        tab = "failed" if counts.get(Status.FAILED) else "applied"
    rows = EventOutcome.objects.filter(status=TABS[tab][1]).select_related("event", "payment")
    query = request.GET.get("q", "").strip()
    if query:
        rows = rows.filter(Q(event__event_id=query) | Q(event__type__startswith=query))
    return render(
        request,
        "desk/finance/events/list.html",
        {
            "page": keyset(request, rows),
            "tabs": [
                (code, label, counts.get(status, 0) if code in ("failed", "waiting") else None)
                for code, (label, status) in TABS.items()
            ],
            "tab": tab,
            "q": query,
            "tones": TONES,
            "may_replay": request.user.may("payments.decide"),
        },
    )


@screen(permission="payments.view", title=gettext_lazy("Provider event"), methods=("GET", "HEAD"))
def event(request: StaffRequest, outcome_id: UUID) -> HttpResponse:
    """The event as it was told, and its fate. What it says of the customer is for those who decide on
    payments.
    """
    outcome = get_object_or_404(EventOutcome.objects.select_related("event", "payment"), pk=outcome_id)
    return render(
        request,
        "desk/finance/events/detail.html",
        {
            "title": outcome.event.event_id,
            "outcome": outcome,
            "tones": TONES,
            "timeline": list(audit.for_subject(outcome)[:20]),
            "may_replay": request.user.may("payments.decide"),
            "shows_payload": request.user.may("payments.decide"),
        },
    )


@require_POST
@screen(permission="payments.decide", title=gettext_lazy("Provider event"))
def event_replay(request: StaffRequest, outcome_id: UUID) -> HttpResponse:
    """Puts a failed event back in line."""
    outcome = get_object_or_404(EventOutcome.objects.select_related("event"), pk=outcome_id)
    try:
        events.replay(event=outcome.event, by=request.user)
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The event is in line again."))
    return HttpResponseRedirect(reverse("desk:event", args=[outcome.pk]))


urlpatterns = [
    path("events/", event_list, name="event_list"),
    path("events/<uuid:outcome_id>/", event, name="event"),
    path("events/<uuid:outcome_id>/replay/", event_replay, name="event_replay"),
]
