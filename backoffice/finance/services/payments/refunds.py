"""Money that goes back to a customer, and out of which balance it comes (S-091)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.commerce.services import purchases
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Earning, EntryKind, Payment, Refund
from backoffice.finance.policies.rounding import ratio
from backoffice.finance.services import accounts, earnings, ledger
from backoffice.finance.states import (
    REFUNDABLE_PAYMENTS,
    EarningStatus,
    PaymentStatus,
)


class NotYet(Conflict):
    """What this needs has not happened here yet; events can arrive in any order."""

    default_code = "not_yet"


def record_refunded(
    *,
    payment: Payment,
    cumulative_minor: int,
    currency: str,
    by: User | None = None,
    at: datetime | None = None,
) -> Refund | None:
    """The provider has given back ``cumulative_minor`` in all: reverses the sale pro rata (S-091).

    Counting the total makes the order of events irrelevant: an older, smaller total changes nothing (None). Each part
    of the sale is reversed to its share of the total, rounded to the cent, the odd cent lies with the platform, so
    the last refund takes exactly what is left. The creator's share comes out of pending; after its release out of
    available, and what that does not cover is owed (receivable).
    Raises NotYet when the sale is not posted, Invalid for more than was paid or another currency.
    """
    at = at or clock.now()
    with transaction.atomic():
        payment = Payment.objects.select_for_update(of=("self",)).select_related("purchase").get(pk=payment.pk)
        if payment.status == PaymentStatus.REFUNDED or (
            payment.status in REFUNDABLE_PAYMENTS and cumulative_minor <= payment.refunded_minor
        ):
            return None
        if payment.status not in REFUNDABLE_PAYMENTS or payment.sale_entry is None:
            raise NotYet(_("The payment %(reference)s is not captured.") % {"reference": payment.reference})
        if currency != payment.currency or cumulative_minor > payment.amount_minor:
            raise Invalid(_("More was refunded than was paid, or in another currency."), field="amount")
        before, gross = payment.refunded_minor, payment.amount_minor
        lines: list[tuple[accounts.Name | ledger.Account, int]] = []
        creator_share = 0
        left_over = 0
        for posting in payment.sale_entry.postings.select_related("account"):
            change = ratio(posting.amount, before, gross) - ratio(posting.amount, cumulative_minor, gross)
            if posting.currency == payment.currency:
                left_over += change
            if posting.account.kind == AccountKind.CREATOR_PENDING:
                creator_share = -change
            else:
                lines.append((posting.account, change))
        lines.append((accounts.platform(AccountKind.PLATFORM_COMMISSION, payment.currency), -left_over))
        if creator_share:
            lines += _claw_back(payment, creator_share, at)
        entry = ledger.post(
            key=f"refund:{payment.pk}:{cumulative_minor}",
            kind=EntryKind.REFUND,
            source=payment,
            by=by,
            effective_date=at.date(),
            postings=lines,
            memo=payment.reference,
            data={"refunded_before": before, "refunded_after": cumulative_minor},
        )
        refund = Refund.objects.create(
            payment=payment,
            amount_minor=cumulative_minor - before,
            cumulative_minor=cumulative_minor,
            currency=currency,
            entry=entry,
            refunded_at=at,
            created_at=at,
        )
        is_full = cumulative_minor == gross
        advance(
            payment,
            "refund" if is_full else "refund_partly",
            by=by,
            at=at,
            changes={"refunded_minor": cumulative_minor},
        )
        if is_full:
            purchases.mark_refunded(purchase=payment.purchase, by=by, at=at)
        return refund


def _claw_back(payment: Payment, share: int, at: datetime) -> list[tuple[accounts.Name | ledger.Account, int]]:
    """Where the creator's share of a refund is taken from; keeps the earning's own count."""
    creator, currency = _earning_of(payment)
    pending = accounts.creator(AccountKind.CREATOR_PENDING, creator, currency)
    available = accounts.creator(AccountKind.CREATOR_AVAILABLE, creator, currency)
    rows = accounts.resolve(pending, available)
    covered = ledger.lock(*rows.values())[rows[available].pk]
    earning = Earning.objects.select_for_update().get(payment=payment)
    Earning.objects.filter(pk=earning.pk).update(refunded_minor=earning.refunded_minor + share, updated_at=at)
    if earning.status == EarningStatus.PENDING:
        return [(rows[pending], -share)]
    from_available = min(share, covered)
    own = max(0, earning.amount_minor - earning.refunded_minor - earning.allocated_minor)
    if from_available > own:
        # Its own money is paid out already: other earnings stand in for it.
        earnings.allocate(creator=creator, currency=currency, amount_minor=from_available - own, at=at)
    return [
        (rows[available], -from_available),
        (accounts.creator(AccountKind.CREATOR_RECEIVABLE, creator, currency), from_available - share),
    ]


def _earning_of(payment: Payment) -> tuple[Creator, str]:
    """Whose earning it is and in which currency; these never change."""
    earning = Earning.objects.select_related("creator").get(payment=payment)
    return earning.creator, earning.currency
