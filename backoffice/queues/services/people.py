"""Who is there to take what returns to them. The rota is kept elsewhere; its meaning for the queues is here."""

from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.core import clock
from backoffice.queues.models import Absence, WorkItem


def is_there(person: Any) -> bool:
    """Whether this person's account is open and they are not away."""
    return bool(person.is_active) and not Absence.objects.filter(user=person).exists()


def leave(*, user: Any, at: datetime | None = None) -> int:
    """Nothing waits for this person any more; returns how many open items anybody gets now."""
    at = at or clock.now()
    with transaction.atomic():
        Absence.objects.get_or_create(user=user)
        return WorkItem.objects.filter(state=WorkItem.State.OPEN, return_to=user).update(
            return_to=None, return_until=None, updated_at=at
        )


def come_back(*, user: Any) -> None:
    """What is answered from now on returns to this person again."""
    Absence.objects.filter(user=user).delete()
