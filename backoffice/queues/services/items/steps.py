"""What the verbs of a work item share: refusals, the row under its lease, leases, returns, the record."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core.errors import Conflict
from backoffice.queues.models import WorkItem
from backoffice.queues.services import people

State = WorkItem.State
UNFINISHED = [State.OPEN, State.CLAIMED, State.PAUSED]
RELEASED: dict[str, Any] = {"holder": None, "lease_token": None, "lease_until": None, "claimed_at": None}


class LeaseLost(Conflict):
    """The item is not held by this person with this token any more; the message says by whom it is."""

    default_code = "lease_lost"


class NotFree(Conflict):
    """Somebody else holds the item, or it is finished."""

    default_code = "not_free"


class OffDuty(Conflict):
    """Nothing is handed out to somebody who is off duty."""

    default_code = "off_duty"


class AtCapacity(Conflict):
    """The person holds as many items as they may."""

    default_code = "at_capacity"


class NotUndoable(Conflict):
    """The time to take the decision back is over, or it is somebody else's."""

    default_code = "not_undoable"


def about(subject: models.Model) -> dict[str, str]:
    """A subject as the queue keeps it."""
    return {"subject_type": subject._meta.label_lower, "subject_id": str(subject.pk)}


def unfinished(queue: str, subject: models.Model) -> models.QuerySet[WorkItem]:
    """The item of a subject that still waits, is held or is paused: one at most."""
    return WorkItem.objects.filter(queue=queue, state__in=UNFINISHED, **about(subject))


def lease(at: datetime) -> datetime:
    """Until when a claim of this moment holds."""
    return at + timedelta(seconds=values.get("queue.lease_seconds"))


def returning(person: Any, *, at: datetime) -> dict[str, Any]:
    """Whose an open item is first, and until when; nobody's when that person is away or gone."""
    if person is None or not people.is_there(person):
        return {"return_to": None, "return_until": None}
    return {"return_to": person, "return_until": at + timedelta(hours=values.get("queue.return_wait_hours"))}


def whose(item: WorkItem) -> str:
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


def locked(item: WorkItem) -> WorkItem:
    """The row as it is now, locked."""
    return WorkItem.objects.select_for_update(of=("self",)).select_related("holder", "done_by").get(id=item.pk)


def held(item: WorkItem, *, token: UUID | str, by: Any, at: datetime) -> WorkItem:
    """The row, locked, if this person holds it with this token and the lease has not run out; else LeaseLost."""
    found = locked(item)
    if (
        found.state == State.CLAIMED
        and found.holder_id == by.pk
        and str(found.lease_token) == str(token)
        and found.lease_until is not None
        and found.lease_until >= at
    ):
        return found
    if found.state == State.CLAIMED and found.holder_id == by.pk:
        if str(found.lease_token) != str(token):
            raise LeaseLost(_("You have this open in another window; decide it there."))
        raise LeaseLost(_("Your claim on this ran out; claim it again."))
    raise LeaseLost(whose(found))


def write(item: WorkItem, at: datetime, **fields: Any) -> WorkItem:
    """Sets fields of a locked row."""
    WorkItem.objects.filter(id=item.pk).update(updated_at=at, **fields)
    for name, value in fields.items():
        setattr(item, name, value)
    return item


def record(
    verb: str,
    item: WorkItem,
    *,
    by: Any,
    at: datetime,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Giving work back or up moves no state of what it is about, so nobody else writes it down."""
    entries.record(
        action=f"work_item.{verb}",
        by=by,
        subject=item,
        reason=reason,
        data={
            "queue": item.queue,
            "subject_type": item.subject_type,
            "subject": item.subject_id,
            "label": item.label,
            **(data or {}),
        },
        at=at,
    )
