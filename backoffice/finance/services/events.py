"""What providers tell: stored raw first, applied by a job, any order and any number of times (S-127, U-039)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.core import clock, jobs
from backoffice.core.errors import DomainError
from backoffice.core.states import LostRace, advance
from backoffice.finance.models import EventOutcome, Payment, PaymentEvent, PayoutAccount
from backoffice.finance.services import payments, payout_accounts, payouts, providers, refunds
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import POSTED_PAYMENTS, EventStatus, PaymentStatus
from integrations.stripe.errors import Refused, StripeFailure, Unknown
from integrations.stripe.parsing import ATTEMPT_KEY

APPLY = "finance.apply_event"


class Ignored(Exception):
    """The event asks for nothing; the message says why. ``payment`` is whom it was about."""

    def __init__(self, why: str, payment: Payment | None = None) -> None:
        super().__init__(why)
        self.payment = payment


type Handler = Callable[[PaymentEvent, Mapping[str, Any], datetime], Payment | None]


def receive(
    *,
    provider: str,
    event_id: str,
    type: str,
    payload: Mapping[str, Any],
    account: str = "",
    at: datetime | None = None,
) -> PaymentEvent:
    """Stores a verified event and asks for its application; the same event again is the row that is there."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            event = PaymentEvent.objects.create(
                provider=provider,
                event_id=event_id,
                type=type,
                account=account,
                payload=dict(payload),
                received_at=at,
                created_at=at,
            )
            EventOutcome.objects.create(event=event, created_at=at)
            jobs.enqueue(APPLY, {"event_id": str(event.pk)})
            return event
    except IntegrityError:
        existing = PaymentEvent.objects.filter(provider=provider, event_id=event_id).first()
        if existing is None:
            raise
        return existing


def apply(*, event: PaymentEvent, at: datetime | None = None, is_last_try: bool = False) -> EventOutcome:
    """Applies an event once. Its outcome says applied, ignored or failed with the error.

    Handlers re-read the provider's object where order matters and are idempotent, so that two workers, duplicates and
    stale events end in one state. While the provider does not answer the event keeps waiting and ProviderUnavailable
    is raised, unless this is the last try. An unexpected error is raised after it is written down.
    """
    at = at or clock.now()
    outcome = EventOutcome.objects.get(event=event)
    if outcome.status != EventStatus.VERIFIED:
        return outcome
    handler = HANDLERS.get((event.provider, event.type))
    try:
        if handler is None:
            raise Ignored(_("Nothing is done on this kind of event."))
        payment = handler(event, event.payload["data"]["object"], at)
    except Ignored as why:
        return _close(outcome, "ignore", at, note=str(why), payment=why.payment)
    except (ProviderUnavailable, Unknown, LostRace, OperationalError) as error:
        # It passes by itself: no answer, somebody was faster, a deadlock.
        text = f"{type(error).__name__}: {error}"
        if is_last_try:
            return _close(outcome, "fail", at, error=text)
        EventOutcome.objects.filter(pk=outcome.pk, status=EventStatus.VERIFIED).update(
            tries=outcome.tries + 1, error=text[:4000], updated_at=at
        )
        raise ProviderUnavailable(text) from error
    except (DomainError, StripeFailure) as error:
        return _close(outcome, "fail", at, error=f"{type(error).__name__}: {error}")
    except Exception as error:
        _close(outcome, "fail", at, error=f"{type(error).__name__}: {error}")
        raise
    return _close(outcome, "apply", at, payment=payment)


def replay(*, event: PaymentEvent, by: User, at: datetime | None = None) -> EventOutcome:
    """Puts a failed event back in line (S-127). Needs ``payments.decide``."""
    at = at or clock.now()
    permissions.require(by, "payments.decide")
    with transaction.atomic():
        outcome = EventOutcome.objects.get(event=event)
        advance(outcome, "replay", by=by, at=at, changes={"error": "", "note": "", "processed_at": None})
        jobs.enqueue(APPLY, {"event_id": str(event.pk)}, by=by)
    return outcome


