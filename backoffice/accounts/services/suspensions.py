"""Closing a member's account and opening it again (W-027, P-001, P-006). Nothing is deleted.

Staff have a deactivation of their own, and a creator is suspended with everything that hangs on it: see
`journeys.services.members`, which asks.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import Suspension, User
from backoffice.accounts.permissions import require
from backoffice.accounts.services import sessions
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError, Invalid
from backoffice.notifications.services import notify

Kind = Suspension.Kind
# Operations suspend and lift suspensions, and close no account for good.
PERMISSION: dict[str, str] = {Kind.SUSPENSION: "users.suspend", Kind.DEACTIVATION: "users.decide"}
STARTS: dict[str, str] = {Kind.SUSPENSION: "user.suspend", Kind.DEACTIVATION: "user.deactivate"}
ENDS: dict[str, str] = {Kind.SUSPENSION: "user.restore", Kind.DEACTIVATION: "user.reactivate"}
TELLS: dict[str, str] = {Kind.SUSPENSION: "member.suspended", Kind.DEACTIVATION: "member.deactivated"}
MOST_REASON = 1000


class AccountClosed(DomainError):
    """The right password of an account that is suspended or deactivated. Whoever does not know it learns nothing."""

    default_code = "account_closed"
    http_status = 403


def current(user: User) -> Suspension | None:
    """What keeps the account closed now."""
    return Suspension.objects.filter(user=user, ended_at=None).select_related("started_by").first()


def sentence() -> str:
    """What the person is told at the door."""
    return _("This account is closed. The mail that we sent you says why; you can answer it through our support.")


def start(*, user: User, kind: str, by: User, reason: str, at: datetime | None = None) -> Suspension:
    """Closes a member's account: sessions and tokens end, and the person is told the reason by mail.

    Needs the right of `PERMISSION`. Raises Forbidden, Invalid (reason, a staff account), or Conflict when the account
    is closed already.
    """
    at = at or clock.now()
    require(by, PERMISSION[kind])
    reason = _checked(reason)
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        if user.is_staff:
            raise Invalid(_("This is a staff account: it is deactivated under Staff."), field="user", code="is_staff")
        if not user.is_active:
            raise Conflict(_("This account is closed already."), code="already_closed")
        made = Suspension.objects.create(
            user=user, kind=kind, reason=reason, started_at=at, started_by=by, created_at=at
        )
        User.objects.filter(pk=user.pk).update(is_active=False, updated_at=at)
        entries.record(
            action=STARTS[kind],
            by=by,
            subject=user,
            reason=reason,
            before={"is_active": True},
            after={"is_active": False},
            at=at,
        )
        sessions.end_all(user=user, by=by, reason=kind, at=at)
        notify(user=user, event=TELLS[kind], data={"reason": reason}, by=by)
    return made


def end(*, user: User, by: User, reason: str, at: datetime | None = None) -> Suspension:
    """Opens the account again; sessions that ended stay ended. The person is told.

    Needs the right that closed it. Raises Forbidden, Invalid (reason), or Conflict when the account is open.
    """
    at = at or clock.now()
    reason = _checked(reason)
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        running = current(user)
        if running is None:
            require(by, PERMISSION[Kind.SUSPENSION])
            raise Conflict(_("This account is open."), code="not_closed")
        require(by, PERMISSION[running.kind])
        Suspension.objects.filter(pk=running.pk).update(ended_at=at, ended_by=by, end_reason=reason, updated_at=at)
        User.objects.filter(pk=user.pk).update(is_active=True, updated_at=at)
        entries.record(
            action=ENDS[running.kind],
            by=by,
            subject=user,
            reason=reason,
            before={"is_active": False},
            after={"is_active": True},
            at=at,
        )
        notify(user=user, event="member.restored", data={}, by=by)
        running.refresh_from_db()
    return running


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why."), field="reason")
    if len(reason) > MOST_REASON:
        raise Invalid(_("At most %(most)s characters.") % {"most": MOST_REASON}, field="reason")
    return reason
