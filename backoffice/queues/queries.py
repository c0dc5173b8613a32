"""Reading the queues."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, Q, QuerySet

from backoffice.core import clock
from backoffice.queues.models import WorkItem

State = WorkItem.State


def for_subject(queue: str, subject: Model) -> WorkItem | None:
    """The newest item of a subject in a queue, finished or not."""
    return (
        WorkItem.objects.filter(queue=queue, subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
        .select_related("holder", "done_by", "return_to")
        .order_by("-created_at")
        .first()
    )


def held_by(user: Any, *, at: datetime | None = None) -> QuerySet[WorkItem]:
    """What this person holds under a running lease, first due first."""
    return WorkItem.objects.filter(state=State.CLAIMED, holder=user, lease_until__gte=at or clock.now()).order_by(
        "due_at"
    )


def returns_to(user: Any) -> QuerySet[WorkItem]:
    """What came back to this person and waits to be taken up again."""
    return WorkItem.objects.filter(state=State.OPEN, return_to=user).order_by("due_at")


def recent_decisions(user: Any, *, queue: str = "") -> QuerySet[WorkItem]:
    """What this person finished, newest first."""
    items = WorkItem.objects.filter(state=State.DONE, done_by=user)
    return (items.filter(queue=queue) if queue else items).order_by("-done_at")


def counts(queues: Sequence[str], *, at: datetime | None = None) -> dict[str, dict[str, int]]:
    """Per queue how many items wait, are held, are paused and are past due; one statement."""
    at = at or clock.now()
    rows = (
        WorkItem.objects.filter(queue__in=list(queues), state__in=[State.OPEN, State.CLAIMED, State.PAUSED])
        .values("queue")
        .annotate(
            open=Count("id", filter=Q(state=State.OPEN)),
            claimed=Count("id", filter=Q(state=State.CLAIMED)),
            paused=Count("id", filter=Q(state=State.PAUSED)),
            overdue=Count("id", filter=Q(due_at__lt=at) & ~Q(state=State.PAUSED)),
        )
    )
    empty = {"open": 0, "claimed": 0, "paused": 0, "overdue": 0}
    found = {row.pop("queue"): row for row in rows}
    return {queue: {**empty, **found.get(queue, {})} for queue in queues}
