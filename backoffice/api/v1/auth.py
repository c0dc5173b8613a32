"""Members sign in (U-001 to U-005). Staff use the staff door; they are refused here."""

from typing import Any

from django.db import transaction
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts import devices, tokens
from backoffice.accounts.models import User
from backoffice.accounts.services import attempts, users
from backoffice.api.base import ApiView, created, no_content, ok


class RegisterInput(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    display_name = serializers.CharField(max_length=100)
    language = serializers.ChoiceField(choices=User.Language.choices, default="en")
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, default="")


class LoginInput(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class RefreshInput(serializers.Serializer[Any]):
    refresh = serializers.CharField()


class CodeInput(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=20)
    mfa_token = serializers.CharField(required=False)


class UserOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    display_name = serializers.CharField()
    language = serializers.CharField()


class PairOutput(serializers.Serializer[Any]):
    access = serializers.CharField(required=False)
    refresh = serializers.CharField(required=False)
    device = serializers.CharField(required=False)
    user = UserOutput(required=False)
    mfa_required = serializers.BooleanField(required=False)
    mfa_token = serializers.CharField(required=False)


class EnrolmentOutput(serializers.Serializer[Any]):
    secret = serializers.CharField(required=False)
    otpauth_uri = serializers.CharField(required=False)
    recovery_codes = serializers.ListField(child=serializers.CharField(), required=False)


def _pair(user: User, pair: tokens.Pair) -> dict[str, Any]:
    return {"access": pair.access, "refresh": pair.refresh, "device": pair.device, "user": UserOutput(user).data}


class Register(ApiView):
    resource = "registration"

    @extend_schema(request=RegisterInput, responses={201: PairOutput})
    def post(self, request: Request) -> Response:
        """Registers a member and signs them in. 429 with ``Retry-After`` for a network that tries too often."""
        attempts.registration(visit=devices.visit(request._request))
        fields = self.valid(RegisterInput)
        with transaction.atomic():
            user = users.register(**fields)
            return created(_pair(user, tokens.issue(user, asked_by=request._request)))


class Login(ApiView):
    resource = "sign_in"

    @extend_schema(request=LoginInput, responses=PairOutput)
    def post(self, request: Request) -> Response:
        """Tokens for address and password; with an authenticator app, a token to go on with the code.

        ``device`` of the answer belongs in the header ``Backlot-Device`` of the next sign-in from here: wrong tries of
        others do not count against a known device.
        """
        user = tokens.authenticate(request._request, **self.valid(LoginInput))
        if tokens.needs_factor(user):
            return ok({"mfa_required": True, "mfa_token": tokens.mfa_token(user)})
        return ok(_pair(user, tokens.issue(user, asked_by=request._request)))


class Refresh(ApiView):
    resource = "token"

    @extend_schema(request=RefreshInput, responses=PairOutput)
    def post(self, request: Request) -> Response:
        """A new pair for a refresh token, which is used up."""
        pair = tokens.rotate(self.valid(RefreshInput)["refresh"])
        return ok({"access": pair.access, "refresh": pair.refresh})


class Logout(ApiView):
    resource = "own_session"

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Ends the session of the token in use, with every token made from it."""
        tokens.revoke(self.token)
        return no_content()


class MfaEnrol(ApiView):
    resource = "own_factor"

    @extend_schema(request=None, responses=EnrolmentOutput)
    def post(self, request: Request) -> Response:
        """A secret for the authenticator app; a code confirms it."""
        secret, address = tokens.start_enrolment(self.token, self.member)
        return ok({"secret": secret, "otpauth_uri": address})


class MfaConfirm(ApiView):
    resource = "own_factor"

    @extend_schema(request=CodeInput, responses=EnrolmentOutput)
    def post(self, request: Request) -> Response:
        """Finishes the set-up with a first code; the recovery codes are shown only in this answer."""
        return ok(
            {
                "recovery_codes": tokens.finish_enrolment(
                    self.token,
                    self.member,
                    self.valid(CodeInput)["code"],
                    visit=devices.visit(request._request),
                )
            }
        )


class MfaVerify(ApiView):
    resource = "code"

    @extend_schema(request=CodeInput, responses=PairOutput)
    def post(self, request: Request) -> Response:
        """With an ``mfa_token``: finishes a sign-in. With a bearer token: notes a fresh code on its session."""
        fields = self.valid(CodeInput)
        visit = devices.visit(request._request)
        if "mfa_token" in fields:
            user = tokens.user_of_mfa_token(fields["mfa_token"])
            if not tokens.check_code(user, fields["code"], visit=visit):
                raise tokens.SignInRefused(_("This code is not right."), code="wrong_code")
            return ok(_pair(user, tokens.issue(user, factor=True, asked_by=request._request)))
        if not request.user.is_authenticated:
            raise tokens.SignInRefused(_("Sign in first."))
        tokens.give_factor(self.token, self.member, fields["code"], visit=visit)
        return ok({})


urlpatterns = [
    path("auth/register", Register.as_view(), name="api_register"),
    path("auth/login", Login.as_view(), name="api_login"),
    path("auth/refresh", Refresh.as_view(), name="api_refresh"),
    path("auth/logout", Logout.as_view(), name="api_logout"),
    path("auth/mfa/enroll", MfaEnrol.as_view(), name="api_mfa_enrol"),
    path("auth/mfa/confirm", MfaConfirm.as_view(), name="api_mfa_confirm"),
    path("auth/mfa/verify", MfaVerify.as_view(), name="api_mfa_verify"),
]
