"""Sending refunds by the crash protocol (money.md): nobody gets money back twice, whenever a process dies.

Transaction A commits an attempt; the provider is called with its key outside any transaction; transaction B writes down
the provider's id. Then the provider's list is read, and ledger and request follow it (`stock`). Whoever finds an open
attempt asks the provider by the attempt's id before anything else.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Invalid
from backoffice.core.states import advance
from backoffice.finance.models import Attempt, RefundRequest
from backoffice.finance.policies import refunds as policy
from backoffice.finance.queries import refunds as queries
from backoffice.finance.services import attempts, providers, sentences
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.services.refunds import steps, stock
from backoffice.finance.states import AttemptStatus, Operation, RefundStatus
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Refused, StripeFailure, Unknown
from integrations.stripe.types import Refund as ProviderRefund

# A request that waits longer than this for its next step has lost its job; one that the provider has, its event.
STUCK_AFTER = timedelta(minutes=2)
SILENT_AFTER = timedelta(hours=1)
ASKED_AT_ONCE = 200
MOST_REASON = 2000


def send(*, request_id: Any, at: datetime | None = None) -> RefundRequest:
    """Moves one approved refund as far as it gets.

    Can be called again at any time, by any number of workers. Raises ProviderUnavailable when the provider's answer is
    missing; the request is `unknown` then and the next call asks first.
    """
    at = at or clock.now()
    claimed = _claim(request_id, at)
    if claimed is not None:
        attempt, is_first = claimed
        if attempt.status == AttemptStatus.DONE or _carry_out(request_id, attempt, is_first, at):
            _follow(request_id, at)
    return RefundRequest.objects.select_related("payment").get(pk=request_id)


def _follow(request_id: Any, at: datetime) -> None:
    """Ledger and request follow what the provider has. When that cannot be booked, a person has to look."""
    payment_id = RefundRequest.objects.values_list("payment_id", flat=True).get(pk=request_id)
    try:
        stock.take(payment_id=payment_id, at=at)
    except ProviderUnavailable:
        raise
    except DomainError as error:
        with transaction.atomic():
            request = steps.lock(request_id)
            if request.status == RefundStatus.PROCESSING:
                steps.hand_over(request, sentences.NOT_BOOKED(why=error), at, code=error.code)


def _claim(request_id: Any, at: datetime) -> tuple[Attempt, bool] | None:
    """Transaction A: takes the request and commits the attempt. None when there is nothing to send.

    The second value says that no call was made under this attempt before.
    """
    # Durable: what follows this block is a call that a rollback could not take back.
    with transaction.atomic(durable=True):
        request = steps.lock(request_id)
        existing = attempts.live(request, Operation.REFUND)
        if existing is not None and existing.status == AttemptStatus.DONE:
            return (existing, False) if request.status == RefundStatus.PROCESSING else None
        if request.status == RefundStatus.UNKNOWN:
            advance(request, "resume", by=None, at=at)
        elif request.status not in (RefundStatus.APPROVED, RefundStatus.PROCESSING):
            return None
        if existing is not None:
            return existing, False
        # Nothing is with the provider: the first call, or a new one after a person found that the one before is absent.
        problem = _what_stands_against(request)
        if problem:
            steps.fail(request, code="not_possible", why=problem, at=at)
            return None
        if request.status == RefundStatus.APPROVED:
            advance(request, "process", by=None, at=at, changes={"sent_at": at})
        attempt = attempts.begin(
            subject=request, operation=Operation.REFUND, provider=providers.STRIPE, request=_body(request), at=at
        )
        return attempt, True


def _what_stands_against(request: RefundRequest) -> str:
    """Why an approved refund cannot be sent any more; empty when it can."""
    try:
        policy.check_refundable(request.payment)
        left = queries.left(request.payment) + request.amount_minor
        policy.check_amount(request.payment, request.amount_minor, left_minor=left)
    except DomainError as error:
        return str(error)
    return ""


def _body(request: RefundRequest) -> dict[str, Any]:
    return {
        "payment_intent": request.payment.provider_payment_id,
        "amount": request.amount_minor,
        "currency": request.currency,
        "reason": policy.PROVIDER_REASONS.get(request.reason, ""),
        # Events of a refund carry its own labels, not the payment's.
        "metadata": {"payment": str(request.payment_id), "refund_request": request.reference},
    }


def _carry_out(request_id: Any, attempt: Attempt, is_first: bool, at: datetime) -> bool:
    """The call, or what became of the one before. True when the provider has the refund."""
    client = providers.stripe()
    try:
        made = None if is_first else _look_up(client, attempt)
        if made is None:
            if not is_first:
                if not attempts.may_resend(attempt, at=at):
                    _needs_human(request_id, at)
                    return False
                attempts.again(attempt=attempt, at=at)
            made = _call(client, attempt)
    except Refused as error:
        with transaction.atomic():
            request = steps.lock(request_id)
            is_ours = steps.in_hand(request, at)
            if attempts.refuse(attempt=attempt, code=error.code, error=error.message, at=at) and is_ours:
                steps.fail(request, code=error.code, why=error.message, at=at)
        return False
    except Unknown as error:
        with transaction.atomic():
            request = steps.lock(request_id)
            if request.status == RefundStatus.PROCESSING:
                changes = {
                    "failure_code": (error.code or type(error).__name__)[:100],
                    "failure": error.message,
                }
                advance(request, "lose", by=None, at=at, reason=error.message, changes=changes)
        raise ProviderUnavailable(f"{type(error).__name__}: {error.message}") from error
    return _write_down(request_id, attempt, made, at)


def _call(client: StripeClient, attempt: Attempt) -> ProviderRefund:
    body = attempt.request
    return client.create_refund(
        payment_intent=body["payment_intent"],
        amount=body["amount"],
        reason=body["reason"],
        metadata=body["metadata"],
        attempt_id=str(attempt.pk),
        idempotency_key=attempt.key,
    )


def _look_up(client: StripeClient, attempt: Attempt) -> ProviderRefund | None:
    """What the provider has of an attempt. A refusal to answer says nothing about the money: Unknown, never Refused."""
    try:
        return client.find_refund(str(attempt.pk), payment_intent=attempt.request["payment_intent"])
    except Refused as error:
        raise Unknown(error.message, code=error.code, status=error.status, request_id=error.request_id) from error


def _write_down(request_id: Any, attempt: Attempt, made: ProviderRefund, at: datetime) -> bool:
    """Transaction B: the provider's id. Whoever comes second finds it written."""
    with transaction.atomic():
        request = steps.lock(request_id)
        if not steps.in_hand(request, at):
            return Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.DONE).exists()
        if (made.amount, made.currency) != (attempt.request["amount"], attempt.request["currency"]):
            steps.hand_over(request, sentences.OTHER_AMOUNT(id=made.id), at)
            return False
        if attempts.finish(attempt=attempt, provider_id=made.id, at=at):
            steps.write(request, at, provider_refund_id=made.id, answer=made.status[:30], failure_code="", failure="")
    return True


