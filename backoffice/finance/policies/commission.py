"""Which fee rule applies to a sale, and what it comes to (N-001 to N-004, Q-022).

Within one component: signed agreement > promotion > specific > default, then the higher priority, then the newer row.
Components add up. Each fee is rounded on its own to the minor unit, halves
away from zero; the creator gets what is left, so the parts always sum to the price to the cent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from backoffice.core.errors import DomainError
from backoffice.finance.models.commission import Bearer, Component, RuleVersion, Scope
from backoffice.finance.policies.rounding import percent

RANK_NAMES = {3: "agreement", 2: "promotion", 1: "specific", 0: "default"}


class NoRule(DomainError):
    """No commission rule covers this sale; the reference data is not loaded."""

    default_code = "no_commission_rule"


@dataclass(frozen=True, slots=True)
class Sale:
    """What the choice of rules may look at. ``gross_minor`` in minor units of ``currency``."""

    gross_minor: int
    currency: str
    at: datetime
    creator_id: Any = None
    tier: str = ""
    country: str = ""
    category_id: Any = None
    product: str = ""
    promotion_code: str = ""
    converts: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One fee: from which base, at which rate, why this rule."""

    component: str
    bearer: str
    base_minor: int
    percent_bp: int
    fixed_minor: int
    amount_minor: int
    rule: RuleVersion | None
    trace: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Split:
    """Where the price of a sale goes. ``commission`` is what the platform keeps after fees that it bears itself."""

    gross_minor: int
    lines: tuple[Line, ...]
    commission_minor: int
    processing_minor: int
    conversion_minor: int
    creator_minor: int


def facts(sale: Sale) -> dict[str, Any]:
    """What the choice looked at, kept with the fees: a creator's tier or a title's category may be another tomorrow."""
    return {
        "tier": sale.tier,
        "country": sale.country,
        "category": str(sale.category_id) if sale.category_id else "",
        "product": sale.product,
    }


def applies(rule: RuleVersion, sale: Sale) -> bool:
    """Whether the rule covers this sale: its time, currency, promotion and scope."""
    if rule.valid_from > sale.at or (rule.valid_to is not None and rule.valid_to <= sale.at):
        return False
    if rule.currency not in ("", sale.currency):
        return False
    if rule.promotion_code and rule.promotion_code != sale.promotion_code:
        return False
    match rule.scope:
        case Scope.DEFAULT:
            return True
        case Scope.CREATOR:
            return sale.creator_id is not None and rule.creator_id == sale.creator_id
        case Scope.CATEGORY:
            return sale.category_id is not None and rule.category_id == sale.category_id
        case Scope.TIER:
            return rule.scope_value == sale.tier
        case Scope.PRODUCT:
            return rule.scope_value == sale.product
        case Scope.COUNTRY:
            return rule.scope_value == sale.country
    return False


def rank(rule: RuleVersion) -> tuple[int, int, Any]:
    """The order among rules that apply: the greatest wins."""
    if rule.agreement:
        standing = 3
    elif rule.promotion_code:
        standing = 2
    else:
        standing = int(rule.scope != Scope.DEFAULT)
    return (standing, rule.priority, rule.pk)


def choose(rules: Iterable[RuleVersion], component: str, sale: Sale) -> tuple[RuleVersion | None, dict[str, Any]]:
    """The rule of one component that applies to the sale, and the trace that says why."""
    candidates = sorted(
        (rule for rule in rules if rule.component == component and applies(rule, sale)),
        key=rank,
        reverse=True,
    )
    if not candidates:
        return None, {"chosen": None, "candidates": []}
    winner = candidates[0]
    trace = {
        "chosen": str(winner.pk),
        "because": RANK_NAMES[rank(winner)[0]],
        "scope": winner.scope,
        "scope_value": winner.scope_value,
        "effective_at": sale.at.isoformat(),
        "sale": facts(sale),
        "candidates": [
            {"rule": str(rule.pk), "standing": RANK_NAMES[rank(rule)[0]], "priority": rule.priority}
            for rule in candidates
        ],
    }
    return winner, trace


def fee(rule: RuleVersion, base_minor: int) -> int:
    """What the rule takes of ``base_minor``: percentage rounded, plus fixed, kept within minimum and maximum."""
    amount = percent(base_minor, rule.percent_bp) + rule.fixed_minor
    if rule.min_minor is not None:
        amount = max(amount, rule.min_minor)
    if rule.max_minor is not None:
        amount = min(amount, rule.max_minor)
    return amount


def split(sale: Sale, rules: Sequence[RuleVersion]) -> Split:
    """Splits a sale into platform commission, processing, conversion and the creator's part.

    A sale of the platform's own titles (no creator) leaves everything but the processing fee with the platform. When
    fixed fees exceed a very small price, the platform bears the excess: the creator's part is never below zero.
    Raises NoRule when no commission rule applies.
    """
    lines: list[Line] = []
    for component in (Component.COMMISSION, Component.PROCESSING, Component.CONVERSION):
        if component == Component.CONVERSION and not sale.converts:
            continue
        rule, trace = choose(rules, component, sale)
        if rule is None:
            if component == Component.COMMISSION and sale.creator_id is not None:
                raise NoRule(_("No commission rule applies to this sale."))
            continue
        if component == Component.COMMISSION and sale.creator_id is None:
            continue
        lines.append(
            Line(
                component=str(component),
                bearer=rule.bearer,
                base_minor=sale.gross_minor,
                percent_bp=rule.percent_bp,
                fixed_minor=rule.fixed_minor,
                amount_minor=fee(rule, sale.gross_minor),
                rule=rule,
                trace=trace,
            )
        )
    amounts = {line.component: line.amount_minor for line in lines}
    processing = amounts.get(Component.PROCESSING, 0)
    conversion = amounts.get(Component.CONVERSION, 0)
    if sale.creator_id is None:
        creator = 0
    else:
        borne = sum(
            line.amount_minor
            for line in lines
            if line.component == Component.COMMISSION or line.bearer == Bearer.CREATOR
        )
        creator = max(0, sale.gross_minor - borne)
    return Split(
        gross_minor=sale.gross_minor,
        lines=tuple(lines),
        commission_minor=sale.gross_minor - creator - processing - conversion,
        processing_minor=processing,
        conversion_minor=conversion,
        creator_minor=creator,
    )