def _close(
    outcome: EventOutcome,
    verb: str,
    at: datetime,
    *,
    note: str = "",
    error: str = "",
    payment: Payment | None = None,
) -> EventOutcome:
    """Writes the outcome. Who applies the same event at the same time has written the same one."""
    changes = {
        "tries": outcome.tries + 1,
        "note": note[:300],
        "error": error[:4000],
        "payment": payment,
        "processed_at": at,
    }
    try:
        advance(outcome, verb, by=None, at=at, changes=changes)
    except LostRace:
        outcome.refresh_from_db()
    return outcome


def _when(event: PaymentEvent) -> datetime:
    """When the provider says that it happened."""
    return datetime.fromtimestamp(event.payload["created"], UTC)


def _payment_of(thing: Mapping[str, Any]) -> Payment:
    """The payment that a session, payment intent or charge is about; Ignored when it is none of ours."""
    labels = thing.get("metadata") or {}
    # The account may serve other shops, whose labels are no ids of ours.
    with suppress(ValidationError):
        found = Payment.objects.filter(pk=str(labels.get("payment") or "")).first()
        if found is not None:
            return found
    for field in ("payment_intent", "id"):
        value = thing.get(field)
        if value:
            found = Payment.objects.filter(provider=providers.STRIPE, provider_payment_id=str(value)).first()
            if found is not None:
                return found
    raise Ignored(_("It is about no payment of this platform."))


