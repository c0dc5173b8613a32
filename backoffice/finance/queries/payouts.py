"""Payout runs and items for the staff screens."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from backoffice.audit import queries as audit
from backoffice.audit.models import AuditEntry
from backoffice.creators.models import Creator
from backoffice.finance.models import Approval, Attempt, PayoutItem, PayoutRun
from backoffice.finance.states import ItemStatus


def runs() -> QuerySet[PayoutRun]:
    """Every run, newest first, with how many creators it pays and how much (minor units); one statement."""
    counted = ~Q(items__status=ItemStatus.CANCELLED)
    return (
        PayoutRun.objects.select_related("method", "requested_by")
        .annotate(
            people=Count("items", filter=counted),
            gross_total=Sum("items__gross_minor", filter=counted, default=0),
            net_total=Sum("items__net_minor", filter=counted, default=0),
        )
        .order_by("-id")
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A creator whom a run does not pay, and the codes of every reason why (texts: `policies.payouts.TEXTS`)."""

    creator: Creator
    available_minor: int
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class RunDetail:
    """Everything that an approver reads. ``approvals`` count for the present preview, the void ones do not."""

    run: PayoutRun
    items: list[PayoutItem]
    totals: dict[str, int]
    left_out: list[LeftOut]
    provider_balance: dict[str, Any] | None
    approvals: list[Approval]
    void_approvals: list[Approval]
    history: list[AuditEntry]


def detail(run: PayoutRun) -> RunDetail:
    """One run with its preview, items, approvals and history; a fixed number of statements."""
    items = list(run.items.select_related("creator__user", "account__method", "held_by").order_by("-gross_minor", "id"))
    given = list(run.approvals.select_related("approver").order_by("approved_at"))
    left_out = run.preview.get("left_out", [])
    people = Creator.objects.in_bulk([row["creator"] for row in left_out])
    totals = run.preview.get("totals", {})
    by_id = {str(identity): creator for identity, creator in people.items()}
    counts = {
        approval.pk
        for approval in given
        if approval.revision == run.revision and approval.snapshot_hash == run.snapshot_hash
    }
    return RunDetail(
        run=run,
        items=items,
        totals=totals,
        left_out=[
            LeftOut(by_id[row["creator"]], row["available_minor"], row["reasons"])
            for row in left_out
            if row["creator"] in by_id
        ],
        provider_balance=run.preview.get("provider_balance"),
        approvals=[approval for approval in given if approval.pk in counts],
        void_approvals=[approval for approval in given if approval.pk not in counts],
        history=list(
            audit.for_subjects("finance.payoutitem", [str(item.pk) for item in items])
            | audit.for_subjects("finance.payoutrun", [str(run.pk)])
        ),
    )


def attempts(item: PayoutItem) -> QuerySet[Attempt]:
    """Every call to the provider that this payout has made, oldest first."""
    return Attempt.objects.filter(subject_id=item.pk).order_by("first_sent_at", "id")


def of_creator(creator: Creator) -> QuerySet[PayoutItem]:
    """A creator's payouts, newest first."""
    return PayoutItem.objects.filter(creator=creator).select_related("run", "account__method").order_by("-id")


def needing_attention() -> QuerySet[PayoutItem]:
    """Payouts that wait for a person: unknown for long, stuck, failed or held."""
    return (
        PayoutItem.objects.filter(
            status__in=[ItemStatus.NEEDS_HUMAN, ItemStatus.FAILED, ItemStatus.UNKNOWN, ItemStatus.HELD]
        )
        .select_related("run", "creator")
        .order_by("id")
    )
