"""Where a request comes from: address, network, country, and the browser by its own long-lived cookie (E-007)."""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

SALT = "backlot.device"
# Browsers keep no cookie for longer.
COOKIE_SECONDS = 400 * 24 * 3600
HEADER = "Backlot-Device"
# What a browser sends the same way with every request, until it is updated.
STABLE_HEADERS = ("User-Agent", "Accept-Language", "Accept-Encoding", "Sec-CH-UA-Platform", "Sec-CH-UA-Mobile")
# An IPv6 customer has at least a /64 to move about in.
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's origin. ``device`` is the hash of its device token, empty without a valid one."""

    ip: str = ""
    country: str = ""
    device: str = ""
    fingerprint: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """The address for IPv4, its /64 for IPv6."""
        try:
            address = ipaddress.ip_address(self.ip)
        except ValueError:
            return self.ip
        if address.version == 6:
            return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))
        return str(address)


def cookie_name() -> str:
    """The device cookie's name; two platforms on one host have different ones."""
    return f"{settings.SESSION_COOKIE_NAME}_device"


def visit(request: HttpRequest | None) -> Visit:
    """The origin of a request. An API client sends its device token in the header ``Backlot-Device``."""
    if request is None:
        return Visit()
    seen: Visit | None = getattr(request, "_visit", None)
    if seen is None:
        seen = Visit(
            ip=get_adapter(request).get_client_ip(request)[:45],
            country=country(request),
            device=key_of(token_of(request)),
            fingerprint=fingerprint(request),
            user_agent=request.headers.get("User-Agent", "")[:300],
        )
        request._visit = seen  # type: ignore[attr-defined]
    return seen


def country(request: HttpRequest) -> str:
    """Two letters from the proxy's header named in ``COUNTRY_HEADER``; empty when there is none or it does not know."""
    found = request.headers.get(settings.COUNTRY_HEADER, "").upper() if settings.COUNTRY_HEADER else ""
    known = len(found) == 2 and found.isascii() and found.isalpha() and found not in ("XX", "T1")
    return found if known else ""


def fingerprint(request: HttpRequest) -> str:
    """A short hash of the headers that a browser sends the same way every time. It recognises, it proves nothing."""
    text = "\n".join(request.headers.get(name, "") for name in STABLE_HEADERS)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def new_token() -> str:
    """A fresh signed device token."""
    return signing.dumps(secrets.token_hex(16), salt=SALT)


def token_of(request: HttpRequest) -> str:
    """The device token that came with the request, unchecked."""
    return request.COOKIES.get(cookie_name(), "") or request.headers.get(HEADER, "")


def key_of(token: str) -> str:
    """What is stored of a device token: a keyed hash. Empty for a token that we did not sign, or too old."""
    if not token:
        return ""
    try:
        identity = signing.loads(token, salt=SALT, max_age=COOKIE_SECONDS)
    except signing.BadSignature:
        return ""
    return salted_hmac(SALT, str(identity), algorithm="sha256").hexdigest()


def account_hash(email: str) -> str:
    """A keyed hash of an address as it was typed, whether or not anybody has it."""
    return salted_hmac("backlot.account", email.strip().lower(), algorithm="sha256").hexdigest()


def remember(response: HttpResponse, token: str) -> None:
    """Leaves the device cookie with the browser."""
    response.set_cookie(
        cookie_name(),
        token,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def facts(visit: Visit) -> dict[str, Any]:
    """The columns that a security event and a known device share."""
    return {"country": visit.country, "fingerprint": visit.fingerprint, "user_agent": visit.user_agent}