def _session_completed(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    payment = _payment_of(thing)
    payments.adopt_session(payment=payment, session_id=str(thing["id"]), at=at)
    if thing.get("payment_status") != "paid":
        raise Ignored(_("The page was completed, the money is not there yet."), payment)
    return payments.record_captured(
        payment=payment,
        provider_payment_id=str(thing["payment_intent"]),
        amount_minor=int(thing["amount_total"]),
        currency=str(thing["currency"]).upper(),
        at=_when(event),
    )


def _session_expired(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    payment = _payment_of(thing)
    if payment.provider_session_id not in ("", thing["id"]):
        raise Ignored(_("Another page took its place."), payment)
    # The page can have been paid in its last second and this event be late: the provider knows.
    if providers.stripe().retrieve_checkout_session(str(thing["id"])).is_paid:
        raise Ignored(_("The page was paid after all."), payment)
    return payments.fail(payment=payment, reason=event.type, at=at)


def _session_failed(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    return payments.fail(payment=_payment_of(thing), reason=event.type, at=at)


def _intent_succeeded(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    """Says the same as the completed page; whichever comes first captures. Brings the provider's own fee."""
    payment = _payment_of(thing)
    intent = providers.stripe().retrieve_payment_intent(str(thing["id"]))
    payment = payments.record_captured(
        payment=payment,
        provider_payment_id=intent.id,
        amount_minor=intent.amount_received,
        currency=intent.currency,
        at=_when(event),
    )
    booked = intent.charge.balance_transaction if intent.charge else None
    if booked is not None:
        payments.record_fee(
            payment=payment, fee_minor=booked.fee, currency=booked.currency, provider_id=booked.id, at=at
        )
    return payment


def _charge_updated(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    payment = _payment_of(thing)
    if payment.status not in POSTED_PAYMENTS:
        raise Ignored(_("The payment is not captured; its own event brings the fee."), payment)
    booked = providers.stripe().retrieve_charge(str(thing["id"])).balance_transaction
    if booked is None:
        raise Ignored(_("The provider has not booked its fee yet."), payment)
    if booked.currency != payment.currency:
        raise Ignored(
            _("The provider took its fee in %(currency)s: it is not booked here.") % {"currency": booked.currency},
            payment,
        )
    payments.record_fee(payment=payment, fee_minor=booked.fee, currency=booked.currency, provider_id=booked.id, at=at)
    return payment


def _charge_refunded(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    """Counts what the provider says now that it has given back, not what the event tells."""
    payment = _payment_of(thing)
    charge = providers.stripe().retrieve_charge(str(thing["id"]))
    if payment.status == PaymentStatus.NEEDS_HUMAN and charge.refunded:
        # Money that could not be booked went back to the customer: there is nothing left to book.
        return payments.close_given_back(payment=payment, by=None, at=at)
    if payment.status not in POSTED_PAYMENTS:
        # The refund overtook the capture: a refunded charge was captured.
        payment = payments.record_captured(
            payment=payment,
            provider_payment_id=charge.payment_intent,
            amount_minor=charge.amount,
            currency=charge.currency,
            at=datetime.fromtimestamp(charge.created, UTC),
        )
    return refunds.take(payment_id=payment.pk, at=_when(event))


def _refund_changed(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> Payment:
    """A refund ended later than it was made, or came back: whatever it was, the provider's list is read."""
    payment = _payment_of(thing)
    if payment.status in POSTED_PAYMENTS:
        return refunds.take(payment_id=payment.pk, at=_when(event))
    if payment.status != PaymentStatus.FAILED or thing.get("status") not in refunds.CAME_BACK:
        raise Ignored(_("The payment is not booked: nothing of it was counted as refunded."), payment)
    # It was closed because the customer had it all back, and now they have not: it is booked, or a person looks.
    charge = providers.stripe().retrieve_charge(str(thing["charge"]))
    return payments.record_captured(
        payment=payment,
        provider_payment_id=charge.payment_intent,
        amount_minor=charge.amount,
        currency=charge.currency,
        at=datetime.fromtimestamp(charge.created, UTC),
    )


def _transfer_created(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> None:
    attempt_id = (thing.get("metadata") or {}).get(ATTEMPT_KEY)
    if not attempt_id or not payouts.adopt_transfer(attempt_id=attempt_id, transfer_id=str(thing["id"]), at=at):
        raise Ignored(_("No payout waits for this transfer."))


def _transfer_reversed(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> None:
    if not payouts.flag_reversed(transfer_id=str(thing["id"]), at=at):
        raise Ignored(_("It is about no payout of this platform."))


def _payout_changed(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> None:
    """Paid, failed or cancelled, in whatever order the events come: asks the provider how it stands now."""
    if not PayoutAccount.objects.filter(provider_account_id=event.account).exists():
        raise Ignored(_("It is about no payout account of this platform."))
    try:
        payout = providers.stripe().retrieve_payout(str(thing["id"]), account=event.account)
    except Refused as error:
        if error.is_missing:
            raise Ignored(_("The provider does not know this payout.")) from error
        raise
    if not payouts.settle_from_provider(payout=payout, at=at):
        raise Ignored(_("It is about no payout of this platform, or says nothing new."))


def _account_updated(event: PaymentEvent, thing: Mapping[str, Any], at: datetime) -> None:
    if not payout_accounts.refresh_by_provider_id(provider_account_id=str(thing["id"]), at=at):
        raise Ignored(_("It is about no payout account of this platform."))


HANDLERS: dict[tuple[str, str], Handler] = {
    (providers.STRIPE, kind): handler
    for kind, handler in {
        "checkout.session.completed": _session_completed,
        "checkout.session.async_payment_succeeded": _session_completed,
        "checkout.session.async_payment_failed": _session_failed,
        "checkout.session.expired": _session_expired,
        "payment_intent.succeeded": _intent_succeeded,
        "charge.succeeded": _charge_updated,
        "charge.updated": _charge_updated,
        "charge.refunded": _charge_refunded,
        "charge.refund.updated": _refund_changed,
        "refund.updated": _refund_changed,
        "refund.failed": _refund_changed,
        "transfer.created": _transfer_created,
        "transfer.reversed": _transfer_reversed,
        "payout.paid": _payout_changed,
        "payout.failed": _payout_changed,
        "payout.canceled": _payout_changed,
        "account.updated": _account_updated,
    }.items()
}
