"""What somebody decided lately in any queue, and taking it back while that is possible."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy

from backoffice.core import clock
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.work import queues as desks
from backoffice.queues import queries
from backoffice.queues.models import WorkItem


@dataclass(frozen=True, slots=True)
class Decided:
    """One finished item, ready for the page; ``undo`` is where it is taken back, empty when that is over."""

    item: WorkItem
    desk: desks.Desk
    link: str
    outcome: str
    undo: str


@screen(permission=None, title=gettext_lazy("My recent decisions"), methods=("GET", "HEAD"))
def my_decisions(request: StaffRequest) -> HttpResponse:
    """Newest first, one statement."""
    now = clock.now()
    page = keyset(request, queries.recent_decisions(request.user), by=("-done_at", "-id"))
    rows = []
    for item in page.items:
        desk = desks.BY_CODE.get(item.queue)
        if desk is None:
            continue
        open_still = desk.undo_url and item.undo_until is not None and item.undo_until > now
        undo = reverse(desk.undo_url, args=[item.subject_id]) if open_still else ""
        rows.append(Decided(item, desk, desk.link(item.subject_id), desks.outcome_in_words(item.outcome), undo))
    return render(request, "desk/work/queues/decided.html", {"page": page, "rows": rows})


urlpatterns = [
    path("decisions/", my_decisions, name="my_decisions"),
]
