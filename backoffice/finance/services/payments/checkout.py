"""The page where a customer pays: opened once, found again after a crash, closed when it is stale (S-089, S-090)."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.commerce.models import Purchase
from backoffice.commerce.states import PurchaseStatus
from backoffice.configuration import switches
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.finance.models import Payment
from backoffice.finance.models.attempts import Attempt
from backoffice.finance.services import attempts, providers
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import (
    OPEN_PAYMENTS,
    AttemptStatus,
    Operation,
)
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
    Raises PaymentRefused, ProviderUnavailable, KeyReused, Conflict, or SwitchedOff by the kill switch (C-005).
    """
    at = at or clock.now()
    switches.require(switches.CHECKOUT)
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
