"""Limits on guessing, counted in one database statement per key, so that parallel tries cannot slip through (N-040).

A try is counted before the secret is looked at and given back when it was right. Keys are account and network, so that
wrong tries from afar use up nobody else's; a browser that this person has signed in with before has a count of its
own. Over all networks together an account is only slowed down, never closed: see docs/decisions.
"""

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import ngettext

from backoffice.accounts import devices
from backoffice.accounts.devices import Visit
from backoffice.accounts.models import AttemptCount, KnownDevice, User
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import DomainError

# Pace of an account that is being guessed at from many networks: one try in so many seconds, waiting at most so long.
PACE_SECONDS = 2.0
PATIENCE_SECONDS = 4.0
# So many refusals of one person by the API are kept in an hour.
REFUSALS_NOTED = 20
# So many requests of a process may wait at a time; the others are asked to come back.
_waiting_room = threading.BoundedSemaphore(2)

TAKE = """
INSERT INTO accounts_attemptcount AS c (key, account, scope, count, until, next_at)
VALUES (%(key)s, %(account)s, %(scope)s, 1, %(until)s, %(now)s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN c.until <= %(now)s THEN 1 ELSE c.count + 1 END,
  until = CASE WHEN c.until <= %(now)s OR c.count + 1 >= %(limit)s THEN %(until)s ELSE c.until END
WHERE c.until <= %(now)s OR c.count < %(limit)s
RETURNING count
"""
PACE = """
INSERT INTO accounts_attemptcount AS c (key, account, scope, count, until, next_at)
VALUES (%(key)s, %(account)s, %(scope)s, 1, %(until)s, %(now)s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN c.until <= %(now)s THEN 1 ELSE c.count + 1 END,
  until = CASE WHEN c.until <= %(now)s THEN %(until)s ELSE c.until END,
  next_at = CASE WHEN c.until <= %(now)s OR c.count < %(limit)s THEN %(now)s
                 ELSE GREATEST(c.next_at, %(now)s) + %(pace)s END
WHERE c.next_at <= %(latest)s
RETURNING next_at
"""


