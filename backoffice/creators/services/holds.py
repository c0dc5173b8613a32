"""Legal holds: nothing of a held person is purged or erased (E-084, X-037)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.creators.models import DocumentKey, LegalHold

DECIDE = "privacy.decide"
LONGEST = 2000


def place(
    *,
    person: Any,
    by: Any,
    reason: str,
    authority: str = "",
    until: dt.datetime | None = None,
    at: dt.datetime | None = None,
) -> LegalHold:
    """Keeps everything of a person from now on; without `until`, until somebody lifts it.

    A person may be held for several matters at once. Raises Invalid without a reason or for an end that has passed,
    Conflict when the data was erased already.
    """
    at = at or clock.now()
    permissions.require(by, DECIDE)
    reason = _text(reason, field="reason", empty=_("Say why the data is held."))
    authority = authority.strip()
    if len(authority) > 200:
        raise Invalid(_("At most 200 characters."), field="authority")
    if until is not None and until <= at:
        raise Invalid(_("The end of a hold lies in the future."), field="until")
    with transaction.atomic():
        # A purge of this person that has begun ends first; one that comes later sees the hold.
        DocumentKey.objects.select_for_update().filter(subject=person).first()
        hold = LegalHold.objects.create(
            person=person, reason=reason, authority=authority, placed_by=by, placed_at=at, until=until, created_at=at
        )
        entries.record(
            action="legal_hold.place",
            by=by,
            subject=hold,
            reason=reason,
            data={"person": person, "authority": authority, "until": until},
            at=at,
        )
    return hold


def lift(*, hold: LegalHold, by: Any, reason: str, at: dt.datetime | None = None) -> LegalHold:
    """Ends a hold; what is past its purge date goes with the next run. Conflict when it has ended already."""
    at = at or clock.now()
    permissions.require(by, DECIDE)
    reason = _text(reason, field="reason", empty=_("Say why the hold is lifted."))
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
        if not hold.is_active(at):
            raise Conflict(_("This hold has ended already."), code="hold_ended")
        hold.lifted_by, hold.lifted_at, hold.lift_reason = by, at, reason
        hold.save(update_fields=["lifted_by", "lifted_at", "lift_reason", "updated_at"])
        entries.record(
            action="legal_hold.lift", by=by, subject=hold, reason=reason, data={"person": hold.person_id}, at=at
        )
    return hold


def _text(text: str, *, field: str, empty: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(empty, field=field)
    if len(text) > LONGEST:
        raise Invalid(_("At most %(most)s characters.") % {"most": LONGEST}, field=field)
    return text
