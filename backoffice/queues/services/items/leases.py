"""What the holder of an item does with it. Each takes the lease token; without the lease it is LeaseLost."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.core import clock
from backoffice.queues.models import Skip, WorkItem
from backoffice.queues.services.items import steps
from backoffice.queues.services.items.steps import RELEASED, NotUndoable, State

NOBODYS: dict[str, Any] = {"return_to": None, "return_until": None}


def heartbeat(item: WorkItem, *, token: UUID | str, by: Any, at: datetime | None = None) -> WorkItem:
    """Renews the lease, and those of the other items of its group that this person holds (`claim_group`).

    LeaseLost names who has the item now.
    """
    at = at or clock.now()
    until = steps.lease(at)
    with transaction.atomic():
        held = steps.write(steps.held(item, token=token, by=by, at=at), at, lease_until=until)
        if held.group_key:
            others = WorkItem.objects.filter(
                state=State.CLAIMED, holder=by, queue=held.queue, group_key=held.group_key, lease_until__gte=at
            ).exclude(pk=held.pk)
            # Another window may be doing the same at this moment.
            ids = list(others.select_for_update(skip_locked=True).values_list("pk", flat=True))
            if ids:
                WorkItem.objects.filter(pk__in=ids).update(lease_until=until, updated_at=at)
        return held


def release(item: WorkItem, *, token: UUID | str, by: Any, at: datetime | None = None) -> WorkItem:
    """Gives the item back to the queue."""
    at = at or clock.now()
    with transaction.atomic():
        held = steps.held(item, token=token, by=by, at=at)
        steps.record("release", held, by=by, at=at)
        return steps.write(held, at, state=State.OPEN, **NOBODYS, **RELEASED)


def skip(item: WorkItem, *, token: UUID | str, by: Any, at: datetime | None = None) -> WorkItem:
    """Gives the item back and hides it from this person only."""
    at = at or clock.now()
    with transaction.atomic():
        held = steps.held(item, token=token, by=by, at=at)
        Skip.objects.get_or_create(item=held, user=by)
        steps.record("skip", held, by=by, at=at)
        return steps.write(held, at, state=State.OPEN, **NOBODYS, **RELEASED)


def pause(
    item: WorkItem, *, token: UUID | str, by: Any, reason: str, return_to: Any = None, at: datetime | None = None
) -> WorkItem:
    """Stops the clock while somebody else has to act; `resume` brings it back, to ``return_to`` first."""
    at = at or clock.now()
    with transaction.atomic():
        held = steps.held(item, token=token, by=by, at=at)
        return steps.write(
            held,
            at,
            state=State.PAUSED,
            paused_at=at,
            pause_reason=reason[:200],
            return_to=return_to,
            return_until=None,
            **RELEASED,
        )


def complete(
    item: WorkItem,
    *,
    token: UUID | str,
    by: Any,
    outcome: str = "",
    undo_until: datetime | None = None,
    at: datetime | None = None,
) -> WorkItem:
    """Finishes the item. Part of the decision's transaction: LeaseLost there means that nothing is decided.

    Until ``undo_until`` the person who finished it may take that back (`undo`).
    """
    at = at or clock.now()
    with transaction.atomic():
        held = steps.held(item, token=token, by=by, at=at)
        return steps.write(
            held,
            at,
            state=State.DONE,
            done_by=by,
            done_at=at,
            outcome=outcome,
            undo_until=undo_until,
            lease_token=None,
            lease_until=None,
        )


def undo(item: WorkItem, *, by: Any, at: datetime | None = None) -> WorkItem:
    """The item is in its decider's hands again, as if it had not been decided.

    Part of the transaction that takes the decision back. NotUndoable when its time is over, somebody else decided, or
    it is no decided item.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = steps.locked(item)
        if found.state != State.DONE or found.undo_until is None or at >= found.undo_until:
            raise NotUndoable(_("The decision has taken effect."))
        if found.done_by_id != by.pk:
            raise NotUndoable(_("Only the person who decided can undo it."))
        return steps.write(
            found,
            at,
            state=State.CLAIMED,
            holder=by,
            lease_token=uuid4(),
            lease_until=steps.lease(at),
            claimed_at=at,
            done_by=None,
            done_at=None,
            outcome="",
            undo_until=None,
        )
