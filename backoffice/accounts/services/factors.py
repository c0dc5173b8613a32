"""A lost second factor: one colleague asks for the reset, another one carries it out (W-027)."""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts import sealing
from backoffice.accounts.models import FactorReset, KnownDevice, SecurityEvent, User
from backoffice.accounts.services import attempts, security, sessions
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.notifications.services import notify

GOOD_FOR = timedelta(hours=24)
HELPS = ("users.assist", "users.edit")
STAFF = "staff.decide"
EDITS_STAFF = "staff.edit"


def may_ask(by: User, user: User) -> bool:
    """Who helps people may ask; for oneself somebody else has to."""
    return by != user and any(by.may(right) for right in (*HELPS, STAFF))


def may_carry_out(by: User, user: User) -> bool:
    """For staff only whoever decides about staff; for members whoever helps people. Never for oneself."""
    return by != user and (by.may(STAFF) if user.is_staff else any(by.may(right) for right in HELPS))


def may_unlock(by: User, user: User) -> bool:
    """For staff only whoever edits staff accounts (PG-002); for members whoever helps people. Never for oneself.

    Dropping the count is another round of tries at a password or code.
    """
    return by != user and (by.may(EDITS_STAFF) if user.is_staff else any(by.may(right) for right in HELPS))


def may_withdraw(by: User, wish: FactorReset) -> bool:
    """Whoever asked for a reset, or could carry it out."""
    return by.pk == wish.requested_by_id or may_carry_out(by, wish.user)


def request(*, user: User, by: User, reason: str, at: datetime | None = None) -> FactorReset:
    """Asks that a person's factors be taken away. Good for a day; one at a time per person."""
    at = at or clock.now()
    if not may_ask(by, user):
        raise Forbidden(_("Your roles do not let you ask for this."))
    if not reason.strip():
        raise Invalid(_("Say how you made sure that it is this person."), field="reason")
    if not Authenticator.objects.filter(user=user).exists():
        raise Conflict(_("This person has no second factor."))
    try:
        with transaction.atomic():
            FactorReset.objects.filter(user=user, closed_at=None, expires_at__lte=at).update(closed_at=at)
            wish = FactorReset.objects.create(
                user=user, requested_by=by, reason=reason.strip(), expires_at=at + GOOD_FOR, created_at=at
            )
            entries.record(action="factor_reset.request", by=by, subject=user, reason=reason, at=at)
    except IntegrityError as error:
        raise Conflict(_("Somebody has asked for this already.")) from error
    return wish


def carry_out(wish: FactorReset, *, by: User, at: datetime | None = None) -> None:
    """Takes factors, recovery codes, known devices, sessions and the password away; the person is told by mail.

    The password goes too: with it alone, whoever knows it could set up a factor of their own. A new one is set through
    the mail of the password reset.
    """
    at = at or clock.now()
    with transaction.atomic():
        wish = FactorReset.objects.select_for_update(of=("self",)).select_related("user").get(pk=wish.pk)
        user = wish.user
        if not may_carry_out(by, user):
            raise Forbidden(_("Your roles do not let you do this."))
        if by.pk == wish.requested_by_id:
            raise Forbidden(_("Whoever asked for it cannot carry it out: a second person has to."))
        if wish.closed_at is not None or wish.expires_at <= at:
            raise Conflict(_("This request is closed."))
        FactorReset.objects.filter(pk=wish.pk).update(done_by=by, closed_at=at, updated_at=at)
        Authenticator.objects.filter(user=user).delete()
        KnownDevice.objects.filter(user=user, forgotten_at=None).update(forgotten_at=at)
        user.set_unusable_password()
        user.save(update_fields=["password", "updated_at"])
        attempts.forget(user.email)
        security.record(
            kind=SecurityEvent.Kind.MFA_RESET, user=user, by=by, data={"requested_by": wish.requested_by_id}, at=at
        )
        entries.record(
            action="factor_reset.carry_out",
            by=by,
            subject=user,
            reason=wish.reason,
            data={"requested_by": wish.requested_by_id},
            at=at,
        )
        sessions.end_all(user=user, by=by, reason="factor reset", at=at)
        notify(user=user, event="security.factor_reset", data={}, by=by)


def withdraw(wish: FactorReset, *, by: User, at: datetime | None = None) -> None:
    """Closes a request without doing anything; by whoever asked or whoever could carry it out."""
    at = at or clock.now()
    if not may_withdraw(by, wish):
        raise Forbidden(_("Your roles do not let you do this."))
    with transaction.atomic():
        if not FactorReset.objects.filter(pk=wish.pk, closed_at=None).update(closed_at=at, updated_at=at):
            raise Conflict(_("This request is closed."))
        entries.record(action="factor_reset.withdraw", by=by, subject=wish.user, at=at)


def unlock(*, user: User, by: User, reason: str, at: datetime | None = None) -> None:
    """Drops the counts of wrong tries of a person (P-016). Raises Forbidden, Invalid."""
    if not may_unlock(by, user):
        raise Forbidden(_("Your roles do not let you do this."))
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    with transaction.atomic():
        attempts.forget(user.email)
        security.record(kind=SecurityEvent.Kind.UNLOCKED, user=user, by=by, at=at)
        entries.record(action="user.unlock", by=by, subject=user, reason=reason, at=at)


def reseal() -> int:
    """Encrypts every secret that is under an older key with the newest one; returns how many rows changed."""
    changed = 0
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]
    for key in Authenticator.objects.filter(type__in=kinds).values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=key).first()
            if row is None:
                continue
            fresh = {name: _resealed(value) if name in SECRETS else value for name, value in row.data.items()}
            if fresh != row.data:
                row.data = fresh
                row.save(update_fields=["data"])
                changed += 1
    return changed


SECRETS = ("secret", "seed", "migrated_codes")


def _resealed(value: str | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return [sealing.seal(sealing.open_sealed(item)) for item in value]
    return value if sealing.is_current(value) else sealing.seal(sealing.open_sealed(value))
