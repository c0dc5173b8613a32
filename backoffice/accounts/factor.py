"""The second factor of a session: is one enrolled, was one given, and where to send who lacks it (P-039,
spec 08).
"""

import time

from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from backoffice.accounts import returning
from backoffice.accounts.models import User

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def enrolled(user: User) -> bool:
    """Whether the person has an authenticator app or a passkey; recovery codes alone are not a factor."""
    return get_adapter().is_mfa_enabled(user, types=FACTORS)


def is_spare(authenticator: Authenticator) -> bool:
    """Whether its owner may do without it: staff always keep an authenticator app or a passkey (X-004)."""
    others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS).exclude(pk=authenticator.pk)
    return not authenticator.user.is_staff or others.exists()


def given_at(request: HttpRequest) -> float | None:
    """When this session last gave a factor, in seconds since the epoch; None when it never did."""
    times = [
        record["at"] for record in get_authentication_records(request, request.user) if record.get("method") == "mfa"
    ]
    return max(times, default=None)


def in_session(request: HttpRequest) -> bool:
    """Whether this session was opened with a factor, or gave one since."""
    return given_at(request) is not None


def fresh(request: HttpRequest, *, within: int) -> bool:
    """Whether a factor was given within so many seconds. A time in the future does not count."""
    at = given_at(request)
    return at is not None and 0 <= time.time() - at < within


def prompt_url(user: User, then: str) -> str:
    """The page that asks this person for the factor and then goes to ``then``; enrolment when there is
    none.
    """
    if not enrolled(user):
        return reverse("mfa_index")
    has_code = get_adapter().is_mfa_enabled(user, types=[Authenticator.Type.TOTP])
    name = "mfa_reauthenticate" if has_code else "mfa_reauthenticate_webauthn"
    return f"{reverse(name)}?{urlencode({REDIRECT_FIELD_NAME: then})}"


def ask(request: HttpRequest, then: str = "") -> HttpResponseRedirect:
    """Sends the person to the factor and afterwards to ``then``, or to the page that was asked for; from a posted
    form to the page that it stood on.
    """
    user = request.user
    assert isinstance(user, User)
    return HttpResponseRedirect(prompt_url(user, then or returning.page(request)))
