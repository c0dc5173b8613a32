"""Money for tests: balances, payout accounts at the loopback provider, runs in every state."""

import itertools
from datetime import timedelta

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.creators.services import creators as creator_services
from backoffice.finance.models import AccountKind, Entry, EntryKind, PayoutAccount, PayoutMethod, PayoutRun
from backoffice.finance.services import accounts, earnings, ledger, payout_accounts, payouts
from integrations.stripe.types import BankDetails
from tests.factories import creators, sales
from tests.factories.accounts import staff

_numbers = itertools.count(1)
BANK = BankDetails("US", "USD", "000123456789", "110000000", "Ana Duarte")
CLOSED_BANK = BankDetails("US", "USD", "000111111113", "110000000", "Ana Duarte")


def money_for(creator: Creator, minor: int, currency: str = "USD") -> Entry:
    """Puts an amount straight into the creator's available balance."""
    return ledger.post(
        key=f"test-money:{next(_numbers)}:{creator.pk}",
        kind=EntryKind.ADJUSTMENT,
        source=creator,
        by=None,
        effective_date=clock.now().date(),
        postings=[
            (accounts.platform(AccountKind.PLATFORM_CASH, currency), -minor),
            (accounts.creator(AccountKind.CREATOR_AVAILABLE, creator, currency), minor),
        ],
    )


def earned(creator: Creator, price_minor: int, *, days_ago: int = 30) -> None:
    """A sale of this price whose refund window is over."""
    at = clock.now() - timedelta(days=days_ago)
    title = sales.published(creator, price_minor=price_minor, published_at=at)
    sales.sale(title, at=at)
    earnings.release_due(at=at + timedelta(days=14))


def finance_person() -> User:
    """Somebody who may approve payouts."""
    return staff("financial_admin")


def method(currency: str = "USD") -> PayoutMethod:
    """The method that is switched on."""
    return PayoutMethod.objects.get(code="stripe", currency=currency)


def payable(available: int = 0, *, connected: bool = False, bank: BankDetails = BANK) -> Creator:
    """A live creator with a tax form, a verified payout account and this available balance.

    ``connected`` opens the account at the loopback provider; otherwise it is only written down.
    """
    creator = creators.creator()
    creator_services.record_tax_form(creator=creator, status="submitted", by=None)
    if connected:
        payout_accounts.connect(creator=creator, by=creator.user, bank=bank)
    else:
        payout_accounts.record(
            creator=creator,
            method=method(),
            provider_account_id=f"acct_test_{next(_numbers)}",
            masked="BANK •••• 6789",
            by=None,
        )
    if available:
        money_for(creator, available)
    creator.refresh_from_db()
    return creator


def account_of(creator: Creator) -> PayoutAccount:
    """The creator's payout account."""
    return PayoutAccount.objects.select_related("method").get(creator=creator)


def requested(creator: Creator, minor: int, *, key: str = "") -> PayoutRun:
    """A payout that the creator has asked for."""
    return payouts.request(
        creator=creator,
        amount_minor=minor,
        account=account_of(creator),
        by=creator.user,
        key=key or f"key-{next(_numbers)}",
    )


def approved(creator: Creator, minor: int, *, by: User | None = None) -> PayoutRun:
    """A payout that is approved and not sent yet."""
    return payouts.approve(run=requested(creator, minor), by=by or finance_person())
