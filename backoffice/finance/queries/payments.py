"""Customers' payments, provider events, and the way of a payment's money to the creator's bank."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from backoffice.finance.models import (
    Allocation,
    Attempt,
    CommissionLine,
    Earning,
    Entry,
    EventOutcome,
    Payment,
    PayoutItem,
    Refund,
)
from backoffice.finance.queries import ledger
from backoffice.finance.states import EventStatus


def listing(*, text: str = "", status: str = "") -> QuerySet[Payment]:
    """Payments, newest first; by reference, purchase or provider id, and by status. One statement per page."""
    rows = Payment.objects.select_related("purchase__title", "creator", "user").order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if text:
        rows = rows.filter(
            Q(reference__iexact=text)
            | Q(purchase__reference__iexact=text)
            | Q(provider_payment_id=text)
            | Q(provider_session_id=text)
        )
    return rows


def dead_events() -> QuerySet[EventOutcome]:
    """Events that could not be applied, newest first, each with its error; finance replays them (S-127)."""
    return (
        EventOutcome.objects.filter(status=EventStatus.FAILED)
        .select_related("event", "payment")
        .order_by("-processed_at")
    )


@dataclass(frozen=True, slots=True)
class Trace:
    """One payment from the checkout page to the bank. Amounts are minor units.

    ``payouts`` are the payouts that pay part of its earning: how much, and the bank's reference once it arrived.
    """

    payment: Payment
    attempts: list[Attempt]
    events: list[EventOutcome]
    commission_lines: list[CommissionLine]
    refunds: list[Refund]
    earning: Earning | None
    payouts: list[Allocation]
    payout_attempts: list[Attempt]
    entries: list[Entry]


def trace(payment: Payment) -> Trace:
    """Follows the money of a payment; a fixed number of statements."""
    earning = Earning.objects.select_related("creator").filter(payment=payment).first()
    allocations = list(
        Allocation.objects.filter(earning=earning, live=True).select_related("item__run", "item__account__method")
        if earning
        else []
    )
    items: list[PayoutItem] = [allocation.item for allocation in allocations]
    return Trace(
        payment=payment,
        attempts=list(Attempt.objects.filter(subject_id=payment.pk).order_by("first_sent_at", "id")),
        events=list(payment.events.select_related("event").order_by("event__received_at")),
        commission_lines=list(payment.commission_lines.select_related("rule").order_by("component")),
        refunds=list(payment.refunds.order_by("cumulative_minor")),
        earning=earning,
        payouts=allocations,
        payout_attempts=list(
            Attempt.objects.filter(subject_id__in=[item.pk for item in items]).order_by("first_sent_at", "id")
        ),
        entries=list(ledger.of_sources([payment, *([earning] if earning else []), *items])),
    )
