"""What a token was refused goes on record, as staff's refusals do (E-007, X-043): bounded, and of real tokens only."""

from django.http import HttpRequest
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request

from backoffice.accounts import devices, tokens
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import attempts, security

REFUSED = (401, 403)


def note(request: Request, *, status: int, code: str) -> None:
    """Keeps a 401 or 403 of somebody who holds a token of ours; an expired or made-up one is nobody's."""
    if status not in REFUSED:
        return
    user = _person(request)
    if user is None or not attempts.refusal_to_note(user):
        return
    plain: HttpRequest = request._request
    match = plain.resolver_match
    security.record(
        kind=SecurityEvent.Kind.API_REFUSED,
        user=user,
        visit=devices.visit(plain),
        data={
            "status": status,
            "code": code,
            "method": plain.method,
            "path": plain.path[:300],
            "page": match.view_name if match else "",
        },
    )


def _person(request: Request) -> User | None:
    if isinstance(request.user, User):
        return request.user
    keyword, _blank, token = get_authorization_header(request).decode("latin-1").partition(" ")
    return tokens.owner(token.strip()) if keyword.lower() == "bearer" else None
