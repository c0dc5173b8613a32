"""Handing out work: one item to one person, under a lease that runs out by itself."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.queues.models import Skip, WorkItem

State = WorkItem.State
UNFINISHED = [State.OPEN, State.CLAIMED, State.PAUSED]


class LeaseLost(Conflict):
    """The item is not held by this person with this token any more; the message says by whom it is."""

    default_code = "lease_lost"


class NotFree(Conflict):
    """Somebody else holds the item, or it is finished."""

    default_code = "not_free"


def _subject(subject: models.Model) -> dict[str, str]:
    return {"subject_type": subject._meta.label_lower, "subject_id": str(subject.pk)}


def enqueue(
    *,
    queue: str,
    subject: models.Model,
    label: str,
    priority: int = 0,
    reasons: Iterable[Mapping[str, Any]] = (),
    due_at: datetime | None = None,
    language: str = "",
    return_to: Any = None,
    at: datetime | None = None,
) -> WorkItem:
    """Puts a subject into a queue; the unfinished item is returned when it is there already.

    ``reasons`` are ``{"code", "text", "score"}`` and explain the priority, which is their sum plus ``priority``.
    """
    reasons = [dict(reason) for reason in reasons]
    unfinished = WorkItem.objects.filter(queue=queue, state__in=UNFINISHED, **_subject(subject))
    existing = unfinished.first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            return WorkItem.objects.create(
                queue=queue,
                label=label[:200],
                language=language,
                priority=priority + sum(int(reason.get("score", 0)) for reason in reasons),
                reasons=reasons,
                due_at=due_at,
                return_to=return_to,
                created_at=at or clock.now(),
                **_subject(subject),
            )
    except IntegrityError:
        return unfinished.get()


def _lease(at: datetime) -> datetime:
    return at + timedelta(seconds=values.get("queue.lease_seconds"))


def expire_leases(*, queues: Sequence[str], at: datetime | None = None) -> int:
    """Puts items whose lease ran out back into the queue; returns how many. Skips rows that somebody locks."""
    at = at or clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE queues_workitem SET state = 'open', holder_id = NULL, lease_token = NULL, lease_until = NULL,
                   claimed_at = NULL, updated_at = %(at)s
             WHERE id IN (SELECT id FROM queues_workitem
                           WHERE state = 'claimed' AND queue = ANY(%(queues)s) AND lease_until < %(at)s
                             FOR UPDATE SKIP LOCKED)
            """,
            {"at": at, "queues": list(queues)},
        )
        return cursor.rowcount


NEXT = """
SELECT id FROM queues_workitem w
 WHERE w.state = 'open' AND w.queue = %(queue)s {whose}
   AND (w.not_before IS NULL OR w.not_before <= %(at)s)
   AND (%(languages)s::text[] IS NULL OR left(w.language, 2) = ANY(%(languages)s))
   AND NOT EXISTS (SELECT 1 FROM queues_skip s WHERE s.item_id = w.id AND s.user_id = %(user)s)
 ORDER BY w.priority DESC, w.due_at, w.id
 LIMIT 1 FOR UPDATE OF w SKIP LOCKED
"""
MINE_FIRST = NEXT.format(whose="AND w.return_to_id = %(user)s")
ANYBODYS = NEXT.format(whose="AND w.return_to_id IS NULL")


def claim_next(
    *, queues: Sequence[str], by: Any, languages: Collection[str] | None = None, at: datetime | None = None
) -> WorkItem | None:
    """The next item that this person may take, claimed; None when nothing waits.

    ``languages`` limits it to items in these, by their first two letters; None is all.

    What returns to this person comes first, then by priority, due time and age, queue by queue in the given order.
    Rows that another hand-out is looking at are passed over (SKIP LOCKED), so nobody waits and nothing is given twice.
    """
    at = at or clock.now()
    only = None if languages is None else sorted(languages)
    expire_leases(queues=queues, at=at)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (MINE_FIRST, ANYBODYS):
            for queue in queues:
                given = {"queue": queue, "user": by.pk, "at": at, "languages": only}
                cursor.execute(statement, given)
                found = cursor.fetchone()
                if found:
                    return _take(found[0], by=by, at=at)
    return None


def _take(item_id: UUID, *, by: Any, at: datetime) -> WorkItem:
    WorkItem.objects.filter(id=item_id).update(
        state=State.CLAIMED, holder=by, lease_token=uuid4(), lease_until=_lease(at), claimed_at=at, updated_at=at
    )
    return WorkItem.objects.select_related("holder").get(id=item_id)


def claim(item: WorkItem, *, by: Any, at: datetime | None = None) -> WorkItem:
    """Claims one particular item. The holder gets a fresh token (a second window takes over from the first).

    NotFree when somebody else holds it or it is finished.
    """
    at = at or clock.now()
    with transaction.atomic():
        locked = WorkItem.objects.select_for_update(of=("self",)).select_related("holder", "done_by").get(id=item.pk)
        lapsed = locked.state == State.CLAIMED and locked.lease_until is not None and locked.lease_until < at
        if locked.state == State.OPEN or lapsed or (locked.state == State.CLAIMED and locked.holder_id == by.pk):
            return _take(locked.pk, by=by, at=at)
    raise NotFree(_whose(locked))


def _whose(item: WorkItem) -> str:
    """The sentence that tells the second person what happened, by name."""
    if item.state == State.CLAIMED and item.holder is not None:
        return _("%(name)s is working on this.") % {"name": item.holder.display_name}
    if item.state == State.DONE and item.done_by is not None:
        return _("%(name)s has already decided this.") % {"name": item.done_by.display_name}
    if item.state == State.PAUSED:
        return _("This is waiting for somebody else: %(reason)s") % {"reason": item.pause_reason}
    if item.state == State.OPEN:
        return _("Your claim on this ran out; it is back in the queue.")
    return _("This is finished.")


