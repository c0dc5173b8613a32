"""Who calls, and the closed default. Apart from `base`: the framework reads these while it is being imported."""

from typing import Any

from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class TokenAuthentication(JWTTokenAuthentication):
    """Bearer tokens (G-007). A person who was deactivated is refused at once."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        user, payload = super().authenticate_credentials(key)
        if not user.is_active:
            raise exceptions.AuthenticationFailed(_("This account is not active."))
        return user, payload


class Denied(BasePermission):
    """The default of every view that does not say who may call it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False
