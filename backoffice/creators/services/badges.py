"""Badges and tiers: recognition that staff give and take back (E-013, P-034, R-031)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.creators import states
from backoffice.creators.models import BadgeGrant, Creator

EDIT = "users.edit"


def grant(*, creator: Creator, badge: str, by: Any, reason: str, at: dt.datetime | None = None) -> BadgeGrant:
    """Gives a badge. Conflict when the creator has it, Invalid for one that only the system gives."""
    permissions.require(by, EDIT)
    if badge not in [str(known) for known in states.STAFF_BADGES]:
        raise Invalid(_("There is no such badge to give."), field="badge")
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    return give(creator=creator, badge=badge, by=by, reason=reason.strip(), at=at or clock.now())


def give(*, creator: Creator, badge: str, by: Any, reason: str, at: dt.datetime) -> BadgeGrant:
    """The same without asking for a right: for services that have asked already."""
    with transaction.atomic():
        Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        if BadgeGrant.objects.filter(creator=creator, badge=badge, revoked_at=None).exists():
            raise Conflict(_("The creator has this badge already."), code="has_badge")
        given = BadgeGrant.objects.create(
            creator=creator, badge=badge, granted_by=by, granted_at=at, reason=reason, created_at=at
        )
        entries.record(
            action="creator.badge_give", by=by, subject=creator, reason=reason, after={"badge": badge}, at=at
        )
    return given


def revoke(*, creator: Creator, badge: str, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Takes a badge back. Conflict when the creator does not have it."""
    permissions.require(by, EDIT)
    if badge not in [str(known) for known in states.STAFF_BADGES]:
        raise Invalid(_("This badge goes with the verification."), field="badge")
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    if not take(creator=creator, badge=badge, by=by, reason=reason.strip(), at=at or clock.now()):
        raise Conflict(_("The creator does not have this badge."), code="no_badge")


def take(*, creator: Creator, badge: str, by: Any, reason: str, at: dt.datetime) -> bool:
    """The same without asking for a right; whether there was one to take."""
    with transaction.atomic():
        taken = BadgeGrant.objects.filter(creator=creator, badge=badge, revoked_at=None).update(
            revoked_at=at, revoked_by=by, updated_at=at
        )
        if taken:
            entries.record(
                action="creator.badge_take", by=by, subject=creator, reason=reason, before={"badge": badge}, at=at
            )
    return bool(taken)


def set_tier(*, creator: Creator, tier: str, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Confirms another tier (P-034); it decides which fee rules hold from now on."""
    at = at or clock.now()
    permissions.require(by, EDIT)
    if tier not in states.Tier.values:
        raise Invalid(_("There is no such tier."), field="tier")
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    with transaction.atomic():
        creator = Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        if creator.tier == tier:
            raise Conflict(_("The creator has this tier already."), code="same_tier")
        entries.record(
            action="creator.tier",
            by=by,
            subject=creator,
            reason=reason.strip(),
            before={"tier": creator.tier},
            after={"tier": tier},
            at=at,
        )
        Creator.objects.filter(pk=creator.pk).update(tier=tier, updated_at=at)
