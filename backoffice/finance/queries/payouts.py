"""Payout runs and items for the staff screens."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from backoffice.approvals import queries as requests
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.audit import queries as audit
from backoffice.audit.models import AuditEntry
from backoffice.creators.models import Creator
from backoffice.finance.models import Attempt, PayoutItem, PayoutRun
from backoffice.finance.states import PAYOUT_APPROVAL, ItemStatus


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
class Consent:
    """Who has approved a run: ``valid`` count for its present preview, ``void`` were given for an earlier one.

    ``request`` is None until the run is submitted.
    """

    request: ApprovalRequest | None
    valid: list[Approval]
    void: list[Approval]

    @property
    def counting(self) -> list[Approval]:
        """Those that count: not of people who may not approve any more while the run waits."""
        return requests.counting(self.request, self.valid) if self.request is not None else []

    @property
    def given(self) -> list[Approval]:
        """All of them, the oldest first."""
        return sorted([*self.valid, *self.void], key=lambda approval: (approval.approved_at, approval.pk))


def consent(run: PayoutRun) -> Consent:
    """The run's request for approval and every yes, in two statements."""
    request = requests.of_subject(run, PAYOUT_APPROVAL).first()
    if request is None:
        return Consent(None, [], [])
    given = request.approvals.select_related("approver").order_by("approved_at", "id")
    valid: list[Approval] = []
    void: list[Approval] = []
    for approval in given:
        counts = approval.revision == request.revision and request.fingerprint == run.snapshot_hash
        (valid if counts else void).append(approval)
    return Consent(request, valid, void)


def history_of_consent(request: ApprovalRequest | None) -> QuerySet[AuditEntry]:
    """Every yes as it stands in the audit log; the rest of what happens to the request happens to its run too."""
    keys = [str(request.pk)] if request is not None else []
    return audit.for_subjects(ApprovalRequest._meta.label_lower, keys).filter(action="approval_request.approval")


def people_paid(run_id: UUID) -> set[UUID]:
    """The accounts of everybody in a run."""
    return set(PayoutItem.objects.filter(run_id=run_id).values_list("creator__user_id", flat=True))


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
    given = consent(run)
    left_out = run.preview.get("left_out", [])
    people = Creator.objects.in_bulk([row["creator"] for row in left_out])
    totals = run.preview.get("totals", {})
    by_id = {str(identity): creator for identity, creator in people.items()}
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
        approvals=given.valid,
        void_approvals=given.void,
        history=list(
            audit.for_subjects("finance.payoutitem", [str(item.pk) for item in items])
            | audit.for_subjects("finance.payoutrun", [str(run.pk)])
            | history_of_consent(given.request)
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
