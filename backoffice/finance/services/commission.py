"""Fee rules: adding a version, ending one, and freezing the fees of a sale."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue.models import Category
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
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
    at: datetime | None = None,
) -> RuleVersion:
    """A new immutable rule. ``by`` None is the reference data; a person needs ``fees.approve``.

    Raises Conflict when a rule of the same standing covers part of the same time.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, "fees.approve")
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
                created_by=by,
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
                at=at,
            )
    except IntegrityError as error:
        if "rule_no_overlap" in str(error):
            raise Conflict(_("Another rule of the same kind covers this time."), code="rule_overlap") from error
        raise
    return rule


def end_rule(*, rule: RuleVersion, by: User, valid_to: datetime, at: datetime | None = None) -> RuleVersion:
    """Sets the end of a rule that had none. Sales before the end keep it."""
    at = at or clock.now()
    permissions.require(by, "fees.approve")
    if valid_to <= max(at, rule.valid_from):
        raise Invalid(_("A rule ends in the future."), field="valid_to")
    with transaction.atomic():
        changed = RuleVersion.objects.filter(pk=rule.pk, valid_to=None).update(valid_to=valid_to, updated_at=at)
        if not changed:
            raise Conflict(_("This rule has an end already."), code="rule_ended")
        entries.record(action="fee_rule.end", by=by, subject=rule, after={"valid_to": valid_to}, at=at)
    rule.valid_to = valid_to
    return rule


def resolve(sale: policy.Sale) -> policy.Split:
    """The split of a sale under the rules of its time; one statement."""
    rules = (
        RuleVersion.objects.filter(valid_from__lte=sale.at)
        .filter(Q(valid_to=None) | Q(valid_to__gt=sale.at))
        .filter(Q(currency="") | Q(currency=sale.currency))
        .filter(Q(promotion_code="") | Q(promotion_code=sale.promotion_code))
        .filter(Q(creator=None) | Q(creator=sale.creator_id))
        .filter(Q(category=None) | Q(category=sale.category_id))
    )
    return policy.split(sale, list(rules))


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
