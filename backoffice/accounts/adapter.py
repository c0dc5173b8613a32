"""How allauth treats our people."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up through the staff door; members register through the API."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/admin/" if request.user.is_staff else "/"

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no usernames."""

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Whoever has a second factor confirms with it: a password is not accepted in its place."""
        methods = super().get_reauthentication_methods(user)
        return [method for method in methods if method["id"] != "reauthenticate"] or methods
