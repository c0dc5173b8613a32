"""What every group of calls needs: the client of the package, request options, the meaning of failures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import stripe

from integrations.stripe.errors import KeyReused, RateLimited, Refused, StripeFailure, Unauthorised, Unknown

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PAGE_SIZE = 100


class Base:
    """Holds the package's client; never retries, since a retry is the caller's decision."""

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        *,
        connect_timeout: float = 5,
        read_timeout: float = 30,
    ) -> None:
        if not api_key:
            raise ValueError("A Stripe secret key is required.")
        # A proxy from the environment must not carry calls to this machine itself.
        is_loopback = base_url is not None and urlsplit(base_url).hostname in LOOPBACK
        proxy = cast(Any, {"no_proxy": urlsplit(base_url).hostname}) if is_loopback else None
        self._v1 = stripe.StripeClient(
            api_key,
            base_addresses={"api": base_url.rstrip("/")} if base_url else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=(connect_timeout, read_timeout), proxy=proxy),
        ).v1


def options(idempotency_key: str = "", *, account: str = "") -> stripe.RequestOptions:
    given: stripe.RequestOptions = {}
    if idempotency_key:
        given["idempotency_key"] = idempotency_key
    if account:
        given["stripe_account"] = account
    return given


@contextmanager
def failures() -> Iterator[None]:
    """Turns the package's exceptions into `Refused` or `Unknown`."""
    try:
        yield
    except stripe.StripeError as error:
        raise _failure(error) from error


def _failure(error: stripe.StripeError) -> StripeFailure:
    kind: type[StripeFailure]
    match error:
        case stripe.RateLimitError():
            kind = RateLimited
        case stripe.AuthenticationError() | stripe.PermissionError():
            kind = Unauthorised
        case stripe.IdempotencyError():
            kind = KeyReused
        case stripe.CardError() | stripe.InvalidRequestError():
            kind = Refused
        case _:
            kind = Unknown
    details = error.error
    return kind(
        error.user_message or "Stripe gave no reason.",
        code=getattr(details, "code", None) or error.code or "",
        status=error.http_status,
        request_id=error.request_id or "",
        param=getattr(details, "param", None) or "",
        decline_code=getattr(details, "decline_code", None) or "",
    )
