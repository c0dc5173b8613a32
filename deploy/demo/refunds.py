"""Refunds of the demo: what was given back over the months, and today's that wait for people."""

import random
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from backoffice.accounts.models import User
from backoffice.approvals.services import requests
from backoffice.finance.models import Payment, RefundReason, RefundRequest
from backoffice.finance.services import payments, refunds
from deploy.demo.payouts import lever

AT_ONCE = 500
# Who asks for how much of it (percent), and what is done about it.
ASKED: list[tuple[str, str, str, int, str]] = [
    ("customer_support", RefundReason.NOT_PLAYABLE, "The film stops after four minutes on her phone.", 100, ""),
    ("customer_support", RefundReason.DUPLICATE, "", 100, ""),
    ("customer_support", RefundReason.GOODWILL, "Waited three days for an answer of ours.", 50, ""),
    ("customer_support", RefundReason.REQUESTED, "", 100, "reject"),
    ("customer_support", RefundReason.NOT_AS_DESCRIBED, "Sold as subtitled in French; it is not.", 100, "approve"),
    ("financial_admin", RefundReason.DUPLICATE, "", 100, "send"),
]


def of_the_past(rng: random.Random, now: datetime) -> int:
    """A few buyers who got their money back; how many."""
    recent = list(Payment.objects.filter(status="captured").order_by("-created_at")[:200])
    for payment in rng.sample(recent, 9):
        is_old = payment.created_at < now - timedelta(days=4)
        payments.record_refunded(
            payment=payment,
            cumulative_minor=payment.amount_minor,
            currency=payment.currency,
            at=payment.created_at + timedelta(days=3) if is_old else now,
        )
    return 9


def tell_provider() -> None:
    """Makes the demo's sales known to the loopback Stripe, so that they can be refunded there."""
    rows: Any = Payment.objects.filter(provider_payment_id__startswith="pi_demo_").order_by("captured_at")
    for batch in batched(rows, AT_ONCE, strict=False):
        lever(
            "take_over",
            payments=[
                {
                    "id": row.provider_payment_id,
                    "amount": row.amount_minor,
                    "currency": row.currency.lower(),
                    "created": int(row.captured_at.timestamp()),
                    "metadata": {"payment": str(row.pk)},
                    "refunded": row.refunded_minor,
                }
                for row in batch
            ],
        )


def asked_for(rng: random.Random, now: datetime, people: dict[str, User], approver: User) -> int:
    """Refunds that staff asked for in the last days, in several states; how many."""
    if RefundRequest.objects.exists():
        return RefundRequest.objects.count()
    recent = list(
        Payment.objects.filter(status="captured", currency="USD", provider_payment_id__startswith="pi_demo_")
        .select_related("purchase")
        .order_by("-captured_at")[:60]
    )
    for number, (payment, (role, reason, note, percent, then)) in enumerate(
        zip(rng.sample(recent, len(ASKED)), ASKED, strict=True)
    ):
        at = now - timedelta(hours=2 + 5 * number)
        request = refunds.propose(
            payment=payment,
            amount_minor=payment.amount_minor * percent // 100,
            reason=reason,
            note=note,
            by=people[role],
            at=at,
        )
        later = at + timedelta(minutes=40)
        assert request.approval is not None
        if then == "reject":
            why = "Watched to the end, twice."
            requests.reject(request=request.approval, by=approver, reason=why, at=later)
        elif then == "approve":
            requests.approve(request=request.approval, by=approver, at=later)
        if then in ("approve", "send"):
            refunds.send(request_id=request.pk, at=later + timedelta(minutes=1))
    return len(ASKED)
