"""Creators and staff of the measured platform."""

from uuid import uuid4

from django.test import Client

from backoffice.creators.models import Creator
from benchmarks.rows import multiply
from tests.factories import accounts
from tests.factories.creators import creator


def creators(count: int) -> Creator:
    """So many creators; one of them."""
    first = Creator.objects.order_by("id").first() or creator()
    known = Creator.objects.count()
    if known < count:
        number = f"(n + {known})"
        person = f"md5('person' || {number})::uuid"
        multiply(
            first.user,
            count - known,
            id=person,
            email=f"'person' || {number} || '@bench.invalid'",
            display_name=f"'Person ' || {number}",
        )
        multiply(
            first,
            count - known,
            id="uuidv7()",
            user_id=person,
            reference=f"'CR-' || lpad({number}::text, 8, '0')",
            slug=f"'maker-' || {number}",
            stage_name=f"'Maker ' || {number}",
        )
    return first


def staff_client(role: str) -> Client:
    """A browser with the session of a new person of this role, second factor given."""
    client = Client()
    return accounts.sign_in(client, accounts.staff(role, email=f"{uuid4().hex}@bench.invalid"))
