"""Signed tokens for links to local storage: what the link allows, and until when."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any


class BadToken(Exception):
    """Edited, cut, made for something else, or not ours."""


class ExpiredToken(BadToken):
    """Genuine, but its time is over."""


class Tokens:
    """Makes and reads tokens with one secret. `purpose` keeps tokens of one kind from serving as another."""

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(b"backlot.storage.tokens:" + secret.encode()).digest()

    def make(self, purpose: str, claims: dict[str, Any], *, expires: int) -> str:
        """A URL-safe token holding `claims` (readable by anyone) until `expires` (Unix seconds)."""
        body = json.dumps({**claims, "exp": expires}, separators=(",", ":"), sort_keys=True).encode()
        return f"{_encode(body)}.{_encode(self._signature(purpose, body))}"

    def read(self, purpose: str, token: str, *, now: float) -> dict[str, Any]:
        """The claims, "exp" among them. Raises BadToken, or ExpiredToken from the second `exp` on."""
        encoded, _, signature = token.partition(".")
        try:
            body, signed = _decode(encoded), _decode(signature)
        except (binascii.Error, ValueError) as error:
            raise BadToken("not a token") from error
        if not hmac.compare_digest(signed, self._signature(purpose, body)):
            raise BadToken("wrong signature")
        claims: dict[str, Any] = json.loads(body)
        if now >= claims["exp"]:
            raise ExpiredToken("expired")
        return claims

    def _signature(self, purpose: str, body: bytes) -> bytes:
        return hmac.new(self._secret, purpose.encode() + b"\0" + body, hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(raw) != text:
        # Base64 lets the last character vary; one token must have one spelling.
        raise ValueError("not canonical")
    return raw
