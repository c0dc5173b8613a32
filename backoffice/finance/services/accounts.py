"""Finding ledger accounts, and opening those that nobody has used yet."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from backoffice.accounts.models import User
from backoffice.creators.models import Creator
from backoffice.finance.models import Account, AccountKind


@dataclass(frozen=True, slots=True)
class Name:
    """What makes an account the one it is: its kind, owner and currency."""

    kind: str
    currency: str
    creator_id: UUID | None = None
    customer_id: UUID | None = None
    provider: str = ""


def creator(kind: AccountKind, creator: Creator, currency: str) -> Name:
    """The name of a creator's account."""
    return Name(str(kind), currency, creator_id=creator.pk)


def customer(kind: AccountKind, user: User, currency: str) -> Name:
    """The name of a customer's account."""
    return Name(str(kind), currency, customer_id=user.pk)


def clearing(provider: str, currency: str) -> Name:
    """The name of the account for money that lies with a provider."""
    return Name(str(AccountKind.PROVIDER_CLEARING), currency, provider=provider)


def platform(kind: AccountKind, currency: str) -> Name:
    """The name of one of the platform's own accounts."""
    return Name(str(kind), currency)


def resolve(*names: Name) -> dict[Name, Account]:
    """The accounts of these names; one statement when all exist, three when some have to be opened."""
    wanted = set(names)
    if not wanted:
        return {}
    found = _find(wanted)
    missing = wanted - found.keys()
    if missing:
        # Two sessions may open the same account at once: the second keeps the first one's.
        Account.objects.bulk_create(
            [
                Account(
                    kind=name.kind,
                    currency=name.currency,
                    creator_id=name.creator_id,
                    customer_id=name.customer_id,
                    provider=name.provider,
                )
                for name in sorted(missing, key=lambda name: (name.kind, name.currency, str(name.creator_id)))
            ],
            ignore_conflicts=True,
        )
        found |= _find(missing)
    return found


FIND = """
SELECT account.id, account.kind, account.currency, account.creator_id, account.customer_id, account.provider
  FROM unnest(%s::text[], %s::text[], %s::text[]) AS wanted (kind, owner, currency)
  JOIN finance_account account
    ON account.kind = wanted.kind AND account.owner = wanted.owner AND account.currency = wanted.currency
"""


def _find(names: set[Name]) -> dict[Name, Account]:
    kinds, owners, currencies = [], [], []
    for name in names:
        kinds.append(name.kind)
        owners.append(str(name.creator_id or name.customer_id or name.provider))
        currencies.append(name.currency)
    with connection.cursor() as cursor:
        cursor.execute(FIND, [kinds, owners, currencies])
        return {
            Name(kind, currency, creator_id, customer_id, provider): Account(
                id=identity,
                kind=kind,
                currency=currency,
                creator_id=creator_id,
                customer_id=customer_id,
                provider=provider,
            )
            for identity, kind, currency, creator_id, customer_id, provider in cursor.fetchall()
        }
