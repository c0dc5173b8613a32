"""What time does to cases: due times pass, reviewers go away (S-072)."""

from datetime import datetime

from django.db import transaction

from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.states import advance
from backoffice.moderation import queries
from backoffice.moderation.models import Case
from backoffice.moderation.queries import QUEUE
from backoffice.moderation.states import Status
from backoffice.queues import queries as queue_queries
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items


def flag_breaches(*, at: datetime | None = None) -> int:
    """Marks cases that passed their due time, once each (S-072); returns how many were marked now."""
    at = at or clock.now()
    marked = 0
    for case in Case.objects.overdue(at).filter(breached_at=None)[:500]:
        with transaction.atomic():
            if Case.objects.filter(pk=case.pk, breached_at=None).update(breached_at=at, updated_at=at):
                entries.record(action="case.breach", by=None, subject=case, data={"due_at": case.due_at}, at=at)
                marked += 1
    return marked


def escalate_due(*, at: datetime | None = None) -> int:
    """Passes cases that nobody took for too long to the supervisors (`queue.escalate_percent`); returns how many.

    The case stays in its state (S-072); only who is handed it changes.
    """
    return items.escalate_due(queues=[QUEUE], percent=values.get("queue.escalate_percent"), at=at)


def return_lapsed(*, at: datetime | None = None) -> int:
    """Puts cases whose reviewer went away back among the waiting ones; returns how many."""
    at = at or clock.now()
    items.expire_leases(queues=[QUEUE], at=at)
    returned = 0
    for case in queries.without_holder():
        with transaction.atomic():
            found = Case.objects.select_for_update().get(pk=case.pk)
            item = queue_queries.for_subject(QUEUE, found)
            if found.status == Status.IN_REVIEW and item is not None and item.state == WorkItem.State.OPEN:
                advance(
                    found,
                    "release",
                    by=None,
                    at=at,
                    reason="lease",
                    changes={"assignee": None, "claimed_at": None},
                )
                returned += 1
    return returned
