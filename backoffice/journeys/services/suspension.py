"""Suspending, restoring and refusing a creator with everything that hangs on it (S-013 to S-015)."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue.services import featured
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.creators.services import creators
from backoffice.finance.services import payouts
from backoffice.journeys.queries import suspension as queries
from backoffice.journeys.queries.suspension import Effects


def suspend(
    *, creator: Creator, by: User, reason: str, until: datetime | None = None, at: datetime | None = None
) -> Effects:
    """Hides the creator and their titles, ends their featured slots and sessions, holds what was not paid yet.

    Needs ``users.suspend``. What customers have bought stays theirs. Returns what it took away, which is also on
    record. Raises as `creators.suspend`.
    """
    at = at or clock.now()
    with transaction.atomic():
        taken = queries.effects(creator, at=at)
        creators.suspend(creator=creator, by=by, reason=reason, until=until, at=at)
        why = creators.SUSPENDED(reason=reason.strip())
        _take_away(creator, taken, action="creator.suspend_effects", by=by, why=why, at=at)
    return taken


def refuse_verification(*, creator: Creator, by: User, reason: str, at: datetime | None = None) -> Effects:
    """Refuses a pending verification with the same effects, but for the sessions: the person may apply again (S-016).

    Needs ``applications.decide``. Returns what it took away, which is also on record. Raises as
    `creators.reject_verification`.
    """
    at = at or clock.now()
    with transaction.atomic():
        taken = replace(queries.effects(creator, at=at), sessions=0)
        creators.reject_verification(creator=creator, by=by, reason=reason, at=at)
        why = creators.REFUSED(reason=reason.strip())
        _take_away(creator, taken, action="creator.refuse_effects", by=by, why=why, at=at)
    return taken


def _take_away(creator: Creator, taken: Effects, *, action: str, by: User, why: str, at: datetime) -> None:
    """Ends where the titles are featured, holds what was not paid yet, and writes down all that goes."""
    for title in {slot.title for slot in queries.open_slots(creator, at=at).select_related("title")}:
        featured.end_all_of(title, by=by, reason=why, at=at)
    unsent = list(queries.unsent(creator))
    payouts.lock_all(item.run_id for item in unsent)
    for item in unsent:
        payouts.hold(item=item, by=None, caused_by=by, reason=why, at=at)
    entries.record(
        action=action,
        by=by,
        subject=creator,
        data={
            "titles": taken.titles,
            "slots": taken.slots,
            "tickets": taken.tickets,
            "sessions": taken.sessions,
            "payouts": [[row.currency, row.count, row.gross_minor] for row in taken.payouts],
        },
        at=at,
    )


def restore(*, creator: Creator, by: User, reason: str, at: datetime | None = None) -> None:
    """Shows the creator and their titles again. Payouts stay held until finance has looked; featured slots stay ended.

    Needs ``users.suspend``.
    """
    creators.restore(creator=creator, by=by, reason=reason, at=at)
