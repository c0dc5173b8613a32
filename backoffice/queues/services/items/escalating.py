"""Passing work up to the supervisors of its queue, by hand or by its due time, and down again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.core import clock
from backoffice.core.errors import Invalid
from backoffice.queues import queries
from backoffice.queues.models import Skip, WorkItem
from backoffice.queues.services.items import steps
from backoffice.queues.services.items.steps import RELEASED, State

AT_ONCE = 200
LONGEST_REASON = 500
OVERDUE = gettext_noop("Nobody has decided this in its time.")
DOWN: dict[str, Any] = {"escalation_level": 0, "escalated_at": None, "escalated_by": None, "escalation_reason": ""}


def escalate(item: WorkItem, *, token: UUID | str, by: Any, reason: str, at: datetime | None = None) -> WorkItem:
    """The holder passes the item to the supervisors of its queue, with a note for them; Invalid without one.

    It is not given to the same person again.
    """
    at = at or clock.now()
    with transaction.atomic():
        held = steps.held(item, token=token, by=by, at=at)
        Skip.objects.get_or_create(item=held, user=by)
        return _up(held, by=by, reason=_checked(reason), at=at)


def escalate_subject(
    *, queue: str, subject: models.Model, by: Any, reason: str, at: datetime | None = None
) -> WorkItem | None:
    """The same for whoever may pass on what they do not hold; a holder loses it. None when nothing waits."""
    at = at or clock.now()
    with transaction.atomic():
        item = steps.unfinished(queue, subject).select_for_update().first()
        return None if item is None else _up(item, by=by, reason=_checked(reason), at=at)


def escalate_due(*, queues: Sequence[str], percent: int, at: datetime | None = None) -> int:
    """Passes up what nobody decided within ``percent`` of the time between arrival and due time; 0 is never.

    Only what waits for somebody to take it: what is held or paused stays. Returns how many; called again and again.
    """
    at = at or clock.now()
    if percent <= 0:
        return 0
    done = 0
    for found in queries.past_share(queues, percent=percent, at=at)[:AT_ONCE]:
        with transaction.atomic():
            item = (
                WorkItem.objects.select_for_update(skip_locked=True)
                .filter(pk=found.pk, state=State.OPEN, escalation_level=0)
                .first()
            )
            if item is not None:
                _up(item, by=None, reason=OVERDUE, at=at)
                done += 1
    return done


def hand_down(
    *, queue: str, subject: models.Model, by: Any, to: Any = None, reason: str = "", at: datetime | None = None
) -> WorkItem | None:
    """Gives an escalated item back to the ordinary queue, to one person first when ``to`` is named.

    None when the subject has no escalated item.
    """
    at = at or clock.now()
    with transaction.atomic():
        item = steps.unfinished(queue, subject).filter(escalation_level__gt=0).select_for_update().first()
        if item is None:
            return None
        if to is not None:
            Skip.objects.filter(item=item, user=to).delete()
        steps.record("hand_down", item, by=by, reason=reason, at=at)
        return steps.write(item, at, **DOWN, **(steps.returning(to, at=at) if item.state == State.OPEN else {}))


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(_("At most %(limit)s characters.") % {"limit": LONGEST_REASON}, field="reason")
    return reason


def _up(item: WorkItem, *, by: Any, reason: str, at: datetime) -> WorkItem:
    level = item.escalation_level + 1
    steps.record("escalate", item, by=by, reason=reason, data={"level": level}, at=at)
    given_up = {"state": State.OPEN, **RELEASED} if item.state == State.CLAIMED else {}
    return steps.write(
        item,
        at,
        escalation_level=level,
        escalated_at=at,
        escalated_by=by,
        escalation_reason=reason,
        return_to=None,
        return_until=None,
        **given_up,
    )
