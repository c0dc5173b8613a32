"""Refunds that staff asked for: lists, and what is left of a payment."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from backoffice.accounts.models import User
from backoffice.configuration import values
from backoffice.finance.models import Payment, RefundRequest
from backoffice.finance.states import LIVE_REFUNDS, RefundStatus

# A person has to do something, or has to know.
TROUBLED = Q(status=RefundStatus.NEEDS_HUMAN) | Q(failure_code="contradiction")
WAITING = Q(status=RefundStatus.REQUESTED)
UNDER_WAY = Q(status__in=[RefundStatus.APPROVED, RefundStatus.PROCESSING, RefundStatus.UNKNOWN])


def listing() -> QuerySet[RefundRequest]:
    """Every request with what a list shows, one statement."""
    return RefundRequest.objects.select_related("payment__purchase__title", "requested_by")


def of_payment(payment: Payment) -> QuerySet[RefundRequest]:
    """The requests about one payment, the newest first."""
    return RefundRequest.objects.filter(payment=payment).select_related("requested_by").order_by("-id")


def open_ones() -> QuerySet[RefundRequest]:
    """What waits for somebody or something: a few of many, found by their own index."""
    return RefundRequest.objects.filter(WAITING | TROUBLED | UNDER_WAY)


def waiting_count() -> int:
    """How many requests wait for a person: for an approval, or in trouble."""
    return RefundRequest.objects.filter(WAITING | TROUBLED).count()


def left(payment: Payment) -> int:
    """What can still be asked for: paid less what went back and what is asked for already. Minor units."""
    return payment.amount_minor - payment.refunded_minor - _sum(payment, Q(status__in=LIVE_REFUNDS))


def lefts(payments: Iterable[Payment]) -> dict[UUID, int]:
    """The same of several payments, one statement."""
    rows = list(payments)
    if not rows:
        return {}
    asked = dict(
        RefundRequest.objects.filter(payment__in=rows, status__in=LIVE_REFUNDS)
        .values_list("payment_id")
        .annotate(total=Sum("amount_minor"))
    )
    return {row.pk: row.amount_minor - row.refunded_minor - asked.get(row.pk, 0) for row in rows}


def single_handed(payment: Payment) -> int:
    """What one person alone has given back of the payment, or is about to. Minor units."""
    counted = Q(status__in=[*LIVE_REFUNDS, RefundStatus.SUCCEEDED])
    return _sum(payment, counted & Q(is_single_handed=True))


def alone_within_a_day(person: User, *, at: datetime) -> int:
    """What this person alone has given back of any payment in the last 24 hours, or is about to. USD cents."""
    total = RefundRequest.objects.filter(
        requested_by=person,
        is_single_handed=True,
        currency="USD",
        status__in=[*LIVE_REFUNDS, RefundStatus.SUCCEEDED],
        created_at__gt=at - timedelta(days=1),
    ).aggregate(total=Sum("amount_minor"))["total"]
    return total or 0


def limit_alone(payment: Payment, person: User, *, at: datetime) -> int:
    """What this person of finance may still give back of the payment alone, USD cents; 0 in other currencies."""
    if payment.currency != "USD":
        return 0
    of_payment = values.get("refund.auto_limit") - single_handed(payment)
    of_day = values.get("refund.auto_day_limit") - alone_within_a_day(person, at=at)
    return max(0, min(of_payment, of_day))


def _sum(payment: Payment, which: Q) -> int:
    rows = RefundRequest.objects.filter(which, payment=payment)
    return rows.aggregate(total=Sum("amount_minor"))["total"] or 0
