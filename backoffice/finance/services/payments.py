"""Taking customers' money: the checkout page, the capture with its split, the provider's fee, refunds."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.commerce.models import Purchase
from backoffice.commerce.services import purchases
from backoffice.commerce.states import PurchaseStatus
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Earning, EntryKind, Payment, Refund
from backoffice.finance.models.attempts import Attempt
from backoffice.finance.policies.commission import NoRule, Sale, Split
from backoffice.finance.policies.rounding import ratio
from backoffice.finance.services import accounts, attempts, commission, earnings, fx, ledger, providers
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import (
    OPEN_PAYMENTS,
    POSTED_PAYMENTS,
    REFUNDABLE_PAYMENTS,
    AttemptStatus,
    EarningStatus,
    Operation,
    PaymentStatus,
)
from backoffice.notifications.services import notify
from integrations.stripe.errors import Refused, Unknown
from integrations.stripe.parsing import ATTEMPT_KEY
from integrations.stripe.types import CheckoutSession

# Stripe closes a checkout page after 24 hours.
PAGE_LIFETIME = timedelta(hours=23)
# The provider keeps the answer of a key, a broken one too.
MOST_SENDS = 2
LANGUAGES = {"en": "en", "fr": "fr", "ht": "fr"}


class PaymentRefused(Invalid):
    """The provider would not open a checkout page (U-030)."""

    default_code = "payment_failed"


class KeyReused(Conflict):
    """The idempotency key belongs to another purchase."""

    default_code = "idempotency_key_reused"


class NotYet(Conflict):
    """What this needs has not happened here yet; events can arrive in any order."""

    default_code = "not_yet"


def start_checkout(
    *,
    purchase: Purchase,
    by: User,
    success_url: str,
    cancel_url: str,
    key: str,
    promotion_code: str = "",
    at: datetime | None = None,
) -> Payment:
    """The payment of a purchase with the address of its checkout page (U-030, S-089).

    The same key again gives the same payment and page. A purchase has one open payment: a second key finds the page
    that is open. The provider is called outside any transaction, after the attempt is committed.
    Raises PaymentRefused, ProviderUnavailable, KeyReused or Conflict.
    """
    at = at or clock.now()
    for url in (success_url, cancel_url):
        if urlsplit(url).scheme not in ("http", "https"):
            raise Invalid(_("A full web address is needed."), field="return_url")
    if purchase.buyer_id != by.pk:
        raise Conflict(_("This is somebody else's purchase."), code="not_the_buyer")
    payment = _payment_for(purchase, by=by, key=f"{by.pk}:{key}", promotion_code=promotion_code, at=at)
    if payment.checkout_url:
        return payment
    request = {
        "amount": payment.amount_minor,
        "currency": payment.currency,
        "name": purchase.title.title[:250],
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    with transaction.atomic(durable=True):
        attempt = _page_attempt(payment, request, at)
    session = _open_page(payment, attempt, by, at)
    with transaction.atomic():
        attempts.finish(attempt=attempt, provider_id=session.id, at=at)
        Payment.objects.filter(pk=payment.pk).update(
            provider_session_id=session.id, checkout_url=session.url, updated_at=at
        )
    payment.refresh_from_db()
    return payment


def _payment_for(purchase: Purchase, *, by: User, key: str, promotion_code: str, at: datetime) -> Payment:
    """The payment of this key, or the open one of the purchase, or a new one."""
    known = Payment.objects.filter(key=key).first()
    if known is not None:
        if known.purchase_id != purchase.pk:
            raise KeyReused(_("This Idempotency-Key was used for another purchase."))
        if known.status not in OPEN_PAYMENTS:
            raise Conflict(_("This payment is over; use a new Idempotency-Key."), code="payment_over")
        return known
    if purchase.status != PurchaseStatus.PENDING:
        raise Conflict(_("This purchase is not waiting for payment."), code="not_waiting")
    opened = Payment.objects.filter(purchase=purchase, status__in=OPEN_PAYMENTS).first()
    if opened is not None:
        same_price = (opened.amount_minor, opened.currency) == (purchase.price_minor, purchase.currency)
        if same_price and at - opened.created_at < PAGE_LIFETIME:
            return opened
        _close_page(opened, at=at)
    try:
        with transaction.atomic():
            payment = Payment.objects.create(
                user=by,
                purchase=purchase,
                creator=purchase.title.creator,
                provider=providers.STRIPE,
                key=key,
                amount_minor=purchase.price_minor,
                currency=purchase.currency,
                promotion_code=promotion_code,
                created_at=at,
            )
            entries.record(action="payment.start", by=by, subject=payment, at=at)
            return payment
    except IntegrityError:
        racing = Payment.objects.filter(purchase=purchase, status__in=OPEN_PAYMENTS).first()
        if racing is None:
            raise
        return racing


def _page_attempt(payment: Payment, request: dict[str, object], at: datetime) -> Attempt:
    """The attempt to open a page. One that has failed twice is given up for a new key: nobody has seen its page."""
    existing = attempts.live(payment, Operation.CHECKOUT)
    if existing is not None and existing.sends < MOST_SENDS:
        attempts.again(attempt=existing, at=at)
        return existing
    if existing is not None:
        attempts.refuse(attempt=existing, code="abandoned", error="no answer", at=at)
    return attempts.begin(
        subject=payment, operation=Operation.CHECKOUT, provider=payment.provider, request=request, at=at
    )


def _open_page(payment: Payment, attempt: Attempt, by: User, at: datetime) -> CheckoutSession:
    """Calls the provider. A page that was opened before a crash comes back by its key."""
    request = attempt.request
    try:
        return providers.stripe().create_checkout_session(
            amount=request["amount"],
            currency=request["currency"],
            name=request["name"],
            success_url=request["success_url"],
            cancel_url=request["cancel_url"],
            client_reference_id=payment.reference,
            idempotency_key=attempt.key,
            metadata={"payment": str(payment.pk), ATTEMPT_KEY: str(attempt.pk)},
            customer_email=by.email,
            locale=LANGUAGES.get(by.language, "auto"),
        )
    except Refused as error:
        with transaction.atomic():
            attempts.refuse(attempt=attempt, code=error.code, error=error.message, at=at)
            advance(
                payment,
                "fail",
                by=None,
                at=at,
                reason=error.message,
                changes={"problem": error.message[:300]},
            )
        raise PaymentRefused(_("The payment could not be started. Please try again later.")) from error
    except Unknown as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error


def _close_page(payment: Payment, *, at: datetime) -> None:
    """Ends a checkout page that is too old or shows an old price, so that nobody pays on two pages."""
    if payment.provider_session_id:
        client = providers.stripe()
        try:
            client.expire_checkout_session(payment.provider_session_id)
        except Refused:
            if client.retrieve_checkout_session(payment.provider_session_id).is_paid:
                raise Conflict(_("Your payment is being confirmed."), code="payment_processing") from None
        except Unknown as error:
            raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    fail(payment=payment, reason="expired", at=at)


def fail(*, payment: Payment, reason: str, by: User | None = None, at: datetime | None = None) -> Payment:
    """The customer will not pay with this one any more (S-090). A payment that is over already stays as it is."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment.pk)
        if payment.status in OPEN_PAYMENTS:
            advance(payment, "fail", by=by, at=at, reason=reason, changes={"problem": reason[:300]})
    return payment


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
    at: datetime | None = None,
) -> Payment:
    """The provider has the money: split it, post it, and give the buyer the title; one transaction (S-089, F-026).

    Again for the same payment changes nothing. When amount or currency is not what was asked for, or the purchase is
    paid already, nothing is posted and the payment waits for a person. ``at`` is when it was captured (UTC).
    """
    at = at or clock.now()
    with transaction.atomic():
        payment = (
            Payment.objects.select_for_update(of=("self",))
            .select_related("purchase__title__category", "purchase__title__creator__user", "purchase__buyer", "user")
            .get(pk=payment.pk)
        )
        if payment.status in POSTED_PAYMENTS or payment.status == PaymentStatus.NEEDS_HUMAN:
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


def _escalate(payment: Payment, problem: str, provider_payment_id: str, at: datetime) -> Payment:
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


def adopt_session(*, payment: Payment, session_id: str, at: datetime | None = None) -> None:
    """Keeps the id of a page that was opened just before a crash and learned of by an event."""
    at = at or clock.now()
    with transaction.atomic():
        attempt = attempts.live(payment, Operation.CHECKOUT)
        if attempt is not None and attempt.status == AttemptStatus.OPEN:
            attempts.finish(attempt=attempt, provider_id=session_id, at=at)
        Payment.objects.filter(pk=payment.pk, provider_session_id="").update(
            provider_session_id=session_id, updated_at=at
        )
