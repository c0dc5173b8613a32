"""The provider has the money: the split, the posting, the title, and the provider's own fee (S-089, F-026)."""

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.commerce.models import Purchase
from backoffice.commerce.services import purchases
from backoffice.commerce.states import PurchaseStatus
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Earning, EntryKind, Payment
from backoffice.finance.policies.commission import NoRule, Sale, Split
from backoffice.finance.services import accounts, commission, earnings, fx, ledger, providers
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import (
    POSTED_PAYMENTS,
    PaymentStatus,
)
from backoffice.notifications.services import notify
from integrations.stripe.errors import StripeFailure


def record_sale(
    *,
    purchase: Purchase,
    provider: str,
    provider_payment_id: str,
    by: User | None,
    promotion_code: str = "",
    at: datetime | None = None,
) -> Payment:
    """A sale that was paid elsewhere (an import, past data): payment and capture in one transaction, no mail."""
    at = at or clock.now()
    with transaction.atomic():
        payment = Payment.objects.create(
            user=purchase.buyer,
            purchase=purchase,
            creator=purchase.title.creator,
            provider=provider,
            amount_minor=purchase.price_minor,
            currency=purchase.currency,
            promotion_code=promotion_code,
            created_at=at,
        )
        return record_captured(
            payment=payment,
            provider_payment_id=provider_payment_id,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            by=by,
            announce=False,
            at=at,
        )


def record_captured(
    *,
    payment: Payment,
    provider_payment_id: str,
    amount_minor: int,
    currency: str,
    by: User | None = None,
    announce: bool = True,
    again: bool = False,
    at: datetime | None = None,
) -> Payment:
    """The provider has the money: split it, post it, and give the buyer the title; one transaction (S-089, F-026).

    Again for the same payment changes nothing. When amount or currency is not what was asked for, or the purchase is
    paid already, nothing is posted and the payment waits for a person; ``again`` is that person's new try. ``at`` is
    when it was captured (UTC).
    """
    at = at or clock.now()
    with transaction.atomic():
        payment = (
            Payment.objects.select_for_update(of=("self",))
            .select_related("purchase__title__category", "purchase__title__creator__user", "purchase__buyer", "user")
            .get(pk=payment.pk)
        )
        if payment.status in POSTED_PAYMENTS or (payment.status == PaymentStatus.NEEDS_HUMAN and not again):
            return payment
        purchase = Purchase.objects.select_for_update().get(pk=payment.purchase_id)
        problem = _problem(payment, purchase, amount_minor, currency)
        if problem:
            return _escalate(payment, problem, provider_payment_id, at)
        title = payment.purchase.title
        creator = title.creator
        converts = creator is not None and creator.currency != payment.currency
        try:
            split = commission.resolve(
                Sale(
                    gross_minor=payment.amount_minor,
                    currency=payment.currency,
                    at=at,
                    creator_id=creator.pk if creator else None,
                    tier=creator.tier if creator else "",
                    country=creator.country if creator else "",
                    category_id=title.category_id,
                    product=title.kind,
                    promotion_code=payment.promotion_code,
                    converts=converts,
                )
            )
            rate = fx.rate(base=payment.currency, quote=creator.currency, at=at) if creator and converts else None
        except (NoRule, fx.NoRate) as error:
            return _escalate(payment, str(error), provider_payment_id, at)
        commission.freeze(payment=payment, split=split)
        earned, sale_lines = _sale_lines(payment, creator, split, rate)
        entry = ledger.post(
            key=f"sale:{payment.pk}",
            kind=EntryKind.SALE,
            source=payment,
            by=by,
            effective_date=at.date(),
            postings=sale_lines,
            memo=payment.reference,
            data={"rate": rate.as_data()} if rate else {},
        )
        advance(
            payment,
            "capture",
            by=by,
            at=at,
            changes={
                "provider_payment_id": provider_payment_id,
                "captured_at": at,
                "sale_entry": entry,
                "creator": creator,
                "problem": "",
            },
        )
        purchases.mark_paid(purchase=purchase, by=by, at=at)
        if creator is not None:
            _book_earning(payment, creator, earned, at)
        if announce:
            _announce_sale(payment, creator, earned)
    return payment


def _problem(payment: Payment, purchase: Purchase, amount_minor: int, currency: str) -> str:
    """Why this money cannot be booked as the price of this purchase; empty when it can."""
    if (amount_minor, currency) != (payment.amount_minor, payment.currency):
        return _("Asked for %(asked)s %(asked_currency)s, got %(got)s %(got_currency)s (minor units).") % {
            "asked": payment.amount_minor,
            "asked_currency": payment.currency,
            "got": amount_minor,
            "got_currency": currency,
        }
    if purchase.status != PurchaseStatus.PENDING:
        return _("The purchase %(reference)s was paid before.") % {"reference": purchase.reference}
    return ""


