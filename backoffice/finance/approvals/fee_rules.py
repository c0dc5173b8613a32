"""A change of the fee rules is approved by another person than who proposed it (E-047, X-047)."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.finance.models.commission import Bearer
from backoffice.finance.policies import fee_rules as policy
from backoffice.finance.policies.fee_rules import Action, Terms
from backoffice.finance.services import fee_rules, outcomes


def apply(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """The last yes: the rules change, or the request fails with the sentence and nothing changes."""
    fee_rules.apply(request=request, by=by, at=at)


def closed(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """Tells whoever asked."""
    outcomes.tell(request)


def lines(request: ApprovalRequest) -> list[kinds.Line]:
    """The rule in force against the rule that is asked for."""
    proposal = fee_rules.proposal_of(request)
    kept = (request.before or {}).get("terms")
    before = Terms.read(kept) if kept else None
    new = proposal.terms
    if proposal.action == Action.CANCEL:
        assert before is not None
        return _cancelled(before, new)
    if new is None:
        assert before is not None
        until = fee_rules.moment(proposal.effective_at)
        return [
            kinds.Line(_("Rule"), policy.name(before.as_rule()), policy.name(before.as_rule())),
            kinds.Line(_("Rate"), policy.rate(before), ""),
            kinds.Line(_("Until"), str(_("open")), until),
        ]
    return [
        kinds.Line(_("Rule"), policy.name(before.as_rule()) if before else "", policy.name(new.as_rule())),
        kinds.Line(_("Rate"), policy.rate(before) if before else "", policy.rate(new)),
        kinds.Line(_("Paid by"), str(Bearer(before.bearer).label) if before else "", str(Bearer(new.bearer).label)),
        kinds.Line(_("From"), _moment(before.valid_from if before else None), _moment(new.valid_from)),
        kinds.Line(_("Until"), str(_("open")) if before else "", _moment(new.valid_to) or str(_("open"))),
    ]


def _cancelled(rule: Terms, instead: Terms | None) -> list[kinds.Line]:
    """A rule that never starts, and what goes on in its place."""
    found = [
        kinds.Line(_("Rule"), policy.name(rule.as_rule()), str(_("cancelled before it starts"))),
        kinds.Line(_("Rate"), policy.rate(rule), policy.rate(instead) if instead else ""),
    ]
    if instead is not None:
        bearers = [str(Bearer(terms.bearer).label) for terms in (rule, instead)]
        found.append(kinds.Line(_("Paid by"), *bearers))
    found.append(kinds.Line(_("From"), _moment(rule.valid_from), _moment(instead.valid_from) if instead else ""))
    until = [_moment(terms.valid_to) or str(_("open")) if terms else "" for terms in (rule, instead)]
    found.append(kinds.Line(_("Until"), *until))
    return found


def _moment(at: datetime | None) -> str:
    return fee_rules.moment(at) if at is not None else ""


KIND = kinds.register(
    kinds.Kind(
        code=fee_rules.KIND,
        label=_("Fee rule"),
        permission=fee_rules.APPROVE,
        asker_permission=(fee_rules.EDIT,),
        apply=apply,
        check=fee_rules.check_approver,
        closed=closed,
        lines=lines,
    )
)
