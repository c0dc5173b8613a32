"""allauth's forms where something can be guessed: every try is counted before the secret is looked at."""

from typing import Any

from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from backoffice.accounts import devices, sealing
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import attempts, security


def _ticket(user: User) -> attempts.Ticket:
    """One try at a code. ValidationError when there is none left."""
    try:
        return attempts.code(user=user, visit=devices.visit(context.request))
    except attempts.TooManyAttempts as error:
        raise ValidationError(str(error), code=error.code) from error


class _CodeForm(forms.Form):
    user: User

    def clean_code(self) -> str:
        """The code when it is right. The last wrong one of a window is told to the person."""
        ticket = _ticket(self.user)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            if ticket.last:
                security.codes_used_up(user=self.user, visit=devices.visit(context.request))
            raise
        ticket.refund()
        return code


class AuthenticateForm(_CodeForm, AllauthAuthenticateForm):
    """The second step of a sign-in."""


class ReauthenticateForm(_CodeForm, AllauthReauthenticateForm):
    """The factor again, for step-up."""


class ActivateTotpForm(_CodeForm, ActivateTOTPForm):
    """Setting up an authenticator app. The secret waits in the session encrypted: sessions are rows too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        forms.Form.__init__(self, *args, **kwargs)
        stored = context.request.session.get(SECRET_SESSION_KEY) if self.is_bound else None
        if stored:
            self.secret = sealing.open_sealed(stored)
        else:
            self.secret = generate_totp_secret()
            context.request.session[SECRET_SESSION_KEY] = sealing.seal(self.secret)


class ChangePasswordForm(AllauthChangePasswordForm):
    """The current password cannot be guessed here either."""

    def clean_oldpassword(self) -> str:
        try:
            ticket = attempts.password(email=self.user.email, visit=devices.visit(context.request))
        except attempts.TooManyAttempts as error:
            raise ValidationError(str(error), code=error.code) from error
        found: str = super().clean_oldpassword()
        ticket.refund()
        return found


class ResetPasswordForm(AllauthResetPasswordForm):
    """Asks for a reset mail. An address that had its mails gets no more for now, and the page says nothing of it.

    ``retry_after``: seconds until a network that asked too often may ask again.
    """

    retry_after = 0

    def clean_email(self) -> str:
        email: str = super().clean_email()
        visit = devices.visit(context.request)
        try:
            self.enough = not attempts.reset_request(email=email, visit=visit)
        except attempts.TooManyAttempts as error:
            self.retry_after = error.retry_after
            raise ValidationError(str(error), code=error.code) from error
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        if self.enough:
            return email
        for user in self.users:
            security.record(
                kind=SecurityEvent.Kind.PASSWORD_RESET_ASKED, user=user, visit=devices.visit(request), account=email
            )
        super().save(request, **kwargs)
        return email
