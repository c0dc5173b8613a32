"""Money that goes back to a customer, and out of which balance it comes (S-091); and money that comes back again."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.commerce.services import purchases
from backoffice.commerce.states import PurchaseStatus
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.finance.models import Account, AccountKind, Earning, Entry, EntryKind, Payment, Refund, RefundReversal
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
        payment = _lock(payment)
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
        generation = RefundReversal.objects.filter(refund__payment=payment).count()
        entry = ledger.post(
            key=f"refund:{payment.pk}:{cumulative_minor}" + (f":{generation}" if generation else ""),
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
            generation=generation,
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
        if is_full and payment.purchase.status != PurchaseStatus.REFUNDED:
            purchases.mark_refunded(purchase=payment.purchase, by=by, at=at)
        return refund


def record_came_back(
    *, payment: Payment, cumulative_minor: int, reason: str, at: datetime | None = None
) -> list[RefundReversal]:
    """Refunds that were counted did not reach the customer: ``cumulative_minor`` is what went back in all.

    Steps are reversed from the newest on until the total is not above that, and what then is missing of it is posted
    anew, so that the books are as if only this total had ever gone back (money.md: a reversal and a new entry). The
    creator's share returns to where the creator would have it now: released earnings to the available balance, debts
    that stood for it are gone. The buyer has the title again, unless they bought it once more: then the payment says
    so and finance decides. Nothing when the total is what is counted. Raises NotYet when the payment is not refunded.
    """
    at = at or clock.now()
    with transaction.atomic():
        payment = _lock(payment)
        if cumulative_minor >= payment.refunded_minor:
            return []
        if payment.status not in (PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED):
            raise NotYet(_("The payment %(reference)s is not refunded.") % {"reference": payment.reference})
        steps = []
        total = payment.refunded_minor
        for step in payment.refunds.filter(reversal=None).select_related("entry").order_by("-cumulative_minor"):
            if total <= cumulative_minor:
                break
            steps.append(step)
            total -= step.amount_minor
        undone = _undo(payment, steps, reason, at)
        changes: dict[str, object] = {"refunded_minor": total}
        if payment.purchase.status == PurchaseStatus.REFUNDED:
            try:
                purchases.restore(purchase=payment.purchase, at=at, reason=reason)
            except purchases.AlreadyOwned as error:
                changes["problem"] = _("%(why)s The money of the refund came back: finance gives it another way.") % {
                    "why": error
                }
        verb = "take_back_partly" if total else "take_back"
        advance(payment, verb, by=None, at=at, reason=reason, changes=changes)
        record_refunded(payment=payment, cumulative_minor=cumulative_minor, currency=payment.currency, at=at)
        return undone


def _lock(payment: Payment) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("purchase", "sale_entry").get(pk=payment.pk)


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


class _Purse(NamedTuple):
    """A creator's three accounts in one currency."""

    pending: Account
    available: Account
    receivable: Account


def _undo(payment: Payment, steps: list[Refund], reason: str, at: datetime) -> list[RefundReversal]:
    """Reverses these steps, newest first, and gives the creator's share back."""
    if not Earning.objects.filter(payment=payment).exists():
        return [_reverse(step, reason, at) for step in steps]
    creator, currency = _earning_of(payment)
    names = [
        accounts.creator(kind, creator, currency)
        for kind in (AccountKind.CREATOR_PENDING, AccountKind.CREATOR_AVAILABLE, AccountKind.CREATOR_RECEIVABLE)
    ]
    rows = accounts.resolve(*names)
    purse = _Purse(*(rows[name] for name in names))
    owed = -ledger.lock(*purse)[purse.receivable.pk]
    earning = Earning.objects.select_for_update().get(payment=payment)
    undone = []
    share = to_pending = to_available = 0
    for step in steps:
        taken = dict.fromkeys((account.pk for account in purse), 0)
        for account_id, amount in step.entry.postings.values_list("account_id", "amount"):
            if account_id in taken:
                taken[account_id] -= amount
        debt = taken[purse.receivable.pk]
        paid_back = max(0, debt - owed)
        if paid_back:
            # Later earnings have paid this debt: they get back what they gave, so that the debt can be struck out.
            ledger.post(
                key=f"earning-release:{earning.pk}:repaid:{step.pk}",
                kind=EntryKind.EARNING_RELEASE,
                source=earning,
                by=None,
                effective_date=at.date(),
                postings=[(purse.receivable, -paid_back), (purse.available, paid_back)],
                memo=reason[:300],
            )
        undone.append(_reverse(step, reason, at))
        owed += paid_back - debt
        share += sum(taken.values())
        to_pending += taken[purse.pending.pk]
        to_available += taken[purse.available.pk] + paid_back
    recovered = 0
    if earning.status == EarningStatus.RELEASED and to_pending:
        # Taken inside the refund window, given back after it: it would be released by now.
        recovered = min(owed, ratio(to_pending, values.get("payout.recovery_percent"), 100))
        _release_late(earning, purse, to_pending, recovered, steps[0], at)
        to_available += to_pending - recovered
    before = _free(earning)
    earning.refunded_minor -= share
    earning.allocated_minor += recovered
    Earning.objects.filter(pk=earning.pk).update(
        refunded_minor=earning.refunded_minor, allocated_minor=earning.allocated_minor, updated_at=at
    )
    if earning.status == EarningStatus.RELEASED:
        stood_in = to_available - (_free(earning) - before)
        if stood_in > 0:
            earnings.stand_down(creator=creator, currency=currency, amount_minor=stood_in, at=at)
    return undone


def _free(earning: Earning) -> int:
    """What of a released earning can still go into a payout, minor units."""
    return max(0, earning.amount_minor - earning.refunded_minor - earning.allocated_minor)


def _release_late(earning: Earning, purse: _Purse, amount: int, recovered: int, step: Refund, at: datetime) -> None:
    """Pending -> available for a part that a refund had kept out of the release."""
    key = f"earning-release:{earning.pk}"
    if Entry.objects.filter(key=key).exists():
        # A part of it was released under the plain key.
        key += f":{step.pk}"
    ledger.post(
        key=key,
        kind=EntryKind.EARNING_RELEASE,
        source=earning,
        by=None,
        effective_date=at.date(),
        postings=[(purse.pending, -amount), (purse.available, amount - recovered), (purse.receivable, recovered)],
    )


def _reverse(step: Refund, reason: str, at: datetime) -> RefundReversal:
    entry = ledger.reverse(
        entry=step.entry,
        key=f"refund-back:{step.pk}",
        source=step.payment,
        by=None,
        effective_date=at.date(),
        memo=reason[:300],
    )
    return RefundReversal.objects.create(refund=step, entry=entry, reason=reason[:300], reversed_at=at, created_at=at)


def _earning_of(payment: Payment) -> tuple[Creator, str]:
    """Whose earning it is and in which currency; these never change."""
    earning = Earning.objects.select_related("creator").get(payment=payment)
    return earning.creator, earning.currency
