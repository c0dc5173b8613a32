"""Refunds: finance agrees to what support proposes and to what is above the limit (S-094)."""

from django.utils.translation import gettext_lazy as _

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.finance.policies import refunds as policy
from backoffice.finance.services import refunds


def _lines(request: ApprovalRequest) -> list[kinds.Line]:
    return [kinds.Line(*line) for line in refunds.lines_of(request)]


kinds.register(
    kinds.Kind(
        code=policy.KIND,
        label=_("Refund"),
        permission=policy.APPROVE,
        apply=refunds.start,
        check=refunds.check_approver,
        closed=refunds.close,
        lines=_lines,
        later=True,
    )
)
