"""Fee rules: adding a version, ending one, and freezing the fees of a sale.

Two people stand behind every change by staff: `services.fee_rules` proposes it and comes here once it is approved. The
reference data, imports and tests come here with no person at all.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.states import Status
from backoffice.audit import entries
from backoffice.catalogue.models import Category
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators.models import Creator
from backoffice.finance.models import CommissionLine, Payment, RuleVersion
from backoffice.finance.models.commission import Bearer, Component, Scope
from backoffice.finance.policies import commission as policy


def add_rule(
    *,
    component: Component,
    by: User | None,
    valid_from: datetime,
    valid_to: datetime | None = None,
    percent_bp: int = 0,
    fixed_minor: int = 0,
    currency: str = "",
    min_minor: int | None = None,
    max_minor: int | None = None,
    scope: Scope = Scope.DEFAULT,
    scope_value: str = "",
    creator: Creator | None = None,
    category: Category | None = None,
    agreement: str = "",
    promotion_code: str = "",
    bearer: Bearer = Bearer.CREATOR,
    priority: int = 0,
    request: ApprovalRequest | None = None,
    at: datetime | None = None,
) -> RuleVersion:
    """A new immutable rule. ``by`` None is the reference data; a person needs ``fees.approve`` and the approved
    ``request`` of somebody else, who is then noted as the one that made the rule.

    Raises Conflict when a rule of the same standing covers part of the same time.
    """
    at = at or clock.now()
    _check_two_people(by, request)
    if fixed_minor and not currency:
        raise Invalid(_("A fixed part needs a currency."), field="currency")
    if creator is not None:
        scope, scope_value = Scope.CREATOR, str(creator.pk)
    elif category is not None:
        scope, scope_value = Scope.CATEGORY, str(category.pk)
    try:
        with transaction.atomic():
            rule = RuleVersion.objects.create(
                component=component,
                scope=scope,
                scope_value=scope_value,
                creator=creator,
                category=category,
                agreement=agreement,
                promotion_code=promotion_code,
                currency=currency,
                percent_bp=percent_bp,
                fixed_minor=fixed_minor,
                min_minor=min_minor,
                max_minor=max_minor,
                bearer=bearer,
                priority=priority,
                valid_from=valid_from,
                valid_to=valid_to,
                created_by=request.requested_by if request is not None else by,
                approval=request,
                created_at=at,
            )
            entries.record(
                action="fee_rule.add",
                by=by,
                subject=rule,
                after={
                    "component": component,
                    "scope": scope,
                    "percent_bp": percent_bp,
                    "fixed_minor": fixed_minor,
                },
                data={"request": request.reference} if request is not None else None,
                at=at,
            )
    except IntegrityError as error:
        if "rule_no_overlap" in str(error):
            raise Conflict(_("Another rule of the same kind covers this time."), code="rule_overlap") from error
        raise
    return rule


def end_rule(
    *,
    rule: RuleVersion,
    by: User | None,
    valid_to: datetime,
    request: ApprovalRequest | None = None,
    at: datetime | None = None,
) -> RuleVersion:
    """Sets the end of a rule that had none, as `add_rule` for who may. Sales before the end keep it."""
    at = at or clock.now()
    _check_two_people(by, request)
    if valid_to <= max(at, rule.valid_from):
        raise Invalid(_("A rule ends in the future."), field="valid_to")
    with transaction.atomic():
        changed = RuleVersion.objects.filter(pk=rule.pk, valid_to=None).update(valid_to=valid_to, updated_at=at)
        if not changed:
            raise Conflict(_("This rule has an end already."), code="rule_ended")
        entries.record(
            action="fee_rule.end",
            by=by,
            subject=rule,
            after={"valid_to": valid_to},
            data={"request": request.reference} if request is not None else None,
            at=at,
        )
    rule.valid_to = valid_to
    return rule


def cancel_rule(
    *, rule: RuleVersion, by: User | None, request: ApprovalRequest | None = None, at: datetime | None = None
) -> RuleVersion:
    """Calls a rule off before it starts, as `add_rule` for who may. Conflict when it has started or was called off."""
    at = at or clock.now()
    _check_two_people(by, request)
    with transaction.atomic():
        future = RuleVersion.objects.filter(pk=rule.pk, valid_from__gt=at).exclude(valid_to=F("valid_from"))
        if not future.update(valid_to=F("valid_from"), updated_at=at):
            raise Conflict(_("This rule has started, or was cancelled already."), code="rule_started")
        entries.record(
            action="fee_rule.cancel",
            by=by,
            subject=rule,
            before={"valid_from": rule.valid_from, "valid_to": rule.valid_to},
            data={"request": request.reference} if request is not None else None,
            at=at,
        )
    rule.valid_to = rule.valid_from
    return rule


def _check_two_people(by: User | None, request: ApprovalRequest | None) -> None:
    if by is None:
        return
    permissions.require(by, "fees.approve")
    if request is None or request.status != Status.APPROVED or request.requested_by_id == by.pk:
        raise Forbidden(_("One person proposes a change of the fees and another approves it."), code="two_people")


def rules_for(sale: policy.Sale) -> list[RuleVersion]:
    """The rules that may apply to a sale at its time; one statement."""
    return list(
        RuleVersion.objects.filter(valid_from__lte=sale.at)
        .filter(Q(valid_to=None) | Q(valid_to__gt=sale.at))
        .filter(Q(currency="") | Q(currency=sale.currency))
        .filter(Q(promotion_code="") | Q(promotion_code=sale.promotion_code))
        .filter(Q(creator=None) | Q(creator=sale.creator_id))
        .filter(Q(category=None) | Q(category=sale.category_id))
    )


def resolve(sale: policy.Sale) -> policy.Split:
    """The split of a sale under the rules of its time; one statement."""
    return policy.split(sale, rules_for(sale))


def freeze(*, payment: Payment, split: policy.Split) -> list[CommissionLine]:
    """Writes the fees of a sale down for good."""
    return CommissionLine.objects.bulk_create(
        [
            CommissionLine(
                payment=payment,
                rule=line.rule,
                component=line.component,
                bearer=line.bearer,
                base_minor=line.base_minor,
                percent_bp=line.percent_bp,
                fixed_minor=line.fixed_minor,
                amount_minor=line.amount_minor,
                currency=payment.currency,
                trace=line.trace,
            )
            for line in split.lines
        ]
    )
