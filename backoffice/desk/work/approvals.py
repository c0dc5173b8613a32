"""What waits for this person's yes: asked for by somebody else, not yet approved by them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.core import money
from backoffice.finance.models import Approval, PayoutItem, PayoutRun
from backoffice.finance.states import RunStatus


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to approve."""

    label: str
    link: str
    asked_by: str
    asked_at: datetime | None
    amount: str


def for_person(user: User, *, limit: int) -> list[Waiting] | None:
    """What this person may approve, oldest first, in one statement; None when their roles approve nothing."""
    if not user.may("payouts.approve"):
        return None
    given = Approval.objects.filter(run=OuterRef("pk"), approver=user, revision=OuterRef("revision"))
    paid_by_it = PayoutItem.objects.filter(run=OuterRef("pk"), creator__user=user)
    runs = (
        PayoutRun.objects.filter(~Exists(given), ~Exists(paid_by_it), status=RunStatus.SUBMITTED)
        .exclude(requested_by=user)
        .select_related("requested_by")
        .order_by(F("submitted_at").asc(nulls_last=True), "id")
    )
    return [
        Waiting(
            run.reference,
            reverse("desk:payout", args=[run.pk]),
            run.requested_by.display_name,
            run.submitted_at,
            money.display(run.preview.get("totals", {}).get("net_minor", 0), run.currency),
        )
        for run in runs[:limit]
    ]
