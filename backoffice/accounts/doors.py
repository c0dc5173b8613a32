"""Which pages below /accounts/ are open: every one of them is listed, and what is not listed is closed.

Most of them come with allauth, which brings more than the product has: its list of sessions ends them without a record,
its page of addresses changes a login without the second factor. `rule` answers for one name; a page that a new version
brings has no rule, is answered 404, and fails the tests until somebody decides.
"""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.http import Http404, HttpRequest, HttpResponse

EVERYONE: Final = "everyone"
SESSION: Final = "session"
CLOSED: Final = "closed"
PLACE: Final = "accounts/"
MIDDLEWARE: Final = "backoffice.accounts.doors.DoorMiddleware"

_SIGNING_IN: Final = (
    "account_home",
    "account_login",
    "account_logout",
    "account_inactive",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    # Of the mail that support sends; it confirms the address and changes nothing else.
    "account_confirm_email",
    "staff_invitation",
    "staff_invitation_link",
    "demo_sign_in",
)
_OWN: Final = (
    "account_change_password",
    "account_reauthenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
)
_CLOSED: Final = (
    # Members register through the API, staff are invited.
    "account_signup",
    # The address that somebody signs in with is not changed without the factor, a record and a notice.
    "account_email",
    "account_email_verification_sent",
    # There are no codes by mail, and nobody has a session without a password: it is set by an invitation or a reset.
    "account_confirm_login_code",
    "account_set_password",
    # Sessions are ended on the desk, on record.
    "usersessions_list",
)

RULES: Final[dict[str, str]] = {
    **dict.fromkeys(_SIGNING_IN, EVERYONE),
    **dict.fromkeys(_OWN, SESSION),
    **dict.fromkeys(_CLOSED, CLOSED),
}


def rule(name: str) -> str | None:
    """Who may open the page of this name: EVERYONE, SESSION (whoever is signed in) or CLOSED; None if undecided."""
    return RULES.get(name)


class DoorMiddleware:
    """Answers 404 for what is closed below /accounts/. Whether somebody is signed in, the pages ask themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Raises Http404."""
        match = request.resolver_match
        if match is not None and match.route.startswith(PLACE) and rule(match.view_name) in (None, CLOSED):
            raise Http404(match.view_name)


@register(Tags.security)
def door_is_guarded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without the middleware every page that allauth brings would be open."""
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        Error(
            "The pages of the door are not held to the list of open ones.",
            hint=f"Put {MIDDLEWARE} into MIDDLEWARE.",
            id="accounts.E010",
        )
    ]
