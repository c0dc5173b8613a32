"""Payout runs are approved by other people than who asked and than who is paid (Q-019, N-016, S-125)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.states import Status
from backoffice.core import money
from backoffice.finance.models import PayoutRun
from backoffice.finance.policies import payouts as policy
from backoffice.finance.queries import payouts as queries
from backoffice.finance.services import payouts
from backoffice.finance.states import PAYOUT_APPROVAL


def check(request: ApprovalRequest, by: Any) -> None:
    """Nobody decides about a run that pays them."""
    policy.check_not_paid(by, creator_users=queries.people_paid(UUID(request.subject_id)))


def asker_permission(request: ApprovalRequest) -> tuple[str, ...]:
    """A run is put together by finance; one's own payout is asked for by the creator, who needs no staff right."""
    return () if request.payload["origin"] == PayoutRun.Origin.REQUEST else ("payouts.edit",)


def apply(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """The last yes: the money is set aside and a job sends it. A balance that does not cover it refuses the yes."""
    payouts.set_aside(run_id=request.subject_id, by=by, at=at)


def closed(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """A run that nobody may approve any more is not paid."""
    if request.status in (Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN):
        payouts.close(request=request, by=by, at=at)


def lines(request: ApprovalRequest) -> list[kinds.Line]:
    """What is paid, in words."""
    paid, currency = request.payload["totals"], request.payload["currency"]
    amounts = [
        (_("Gross"), paid["gross_minor"]),
        (_("Fees"), paid["fee_minor"]),
        (_("Withheld"), paid["withholding_minor"]),
        (_("Net"), paid["net_minor"]),
    ]
    return [
        kinds.Line(_("Method"), "", request.payload["method_name"]),
        kinds.Line(_("Payouts"), "", str(paid["count"])),
        *[kinds.Line(label, "", money.display(minor, currency)) for label, minor in amounts],
    ]


KIND = kinds.register(
    kinds.Kind(
        code=PAYOUT_APPROVAL,
        label=_("Payout"),
        permission="payouts.approve",
        asker_permission=asker_permission,
        apply=apply,
        check=check,
        closed=closed,
        lines=lines,
        # It ends when the run is sent off.
        later=True,
        may_fail=False,
    )
)
