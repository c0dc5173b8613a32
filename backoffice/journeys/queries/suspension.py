"""What a suspension would take away, for whoever is about to decide (S-014)."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from backoffice.accounts.services import sessions
from backoffice.catalogue.models import FeaturedSlot, Title
from backoffice.creators.models import Creator
from backoffice.finance.models import PayoutItem
from backoffice.finance.states import ItemStatus
from backoffice.support.models import Ticket
from backoffice.support.states import FINISHED


@dataclass(frozen=True, slots=True)
class Waiting:
    """Payouts in one currency that are asked for and not sent, minor units."""

    currency: str
    count: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Effects:
    """What would be hidden, ended or held."""

    titles: int
    slots: int
    payouts: list[Waiting]
    tickets: int
    sessions: int


def unsent(creator: Creator) -> QuerySet[PayoutItem]:
    """Payouts of the creator of which the provider has not been told."""
    return PayoutItem.objects.filter(creator=creator, status=ItemStatus.RESERVED)


def open_slots(creator: Creator, *, at: datetime) -> QuerySet[FeaturedSlot]:
    """Where the creator's titles are featured now or will be."""
    return FeaturedSlot.objects.filter(title__creator=creator).open(at)


def effects(creator: Creator, *, at: datetime) -> Effects:
    """Counted now; a fixed number of statements."""
    waiting = unsent(creator).values("currency").annotate(count=Count("id"), gross=Sum("gross_minor"))
    return Effects(
        titles=Title.objects.filter(creator=creator).published(at).count(),
        slots=open_slots(creator, at=at).count(),
        payouts=[Waiting(row["currency"], row["count"], row["gross"]) for row in waiting.order_by("currency")],
        tickets=Ticket.objects.filter(requester=creator.user).exclude(status__in=FINISHED).count(),
        sessions=len(sessions.open_for(creator.user)),
    )
