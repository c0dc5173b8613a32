"""The queues for those who answer for them: how they stand, how long people wait, who decides what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from backoffice.core import clock
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.work import queues as desks
from backoffice.queues import queries
from backoffice.queues.models import WorkItem
from backoffice.queues.queries import Reason

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Escalated:
    """An escalated item, ready for the page."""

    item: WorkItem
    link: str
    reasons: list[Reason]


@screen(permission=desks.SUPERVISORS, title=gettext_lazy("Queues"), methods=("GET", "HEAD"))
def queue_figures(request: StaffRequest) -> HttpResponse:
    """One queue a page; five statements of its own whatever waits."""
    now = clock.now()
    supervised = desks.supervised_by(request.user)
    chosen = next((desk for desk in supervised if desk.code == request.GET.get("queue")), supervised[0])
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    figures = queries.metrics(chosen.code, today=today, at=now)
    return render(
        request,
        "desk/work/queues/figures.html",
        {
            "tabs": [
                {
                    "label": desk.label,
                    "link": f"{reverse('desk:queue_figures')}?queue={desk.code}",
                    "here": desk is chosen,
                }
                for desk in supervised
            ],
            "desk": chosen,
            "list": reverse(chosen.list_url),
            "now": now,
            "figures": figures,
            "numbers": _numbers(figures),
            "oldest": _age(figures.pulse.oldest, now),
            "times": {
                "wait50": in_words(figures.waiting.p50),
                "wait90": in_words(figures.waiting.p90),
                "decide50": in_words(figures.deciding.p50),
                "decide90": in_words(figures.deciding.p90),
            },
            "people": [(person, in_words(person.median)) for person in figures.people],
            "busiest": max((max(hour.arrived, hour.decided) for hour in figures.hours), default=0),
            "escalated": [
                Escalated(item, chosen.link(item.subject_id), queries.explained(item, at=now))
                for item in queries.escalated([chosen.code])[:SHOWN]
            ],
        },
    )


def _numbers(figures: queries.Metrics) -> dict[str, Any]:
    """The full counts of the last minute where there are some, else what was counted now, up to where it stops."""
    pulse, measured = figures.pulse, figures.measured
    names = ("open", "claimed", "paused", "overdue", "escalated")
    stopped = measured is not None and any(getattr(pulse, name) >= queries.AT_MOST for name in names)
    return {
        name: f"{getattr(measured, name):,}"
        if stopped and getattr(pulse, name) >= queries.AT_MOST
        else queries.shown(getattr(pulse, name))
        for name in names
    } | {"measured_at": measured.measured_at if stopped and measured is not None else None}


def _age(since: datetime | None, now: datetime) -> str:
    return in_words(now - since) if since is not None else ""


def in_words(time: timedelta | None) -> str:
    """A stretch of time by its largest unit that leaves two digits: "45 seconds", "90 minutes", "3 days"."""
    if time is None:
        return ""
    seconds = int(time.total_seconds())
    if seconds < 100:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 100:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = round(seconds / 3600)
    if hours < 72:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = round(seconds / 86_400)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


urlpatterns = [
    path("queues/", queue_figures, name="queue_figures"),
]
