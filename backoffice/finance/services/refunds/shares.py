"""Whose money a refund would be, before anybody decides about it."""

from dataclasses import dataclass

from backoffice.creators.models import Creator
from backoffice.finance.models import Earning, Payment
from backoffice.finance.policies.rounding import ratio
from backoffice.finance.queries import balances
from backoffice.finance.states import EarningStatus


@dataclass(frozen=True, slots=True)
class Burden:
    """Whose money a refund would be, minor units of ``currency`` (the creator's).

    ``share`` of it is the creator's: ``pending`` out of the refund window, ``available`` out of the balance, and what
    that does not cover is ``owed`` to the platform and taken from later earnings.
    """

    creator: Creator
    currency: str
    share: int
    pending: int
    available: int
    owed: int
    balance_available: int
    balance_owed: int


def burden(payment: Payment, amount_minor: int) -> Burden | None:
    """What a refund of ``amount_minor`` more would take from the creator as things stand; None for platform titles."""
    earning = Earning.objects.select_related("creator").filter(payment=payment).first()
    if earning is None:
        return None
    before = payment.refunded_minor
    after = min(before + amount_minor, payment.amount_minor)
    share = ratio(earning.amount_minor, after, payment.amount_minor) - ratio(
        earning.amount_minor, before, payment.amount_minor
    )
    balance = balances.of(earning.creator, earning.currency)
    is_pending = earning.status == EarningStatus.PENDING
    covered = 0 if is_pending else min(share, balance.available)
    return Burden(
        creator=earning.creator,
        currency=earning.currency,
        share=share,
        pending=share if is_pending else 0,
        available=covered,
        owed=0 if is_pending else share - covered,
        balance_available=balance.available,
        balance_owed=balance.owed,
    )
