"""One door: no second login, and no staff session without its second factor."""

from collections.abc import Callable
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from backoffice.accounts import factor, stepup
from backoffice.accounts.models import User

# Login pages that packages bring; each accepts a password alone if left open.
OTHER_DOORS = {"admin:login", "wagtailadmin_login", "wagtailcore_login"}

# Reached without any factor: leaving, changing the language, and what asks nobody who they are.
ALWAYS = {"account_logout", "admin:logout", "wagtailadmin_logout", "set_language", "healthz", "readyz"}

# What a person without a factor needs to enrol one.
ENROLMENT = {
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
}

# What a person needs to give the factor that they have.
PROMPT = {"mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_authenticate"}


class StaffFactorMiddleware:
    """Goes after authentication and allauth's middleware.

    Sends every other login to the one door. Staff without an enrolled factor reach only enrolment, also in a session
    that gave one which is gone since; staff whose session never gave the factor reach only its prompt, by whatever way
    they got the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        user = request.user
        if name in OTHER_DOORS and not user.is_authenticated:
            return _door(request)
        if name in ALWAYS or not (isinstance(user, User) and user.is_staff):
            return None
        # Read with what else the presence middleware reads of the person, which a system check puts before this one.
        enrolled: bool = request.staff_factor  # type: ignore[attr-defined]
        if enrolled and name in PROMPT:
            stepup.drop_stale(request)
        if enrolled and factor.in_session(request):
            return _door(request) if name in OTHER_DOORS else None
        allowed = PROMPT if enrolled else ENROLMENT
        return None if name in allowed else factor.ask(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """allauth's own pages ask for the factor like ours: it would keep a form without an end."""
        user = request.user
        if isinstance(exception, ReauthenticationRequired) and isinstance(user, User) and user.is_staff:
            return stepup.demand(request) if factor.enrolled(user) else None
        return None


def _door(request: HttpRequest) -> HttpResponseRedirect:
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    query = f"?{urlencode({REDIRECT_FIELD_NAME: wanted})}" if wanted and safe else ""
    return HttpResponseRedirect(reverse("account_login") + query)
