"""API tokens: allauth's JWT strategy over a server-side session, so that a token can be revoked (Q-027).

A session of its own is made for every sign-in; deleting it, or deactivating the person, ends its tokens at once.
"""

import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.headless.tokens.strategies.jwt import internal
from allauth.headless.tokens.strategies.jwt.strategy import JWTTokenStrategy
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backoffice.accounts import devices
from backoffice.accounts.adapter import API, AccountAdapter
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import attempts, security, sessions
from backoffice.core.errors import DomainError, Invalid

BACKEND = "backoffice.accounts.backend.StaffBackend"
MFA_TOKEN_SECONDS = 300
SALT = "backlot.mfa-token"


class SignInRefused(DomainError):
    """Wrong address or password, or a token that is not good; deliberately one sentence for all of them."""

    default_code = "not_signed_in"
    http_status = 401


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token (15 minutes) and a refresh token (7 days, changes at every use).

    ``device`` is to be sent with the next sign-in in the header ``Backlot-Device``; empty when nothing asked for one.
    """

    access: str
    refresh: str
    device: str = ""


def authenticate(request: HttpRequest, *, email: str, password: str) -> User:
    """The member with this address and password. Staff have their own door and are refused here.

    Raises SignInRefused, and TooManyAttempts without looking at the password.
    """
    user = AccountAdapter(request).authenticate_member(request, email=email.strip().lower(), password=password)
    if user is None:
        raise SignInRefused(_("Address or password is not right."))
    return user


def needs_factor(user: User) -> bool:
    """Whether the person has an authenticator app."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def mfa_token(user: User) -> str:
    """Proof that the password was right, good for five minutes, exchanged for tokens with a code."""
    return signing.dumps(str(user.pk), salt=SALT)


def user_of_mfa_token(token: str) -> User:
    """The person of an `mfa_token`; SignInRefused when it is wrong or old."""
    try:
        key = signing.loads(token, salt=SALT, max_age=MFA_TOKEN_SECONDS)
        return User.objects.get(pk=key, is_active=True, is_staff=False)
    except (signing.BadSignature, User.DoesNotExist) as error:
        raise SignInRefused(_("Sign in again.")) from error


def issue(user: User, *, factor: bool = False, asked_by: HttpRequest | None = None) -> Pair:
    """Tokens for a person who has shown who they are; ``factor`` says that a code was part of it.

    ``asked_by`` is the request that signs in: its origin is kept with the session and its device becomes known.
    """
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, backend=BACKEND)
    record_authentication(request, user, method="password", email=user.email)
    if factor:
        record_authentication(request, user, method="mfa", type=Authenticator.Type.TOTP)
    request.session.set_expiry(settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN)
    request.session.save()
    refresh = internal.create_refresh_token(user, request.session)
    request.session.save()
    device = security.signed_in(user=user, request=asked_by, door=API) if asked_by is not None else ""
    sessions.note(user=user, session_key=str(request.session.session_key), visit=devices.visit(asked_by), door=API)
    return Pair(internal.create_access_token(user, request.session, {}), refresh, device)


def rotate(refresh: str) -> Pair:
    """A new pair for a refresh token, which is used up by it; SignInRefused when it is not good."""
    pair = JWTTokenStrategy().refresh_token(refresh)
    if pair is None:
        raise SignInRefused(_("Sign in again."))
    payload = internal.decode_token(pair[0], "access") or {}
    sessions.seen(internal.session_key_from_sid(payload.get("sid", "")) or "")
    return Pair(*pair)


def owner(access: str) -> User | None:
    """Whose access token this is, when we made it and its time runs, even if its session or account has ended."""
    payload = internal.decode_token(access, "access")
    return User.objects.filter(pk=payload["sub"]).first() if payload is not None else None


def session_of(payload: dict[str, Any]) -> SessionBase | None:
    """The session behind an access token's payload."""
    return internal.get_token_session(payload)


def revoke(payload: dict[str, Any]) -> None:
    """Ends the session of an access token, and so every token made from it."""
    session = session_of(payload)
    if session is not None:
        sessions.dropped(str(session.session_key))
        session.flush()


def factor_age(payload: dict[str, Any], user: User) -> float | None:
    """Seconds since this token's session gave a code; None when it never did."""
    session = session_of(payload)
    if session is None:
        return None
    records = session.get("account_authentication_methods", [])
    times = [record["at"] for record in records if record.get("method") == "mfa"]
    return time.time() - max(times) if times else None


def check_code(user: User, code: str, *, visit: devices.Visit) -> bool:
    """Whether the code is what the person's app shows now, or a recovery code, and was not used before.

    Raises TooManyAttempts.
    """
    ticket = attempts.code(user=user, visit=visit)
    known = {row.type: row for row in Authenticator.objects.filter(user=user)}
    app, recovery = known.get(Authenticator.Type.TOTP), known.get(Authenticator.Type.RECOVERY_CODES)
    if (app is not None and TOTP(app).validate_code(code)) or (
        recovery is not None and RecoveryCodes(recovery).validate_code(code)
    ):
        ticket.refund()
        return True
    security.record(kind=SecurityEvent.Kind.MFA_FAILED, user=user, visit=visit, data={"door": API})
    if ticket.last:
        security.codes_used_up(user=user, visit=visit)
    return False


def give_factor(payload: dict[str, Any], user: User, code: str, *, visit: devices.Visit) -> None:
    """Notes on the token's session that a code was given now. Invalid when the code is wrong."""
    session = session_of(payload)
    if session is None or not check_code(user, code, visit=visit):
        raise Invalid(_("This code is not right."), field="code", code="wrong_code")
    request = HttpRequest()
    request.session = session
    record_authentication(request, user, method="mfa", type=Authenticator.Type.TOTP, reauthenticated=True)
    session.save()


def start_enrolment(payload: dict[str, Any], user: User) -> tuple[str, str]:
    """A new secret, kept on the session until a code proves it; returns it with its otpauth address."""
    session = session_of(payload)
    if session is None or needs_factor(user):
        raise Invalid(_("An authenticator app is set up already."), code="already_enrolled")
    secret = generate_totp_secret()
    session["backlot.totp"] = encrypt(secret)
    session.save()
    return secret, get_mfa_adapter().build_totp_url(user, secret)


def finish_enrolment(payload: dict[str, Any], user: User, code: str, *, visit: devices.Visit) -> list[str]:
    """Keeps the secret once a code shows that the app has it; returns the recovery codes, shown only now."""
    session = session_of(payload)
    stored = session.get("backlot.totp") if session is not None else None
    if session is None or stored is None or needs_factor(user):
        raise Invalid(_("Start the set-up again."), code="no_enrolment")
    ticket = attempts.code(user=user, visit=visit)
    secret = decrypt(stored)
    if not validate_totp_code(secret, code):
        raise Invalid(_("This code is not right."), field="code", code="wrong_code")
    ticket.refund()
    TOTP.activate(user, secret)
    security.factor_changed(kind=SecurityEvent.Kind.MFA_ADDED, user=user, visit=visit, factor="totp")
    codes = RecoveryCodes.activate(user).get_unused_codes()
    del session["backlot.totp"]
    request = HttpRequest()
    request.session = session
    record_authentication(request, user, method="mfa", type=Authenticator.Type.TOTP)
    session.save()
    return codes
