"""What waits for this person's yes: asked for by somebody else, not yet approved by them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField
from django.db.models.functions import Cast
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.approvals import queries
from backoffice.approvals.kinds import KINDS
from backoffice.approvals.models import ApprovalRequest
from backoffice.core import money
from backoffice.finance.models import PayoutItem
from backoffice.finance.states import PAYOUT_APPROVAL, RunStatus


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to approve. ``amount`` is empty where none is asked for."""

    kind: str
    what: str
    label: str
    link: str
    asked_by: str
    asked_at: datetime
    amount: str


def for_person(user: User, *, limit: int) -> list[Waiting] | None:
    """What this person may approve, oldest first, in one statement; None when their roles approve nothing."""
    if not queries.kinds_of(user):
        return None
    pays_me = PayoutItem.objects.filter(creator__user=user, run__status=RunStatus.SUBMITTED)
    waiting = (
        queries.waiting_for(user)
        .exclude(kind=PAYOUT_APPROVAL, subject_id__in=pays_me.values(key=Cast("run_id", CharField())))
        .select_related("requested_by")
        .order_by("created_at", "id")
    )
    return [_row(request) for request in waiting[:limit]]


def _row(request: ApprovalRequest) -> Waiting:
    is_payout = request.kind == PAYOUT_APPROVAL
    return Waiting(
        kind=request.kind,
        what=str(KINDS[request.kind].label),
        label=request.label,
        link=reverse("desk:payout", args=[request.subject_id])
        if is_payout
        else reverse("desk:approval_detail", args=[request.pk]),
        asked_by=request.requested_by.display_name,
        asked_at=request.created_at,
        amount=_amount(request.payload),
    )


def _amount(payload: dict[str, Any]) -> str:
    """What creators get of a payout, or the one amount that is asked for."""
    minor = payload["totals"]["net_minor"] if "totals" in payload else payload.get("amount_minor")
    return money.display(minor, payload["currency"]) if minor is not None else ""
