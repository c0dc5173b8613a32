"""What waits for this person's yes: asked for by somebody else, not yet approved by them."""

from dataclasses import dataclass
from datetime import datetime

from backoffice.accounts.models import User


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to approve."""

    label: str
    link: str
    asked_by: str
    asked_at: datetime
    amount: str


def for_person(user: User, *, limit: int) -> list[Waiting] | None:
    """What this person may approve, oldest first; None when their roles approve nothing."""
    return None