def _held(item: WorkItem, *, token: UUID | str, by: Any, at: datetime) -> WorkItem:
    """The row, locked, if this person holds it with this token and the lease has not run out; else LeaseLost."""
    locked = WorkItem.objects.select_for_update(of=("self",)).select_related("holder", "done_by").get(id=item.pk)
    if (
        locked.state == State.CLAIMED
        and locked.holder_id == by.pk
        and str(locked.lease_token) == str(token)
        and locked.lease_until is not None
        and locked.lease_until >= at
    ):
        return locked
    if locked.state == State.CLAIMED and locked.holder_id == by.pk:
        if str(locked.lease_token) != str(token):
            raise LeaseLost(_("You have this open in another window; decide it there."))
        raise LeaseLost(_("Your claim on this ran out; claim it again."))
    raise LeaseLost(_whose(locked))


def _write(item: WorkItem, at: datetime, **fields: Any) -> WorkItem:
    WorkItem.objects.filter(id=item.pk).update(updated_at=at, **fields)
    for name, value in fields.items():
        setattr(item, name, value)
    return item


RELEASED: dict[str, Any] = {"holder": None, "lease_token": None, "lease_until": None, "claimed_at": None}


def heartbeat(item: WorkItem, *, token: UUID | str, by: Any, at: datetime | None = None) -> WorkItem:
    """Renews the lease. LeaseLost names who has the item now."""
    at = at or clock.now()
    with transaction.atomic():
        return _write(_held(item, token=token, by=by, at=at), at, lease_until=_lease(at))


def release(item: WorkItem, *, token: UUID | str, by: Any, at: datetime | None = None) -> WorkItem:
    """Gives the item back to the queue."""
    at = at or clock.now()
    with transaction.atomic():
        held = _held(item, token=token, by=by, at=at)
        _record("release", held, by=by, at=at)
        return _write(held, at, state=State.OPEN, return_to=None, **RELEASED)


def skip(item: WorkItem, *, token: UUID | str, by: Any, at: datetime | None = None) -> WorkItem:
    """Gives the item back and hides it from this person only."""
    at = at or clock.now()
    with transaction.atomic():
        held = _held(item, token=token, by=by, at=at)
        Skip.objects.get_or_create(item=held, user=by)
        _record("skip", held, by=by, at=at)
        return _write(held, at, state=State.OPEN, return_to=None, **RELEASED)


def _record(verb: str, item: WorkItem, *, by: Any, at: datetime) -> None:
    """Giving work back moves no state of what it is about, so nobody else writes it down."""
    about = {"queue": item.queue, "subject_type": item.subject_type, "subject": item.subject_id, "label": item.label}
    entries.record(action=f"work_item.{verb}", by=by, subject=item, data=about, at=at)


def pause(
    item: WorkItem, *, token: UUID | str, by: Any, reason: str, return_to: Any = None, at: datetime | None = None
) -> WorkItem:
    """Stops the clock while somebody else has to act; `resume` brings it back, to ``return_to`` first."""
    at = at or clock.now()
    with transaction.atomic():
        held = _held(item, token=token, by=by, at=at)
        return _write(
            held, at, state=State.PAUSED, paused_at=at, pause_reason=reason[:200], return_to=return_to, **RELEASED
        )


def resume(*, queue: str, subject: models.Model, at: datetime | None = None) -> WorkItem | None:
    """Puts a paused item back in line; its due time moves by the time it was paused. None when none is paused."""
    at = at or clock.now()
    with transaction.atomic():
        item = WorkItem.objects.select_for_update().filter(queue=queue, state=State.PAUSED, **_subject(subject)).first()
        if item is None:
            return None
        paused = at - (item.paused_at or at)
        return _write(
            item,
            at,
            state=State.OPEN,
            due_at=item.due_at + paused if item.due_at else None,
            paused_seconds=item.paused_seconds + int(paused.total_seconds()),
            paused_at=None,
            pause_reason="",
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
        item = (
            WorkItem.objects.select_for_update().filter(queue=queue, state__in=UNFINISHED, **_subject(subject)).first()
        )
        if item is None:
            return None
        if show_again:
            Skip.objects.filter(item=item).delete()
        return _write(
            item,
            at,
            priority=priority + sum(int(reason.get("score", 0)) for reason in reasons),
            reasons=reasons,
            due_at=due_at,
            **({"return_to": return_to} if anybody or return_to is not None else {}),
        )


def complete(item: WorkItem, *, token: UUID | str, by: Any, outcome: str = "", at: datetime | None = None) -> WorkItem:
    """Finishes the item. Part of the decision's transaction: LeaseLost there means that nothing is decided."""
    at = at or clock.now()
    with transaction.atomic():
        held = _held(item, token=token, by=by, at=at)
        return _write(
            held, at, state=State.DONE, done_by=by, done_at=at, outcome=outcome, lease_token=None, lease_until=None
        )


def cancel(*, queue: str, subject: models.Model, at: datetime | None = None) -> int:
    """Takes a subject out of the queue whoever holds it (its reason to be there is gone); returns how many items."""
    at = at or clock.now()
    return WorkItem.objects.filter(queue=queue, state__in=UNFINISHED, **_subject(subject)).update(
        state=State.CANCELLED, done_at=at, updated_at=at, **RELEASED
    )
