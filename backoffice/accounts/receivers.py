"""What allauth tells us: changes of factors and passwords, and wrong codes. Connected when the app is ready."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.dispatch import receiver

from backoffice.accounts import devices
from backoffice.accounts.models import SecurityEvent
from backoffice.accounts.services import security, sessions

Kind = SecurityEvent.Kind


@receiver(mfa_signals.authenticator_added, dispatch_uid="accounts.factor_added")
def factor_added(request: Any, user: Any, authenticator: Authenticator, **given: Any) -> None:
    """A factor was set up. Recovery codes come with it and are not told apart."""
    kind = Kind.MFA_CODES if authenticator.type == Authenticator.Type.RECOVERY_CODES else Kind.MFA_ADDED
    if kind == Kind.MFA_CODES:
        security.record(kind=kind, user=user, visit=devices.visit(request))
        return
    security.factor_changed(kind=kind, user=user, visit=devices.visit(request), factor=str(authenticator.type))


@receiver(mfa_signals.authenticator_removed, dispatch_uid="accounts.factor_removed")
def factor_removed(request: Any, user: Any, authenticator: Authenticator, **given: Any) -> None:
    """A factor was taken away by its owner."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return
    security.factor_changed(
        kind=Kind.MFA_REMOVED, user=user, visit=devices.visit(request), factor=str(authenticator.type)
    )


@receiver(mfa_signals.authenticator_reset, dispatch_uid="accounts.codes_renewed")
def codes_renewed(request: Any, user: Any, authenticator: Authenticator, **given: Any) -> None:
    """New recovery codes replaced the old ones."""
    security.factor_changed(
        kind=Kind.MFA_CODES, user=user, visit=devices.visit(request), factor=str(authenticator.type)
    )


@receiver(mfa_signals.authentication_failed, dispatch_uid="accounts.code_wrong")
def code_wrong(request: Any, user: Any, authenticator: Authenticator, **given: Any) -> None:
    """A wrong code at sign-in or step-up."""
    security.record(
        kind=Kind.MFA_FAILED,
        user=user,
        visit=devices.visit(request),
        data={"factor": str(authenticator.type), "step_up": bool(given.get("reauthentication"))},
    )


@receiver(mfa_signals.authenticator_used, dispatch_uid="accounts.stepped_up")
def stepped_up(request: Any, user: Any, authenticator: Authenticator, reauthenticated: bool, **given: Any) -> None:
    """The factor was given again inside a session."""
    if reauthenticated:
        security.record(
            kind=Kind.STEP_UP,
            user=user,
            visit=devices.visit(request),
            data={"factor": str(authenticator.type)},
        )


@receiver(account_signals.password_changed, dispatch_uid="accounts.password_changed")
@receiver(account_signals.password_set, dispatch_uid="accounts.password_set")
def password_changed(request: Any, user: Any, **given: Any) -> None:
    """The password was changed in a session; the others end."""
    security.password_changed(kind=Kind.PASSWORD_CHANGED, user=user, visit=devices.visit(request))
    sessions.end_all(user=user, by=user, reason="password", except_key=request.session.session_key)


@receiver(account_signals.password_reset, dispatch_uid="accounts.password_reset")
def password_reset(request: Any, user: Any, **given: Any) -> None:
    """The password was reset by mail; every session ends."""
    security.password_changed(kind=Kind.PASSWORD_RESET, user=user, visit=devices.visit(request))
    sessions.end_all(user=user, by=user, reason="password")
