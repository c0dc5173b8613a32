"""How the price of a sale is split."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.ids import uuid7
from backoffice.finance.models import RuleVersion
from backoffice.finance.models.commission import Bearer, Component, Scope
from backoffice.finance.policies import commission as policy
from backoffice.finance.policies.rounding import percent, ratio
from backoffice.finance.services import commission, reference
from tests.factories import creators
from tests.factories.accounts import staff

NOW = datetime(2026, 3, 1, tzinfo=UTC)
START = NOW - timedelta(days=365)
SOMEBODY = uuid7()


def rule(component: str = "commission", percent_bp: int = 2500, **fields: Any) -> RuleVersion:
    return RuleVersion(component=component, percent_bp=percent_bp, **{"valid_from": START, **fields})


def rules(commission_bp: int = 2500, conversion_bp: int = 200) -> list[RuleVersion]:
    return [
        rule(percent_bp=commission_bp),
        rule("processing", 290, fixed_minor=30, currency="USD", priority=10),
        rule("conversion", conversion_bp),
    ]


def sale(gross: int = 100_00, **fields: Any) -> policy.Sale:
    return policy.Sale(gross, "USD", NOW, **{"creator_id": SOMEBODY, **fields})


@pytest.mark.parametrize(
    ("commission_bp", "conversion_bp", "converts", "net"),
    [
        (2000, 200, False, 76_80),
        (2000, 200, True, 74_80),
        (2500, 200, False, 71_80),
        (2500, 100, True, 70_80),
        (2500, 200, True, 69_80),
    ],
)
def test_the_worked_example_of_a_price_of_100_dollars(
    commission_bp: int, conversion_bp: int, converts: bool, net: int
) -> None:
    split = policy.split(sale(converts=converts), rules(commission_bp, conversion_bp))
    assert split.creator_minor == net
    assert split.processing_minor == 3_20


def test_the_fixed_part_weighs_on_a_small_price() -> None:
    assert policy.split(sale(5_00), rules()).creator_minor == 3_30


def test_a_price_below_the_fees_costs_the_platform_and_never_the_creator() -> None:
    split = policy.split(sale(20), rules())
    assert (split.creator_minor, split.commission_minor) == (0, -11)


def test_a_title_without_a_creator_leaves_everything_but_processing_with_the_platform() -> None:
    split = policy.split(sale(creator_id=None), rules())
    assert (split.commission_minor, split.processing_minor, split.creator_minor) == (96_80, 3_20, 0)


def test_a_fee_that_the_platform_bears_is_not_taken_from_the_creator() -> None:
    given_rules = [rule(), rule("processing", 290, fixed_minor=30, currency="USD", bearer=Bearer.PLATFORM)]
    split = policy.split(sale(), given_rules)
    assert (split.creator_minor, split.processing_minor, split.commission_minor) == (75_00, 3_20, 21_80)


def test_minimum_and_maximum_bound_a_fee() -> None:
    bounded = rule(percent_bp=1000, currency="USD", min_minor=50, max_minor=200)
    assert [policy.fee(bounded, base) for base in (1_00, 10_00, 100_00)] == [50, 1_00, 2_00]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (
            {"scope": "creator", "creator_id": SOMEBODY, "agreement": "AG-1"},
            {"promotion_code": "SPRING", "priority": 9},
        ),
        ({"promotion_code": "SPRING"}, {"scope": "tier", "scope_value": "premium", "priority": 9}),
        ({"scope": "tier", "scope_value": "premium"}, {"priority": 9}),
        ({"priority": 1}, {}),
    ],
)
def test_agreement_beats_promotion_beats_specific_beats_default_then_priority(
    stronger: dict[str, Any], weaker: dict[str, Any]
) -> None:
    first, second = rule(percent_bp=2100, **stronger), rule(percent_bp=2400, **weaker)
    chosen, trace = policy.choose([second, first], "commission", sale(tier="premium", promotion_code="SPRING"))
    assert chosen is first
    assert [candidate["rule"] for candidate in trace["candidates"]] == [str(first.pk), str(second.pk)]


@pytest.mark.parametrize(
    "fields",
    [
        {"valid_from": NOW + timedelta(seconds=1)},
        {"valid_to": NOW},
        {"currency": "EUR"},
        {"promotion_code": "AUTUMN"},
        {"scope": "tier", "scope_value": "premium"},
        {"scope": "country", "scope_value": "FR"},
        {"scope": "product", "scope_value": "movie"},
        {"scope": "category", "category_id": uuid7()},
        {"scope": "creator", "creator_id": uuid7()},
    ],
)
def test_a_rule_for_another_time_or_case_does_not_apply(fields: dict[str, Any]) -> None:
    assert not policy.applies(rule(**fields), sale(tier="standard", country="HT", product="video"))


def test_the_span_of_a_rule_is_half_open() -> None:
    assert policy.applies(rule(valid_from=NOW, valid_to=NOW + timedelta(seconds=1)), sale())


def test_without_a_commission_rule_nothing_is_split() -> None:
    with pytest.raises(policy.NoRule):
        policy.split(sale(), [])


@given(
    gross=st.integers(1, 99_999_999_99),
    commission_bp=st.integers(0, 10_000),
    processing_bp=st.integers(0, 1_000),
    fixed=st.integers(0, 1_000),
    conversion_bp=st.integers(0, 500),
    converts=st.booleans(),
    bearer=st.sampled_from(Bearer.values),
    has_creator=st.booleans(),
)
def test_the_parts_always_sum_to_the_price_to_the_cent(
    gross: int,
    commission_bp: int,
    processing_bp: int,
    fixed: int,
    conversion_bp: int,
    converts: bool,
    bearer: str,
    has_creator: bool,
) -> None:
    given_rules = [
        rule(percent_bp=commission_bp),
        rule("processing", processing_bp, fixed_minor=fixed, currency="USD", bearer=bearer),
        rule("conversion", conversion_bp),
    ]
    split = policy.split(sale(gross, converts=converts, creator_id=SOMEBODY if has_creator else None), given_rules)
    parts = (split.commission_minor, split.processing_minor, split.conversion_minor, split.creator_minor)
    assert sum(parts) == gross
    assert split.creator_minor >= 0


@given(amount=st.integers(-(10**12), 10**12), numerator=st.integers(0, 10**9), denominator=st.integers(1, 10**9))
def test_rounding_is_never_more_than_half_a_cent_off_and_symmetric(
    amount: int, numerator: int, denominator: int
) -> None:
    result = ratio(amount, numerator, denominator)
    assert abs(result * denominator - amount * numerator) * 2 <= denominator
    assert ratio(-amount, numerator, denominator) == -result


def test_halves_go_away_from_zero() -> None:
    assert [percent(amount, 5000) for amount in (1, 3, -1, 5)] == [1, 2, -1, 3]


# --- Rules in the database --------------------------------------------------------------------------------------------


def test_the_reference_rules_can_be_loaded_again(db: None) -> None:
    before = RuleVersion.objects.count()
    reference.load()
    assert RuleVersion.objects.count() == before
    assert commission.resolve(sale()).creator_minor == 71_80
    assert commission.resolve(sale(converts=True)).creator_minor == 69_80


def test_a_creators_agreement_replaces_the_default(db: None) -> None:
    creator = creators.creator()
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=START,
        percent_bp=2000,
        creator=creator,
        agreement="AG-2026-1",
    )
    split = commission.resolve(sale(creator_id=creator.pk))
    assert split.creator_minor == 76_80
    assert split.lines[0].trace["because"] == "agreement"
    assert commission.resolve(sale()).creator_minor == 71_80


def test_two_rules_of_the_same_standing_never_cover_the_same_time(db: None) -> None:
    fields: dict[str, Any] = {"scope": Scope.TIER, "scope_value": "premium", "by": None}
    commission.add_rule(component=Component.COMMISSION, valid_from=START, valid_to=NOW, percent_bp=2000, **fields)
    with pytest.raises(Conflict, match="covers this time"):
        commission.add_rule(
            component=Component.COMMISSION, valid_from=NOW - timedelta(days=1), percent_bp=2100, **fields
        )
    commission.add_rule(component=Component.COMMISSION, valid_from=NOW, percent_bp=2100, **fields)


def test_only_the_end_of_a_rule_can_be_set_and_only_once(db: None) -> None:
    made = commission.add_rule(
        component=Component.COMMISSION, by=None, valid_from=START, percent_bp=2000, scope=Scope.TIER, scope_value="gold"
    )
    with pytest.raises(IntegrityError, match="only its end may be set"), transaction.atomic():
        RuleVersion.objects.filter(pk=made.pk).update(percent_bp=1000)
    with pytest.raises(IntegrityError, match="only its end may be set"), transaction.atomic():
        made.delete()
    with pytest.raises(Invalid):
        commission.end_rule(rule=made, by=None, valid_to=START)
    later = datetime(2099, 1, 1, tzinfo=UTC)
    commission.end_rule(rule=made, by=None, valid_to=later)
    with pytest.raises(Conflict):
        commission.end_rule(rule=made, by=None, valid_to=later + timedelta(days=1))


@pytest.mark.parametrize("role", ["ops_manager", "financial_admin", "super_admin"])
def test_nobody_changes_the_rules_alone(db: None, role: str) -> None:
    person, rule_in_force = staff(role), RuleVersion.objects.filter(component="commission").first()
    assert rule_in_force is not None
    with pytest.raises(Forbidden):
        commission.add_rule(component=Component.COMMISSION, by=person, valid_from=NOW, percent_bp=2000)
    with pytest.raises(Forbidden):
        commission.end_rule(rule=rule_in_force, by=person, valid_to=datetime(2099, 1, 1, tzinfo=UTC))
    assert not RuleVersion.objects.exclude(valid_to=None).exists()


def test_the_fees_of_a_sale_keep_what_the_choice_looked_at(db: None) -> None:
    split = commission.resolve(sale(tier="premium", country="HT", product="movie"))
    assert split.lines[0].trace["sale"] == {"tier": "premium", "country": "HT", "category": "", "product": "movie"}


def test_frozen_fees_cannot_be_changed(db: None) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="permission denied"):
        cursor.execute("UPDATE finance_commissionline SET amount_minor = 0")
