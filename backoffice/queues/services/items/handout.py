"""The hand-out: the next item, one particular item, all open items of a group."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils.translation import gettext as _

from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Forbidden
from backoffice.queues.models import WorkItem
from backoffice.queues.services.items import steps
from backoffice.queues.services.items.steps import AtCapacity, NotFree, OffDuty, State
from backoffice.queues.worker import Worker

NEXT = "SELECT * FROM queues_claim_next(%s, %s, %s, %s, %s, %s, %s, %s)"


def claim_next(*, queues: Sequence[str], by: Any, at: datetime | None = None) -> WorkItem | None:
    """The next item that this person may take, claimed, in one statement; None when nothing waits for them.

    ``by`` is a `Worker`, or a person without limits. What returns to this person comes first, then, queue by queue in
    the given order, what was escalated (for supervisors), then by priority, due time and age. Rows that another
    hand-out is looking at are passed over (SKIP LOCKED), so nobody waits and nothing is given twice. Leases and
    returns that ran out are ended on the way.
    Raises OffDuty, and AtCapacity when the person holds as many items as they may.
    """
    worker = Worker.of(by)
    _check_duty(worker)
    at = at or clock.now()
    given = [
        worker.user.pk,
        list(queues),
        None if worker.languages is None else sorted(worker.languages),
        sorted(worker.skills),
        worker.capacity,
        sorted(worker.supervises),
        values.get("queue.lease_seconds"),
        at,
    ]
    item = next(iter(WorkItem.objects.raw(NEXT, given)), None)
    if item is None:
        _check_capacity(worker, at)
        return None
    item.holder = worker.user
    return item


GROUP = """
UPDATE queues_workitem
   SET state = 'claimed', holder_id = %(who)s, lease_token = gen_random_uuid(), lease_until = %(until)s,
       claimed_at = %(at)s, updated_at = %(at)s
 WHERE id IN (
    SELECT i.id FROM queues_workitem i
     WHERE i.state = 'open' AND i.queue = %(queue)s AND i.group_key = %(group)s
       AND (i.return_to_id IS NULL OR i.return_to_id = %(who)s)
       AND (i.escalation_level = 0 OR %(oversees)s)
       AND (i.not_before IS NULL OR i.not_before <= %(at)s)
       AND (%(tongues)s::text[] IS NULL OR left(i.language, 2) = ANY(%(tongues)s::text[]))
       AND i.skills::text[] <@ %(abilities)s::text[]
       AND NOT EXISTS (SELECT 1 FROM queues_skip s WHERE s.item_id = i.id AND s.user_id = %(who)s)
     ORDER BY i.priority DESC, i.due_at, i.id
     LIMIT %(most)s FOR UPDATE OF i SKIP LOCKED)
RETURNING *
"""
# One gesture takes no more than this, whatever a person's capacity.
GROUP_AT_MOST = 50


def claim_group(*, queue: str, group: str, by: Any, at: datetime | None = None) -> list[WorkItem]:
    """Claims the open items of one group for one person, as many as their capacity leaves; the most urgent first.

    A heartbeat on one of them renews all (`heartbeat`). Returns an empty list when none is open for them.
    Raises OffDuty and AtCapacity as `claim_next` does.
    """
    worker = Worker.of(by)
    _check_duty(worker)
    at = at or clock.now()
    with transaction.atomic():
        left = GROUP_AT_MOST
        if worker.capacity is not None:
            _one_at_a_time(worker)
            left = min(left, worker.capacity - _held(worker, at))
            if left <= 0:
                _check_capacity(worker, at)
        given = {
            "who": worker.user.pk,
            "until": steps.lease(at),
            "at": at,
            "queue": queue,
            "group": group,
            "oversees": queue in worker.supervises,
            "tongues": None if worker.languages is None else sorted(worker.languages),
            "abilities": sorted(worker.skills),
            "most": left,
        }
        items = list(WorkItem.objects.raw(GROUP, given))
    for item in items:
        item.holder = worker.user
    return sorted(items, key=lambda item: (-item.priority, item.due_at is None, item.due_at, item.id))


def claim(item: WorkItem, *, by: Any, at: datetime | None = None) -> WorkItem:
    """Claims one particular item. The holder gets a fresh token (a second window takes over from the first).

    Chosen by hand: neither capacity, languages nor skills limit it. ``by`` as in `claim_next`. NotFree when somebody
    else holds it or it is finished; Forbidden when it was escalated and this `Worker` is no supervisor of the queue.
    """
    at = at or clock.now()
    person = by.user if isinstance(by, Worker) else by
    with transaction.atomic():
        locked = steps.locked(item)
        lapsed = locked.state == State.CLAIMED and locked.lease_until is not None and locked.lease_until < at
        mine = locked.state == State.CLAIMED and locked.holder_id == person.pk
        if locked.state == State.OPEN or lapsed or mine:
            if locked.escalation_level and isinstance(by, Worker) and locked.queue not in by.supervises:
                raise Forbidden(_("This was passed on to a supervisor."), code="escalated")
            return _take(locked.pk, by=person, at=at)
    raise NotFree(steps.whose(locked))


def expire_leases(*, queues: Sequence[str] | None = None, at: datetime | None = None) -> int:
    """Puts items whose lease ran out back into the queue; returns how many. Skips rows that somebody locks.

    ``queues`` None is all.
    """
    at = at or clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE queues_workitem SET state = 'open', holder_id = NULL, lease_token = NULL, lease_until = NULL,
                   claimed_at = NULL, updated_at = %(at)s
             WHERE id IN (SELECT id FROM queues_workitem
                           WHERE state = 'claimed' AND lease_until < %(at)s
                             AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
                             FOR UPDATE SKIP LOCKED)
            """,
            {"at": at, "queues": None if queues is None else list(queues)},
        )
        return cursor.rowcount


def lapse_returns(*, at: datetime | None = None) -> int:
    """What waited for one person for `queue.return_wait_hours` is anybody's; returns how many items."""
    at = at or clock.now()
    overdue = WorkItem.objects.filter(state=State.OPEN, return_until__lte=at)
    return overdue.update(return_to=None, return_until=None, updated_at=at)


def _take(item_id: UUID, *, by: Any, at: datetime) -> WorkItem:
    WorkItem.objects.filter(id=item_id).update(
        state=State.CLAIMED, holder=by, lease_token=uuid4(), lease_until=steps.lease(at), claimed_at=at, updated_at=at
    )
    return WorkItem.objects.select_related("holder").get(id=item_id)


def _held(worker: Worker, at: datetime) -> int:
    return WorkItem.objects.filter(state=State.CLAIMED, holder=worker.user, lease_until__gte=at).count()


def _one_at_a_time(worker: Worker) -> None:
    """Waits for this person's other hand-outs; `queues_claim_next` takes the same lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"queues_claim_next {worker.user.pk}"])


def _check_duty(worker: Worker) -> None:
    if not worker.on_duty:
        raise OffDuty(_("You are off duty. Go on duty in My work to be given something."))


def _check_capacity(worker: Worker, at: datetime) -> None:
    if worker.capacity is None:
        return
    held = _held(worker, at)
    if held >= worker.capacity:
        raise AtCapacity(
            _("You hold %(held)s items and may hold %(most)s. Decide one or give one back first.")
            % {"held": held, "most": worker.capacity}
        )
