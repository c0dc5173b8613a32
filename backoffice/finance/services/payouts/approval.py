"""A run's request for approval: opened when it is submitted, renewed by a change, over when it is sent or not paid."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from backoffice.accounts.models import User
from backoffice.approvals import queries
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import UNFINISHED
from backoffice.configuration import values
from backoffice.finance.models import PayoutRun
from backoffice.finance.policies import payouts as policy
from backoffice.finance.states import PAYOUT_APPROVAL

SUBJECT = PayoutRun._meta.label_lower


class Terms(TypedDict):
    """What people are asked to approve, and how many of them."""

    label: str
    payload: dict[str, Any]
    fingerprint: str
    needed: int
    days: int


def lock(run_id: UUID | str) -> ApprovalRequest | None:
    """The request that is not over, locked until the transaction ends; None when there is none."""
    return (
        queries.of_subject((SUBJECT, str(run_id)), PAYOUT_APPROVAL)
        .filter(status__in=UNFINISHED)
        .select_for_update(of=("self",))
        .first()
    )


def lock_all(run_ids: Iterable[UUID]) -> None:
    """Locks the requests of several runs that are not over, in the order in which everybody takes them
    (`requests.lock_asked_by`). For whoever goes through payouts of more than one run.
    """
    wanted = ApprovalRequest.objects.filter(
        kind=PAYOUT_APPROVAL, subject_type=SUBJECT, subject_id__in=[str(key) for key in run_ids]
    )
    list(wanted.filter(status__in=UNFINISHED).select_for_update(of=("self",)).order_by("pk"))


def of(run: PayoutRun) -> ApprovalRequest:
    """The request of a run that waits or is approved."""
    return queries.of_subject(run, PAYOUT_APPROVAL).filter(status__in=UNFINISHED).get()


def needed(run: PayoutRun) -> int:
    """How many people have to approve what the preview says, by the threshold in force."""
    return policy.approvals_needed(
        gross_minor=run.preview["totals"]["gross_minor"],
        currency=run.currency,
        threshold_usd_minor=values.get("payout.dual_approval_over"),
    )


def open_for(run: PayoutRun, *, by: User, at: datetime) -> ApprovalRequest:
    """Asks for the approval of a run that was just submitted."""
    return requests.open(kind=PAYOUT_APPROVAL, by=by, subject=run, at=at, **_terms(run))


def renew(run: PayoutRun, *, reason: str, at: datetime) -> None:
    """The run pays something else now: every approval is void, and the time to approve it starts again."""
    requests.revise(request=of(run), by=None, reason=reason, at=at, **_terms(run))


def withdraw(run: PayoutRun, *, by: User, reason: str, at: datetime) -> None:
    """There is nothing to approve any more; finance takes back what it did not ask for in the system's name."""
    request = of(run)
    asker = by if by.pk == request.requested_by_id else None
    requests.withdraw(request=request, by=asker, reason=reason, at=at)


def _terms(run: PayoutRun) -> Terms:
    return {
        "label": run.reference,
        "payload": {
            "run": run.reference,
            "origin": run.origin,
            "method": run.method.code,
            "method_name": run.method.name,
            "currency": run.currency,
            "totals": run.preview["totals"],
            "snapshot_hash": run.snapshot_hash,
        },
        "fingerprint": run.snapshot_hash,
        "needed": needed(run),
        "days": values.get("payout.approval_days"),
    }
