"""Fee rules for tests: terms, proposals and their approval by somebody else."""

from datetime import datetime, timedelta
from typing import Any

from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import RuleVersion
from backoffice.finance.models.commission import Component, Scope
from backoffice.finance.policies.fee_rules import Proposal, Terms
from backoffice.finance.services import fee_rules
from tests.factories.accounts import staff


def soon(days: int = 10) -> datetime:
    """A moment in the future, on the minute."""
    return (clock.now() + timedelta(days=days)).replace(second=0, microsecond=0)


def terms(percent_bp: int = 22_00, **fields: Any) -> Terms:
    """What a commission says; by default for the tier "premium"."""
    values: dict[str, Any] = {
        "component": Component.COMMISSION,
        "valid_from": soon(),
        "scope": Scope.TIER,
        "scope_value": "premium",
        "percent_bp": percent_bp,
        **fields,
    }
    return Terms(**values)


def for_creator(creator: Creator, percent_bp: int = 20_00, **fields: Any) -> Terms:
    """A commission of one creator."""
    return terms(percent_bp, scope=Scope.CREATOR, scope_value=str(creator.pk), creator_id=creator.pk, **fields)


def default_rule(component: str = Component.COMMISSION, currency: str = "") -> RuleVersion:
    """The rule for everything that the reference data brings."""
    return RuleVersion.objects.get(component=component, scope=Scope.DEFAULT, currency=currency, valid_to=None)


def version_of(rule: RuleVersion, **changes: Any) -> Terms:
    """The terms of a next version of the rule."""
    return Terms(**{**Terms.of(rule).as_dict(), "valid_from": soon(), **changes})


def proposed(
    proposal: Proposal | Terms, *, by: User | None = None, reason: str = "agreed", **fields: Any
) -> ApprovalRequest:
    """A proposal that waits for another person."""
    if isinstance(proposal, Terms):
        proposal = Proposal.new(proposal)
    return fee_rules.propose(proposal=proposal, reason=reason, by=by or staff("financial_admin"), **fields)


def approved(request: ApprovalRequest, *, by: User | None = None, at: datetime | None = None) -> ApprovalRequest:
    """The request after the yes of somebody else."""
    return requests.approve(request=request, by=by or staff("financial_admin"), at=at)