def look_again(*, payment: Payment, by: User, at: datetime | None = None) -> Payment:
    """A person has dealt with what kept money from being booked (a rate that was missing, a refund made at the
    provider): asks the provider how it stands and books it, or closes the payment when the customer has it all back.

    Needs ``payments.decide``. Raises Conflict with what still stands against it, or ProviderUnavailable.
    """
    at = at or clock.now()
    permissions.require(by, "payments.decide")
    if payment.status != PaymentStatus.NEEDS_HUMAN or payment.provider != providers.STRIPE:
        raise Conflict(_("This payment does not wait for a person."), code="not_waiting")
    try:
        intent = providers.stripe().retrieve_payment_intent(payment.provider_payment_id)
    except StripeFailure as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    if intent.charge is None:
        raise Conflict(payment.problem, code="not_bookable")
    if intent.charge.refunded:
        return close_given_back(payment=payment, by=by, at=at)
    payment = record_captured(
        payment=payment,
        provider_payment_id=intent.id,
        amount_minor=intent.amount_received,
        currency=intent.currency,
        by=by,
        again=True,
        at=datetime.fromtimestamp(intent.charge.created, UTC),
    )
    if payment.status == PaymentStatus.NEEDS_HUMAN:
        raise Conflict(payment.problem, code="not_bookable")
    booked = intent.charge.balance_transaction
    if booked is not None:
        record_fee(payment=payment, fee_minor=booked.fee, currency=booked.currency, provider_id=booked.id, at=at)
    return payment


def close_given_back(*, payment: Payment, by: User | None, at: datetime | None = None) -> Payment:
    """Ends a payment that was never booked and that the customer has back in full."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment.pk)
        if payment.status == PaymentStatus.NEEDS_HUMAN:
            text = _("Given back to the customer in full. Before: %(problem)s") % {"problem": payment.problem}
            advance(payment, "fail", by=by, at=at, reason=text, changes={"problem": text[:300]})
    return payment


def _escalate(payment: Payment, problem: str, provider_payment_id: str, at: datetime) -> Payment:
    if payment.status == PaymentStatus.NEEDS_HUMAN:
        Payment.objects.filter(pk=payment.pk).update(problem=problem[:300], updated_at=at)
        payment.problem = problem[:300]
        return payment
    advance(
        payment,
        "escalate",
        by=None,
        at=at,
        reason=problem,
        changes={"problem": problem[:300], "provider_payment_id": provider_payment_id},
    )
    return payment


def _sale_lines(
    payment: Payment, creator: Creator | None, split: Split, rate: fx.Rate | None
) -> tuple[int, list[tuple[accounts.Name, int]]]:
    """What the creator earns in the creator's currency, and the postings of the sale."""
    currency = payment.currency
    lines = [
        (accounts.clearing(payment.provider, currency), -split.gross_minor),
        (accounts.platform(AccountKind.PLATFORM_COMMISSION, currency), split.commission_minor),
        (accounts.platform(AccountKind.PROCESSING_FEES, currency), split.processing_minor),
        (accounts.platform(AccountKind.CONVERSION_FEES, currency), split.conversion_minor),
    ]
    if creator is None:
        return 0, lines
    earned = split.creator_minor
    if rate is not None:
        earned = rate.convert(split.creator_minor)
        lines += ledger.exchange(
            source_currency=currency,
            source_minor=split.creator_minor,
            target_currency=rate.quote,
            target_minor=earned,
        )
    lines.append(
        (
            accounts.creator(AccountKind.CREATOR_PENDING, creator, creator.currency if rate else currency),
            earned,
        )
    )
    return earned, lines


def _book_earning(payment: Payment, creator: Creator, earned: int, at: datetime) -> None:
    hold_days = values.get("earnings.hold_days")
    earning = Earning.objects.create(
        payment=payment,
        creator=creator,
        amount_minor=earned,
        currency=creator.currency,
        available_at=at + timedelta(days=hold_days),
        created_at=at,
    )
    if hold_days == 0:
        earnings.release(earning_id=earning.pk, at=at)


def _announce_sale(payment: Payment, creator: Creator | None, earned: int) -> None:
    """Receipt to the buyer, sale notice to the creator (V-003, V-009)."""
    title = payment.purchase.title.title
    notify(
        user=payment.user,
        event="payment.receipt",
        data={
            "reference": payment.reference,
            "title": title,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
        },
    )
    if creator is not None:
        notify(
            user=creator.user,
            event="payment.earned",
            data={"title": title, "amount_minor": earned, "currency": creator.currency},
        )


def record_fee(
    *, payment: Payment, fee_minor: int, currency: str, provider_id: str, at: datetime | None = None
) -> bool:
    """What the provider really kept for itself: it leaves the clearing account, against the estimate (N-003).

    Posted once per payment. False when the payment is not posted yet or the fee is in another currency.
    """
    at = at or clock.now()
    if payment.status not in POSTED_PAYMENTS or currency != payment.currency or fee_minor <= 0:
        return False
    ledger.post(
        key=f"provider-fee:{payment.pk}",
        kind=EntryKind.PROVIDER_FEE,
        source=payment,
        by=None,
        effective_date=payment.captured_at.date() if payment.captured_at else at.date(),
        postings=[
            (accounts.clearing(payment.provider, currency), fee_minor),
            (accounts.platform(AccountKind.PROCESSING_FEES, currency), -fee_minor),
        ],
        memo=provider_id,
    )
    return True
