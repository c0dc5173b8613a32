"""Who calls, and the closed default. Apart from `base`: the framework reads these while it is being imported."""

from typing import Any

from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backoffice.accounts import tokens
from backoffice.accounts.services import suspensions


class TokenAuthentication(JWTTokenAuthentication):
    """Bearer tokens (G-007). A person who was deactivated is refused at once."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        try:
            user, payload = super().authenticate_credentials(key)
        except exceptions.AuthenticationFailed as error:
            # Closing an account ends its sessions, so the token itself says no more than that it is over.
            holder = tokens.owner(key)
            if holder is None or holder.is_active:
                raise
            raise _closed() from error
        if not user.is_active:
            raise _closed()
        return user, payload


def _closed() -> exceptions.AuthenticationFailed:
    """Said to whoever holds a token of the account, and to nobody else."""
    code = suspensions.AccountClosed.default_code
    return exceptions.AuthenticationFailed(suspensions.sentence(), code=code)


class Denied(BasePermission):
    """The default of every view that does not say who may call it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False
