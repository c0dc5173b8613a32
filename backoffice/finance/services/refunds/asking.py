"""Asking for a refund, and what the second person's answer does to it (S-094)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status as ApprovalStatus
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock, jobs, money
from backoffice.core.errors import Conflict
from backoffice.core.states import advance
from backoffice.finance.models import Payment, RefundReason, RefundRequest
from backoffice.finance.policies import refunds as policy
from backoffice.finance.queries import refunds as queries
from backoffice.finance.services.refunds import steps
from backoffice.finance.states import RefundStatus


def propose(
    *,
    payment: Payment,
    amount_minor: int,
    reason: str,
    by: User,
    note: str = "",
    ticket: str = "",
    at: datetime | None = None,
) -> RefundRequest:
    """Asks for a refund of ``amount_minor`` of this payment.

    A finance person's own refund up to `refund.auto_limit`, and up to `refund.auto_day_limit` together with their
    others of the day, is approved by that and sent by a job; everything else waits for somebody of finance. ``ticket``
    is the reference of the support ticket that it comes from. The screen has asked for a fresh second factor before
    finance asks. Raises Forbidden, Invalid (amount, reason, note) or Conflict.
    """
    at = at or clock.now()
    policy.check_may_ask(by)
    policy.check_reason(reason, note)
    with transaction.atomic():
        payment = steps.lock_payment(payment.pk)
        policy.check_refundable(payment)
        policy.check_amount(payment, amount_minor, left_minor=queries.left(payment))
        # One refund of a person at a time: the limit of the day counts them together.
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
        needed = policy.approvals_needed(
            payment=payment,
            amount_minor=amount_minor,
            single_handed_minor=queries.single_handed(payment),
            day_minor=queries.alone_within_a_day(by, at=at),
            by=by,
            limit_usd_minor=values.get("refund.auto_limit"),
            day_limit_usd_minor=values.get("refund.auto_day_limit"),
        )
        try:
            with transaction.atomic():
                request = RefundRequest.objects.create(
                    payment=payment,
                    amount_minor=amount_minor,
                    currency=payment.currency,
                    reason=reason,
                    note=note.strip(),
                    ticket=ticket[:20],
                    requested_by=by,
                    is_single_handed=needed == 0,
                    created_at=at,
                )
        except IntegrityError as error:
            if "refund" not in str(error) or "left of the payment" not in str(error):
                raise
            raise policy.MoreThanIsLeft(_("This is more than what is left of the payment."), field="amount") from error
        entries.record(
            action="refund_request.propose",
            by=by,
            subject=request,
            reason=note.strip(),
            data={
                "payment": payment.reference,
                "amount_minor": amount_minor,
                "currency": payment.currency,
                "reason": reason,
                "ticket": ticket,
                "approvals_needed": needed,
            },
            at=at,
        )
        approval = requests.open(
            kind=policy.KIND,
            by=by,
            label=f"{request.reference} · {payment.reference}",
            payload={
                "refund": request.reference,
                "payment": payment.reference,
                "amount_minor": amount_minor,
                "currency": payment.currency,
                "reason": reason,
                "ticket": ticket,
            },
            before={"refunded_minor": payment.refunded_minor, "paid_minor": payment.amount_minor},
            subject=request,
            reason=note.strip() or str(RefundReason(reason).label),
            needed=needed,
            at=at,
        )
        if request.approval_id is None:
            RefundRequest.objects.filter(pk=request.pk, approval=None).update(approval=approval)
        request.refresh_from_db()
    return request


def check_approver(approval: ApprovalRequest, by: User) -> None:
    """Refuses whoever bought what is refunded. Raises Forbidden."""
    policy.check_approver(_request_of(approval).payment, by)


def start(approval: ApprovalRequest, *, by: User | None, at: datetime) -> None:
    """The last yes: the refund is sent by a job. Raises Conflict when the payment does not bear it any more."""
    with transaction.atomic():
        request = steps.lock(_request_of(approval).pk)
        policy.check_refundable(request.payment)
        policy.check_amount(
            request.payment, request.amount_minor, left_minor=queries.left(request.payment) + request.amount_minor
        )
        advance(request, "approve", by=by, at=at, changes={"approval": approval})
        jobs.enqueue(steps.SEND, {"request_id": str(request.pk)}, key=str(request.pk), by=by)


def close(approval: ApprovalRequest, *, by: User | None, at: datetime) -> None:
    """The approval ended without a refund: rejected, withdrawn, expired, or approved and not possible any more.

    Raises Conflict for a withdrawal of what is approved: it may be with the provider already.
    """
    request = _request_of(approval)
    if request.status != RefundStatus.REQUESTED:
        if approval.status == ApprovalStatus.WITHDRAWN:
            raise Conflict(_("This refund is approved and on its way: it cannot be withdrawn."), code="under_way")
        return
    if approval.status == ApprovalStatus.REJECTED:
        changes = {"finished_at": at, "failure": approval.decision_reason}
        advance(request, "reject", by=by, at=at, reason=approval.decision_reason, changes=changes)
        steps.tell_staff(request, "rejected")
    elif approval.status in (ApprovalStatus.WITHDRAWN, ApprovalStatus.EXPIRED):
        advance(request, "withdraw", by=by, at=at, reason=approval.decision_reason, changes={"finished_at": at})
        if approval.status == ApprovalStatus.EXPIRED:
            steps.tell_staff(request, "expired")
    elif approval.status == ApprovalStatus.FAILED:
        steps.fail(request, code="not_possible", why=approval.failure, at=at)


def lines_of(approval: ApprovalRequest) -> list[tuple[str, str, str]]:
    """What an approver reads: label, how it is, how it will be."""
    request = _request_of(approval)
    payment = request.payment
    given = (approval.before or {}).get("refunded_minor", 0)
    currency = request.currency
    return [
        (_("Refund"), "", request.reference),
        (_("Payment"), payment.reference, payment.reference),
        (
            _("Refunded of it"),
            money.display(given, currency),
            money.display(given + request.amount_minor, currency),
        ),
        (_("Paid"), money.display(payment.amount_minor, currency), money.display(payment.amount_minor, currency)),
        (_("Reason"), "", str(request.get_reason_display())),
        *([(_("Note"), "", request.note)] if request.note else []),
        *([(_("Ticket"), "", request.ticket)] if request.ticket else []),
    ]


def _request_of(approval: ApprovalRequest) -> RefundRequest:
    return RefundRequest.objects.select_related(
        "payment__purchase__title", "payment__user", "requested_by", "approval"
    ).get(pk=approval.subject_id)
