"""What the verbs of a refund share: locks, ends, and who is told (V-016)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation

from backoffice.accounts.models import User
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status as ApprovalStatus
from backoffice.audit import entries
from backoffice.core import stored
from backoffice.core.states import advance
from backoffice.finance.models import Attempt, Payment, Refund, RefundRequest
from backoffice.finance.services import sentences
from backoffice.finance.states import RefundStatus
from backoffice.notifications.services import notify

SEND = "finance.send_refund"
CONTRADICTION = "contradiction"


def lock_payment(payment_id: UUID) -> Payment:
    """The payment, locked until the transaction ends: the first lock of everything about refunds."""
    return Payment.objects.select_for_update(of=("self",)).select_related("purchase__title", "user").get(pk=payment_id)


def lock(request_id: Any) -> RefundRequest:
    """The request and, before it, its payment, both locked."""
    payment = lock_payment(RefundRequest.objects.values_list("payment_id", flat=True).get(pk=request_id))
    request = (
        RefundRequest.objects.select_for_update(of=("self",))
        .select_related("requested_by", "approval")
        .get(pk=request_id)
    )
    request.payment = payment
    return request


def write(request: RefundRequest, at: datetime, **fields: Any) -> None:
    """Writes plain fields of a locked request."""
    RefundRequest.objects.filter(pk=request.pk).update(updated_at=at, **fields)
    for name, value in fields.items():
        setattr(request, name, value)


def in_hand(request: RefundRequest, at: datetime) -> bool:
    """Takes a locked request up again, whatever another worker has made of it; False when it is past that."""
    if request.status in (RefundStatus.UNKNOWN, RefundStatus.NEEDS_HUMAN):
        advance(request, "resume", by=None, at=at)
    return request.status == RefundStatus.PROCESSING


def succeed(request: RefundRequest, refund: Refund, at: datetime) -> None:
    """The customer has the money and the ledger counts it."""
    advance(
        request,
        "succeed",
        by=None,
        at=at,
        changes={
            "refund": refund,
            "succeeded_at": at,
            "finished_at": at,
            "answer": "succeeded",
            "failure_code": "",
            "failure": "",
        },
    )
    _close_approval(request, "", at)
    payment = request.payment
    notify(
        user=payment.user,
        event="refund.succeeded",
        data={
            "reference": payment.reference,
            "title": payment.purchase.title.title,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "is_full": payment.refunded_minor == payment.amount_minor,
        },
    )
    tell_staff(request, "succeeded")


def fail(
    request: RefundRequest, *, code: str, why: str, at: datetime, verb: str = "fail", by: User | None = None
) -> None:
    """Nothing went back, or it came back: the amount is free again. ``why`` is a stored sentence for people."""
    advance(
        request,
        verb,
        by=by,
        at=at,
        reason=why,
        changes={"failure_code": code[:100], "failure": why, "finished_at": at, "refund": None},
    )
    _close_approval(request, why, at)
    tell_staff(request, "came_back" if verb == "come_back" else "failed")


def _close_approval(request: RefundRequest, failure: str, at: datetime) -> None:
    approval = request.approval
    if approval is None or approval.status != ApprovalStatus.APPROVED:
        return
    if failure:
        requests.mark_failed(request=approval, reason=failure, at=at)
    else:
        requests.mark_applied(request=approval, at=at)


def tell_customer_it_came_back(request: RefundRequest) -> None:
    """Their bank did not take the money that we said was theirs."""
    payment = request.payment
    notify(
        user=payment.user,
        event="refund.came_back",
        data={
            "reference": payment.reference,
            "title": payment.purchase.title.title,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
        },
    )


def hand_over(request: RefundRequest, why: str, at: datetime, *, code: str = "needs_human") -> None:
    """Nothing more is tried until a person has looked."""
    advance(request, "escalate", by=None, at=at, reason=why, changes={"failure_code": code, "failure": why})
    tell_staff(request, "needs_human")


def contradict(request: RefundRequest, attempt: Attempt, provider_id: str, at: datetime) -> None:
    """The provider has done what was closed here as not done. The ledger counts it; a person has to look why."""
    why = sentences.CONTRADICTION(id=provider_id, code=attempt.error_code)
    if request.failure == why:
        return
    write(request, at, failure_code=CONTRADICTION, failure=why)
    entries.record(action="refund_request.contradiction", by=None, subject=request, reason=why, at=at)
    tell_staff(request, "needs_human")


def tell_staff(request: RefundRequest, outcome: str) -> None:
    """Whoever asked for it, and whoever approved it, hears how it ended."""
    people: dict[UUID, User] = {request.requested_by_id: request.requested_by}
    if request.approval is not None and outcome != "succeeded":
        people |= {row.approver_id: row.approver for row in request.approval.approvals.select_related("approver")}
    for person in people.values():
        with translation.override(person.language):
            why = stored.shown(request.failure)
        notify(
            user=person,
            event="refund.outcome",
            data={
                "reference": request.reference,
                "payment": request.payment.reference,
                "amount_minor": request.amount_minor,
                "currency": request.currency,
                "outcome": outcome,
                "reason": why if outcome in ("failed", "came_back", "needs_human") else "",
            },
        )