def _needs_human(request_id: Any, at: datetime) -> None:
    with transaction.atomic():
        request = steps.lock(request_id)
        if request.status == RefundStatus.PROCESSING:
            steps.hand_over(request, sentences.NO_TRACE, at)


def resume(
    *, request: RefundRequest, by: User, reason: str, is_absent: bool = False, at: datetime | None = None
) -> RefundRequest:
    """A person has looked into a refund that needed one, and sends it on its way again.

    ``is_absent`` is that person's word that the provider never did it: when the provider says the same, the open
    attempt is closed and a new key is used; Conflict when the provider has it. Without it the provider is asked once
    more and the old key is kept. Needs ``payments.decide``.
    """
    at = at or clock.now()
    _check_looked_into(request, by, reason, is_absent)
    with transaction.atomic():
        request = steps.lock(request.pk)
        advance(request, "resume", by=by, at=at, reason=reason, note={"is_absent": is_absent})
        if is_absent:
            _close_attempt(request, reason, at)
        jobs.enqueue(steps.SEND, {"request_id": str(request.pk)}, key=str(request.pk), by=by)
    return request


def give_up(*, request: RefundRequest, by: User, reason: str, at: datetime | None = None) -> RefundRequest:
    """Ends a refund that needed a person and that the provider, asked again, never did. Needs ``payments.decide``."""
    at = at or clock.now()
    _check_looked_into(request, by, reason, True)
    with transaction.atomic():
        request = steps.lock(request.pk)
        _close_attempt(request, reason, at)
        steps.fail(request, code="given_up", why=reason.strip(), at=at, verb="give_up", by=by)
    return request


def _check_looked_into(request: RefundRequest, by: User, reason: str, is_absent: bool) -> None:
    """A new key, or an end, only after proof: a person's mistake must not pay twice."""
    permissions.require(by, "payments.decide")
    if not reason.strip():
        raise Invalid(_("Say what you found out."), field="reason")
    if len(reason) > MOST_REASON:
        raise Invalid(_("At most %(most)s characters.") % {"most": MOST_REASON}, field="reason")
    attempt = attempts.live(request, Operation.REFUND) if is_absent else None
    if attempt is None:
        return
    try:
        made = _look_up(providers.stripe(), attempt)
    except StripeFailure as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    if made is not None:
        text = _("The provider did it: %(id)s. Nothing is sent again.") % {"id": made.id}
        raise Conflict(text, code="not_absent")


def _close_attempt(request: RefundRequest, reason: str, at: datetime) -> None:
    attempt = attempts.live(request, Operation.REFUND)
    if attempt is not None and attempt.status == AttemptStatus.OPEN:
        attempts.refuse(attempt=attempt, code="absent", error=reason, at=at)


def recover(*, at: datetime | None = None) -> int:
    """Looks after refunds that nobody is looking after: a lost job is asked for again, a lost event is asked for at the
    provider. How many were touched.
    """
    at = at or clock.now()
    open_calls = Attempt.objects.filter(operation=Operation.REFUND, status=AttemptStatus.OPEN).values("subject_id")
    rows = RefundRequest.objects.filter(updated_at__lt=at - STUCK_AFTER)
    stuck = rows.filter(status__in=[RefundStatus.APPROVED, RefundStatus.UNKNOWN]) | rows.filter(
        status=RefundStatus.PROCESSING, pk__in=open_calls
    )
    # The provider has them and has not said how they ended.
    silent = RefundRequest.objects.filter(status=RefundStatus.PROCESSING, updated_at__lt=at - SILENT_AFTER)
    ids = [
        *stuck.order_by("updated_at").values_list("pk", flat=True)[:ASKED_AT_ONCE],
        *silent.order_by("updated_at").values_list("pk", flat=True)[:ASKED_AT_ONCE],
    ]
    wanted = dict.fromkeys(ids)
    for request_id in wanted:
        with transaction.atomic():
            jobs.enqueue(steps.SEND, {"request_id": str(request_id)}, key=str(request_id))
    return len(wanted)