class TooManyAttempts(DomainError):
    """The limit is reached; ``retry_after`` is how many seconds it stays so."""

    default_code = "too_many_attempts"
    http_status = 429

    def __init__(self, retry_after: int) -> None:
        minutes = max(1, -(-retry_after // 60))
        super().__init__(self.sentence(minutes) % {"minutes": minutes})
        self.retry_after = retry_after

    @staticmethod
    def sentence(minutes: int) -> str:
        """What is said, with the place of the minutes in it."""
        return ngettext(
            "Too many wrong tries. Try again in %(minutes)s minute, or reset your password.",
            "Too many wrong tries. Try again in %(minutes)s minutes, or reset your password.",
            minutes,
        )


class TooManyRequests(TooManyAttempts):
    """The network has asked for too many accounts or mails; nothing was guessed."""

    @staticmethod
    def sentence(minutes: int) -> str:
        return ngettext(
            "This was asked for too often from your network. Try again in %(minutes)s minute.",
            "This was asked for too often from your network. Try again in %(minutes)s minutes.",
            minutes,
        )


@dataclass(slots=True)
class Ticket:
    """The right to one try. ``last`` says that it was the last one of its window."""

    keys: list[str] = field(default_factory=list)
    last: bool = False

    def refund(self) -> None:
        """Gives the try back: the secret was right."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_attemptcount SET count = GREATEST(count - 1, 0) WHERE key = ANY(%s)", [self.keys]
            )
        self.keys = []


def password(*, email: str, visit: Visit, at: datetime | None = None) -> Ticket:
    """One try at the password of an address, existing or not. Raises TooManyAttempts without looking at it."""
    at = at or clock.now()
    account = devices.account_hash(email)
    most, minutes = values.get("signin.attempts"), values.get("signin.lock_minutes")
    ticket = Ticket()
    if _known(account_email=email, visit=visit):
        _take(ticket, "password", account, f"device:{visit.device}", limit=most, minutes=minutes, at=at)
        return ticket
    _take(ticket, "password", account, f"network:{visit.network}", limit=most, minutes=minutes, at=at)
    everybody = values.get("signin.network_attempts")
    _take(ticket, "network", "", visit.network, limit=everybody, minutes=minutes, at=at)
    _pace(ticket, account, free=values.get("signin.account_attempts"), minutes=minutes, at=at)
    return ticket


def code(*, user: User, visit: Visit, at: datetime | None = None) -> Ticket:
    """One try at a code of the second factor.

    Whoever gets here knows the password, and a code has six digits: from unknown devices all networks share one count.
    """
    at = at or clock.now()
    known = KnownDevice.objects.filter(user=user, key=visit.device, forgotten_at=None).exists()
    place = f"device:{visit.device}" if visit.device and known else "elsewhere"
    ticket = Ticket()
    _take(
        ticket,
        "code",
        devices.account_hash(user.email),
        place,
        limit=values.get("signin.attempts"),
        minutes=values.get("signin.lock_minutes"),
        at=at,
    )
    return ticket


def reset_request(*, email: str, visit: Visit, at: datetime | None = None) -> bool:
    """Counts a wish for a reset mail. False: this address has had enough mails. Raises TooManyRequests for a network.

    A device that its owner has signed in with has mails of its own, so that nobody else uses them up.
    """
    at = at or clock.now()
    minutes = values.get("signin.lock_minutes")
    _take_wish("reset-network", visit.network, limit=values.get("signin.network_attempts"), minutes=minutes, at=at)
    account = devices.account_hash(email)
    place = f"device:{visit.device}" if _known(account_email=email, visit=visit) else account
    return _counted("reset", account, place, limit=values.get("signin.reset_mails"), at=at)


def mail_by_staff(kind: str, *, email: str, at: datetime | None = None) -> bool:
    """Counts one mail of this kind that staff send to an address. False: it has had enough of them in this hour.

    As many as strangers get from the public page, counted apart: they cannot use up what support has.
    """
    limit = values.get("signin.reset_mails")
    return _counted(kind, devices.account_hash(email), "staff", limit=limit, at=at or clock.now())


def registration(*, visit: Visit, at: datetime | None = None) -> None:
    """Counts one try to register, whatever becomes of it. Raises TooManyRequests; signing in is counted elsewhere."""
    at = at or clock.now()
    _take_wish("registration", visit.network, limit=values.get("signin.registrations"), minutes=60, at=at)


def refusal_to_note(user: User, *, at: datetime | None = None) -> bool:
    """Whether one more refusal of this person goes on record: so many in an hour tell enough."""
    account = devices.account_hash(user.email)
    return _counted("refusal", account, account, limit=REFUSALS_NOTED, at=at or clock.now())


def is_locked(user: User, *, at: datetime | None = None) -> bool:
    """Whether some place or device has used up its tries for this person."""
    rows = AttemptCount.objects.filter(
        account=devices.account_hash(user.email), scope__in=["password", "code"], until__gt=at or clock.now()
    )
    return rows.filter(count__gte=values.get("signin.attempts")).exists()


def forget(email: str) -> int:
    """Drops every count of an account, after a reset or an unlock; how many there were."""
    return AttemptCount.objects.filter(account=devices.account_hash(email)).delete()[0]


def prune(*, at: datetime | None = None) -> int:
    """Drops counts whose window is over."""
    return AttemptCount.objects.filter(until__lt=at or clock.now()).delete()[0]


def _known(*, account_email: str, visit: Visit) -> bool:
    return bool(visit.device) and (
        KnownDevice.objects.filter(
            user__email=account_email.strip().lower(), key=visit.device, forgotten_at=None
        ).exists()
    )


def _key(scope: str, account: str, place: str) -> str:
    return hashlib.sha256(f"{scope}\n{account}\n{place}".encode()).hexdigest()


def _statement(sql: str, **given: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _take(ticket: Ticket, scope: str, account: str, place: str, *, limit: int, minutes: int, at: datetime) -> None:
    key = _key(scope, account, place)
    until = at + timedelta(minutes=minutes)
    row = _statement(TAKE, key=key, account=account, scope=scope, now=at, until=until, limit=limit)
    if row is None:
        ticket.refund()
        until = AttemptCount.objects.filter(key=key).values_list("until", flat=True).first() or until
        raise TooManyAttempts(max(1, int((until - at).total_seconds())))
    ticket.keys.append(key)
    ticket.last = ticket.last or row[0] >= limit


def _take_wish(scope: str, network: str, *, limit: int, minutes: int, at: datetime) -> None:
    try:
        _take(Ticket(), scope, "", network, limit=limit, minutes=minutes, at=at)
    except TooManyAttempts as error:
        raise TooManyRequests(error.retry_after) from error


def _counted(scope: str, account: str, place: str, *, limit: int, at: datetime) -> bool:
    """Counts one of an hour; False when they are used up."""
    try:
        _take(Ticket(), scope, account, place, limit=limit, minutes=60, at=at)
    except TooManyAttempts:
        return False
    return True


def _pace(ticket: Ticket, account: str, *, free: int, minutes: int, at: datetime) -> None:
    key = _key("account", account, "")
    row = _statement(
        PACE,
        key=key,
        account=account,
        scope="account",
        now=at,
        until=at + timedelta(minutes=minutes),
        limit=free,
        pace=timedelta(seconds=PACE_SECONDS),
        latest=at + timedelta(seconds=PATIENCE_SECONDS),
    )
    if row is not None:
        ticket.keys.append(key)
    wait = (row[0] - at).total_seconds() if row is not None else None
    if wait is not None and wait <= 0:
        return
    if wait is None or not _waiting_room.acquire(blocking=False):
        ticket.refund()
        raise TooManyAttempts(int(PATIENCE_SECONDS))
    try:
        time.sleep(wait)
    finally:
        _waiting_room.release()
