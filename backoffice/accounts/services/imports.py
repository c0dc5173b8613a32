"""Members taken over from another system, many at a time. Called by the imports of higher floors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock


@dataclass(frozen=True, slots=True)
class NewMember:
    """A checked row: the address is in lower case and unused."""

    email: str
    display_name: str
    language: str = "en"
    country: str = ""


def register_batch(*, people: Sequence[NewMember], by: User | None, at: datetime | None = None) -> dict[str, User]:
    """New members by their address, without a password: they set one by the reset mail.

    The caller has checked the addresses; one that was taken meanwhile raises IntegrityError and undoes
    everything.
    """
    at = at or clock.now()
    users = [
        User(
            email=person.email,
            display_name=person.display_name,
            language=person.language,
            country=person.country,
            password=make_password(None),
            date_joined=at,
            created_at=at,
        )
        for person in people
    ]
    User.objects.bulk_create(users, batch_size=1000)
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, primary=True, verified=False) for user in users],
        batch_size=1000,
    )
    entries.record_each(action="user.import", by=by, subjects=users, at=at)
    return {user.email: user for user in users}
