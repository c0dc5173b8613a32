"""What creators have, and what the platform's own accounts come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from backoffice.creators.models import Creator
from backoffice.finance.models import Account, AccountKind, AccountSnapshot, Balance, PayoutItem, Posting
from backoffice.finance.models.ledger import CREATOR_KINDS
from backoffice.finance.states import ItemStatus


@dataclass(frozen=True, slots=True)
class CreatorBalance:
    """One creator's money in one currency, minor units.

    ``reserved`` is the part of ``available`` that a payout waiting for approval has asked for; ``owed`` is what the
    creator owes to the platform, a positive number.
    """

    currency: str
    pending: int = 0
    available: int = 0
    in_transit: int = 0
    owed: int = 0
    reserved: int = 0

    @property
    def free(self) -> int:
        """What can still be asked for."""
        return max(0, self.available - self.reserved)


def for_creator(creator: Creator) -> list[CreatorBalance]:
    """The creator's money per currency, the creator's own currency first and always there; two statements."""
    found = for_creators([creator.pk]).get(creator.pk, {})
    own = found.pop(creator.currency, CreatorBalance(creator.currency))
    return [own, *(found[currency] for currency in sorted(found))]


def of(creator: Creator, currency: str) -> CreatorBalance:
    """The creator's money in one currency."""
    return for_creators([creator.pk]).get(creator.pk, {}).get(currency, CreatorBalance(currency))


def for_creators(ids: Iterable[UUID]) -> dict[UUID, dict[str, CreatorBalance]]:
    """The same for many creators: by creator, by currency; two statements."""
    wanted = list(ids)
    amounts: dict[tuple[UUID, str], dict[str, int]] = {}
    rows = Balance.objects.filter(
        account__creator__in=wanted, account__kind__in=[str(kind) for kind in CREATOR_KINDS]
    ).values_list("account__creator", "account__currency", "account__kind", "amount")
    for creator_id, currency, kind, amount in rows:
        amounts.setdefault((creator_id, currency), {})[kind] = amount
    reserved = {
        (row["creator"], row["currency"]): row["total"]
        for row in PayoutItem.objects.filter(
            creator__in=wanted, status__in=[ItemStatus.RESERVED, ItemStatus.HELD], in_transit_minor=0
        )
        .values("creator", "currency")
        .annotate(total=Sum("gross_minor"))
    }
    result: dict[UUID, dict[str, CreatorBalance]] = {}
    for (creator_id, currency), kinds in amounts.items():
        result.setdefault(creator_id, {})[currency] = CreatorBalance(
            currency=currency,
            pending=kinds.get(AccountKind.CREATOR_PENDING, 0),
            available=kinds.get(AccountKind.CREATOR_AVAILABLE, 0),
            in_transit=kinds.get(AccountKind.CREATOR_IN_TRANSIT, 0),
            owed=-kinds.get(AccountKind.CREATOR_RECEIVABLE, 0),
            reserved=reserved.get((creator_id, currency), 0),
        )
    return result


def platform(account: Account) -> int:
    """A platform account's sum of postings: the newest snapshot plus what came after it."""
    snapshot = AccountSnapshot.objects.filter(account=account).order_by("-through_id").first()
    tail = Posting.objects.filter(account=account, id__gt=snapshot.through_id if snapshot else 0)
    return (snapshot.amount if snapshot else 0) + (tail.aggregate(total=Sum("amount"))["total"] or 0)


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One kind of account in one currency: the sum of its postings, and how its readers know it."""

    kind: str
    label: str
    provider: str
    currency: str
    total: int
    shown: int
    accounts: int


TRIAL = """
SELECT account.kind, account.provider, account.currency, sum(posting.amount)::bigint, count(DISTINCT account.id)
  FROM finance_posting posting JOIN finance_account account ON account.id = posting.account_id
 GROUP BY account.kind, account.provider, account.currency ORDER BY account.currency, account.kind, account.provider
"""


def trial_balance() -> list[TrialLine]:
    """Every kind of account per currency; the totals of a currency sum to zero. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(TRIAL)
        rows = cursor.fetchall()
    return [
        TrialLine(
            kind=kind,
            label=str(AccountKind(kind).label),
            provider=provider,
            currency=currency,
            total=total,
            shown=Account(kind=kind).shown(total),
            accounts=count,
        )
        for kind, provider, currency, total, count in rows
    ]
