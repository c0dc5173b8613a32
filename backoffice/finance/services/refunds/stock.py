"""Taking stock of a payment's refunds at the provider: ledger and requests follow what is found there.

The provider's list is the truth, whoever started a refund: staff here, somebody in the provider's dashboard. It is read
outside any transaction; what is written holds the payment's row. An answer that another reading has overtaken is thrown
away and read anew, so that an old answer never undoes a newer one.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.finance.models import Attempt, Payment, Refund, RefundRequest
from backoffice.finance.services import attempts, payments, providers, sentences
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.services.refunds import steps
from backoffice.finance.states import AttemptStatus, Operation, RefundStatus
from integrations.stripe.errors import StripeFailure
from integrations.stripe.types import Refund as ProviderRefund

CAME_BACK = ("failed", "canceled")
# Why a refund did not reach the customer, in the provider's codes.
MOST_READINGS = 5


class Unexplained(Conflict):
    """The ledger counts refunds that the provider does not know."""

    default_code = "refunds_differ"


def take(*, payment_id: UUID, at: datetime | None = None) -> Payment:
    """Reads the refunds of a captured payment at the provider and writes down what is new.

    Safe to call at any time, by anybody, any number of times. Raises ProviderUnavailable, payments.NotYet when the sale
    is not posted, or Unexplained when the provider knows less than the ledger and no failed refund explains it.
    """
    at = at or clock.now()
    for _turn in range(MOST_READINGS):
        payment = Payment.objects.get(pk=payment_id)
        found = _read(payment)
        with transaction.atomic():
            locked = steps.lock_payment(payment_id)
            if locked.refund_readings != payment.refund_readings:
                continue
            Payment.objects.filter(pk=payment_id).update(refund_readings=locked.refund_readings + 1, updated_at=at)
            _apply(locked, found, at)
        return Payment.objects.get(pk=payment_id)
    raise ProviderUnavailable(_("The refunds of this payment keep changing; they are read again soon."))


def _read(payment: Payment) -> list[ProviderRefund]:
    try:
        return providers.stripe().list_refunds(payment.provider_payment_id)
    except StripeFailure as error:
        # A refusal to list says nothing about the money either.
        raise ProviderUnavailable(f"{type(error).__name__}: {error.message}") from error


def _apply(payment: Payment, found: list[ProviderRefund], at: datetime) -> None:
    """One transaction: attempts and requests are matched, the total is posted, requests end. Payment is locked."""
    if any(refund.currency != payment.currency for refund in found):
        raise Invalid(_("A refund of this payment is in another currency."), field="currency")
    matched = _match(payment, found)
    for request, attempt, refund in matched:
        _adopt(request, attempt, refund, at)
    _post(payment, found, at)
    payment.refresh_from_db()
    counted = payment.refunds.filter(reversal=None).order_by("-cumulative_minor").first()
    # What came back may have been posted anew: whoever still succeeded is counted by the newest step.
    RefundRequest.objects.filter(
        payment=payment, status=RefundStatus.SUCCEEDED, refund__reversal__isnull=False
    ).exclude(provider_refund_id__in=[refund.id for refund in found if refund.status in CAME_BACK]).update(
        refund=counted, updated_at=at
    )
    for request, attempt, refund in matched:
        request.payment = payment
        _end(request, attempt, refund, counted, at)


def _match(payment: Payment, found: list[ProviderRefund]) -> list[tuple[RefundRequest, Attempt, ProviderRefund]]:
    """Which of the provider's refunds are ours, by the attempt's id in their metadata or by their own."""
    requests = {
        row.pk: row
        for row in RefundRequest.objects.select_for_update(of=("self",))
        .select_related("requested_by", "approval")
        .filter(payment=payment)
        .order_by("id")
    }
    known = Attempt.objects.filter(operation=Operation.REFUND, subject_id__in=requests)
    by_id = {str(attempt.pk): attempt for attempt in known}
    by_provider_id = {attempt.provider_id: attempt for attempt in by_id.values() if attempt.provider_id}
    matched = []
    for refund in found:
        attempt = by_provider_id.get(refund.id) or by_id.get(refund.attempt_id)
        if attempt is not None:
            request = requests[attempt.subject_id]
            request.payment = payment
            matched.append((request, attempt, refund))
    return matched


def _adopt(request: RefundRequest, attempt: Attempt, refund: ProviderRefund, at: datetime) -> None:
    """The provider has it: what the worker that made the call would write down, if it is not written yet."""
    if attempt.status == AttemptStatus.REFUSED:
        steps.contradict(request, attempt, refund.id, at)
        return
    if attempt.status == AttemptStatus.OPEN and steps.in_hand(request, at):
        if (refund.amount, refund.currency) != (attempt.request["amount"], attempt.request["currency"]):
            steps.hand_over(request, sentences.OTHER_AMOUNT(id=refund.id), at)
            return
        if attempts.finish(attempt=attempt, provider_id=refund.id, at=at):
            steps.write(request, at, provider_refund_id=refund.id)
    if request.answer != refund.status or request.status == RefundStatus.PROCESSING:
        # Also when nothing is new: who was asked about longest ago comes first next time.
        steps.write(request, at, answer=refund.status[:30])


def _post(payment: Payment, found: list[ProviderRefund], at: datetime) -> None:
    """Posts the difference between what the provider has given back and what the ledger counts."""
    total = sum(refund.amount for refund in found if refund.status == "succeeded")
    if total > payment.refunded_minor:
        payments.record_refunded(payment=payment, cumulative_minor=total, currency=payment.currency, at=at)
    elif total < payment.refunded_minor:
        failed = [refund for refund in found if refund.status in CAME_BACK]
        pending = [refund for refund in found if refund.status not in ("succeeded", *CAME_BACK)]
        if not failed and payment.refunded_minor - total <= sum(refund.amount for refund in pending):
            # Counted before it had succeeded (a taken-over payment): it is not taken back while it may still succeed.
            return
        if payment.refunded_minor - total > sum(refund.amount for refund in failed):
            raise Unexplained(
                _("The ledger counts %(ledger)s as refunded, the provider %(provider)s (minor units).")
                % {"ledger": payment.refunded_minor, "provider": total}
            )
        reason = next((refund.failure_reason for refund in failed if refund.failure_reason), "") or "refund.failed"
        payments.record_came_back(payment=payment, cumulative_minor=total, reason=reason, at=at)


def _end(
    request: RefundRequest, attempt: Attempt, refund: ProviderRefund, counted: Refund | None, at: datetime
) -> None:
    """The request follows the provider's word."""
    if request.provider_refund_id != refund.id:
        return
    if refund.status == "succeeded" and request.status == RefundStatus.PROCESSING:
        assert counted is not None
        steps.succeed(request, counted, at)
    elif refund.status in CAME_BACK and request.status in (RefundStatus.PROCESSING, RefundStatus.SUCCEEDED):
        had_succeeded = request.status == RefundStatus.SUCCEEDED
        code = refund.failure_reason or refund.status
        why = sentences.CAME_BACK(reason=sentences.REFUND_REASONS.get(code) or sentences.NO_REASON(code=code))
        attempts.undo(attempt=attempt, code=code, error=why, at=at)
        verb = "come_back" if had_succeeded else "fail"
        steps.fail(request, code=code, why=why, at=at, verb=verb)
        if had_succeeded:
            steps.tell_customer_it_came_back(request)
