"""Refunds: finance agrees to what support proposes and to what is above the limit of one person (S-094)."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.finance.policies import refunds as policy
from backoffice.finance.services import refunds


def check(request: ApprovalRequest, by: Any) -> None:
    """Nobody decides about a refund to themselves."""
    refunds.check_approver(request, by)


def apply(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """The last yes: a job sends it. A payment that does not bear it any more ends it as failed."""
    refunds.start(request, by=by, at=at)


def closed(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """A refund that nobody may approve any more is not sent."""
    refunds.close(request, by=by, at=at)


def lines(request: ApprovalRequest) -> list[kinds.Line]:
    """What goes back, in words."""
    return [kinds.Line(*line) for line in refunds.lines_of(request)]


KIND = kinds.register(
    kinds.Kind(
        code=policy.KIND,
        label=_("Refund"),
        permission=policy.APPROVE,
        asker_permission=(policy.PROPOSE, policy.DECIDE),
        apply=apply,
        check=check,
        closed=closed,
        lines=lines,
        # It ends when the provider has said how the refund ended.
        later=True,
    )
)
