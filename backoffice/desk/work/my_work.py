"""My work: the first page after sign-in. What I hold, what is due, what waits for my approval, and one way
on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.desk import menu
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.work import approvals
from backoffice.desk.work import queues as desks
from backoffice.finance.states import PAYOUT_APPROVAL
from backoffice.queues import queries
from backoffice.queues.models import WorkItem

SHOWN = 20
SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Held:
    """An item of this person's, ready for the page."""

    item: WorkItem
    desk: desks.Desk
    link: str
    breached: bool
    soon: bool

    @property
    def outcome(self) -> str:
        """What was decided, in words."""
        return desks.outcome_in_words(self.item.outcome)


@screen(permission=None, title=_("My work"), methods=("GET", "HEAD"))
def my_work(request: StaffRequest) -> HttpResponse:
    """A fixed number of statements whatever waits: held, returned, counts, approvals, recent decisions."""
    user, now = request.user, clock.now()
    seen = desks.seen_by(user)
    held = _rows(list(queries.held_by(user, at=now)[:SHOWN]), now)
    returned = _rows(list(queries.returns_to(user)[:SHOWN]), now)
    counts = queries.counts([desk.code for desk in seen], at=now) if seen else {}
    worked = desks.worked_by(user)
    waiting = approvals.for_person(user, limit=SHOWN)
    decided = _rows(list(queries.recent_decisions(user)[:5]), now)
    queues: list[dict[str, Any]] = [
        {
            "desk": desk,
            "counts": counts[desk.code],
            "list": reverse(desk.list_url),
            "works": desk.code in worked,
        }
        for desk in seen
    ]
    return render(
        request,
        "desk/work/my_work.html",
        {
            "now": now,
            "held": held,
            "returned": returned,
            "queues": queues,
            "waiting": waiting,
            "next_payout": next((row for row in waiting or [] if row.kind == PAYOUT_APPROVAL), None),
            "decided": decided,
            "overdue": sum(row["counts"]["overdue"] for row in queues if row["works"]),
            "mine_late": sum(row.breached for row in [*held, *returned]),
            "mine_soon": sum(row.soon for row in [*held, *returned]),
            "places": _places(request) if not queues else [],
        },
    )


def _rows(items: list[WorkItem], now: datetime) -> list[Held]:
    rows = []
    for item in items:
        desk = desks.BY_CODE.get(item.queue)
        if desk is None:
            continue
        late = item.due_at is not None and item.due_at < now
        soon = item.due_at is not None and not late and item.due_at - now <= SOON
        rows.append(Held(item, desk, desk.link(item.subject_id), late, soon))
    return rows


def _places(request: StaffRequest) -> list[dict[str, Any]]:
    """For people without a queue: the screens that are theirs."""
    return [
        {"label": row.label, "section": row.section, "icon": row.icon, "link": row.link()}
        for row in menu.ROWS
        if row.url != "desk:work" and row.open_to(request.user)
    ]
