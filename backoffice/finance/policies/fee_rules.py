"""What a fee rule may say, which rules stand in each other's way, and what a proposal would leave in force.

N-001 to N-004 and Q-022 give the bounds. Everything here works on rules in memory and reads nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from django.utils.translation import gettext as _

from backoffice.catalogue.models import Title
from backoffice.core import money, percent
from backoffice.core.errors import Invalid
from backoffice.creators.states import Tier
from backoffice.finance.models.commission import Bearer, Component, RuleVersion, Scope

# Percent of the sale in basis points, both ends included. Commission N-001, conversion N-004; N-003 gives one number
# for processing, so only a mistake of the hand is kept out.
BOUNDS: dict[str, tuple[int, int]] = {
    Component.COMMISSION: (20_00, 25_00),
    Component.PROCESSING: (0, 10_00),
    Component.CONVERSION: (1_00, 2_00),
}
# N-014: no amount of a form is larger.
CEILING_MINOR = 9_999_999_999


class Action(StrEnum):
    """What a proposal does."""

    NEW = "new"
    REPLACE = "replace"
    END = "end"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Terms:
    """What one version of a rule says; the fields of `RuleVersion`, amounts in minor units of ``currency``."""

    component: str
    valid_from: datetime
    scope: str = Scope.DEFAULT
    scope_value: str = ""
    creator_id: UUID | None = None
    category_id: UUID | None = None
    agreement: str = ""
    promotion_code: str = ""
    currency: str = ""
    percent_bp: int = 0
    fixed_minor: int = 0
    min_minor: int | None = None
    max_minor: int | None = None
    bearer: str = Bearer.CREATOR
    priority: int = 0
    valid_to: datetime | None = None

    @classmethod
    def of(cls, rule: RuleVersion) -> Self:
        """The terms of a rule that exists."""
        return cls(**{name: getattr(rule, name) for name in cls.__dataclass_fields__})

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The terms out of a payload."""
        values = dict(data)
        for name in ("valid_from", "valid_to"):
            values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
        for name in ("creator_id", "category_id"):
            values[name] = UUID(values[name]) if values.get(name) else None
        return cls(**values)

    def as_rule(self) -> RuleVersion:
        """A rule that is nowhere stored: for checks and replays."""
        return RuleVersion(**self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Field by field."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two versions versions of the same rule: the exclusion constraint's columns."""
        return identity(self)


def identity(rule: RuleVersion | Terms) -> tuple[object, ...]:
    """The columns in which two rules that overlap in time must differ."""
    return (
        str(rule.component),
        str(rule.scope),
        rule.scope_value,
        rule.agreement,
        rule.promotion_code,
        rule.currency,
        rule.priority,
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change of the rules. ``rule_id`` is the rule that ends, ``terms`` the version that starts.

    Of a cancelled rule ``ends_at`` is its start, and ``terms`` are what goes on in its place, if anything does.
    """

    action: Action
    rule_id: UUID | None = None
    terms: Terms | None = None
    ends_at: datetime | None = None

    @property
    def effective_at(self) -> datetime:
        """When the rules change (UTC)."""
        moment = self.terms.valid_from if self.terms is not None else self.ends_at
        assert moment is not None
        return moment

    @classmethod
    def new(cls, terms: Terms) -> Self:
        return cls(Action.NEW, terms=terms)

    @classmethod
    def replacement(cls, rule: RuleVersion, terms: Terms) -> Self:
        """``rule`` ends in the moment in which ``terms`` start."""
        return cls(Action.REPLACE, rule_id=rule.pk, terms=terms, ends_at=terms.valid_from)

    @classmethod
    def end(cls, rule: RuleVersion, at: datetime) -> Self:
        return cls(Action.END, rule_id=rule.pk, ends_at=at)

    @classmethod
    def cancellation(cls, rule: RuleVersion, instead: Terms | None) -> Self:
        """``rule`` never starts; ``instead`` does in its moment."""
        return cls(Action.CANCEL, rule_id=rule.pk, terms=instead, ends_at=rule.valid_from)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The proposal out of a request's payload."""
        return cls(
            action=Action(data["action"]),
            rule_id=UUID(data["rule"]) if data.get("rule") else None,
            terms=Terms.read(data["terms"]) if data.get("terms") else None,
            ends_at=datetime.fromisoformat(data["ends_at"]) if data.get("ends_at") else None,
        )

    def as_payload(self) -> dict[str, Any]:
        """The proposal as a request keeps it; `audit.entries.plain` makes JSON of it."""
        return {
            "action": str(self.action),
            "rule": str(self.rule_id) if self.rule_id else "",
            "terms": self.terms.as_dict() if self.terms else None,
            "ends_at": self.ends_at,
        }


def standing(code: str) -> str:
    """Why a rule goes before others, in words; the code is one of `policies.commission.RANK_NAMES`."""
    words = {
        "agreement": _("a signed agreement"),
        "promotion": _("a promotion"),
        "specific": _("a rule for these sales in particular"),
        "default": _("the rule for everything"),
    }
    return words.get(code, code)


def scope_words(rule: RuleVersion) -> str:
    """For whom a rule is, in words and without a person's name: "Creator tier: Premium"."""
    scope = Scope(rule.scope)
    if scope == Scope.DEFAULT:
        return str(scope.label)
    if scope == Scope.CREATOR and rule.creator is not None:
        value = rule.creator.reference
    elif scope == Scope.CATEGORY and rule.category is not None:
        value = rule.category.name
    else:
        choices: dict[str, Any] = {Scope.TIER: Tier, Scope.PRODUCT: Title.Kind}
        known = choices.get(scope)
        value = str(known(rule.scope_value).label) if known and rule.scope_value in known.values else rule.scope_value
    return f"{scope.label}: {value}"


def name(rule: RuleVersion) -> str:
    """A rule in one line: "Platform commission, Creator tier: Premium, EUR, promotion SPRING"."""
    parts = [str(Component(rule.component).label), scope_words(rule)]
    if rule.currency:
        parts.append(rule.currency)
    if rule.agreement:
        parts.append(_("agreement %(code)s") % {"code": rule.agreement})
    if rule.promotion_code:
        parts.append(_("promotion %(code)s") % {"code": rule.promotion_code})
    if rule.priority:
        parts.append(_("priority %(number)s") % {"number": rule.priority})
    return ", ".join(parts)


def rate(rule: RuleVersion | Terms) -> str:
    """What a rule takes, in words: "2.9 % + $0.30, at least $0.50"."""
    parts = []
    if rule.percent_bp or not rule.fixed_minor:
        parts.append(percent.display(rule.percent_bp))
    if rule.fixed_minor:
        parts.append(money.display(rule.fixed_minor, rule.currency))
    text = " + ".join(parts)
    if rule.min_minor is not None:
        text = _("%(rate)s, at least %(amount)s") % {
            "rate": text,
            "amount": money.display(rule.min_minor, rule.currency),
        }
    if rule.max_minor is not None:
        text = _("%(rate)s, at most %(amount)s") % {
            "rate": text,
            "amount": money.display(rule.max_minor, rule.currency),
        }
    return text


def within_bounds(terms: Terms) -> bool:
    """Whether the rate keeps to the bounds of its component."""
    low, high = BOUNDS[terms.component]
    if not low <= terms.percent_bp <= high:
        return False
    if terms.component == Component.COMMISSION:
        return not terms.fixed_minor and terms.min_minor is None and terms.max_minor is None
    return True


def approvals_needed(proposal: Proposal) -> int:
    """One other person; two for a promotion outside the bounds (N-001)."""
    return 2 if proposal.terms is not None and not within_bounds(proposal.terms) else 1


def check_terms(terms: Terms, *, at: datetime) -> None:
    """Whether a rule may say this from now on. Raises Invalid with its field and sentence."""
    if terms.component not in Component.values:
        raise Invalid(_("Choose what the fee is for."), field="component")
    if terms.bearer not in Bearer.values:
        raise Invalid(_("Choose who pays the fee."), field="bearer")
    _check_scope(terms)
    _check_rate(terms)
    if terms.valid_from <= at:
        raise Invalid(_("A rule starts in the future."), field="valid_from")
    if terms.valid_to is not None and terms.valid_to <= terms.valid_from:
        raise Invalid(_("The end lies before the start."), field="valid_to")


def _check_scope(terms: Terms) -> None:
    if terms.scope not in Scope.values:
        raise Invalid(_("Choose for whom the rule is."), field="scope")
    if terms.scope != Scope.DEFAULT and not terms.scope_value:
        raise Invalid(_("Say for which one: the rule is not for everything."), field=f"scope_{terms.scope}")
    if terms.agreement and terms.scope != Scope.CREATOR:
        raise Invalid(_("An agreement is signed with one creator: choose the creator."), field="agreement")


def _check_rate(terms: Terms) -> None:
    amounts = (
        ("fixed_minor", terms.fixed_minor),
        ("min_minor", terms.min_minor),
        ("max_minor", terms.max_minor),
    )
    if terms.currency:
        money.check_currency(terms.currency)
    elif any(amount for _name, amount in amounts):
        raise Invalid(_("An amount needs a currency."), field="currency")
    for name, amount in amounts:
        if amount is not None and not 0 <= amount <= CEILING_MINOR:
            raise Invalid(_("This amount cannot be a fee."), field=name)
    if terms.min_minor is not None and terms.max_minor is not None and terms.min_minor > terms.max_minor:
        raise Invalid(_("The fee cannot be at least more than it is at most."), field="max_minor")
    if not terms.promotion_code and not within_bounds(terms):
        raise Invalid(_out_of_bounds(terms), field="percent_bp")


def _out_of_bounds(terms: Terms) -> str:
    low, high = (percent.display(points) for points in BOUNDS[terms.component])
    values = {"low": low, "high": high}
    if terms.component == Component.COMMISSION:
        return (
            _(
                "The commission is between %(low)s and %(high)s, without fixed amounts. Anything else is a promotion: "
                "it has a code, and two people approve it."
            )
            % values
        )
    return _("This fee is between %(low)s and %(high)s, unless a promotion with a code gives another.") % values


def overlap(terms: Terms, rules: Iterable[RuleVersion], *, besides: UUID | None = None) -> RuleVersion | None:
    """The rule of the same standing that covers part of the same time, or None."""
    for rule in rules:
        if rule.pk == besides or identity(rule) != terms.identity:
            continue
        ends_before = rule.valid_to is not None and rule.valid_to <= terms.valid_from
        starts_after = terms.valid_to is not None and rule.valid_from >= terms.valid_to
        if not ends_before and not starts_after:
            return rule
    return None


def after(proposal: Proposal, rules: Iterable[RuleVersion]) -> list[RuleVersion]:
    """The rules as they stand once the proposal is applied. Rules that end are copied, never changed."""
    result = []
    for rule in rules:
        if rule.pk == proposal.rule_id and proposal.action == Action.CANCEL:
            continue
        if rule.pk == proposal.rule_id:
            ended = Terms.of(rule).as_rule()
            ended.pk, ended.valid_to = rule.pk, proposal.ends_at
            result.append(ended)
        else:
            result.append(rule)
    if proposal.terms is not None:
        result.append(proposal.terms.as_rule())
    return result


def leaves_a_gap(rules: Iterable[RuleVersion], *, since: datetime) -> bool:
    """Whether some sale after ``since`` would find no commission at all: such a payment could not be booked."""
    spans = sorted(
        (rule.valid_from, rule.valid_to)
        for rule in rules
        if rule.component == Component.COMMISSION
        and rule.scope == Scope.DEFAULT
        and not (rule.promotion_code or rule.agreement or rule.currency)
        and (rule.valid_to is None or rule.valid_to > since)
    )
    reached = since
    for start, end in spans:
        if start > reached:
            return True
        if end is None:
            return False
        reached = max(reached, end)
    return True
