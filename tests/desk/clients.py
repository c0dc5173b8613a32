"""Browsers with a staff session."""

from django.test import Client

from backoffice.accounts.models import User
from tests.factories import accounts


class Desk(Client):
    """A browser with a staff session; ``person`` is who sits at it."""

    person: User


def seat(*roles: str, factor_age: int | None = 0) -> Desk:
    """A new staff person of these roles, signed in; ``factor_age`` as in `accounts.sign_in`."""
    client = Desk()
    client.person = accounts.staff(*roles)
    accounts.sign_in(client, client.person, factor_age=factor_age)
    return client
