"""Putting work into a queue, bringing it up to date, taking it out."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from backoffice.core import clock
from backoffice.queues.models import Skip, WorkItem, lane_of
from backoffice.queues.services.items import steps
from backoffice.queues.services.items.steps import RELEASED, State


def enqueue(
    *,
    queue: str,
    subject: models.Model,
    label: str,
    priority: int = 0,
    reasons: Iterable[Mapping[str, Any]] = (),
    due_at: datetime | None = None,
    language: str = "",
    skills: Collection[str] = (),
    group: str = "",
    return_to: Any = None,
    at: datetime | None = None,
) -> WorkItem:
    """Puts a subject into a queue; the unfinished item is returned when it is there already.

    ``reasons`` are ``{"code", "text", "score"}`` and explain the priority, which is their sum plus ``priority``.
    Only people who have all ``skills`` are given it. Items of one ``group`` can be claimed together.
    """
    at = at or clock.now()
    reasons = [dict(reason) for reason in reasons]
    unfinished = steps.unfinished(queue, subject)
    existing = unfinished.first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            return WorkItem.objects.create(
                queue=queue,
                label=label[:200],
                language=language,
                skills=sorted(set(skills)),
                lane=lane_of(language, skills),
                group_key=group,
                priority=priority + sum(int(reason.get("score", 0)) for reason in reasons),
                reasons=reasons,
                due_at=due_at,
                created_at=at,
                **(steps.returning(return_to, at=at) if return_to is not None else {}),
                **steps.about(subject),
            )
    except IntegrityError:
        return unfinished.get()


def resume(*, queue: str, subject: models.Model, at: datetime | None = None) -> WorkItem | None:
    """Puts a paused item back in line; its due time moves by the time it was paused. None when none is paused.

    It waits for the person whom it returns to for `queue.return_wait_hours`, and for nobody when they are away.
    """
    at = at or clock.now()
    with transaction.atomic():
        item = (
            steps.unfinished(queue, subject)
            .filter(state=State.PAUSED)
            .select_for_update(of=("self",))
            .select_related("return_to")
            .first()
        )
        if item is None:
            return None
        paused = at - (item.paused_at or at)
        return steps.write(
            item,
            at,
            state=State.OPEN,
            due_at=item.due_at + paused if item.due_at else None,
            paused_seconds=item.paused_seconds + int(paused.total_seconds()),
            paused_at=None,
            pause_reason="",
            **steps.returning(item.return_to, at=at),
        )


def revise(
    *,
    queue: str,
    subject: models.Model,
    priority: int = 0,
    reasons: Iterable[Mapping[str, Any]] = (),
    due_at: datetime | None = None,
    return_to: Any = None,
    anybody: bool = False,
    show_again: bool = False,
    at: datetime | None = None,
) -> WorkItem | None:
    """Brings an unfinished item's reasons, priority and due time up to date; None when there is none.

    With ``show_again`` people who skipped it see it again; ``return_to`` names who should get it next, ``anybody``
    takes such a name away.
    """
    at = at or clock.now()
    reasons = [dict(reason) for reason in reasons]
    with transaction.atomic():
        item = steps.unfinished(queue, subject).select_for_update().first()
        if item is None:
            return None
        if show_again:
            Skip.objects.filter(item=item).delete()
        return steps.write(
            item,
            at,
            priority=priority + sum(int(reason.get("score", 0)) for reason in reasons),
            reasons=reasons,
            due_at=due_at,
            **(steps.returning(return_to, at=at) if anybody or return_to is not None else {}),
        )


def finish(*, queue: str, subject: models.Model, by: Any, outcome: str, at: datetime | None = None) -> int:
    """Finishes a subject's item for whoever decided about it on its own page, without a lease; returns how many items.

    Part of the decision's transaction. One whom nobody held counts as taken up at that moment.
    """
    at = at or clock.now()
    return steps.unfinished(queue, subject).update(
        state=State.DONE,
        holder=None,
        lease_token=None,
        lease_until=None,
        claimed_at=Coalesce("claimed_at", Value(at)),
        done_by=by,
        done_at=at,
        outcome=outcome[:60],
        updated_at=at,
    )


def cancel(*, queue: str, subject: models.Model, at: datetime | None = None) -> int:
    """Takes a subject out of the queue whoever holds it (its reason to be there is gone); returns how many items."""
    at = at or clock.now()
    return steps.unfinished(queue, subject).update(state=State.CANCELLED, done_at=at, updated_at=at, **RELEASED)
