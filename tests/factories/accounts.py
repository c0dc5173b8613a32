"""People for tests."""

import itertools
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group
from django.test import Client

from backoffice.accounts import presence, tokens
from backoffice.accounts.devices import Visit
from backoffice.accounts.models import User
from backoffice.accounts.services import sessions

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def member(**fields: Any) -> User:
    """A member with a confirmed address and `PASSWORD`."""
    number = next(_numbers)
    fields = {"email": f"member{number}@example.com", "display_name": f"Member {number}", **fields}
    user = User.objects.create_user(password=PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def staff(*roles: str, **fields: Any) -> User:
    """A staff person with these roles and an enrolled authenticator app."""
    number = next(_numbers)
    fields = {"email": f"staff{number}@example.com", "display_name": f"Staff {number}", **fields}
    user = User.objects.create_user(password=PASSWORD, is_staff=True, **fields)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    TOTP.activate(user, generate_totp_secret())
    return user


def sign_in(client: Client, user: User, *, factor_age: int | None = 0) -> Client:
    """Signs a person in at the staff door; ``factor_age`` is how many seconds ago the code was given (None: never)."""
    import time

    client.force_login(user, backend=tokens.BACKEND)
    session = client.session
    now = time.time()
    records: list[dict[str, Any]] = [{"method": "password", "at": now, "email": user.email}]
    if factor_age is not None:
        records.append({"method": "mfa", "type": Authenticator.Type.TOTP, "at": now - factor_age})
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(user.pk)
    session.update({presence.SINCE: now, presence.SEEN: now, presence.LISTED: now})
    session.save()
    browser = str(client.defaults.get("HTTP_USER_AGENT", ""))
    sessions.note(
        user=user, session_key=session.session_key, visit=Visit(ip="127.0.0.1", user_agent=browser), door="desk"
    )
    return client


def api_client(user: User | None = None, *, factor: bool = False) -> Any:
    """A DRF client that sends the person's real token."""
    from rest_framework.test import APIClient

    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user, factor=factor).access}")
    return client
