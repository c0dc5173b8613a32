"""Verification of an incoming Stripe event, before anything of it is believed.

Written out instead of the package's `construct_event`, which lets future timestamps through.
"""

import hashlib
import hmac
import json
from collections.abc import Collection
from typing import ClassVar

from integrations.stripe import parsing
from integrations.stripe.types import Event

SCHEME = "v1"


class BadSignature(Exception):
    """The event cannot be believed. `reason` is a short code fit for a log."""

    reason: ClassVar[str] = "refused"


class SecretMissing(BadSignature):
    """No webhook secret is set: everybody could sign with an empty one."""

    reason = "secret_missing"


class MalformedHeader(BadSignature):
    """The Stripe-Signature header is absent or not of the form `t=…,v1=…`."""

    reason = "malformed_header"


class WrongSignature(BadSignature):
    """No signature in the header belongs to this body and secret."""

    reason = "wrong_signature"


class TooOld(BadSignature):
    """Signed longer ago than the tolerance: a replay."""

    reason = "too_old"


class FromTheFuture(BadSignature):
    """Signed later than now and the tolerance: could be replayed until then."""

    reason = "from_the_future"


class MalformedPayload(BadSignature):
    """The body is signed well but is not a Stripe event."""

    reason = "malformed_payload"


class WrongMode(BadSignature):
    """A test event on a live endpoint, or the other way round."""

    reason = "wrong_mode"


class WrongAccount(BadSignature):
    """The event is about an account that this endpoint does not serve."""

    reason = "wrong_account"


def verify(
    payload: bytes,
    header: str,
    secret: str,
    *,
    now: int,
    tolerance: int = 300,
    livemode: bool,
    account: str | Collection[str] | None = None,
) -> Event:
    """The event in `payload` when `header` proves that Stripe sent it for this endpoint.

    `now` and `tolerance` in seconds; the bounds count both ways. `account` limits whose events are taken: one
    account id, several, "" for the platform's own only, None for any. Raises a `BadSignature`.
    """
    if not secret.strip():
        raise SecretMissing("No webhook secret is set.")
    signed_at, signatures = _read_header(header)
    expected = sign(payload, secret, at=signed_at)
    if not any(hmac.compare_digest(expected.encode(), given.encode(errors="replace")) for given in signatures):
        raise WrongSignature("The signature does not belong to this body.")
    if signed_at < now - tolerance:
        raise TooOld("The event was signed too long ago.")
    if signed_at > now + tolerance:
        raise FromTheFuture("The event was signed in the future.")
    event = _read_payload(payload)
    if event.livemode is not livemode:
        raise WrongMode("The event is of the other mode.")
    if account is not None:
        allowed = {account} if isinstance(account, str) else account
        if event.account not in allowed:
            raise WrongAccount("The event is about another account.")
    return event


def sign(payload: bytes, secret: str, *, at: int) -> str:
    """The hex signature of `payload` at the Unix second `at`."""
    return hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()


def _read_header(header: str) -> tuple[int, list[str]]:
    times: list[str] = []
    signatures: list[str] = []
    for part in header.split(","):
        key, separator, value = part.strip().partition("=")
        if not separator:
            raise MalformedHeader("The signature header cannot be read.")
        if key == "t":
            times.append(value)
        elif key == SCHEME:
            signatures.append(value)
    # ASCII digits only, and one time only: int() would also take "+1", " 1" and other alphabets.
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise MalformedHeader("The signature header has no readable time.")
    if not signatures:
        raise MalformedHeader("The signature header has no signature.")
    return int(times[0]), signatures


def _read_payload(payload: bytes) -> Event:
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("The body is not JSON.") from error
    if not isinstance(data, dict) or data.get("object") != "event":
        raise MalformedPayload("The body is not a Stripe event.")
    content = data.get("data")
    has_text = all(isinstance(data.get(key), str) and data[key] for key in ("id", "type"))
    has_object = isinstance(content, dict) and isinstance(content.get("object"), dict)
    has_rest = isinstance(data.get("livemode"), bool) and isinstance(data.get("created"), int)
    has_account = isinstance(data.get("account", ""), str | None)
    if not (has_text and has_object and has_rest and has_account):
        raise MalformedPayload("The event lacks what every Stripe event has.")
    return parsing.event(data)
