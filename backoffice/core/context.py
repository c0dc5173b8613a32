"""Who asks, for the audit row: set per request by a middleware, empty in background work."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import get_contextvars


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from."""

    ip: str = ""
    user_agent: str = ""
    request_id: str = ""


NOBODY = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOBODY)


def current() -> Origin:
    """The origin of the request being answered, or an empty one."""
    return _origin.get()


class OriginMiddleware:
    """Keeps address, browser and request id of the request for whoever writes an audit row in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _origin.set(
            Origin(
                ip=(get_client_ip(request) or "")[:45],  # behind proxies: TRUSTED_PROXY_COUNT
                user_agent=request.headers.get("User-Agent", "")[:300],
                request_id=str(get_contextvars().get("request_id", ""))[:64],
            )
        )
        try:
            return self.get_response(request)
        finally:
            _origin.reset(token)
