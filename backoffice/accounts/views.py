"""Pages of the door that allauth does not bring, or not like this: staff invitations, asking for a reset mail,
removing a factor.
"""

from typing import Any

from allauth.account.views import PasswordResetView as AllauthPasswordResetView
from allauth.mfa.totp.forms import DeactivateTOTPForm
from allauth.mfa.totp.views import DeactivateTOTPView
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from backoffice.accounts.models import StaffInvitation, User
from backoffice.accounts.services import invitations
from backoffice.core.errors import DomainError

# What the browser showed: the invitation and the hash of its secret. The secret itself stays in no session row.
SHOWN = "backlot.invitation"


class PasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 12 characters."),
    )
    again = forms.CharField(
        label=gettext_lazy("The same password again"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        """Refuses a second entry that is not like the first."""
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("The two passwords are not the same."))
        return again


@never_cache
@require_safe
def invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail. Nothing is used up by opening it: mail programs open links by themselves."""
    try:
        invitation = invitations.find(token)
    except invitations.NotGood as error:
        return _closed(request, error)
    request.session[SHOWN] = [str(invitation.pk), invitation.key_hash]
    # The page with the form has an address without the secret.
    return HttpResponseRedirect(reverse("staff_invitation"))


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Choosing a password opens the account; then the person signs in and sets up the second factor."""
    try:
        shown = request.session.get(SHOWN) or ["", ""]
        found = invitations.of_key(*shown) if shown[0] else None
        if found is None:
            raise invitations.NotGood(_("Open the link of your invitation again."))
        form = PasswordForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                invitations.accept(found, password=form.cleaned_data["password"])
            except invitations.NotGood:
                raise
            except DomainError as error:
                form.add_error("password", str(error))
            else:
                # Whoever is signed in at this browser is somebody else.
                logout(request)
                messages.success(
                    request, _("Your account is open. Sign in; you set up your second factor right after.")
                )
                return HttpResponseRedirect(reverse("account_login"))
    except invitations.NotGood as error:
        request.session.pop(SHOWN, None)
        return _closed(request, error)
    return _page(request, found, form)


def _page(request: HttpRequest, found: StaffInvitation, form: PasswordForm) -> HttpResponse:
    context = {"person": found.user, "form": form}
    return TemplateResponse(request, "account/invitation.html", context, status=400 if form.errors else 200)


def _closed(request: HttpRequest, error: invitations.NotGood) -> HttpResponse:
    return TemplateResponse(request, "account/invitation_closed.html", {"sentence": str(error)}, status=410)


class PasswordResetView(AllauthPasswordResetView):
    """Asks for a reset mail; a network that asks too often is answered 429 with the time to wait."""

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.retry_after:
            response.status_code = 429
            response["Retry-After"] = str(form.retry_after)
        return response


class _OneRemovalAtATime:
    """Removals of one person wait for each other: each would count the other's factor as the one that stays."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with transaction.atomic():
            if request.method == "POST" and request.user.is_authenticated:
                User.objects.select_for_update(no_key=True).get(pk=request.user.pk)
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        response.status_code = 409
        return response


class RemoveAppView(_OneRemovalAtATime, DeactivateTOTPView):
    """Removes one's authenticator app; the form refuses the last factor of staff."""


class RemovePasskeyView(_OneRemovalAtATime, RemoveWebAuthnView):
    """Removes one of one's passkeys; refuses like the form of the authenticator app, already when it is opened."""

    form_class = DeactivateTOTPForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"data": {}, **super().get_form_kwargs(), "authenticator": self.object}
