"""The trace of sign-ins and what is told to people about it (E-007, V-013)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from backoffice.accounts import devices
from backoffice.accounts.devices import Visit
from backoffice.accounts.models import KnownDevice, SecurityEvent, User
from backoffice.audit import entries
from backoffice.audit.entries import plain
from backoffice.core import clock
from backoffice.notifications.services import notify

Kind = SecurityEvent.Kind

# How much each kind of event says that something is wrong, from 0 to 100; for lists and for a SIEM.
RISK: dict[str, int] = {
    Kind.LOGIN_FAILED: 10,
    Kind.MFA_FAILED: 20,
    Kind.LOCKOUT: 40,
    Kind.NEW_DEVICE: 20,
    Kind.NEW_COUNTRY: 50,
    Kind.MFA_REMOVED: 30,
    Kind.MFA_RESET: 50,
    Kind.ADDRESS_REFUSED: 50,
    Kind.API_REFUSED: 20,
    Kind.SUSPICIOUS: 70,
}


def record(
    *,
    kind: str,
    user: User | None,
    visit: Visit | None = None,
    by: User | None = None,
    account: str = "",
    data: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> SecurityEvent:
    """Writes one event. ``by`` is who did it when that is not the person; ``account`` an address that was typed."""
    visit = visit or Visit()
    return SecurityEvent.objects.create(
        at=at or clock.now(),
        kind=kind,
        user=user,
        by=by,
        account=devices.account_hash(account) if account else "",
        ip=visit.ip,
        device=visit.device,
        risk_score=RISK.get(kind, 0),
        data=plain(data or {}),
        **devices.facts(visit),
    )


def password_failed(*, email: str, visit: Visit, last: bool, door: str, at: datetime | None = None) -> None:
    """A wrong password; ``last`` says that it used up the tries."""
    user = User.objects.filter(email=email.strip().lower()).first()
    data = {"door": door}
    record(kind=Kind.LOGIN_FAILED, user=user, visit=visit, account=email, data=data, at=at)
    if last:
        record(kind=Kind.LOCKOUT, user=user, visit=visit, account=email, data=data, at=at)


def codes_used_up(*, user: User, visit: Visit, at: datetime | None = None) -> None:
    """Too many wrong codes by somebody who knows the password: the person is told."""
    with transaction.atomic():
        record(kind=Kind.LOCKOUT, user=user, visit=visit, data={"door": "code"}, at=at)
        notify(user=user, event="security.wrong_codes", data=_told(visit, at))


def signed_in(
    *,
    user: User,
    request: HttpRequest,
    door: str,
    token: str = "",
    at: datetime | None = None,
) -> str:
    """A complete sign-in: event, device, notices, and for staff an audit row. Returns the device's token.

    ``door`` is "desk" or "api"; ``token`` a device token to keep, when the caller has made one already.
    """
    at = at or clock.now()
    token = token or devices.token_of(request)
    key = devices.key_of(token)
    if not key:
        token = devices.new_token()
        key = devices.key_of(token)
    visit = devices.visit(request)
    visit = Visit(visit.ip, visit.country, key, visit.fingerprint, visit.user_agent)
    request._visit = visit  # type: ignore[attr-defined]  # what is written later in this request knows the device
    with transaction.atomic():
        before = SecurityEvent.objects.filter(user=user, kind=Kind.LOGIN_OK)
        been_here = before.exists()
        countries = set(before.exclude(country="").values_list("country", flat=True).distinct())
        known = KnownDevice.objects.filter(user=user, key=key, forgotten_at=None).exists()
        KnownDevice.objects.update_or_create(
            user=user,
            key=key,
            defaults={"last_ip": visit.ip, "last_seen_at": at, "forgotten_at": None, **devices.facts(visit)},
        )
        record(kind=Kind.LOGIN_OK, user=user, visit=visit, data={"door": door}, at=at)
        if not known and been_here:
            record(kind=Kind.NEW_DEVICE, user=user, visit=visit, at=at)
            notify(user=user, event="security.new_device", data=_told(visit, at))
        if visit.country and countries and visit.country not in countries:
            record(kind=Kind.NEW_COUNTRY, user=user, visit=visit, data={"before": sorted(countries)}, at=at)
            notify(user=user, event="security.new_country", data=_told(visit, at))
        if user.is_staff:
            entries.record(action="staff.sign_in", by=user, subject=user, data={"known_device": known}, at=at)
    return token


def signed_out(*, user: User, visit: Visit, at: datetime | None = None) -> None:
    """Somebody left by themselves."""
    with transaction.atomic():
        record(kind=Kind.LOGOUT, user=user, visit=visit, at=at)
        if user.is_staff:
            entries.record(action="staff.sign_out", by=user, subject=user, at=at)


def factor_changed(*, kind: str, user: User, visit: Visit, factor: str, at: datetime | None = None) -> None:
    """A factor was added, removed or renewed by the person: an event, an audit row, a mail (V-013)."""
    with transaction.atomic():
        record(kind=kind, user=user, visit=visit, data={"factor": factor}, at=at)
        entries.record(action=f"factor.{kind.removeprefix('mfa_')}", by=user, subject=user, data={"factor": factor})
        notify(user=user, event="security.factor_changed", data={"change": kind, "factor": factor, **_told(visit, at)})


def password_changed(*, kind: str, user: User, visit: Visit, at: datetime | None = None) -> None:
    """A password was changed or reset: an event, an audit row, a mail (V-013)."""
    with transaction.atomic():
        record(kind=kind, user=user, visit=visit, at=at)
        entries.record(action=f"user.{kind}", by=user, subject=user, at=at)
        notify(user=user, event="security.password_changed", data=_told(visit, at))


def forget_device(device: KnownDevice, *, by: User, at: datetime | None = None) -> None:
    """The browser is no longer known for this person; its next sign-in is a new device's."""
    with transaction.atomic():
        KnownDevice.objects.filter(pk=device.pk, forgotten_at=None).update(forgotten_at=at or clock.now())
        entries.record(action="device.forget", by=by, subject=device.user, data={"device": device.key[:12]}, at=at)


def _told(visit: Visit, at: datetime | None) -> dict[str, Any]:
    """What a notice says about where something came from."""
    return {
        "ip": visit.ip,
        "country": visit.country,
        "browser": visit.user_agent[:120],
        "at": (at or clock.now()).strftime("%Y-%m-%d %H:%M UTC"),
    }
