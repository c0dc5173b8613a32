"""How allauth treats our people."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from backoffice.accounts import devices, factor, sealing
from backoffice.accounts.models import User
from backoffice.accounts.services import attempts, security, sessions, suspensions
from backoffice.core.errors import DomainError

DESK, API = "desk", "api"


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up through the staff door; members register through the API.

    Tries are counted by `services.attempts` instead of allauth's own counts, which are kept in the cache.
    """

    _ticket: attempts.Ticket | None = None
    _door = DESK

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/admin/" if request.user.is_staff else "/"  # type: ignore[union-attr]

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no usernames."""

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Whoever has a second factor confirms with it: a password is not accepted in its place.

        Without an authenticator app the passkey comes first; else it would be asked for a recovery code.
        """
        methods = super().get_reauthentication_methods(user)
        factors = [method for method in methods if method["id"] != "reauthenticate"]
        if len(factors) > 1 and not get_mfa_adapter().is_mfa_enabled(user, types=[Authenticator.Type.TOTP]):
            factors.sort(key=lambda method: method["id"] != "mfa_reauthenticate:webauthn")
        return factors or methods

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Takes one try before the password is looked at."""
        try:
            self._ticket = attempts.password(email=_typed(credentials), visit=devices.visit(request))
        except DomainError as error:
            raise ValidationError(str(error), code=error.code) from error

    def _rollback_login_failed_rl_usage(self) -> None:
        if self._ticket is not None:
            self._ticket.refund()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password; the try stays counted."""
        security.password_failed(
            email=_typed(credentials),
            visit=devices.visit(request),
            last=self._ticket is not None and self._ticket.last,
            door=self._door,
        )

    def authenticate_member(self, request: HttpRequest, *, email: str, password: str) -> User | None:
        """The active member with this password. For anybody else the try counts as wrong, right password or not.

        Otherwise the missing count would tell that a staff person's password was guessed. Raises TooManyAttempts, and
        AccountClosed for the right password of a member's account that is suspended or deactivated.
        """
        self._door = API
        self._ticket = attempts.password(email=email, visit=devices.visit(request))
        # The backend lays aside whoever has the right password and a closed account, per thread.
        AuthenticationBackend.unstash_authenticated_user()
        user = authenticate(request, email=email, password=password)
        closed = AuthenticationBackend.unstash_authenticated_user()
        if isinstance(closed, User) and not closed.is_staff:
            self._ticket.refund()
            raise suspensions.AccountClosed(suspensions.sentence())
        if isinstance(user, User) and not user.is_staff:
            self._ticket.refund()
            return user
        self.authentication_failed(request, email=email)
        return None

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Called when a password was reset by mail: its owner starts afresh."""
        attempts.forget(_typed(credentials))

    def post_login(self, request: HttpRequest, user: Any, **given: Any) -> HttpResponse:
        """Keeps the trace of a complete sign-in and leaves the device cookie."""
        response: HttpResponse = super().post_login(request, user, **given)
        token = security.signed_in(user=user, request=request, door=DESK)
        devices.remember(response, token)
        if not request.session.session_key:
            request.session.save()
        sessions.note(user=user, session_key=str(request.session.session_key), visit=devices.visit(request), door=DESK)
        return response

    def logout(self, request: HttpRequest) -> None:
        """Ends the session on the server too, so that a copied cookie is worth nothing."""
        if isinstance(request.user, User):
            security.signed_out(user=request.user, visit=devices.visit(request))
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        """A new password ends what was open with the old one; the counts of wrong tries are dropped."""
        super().set_password(user, password)
        for address in EmailAddress.objects.filter(user=user):
            attempts.forget(address.email)


class FactorAdapter(DefaultMFAAdapter):
    """Second-factor secrets and the seeds of recovery codes are stored encrypted; staff keep a factor."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": gettext_lazy(
            "This is your only one. Staff always keep a second factor: add another authenticator app or passkey first."
        ),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return factor.is_spare(authenticator)

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.open_sealed(encrypted_text)


def _typed(credentials: dict[str, Any]) -> str:
    """The address that was typed."""
    return str(credentials.get("email") or credentials.get("username") or "")
