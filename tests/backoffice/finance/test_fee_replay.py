"""The replay of a month under changed fee rules, against numbers worked out by hand and against the frozen fees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.core.errors import Invalid
from backoffice.core.ids import uuid7
from backoffice.creators.models import Creator
from backoffice.creators.states import Tier
from backoffice.finance.models import CommissionLine, Payment, RuleVersion
from backoffice.finance.models.commission import Component, Scope
from backoffice.finance.policies import commission as policy
from backoffice.finance.policies.fee_rules import Proposal
from backoffice.finance.queries.fee_replay import Group
from backoffice.finance.services import commission, fee_replay
from backoffice.finance.services.fee_replay import Month, Parts, Replay, Row
from tests.factories import creators, fees, sales
from tests.statements import count

MONTH = Month(2026, 3)
INSIDE = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)


def person(**fields: Any) -> Creator:
    """A creator of this tier, country or currency."""
    creator = creators.creator()
    Creator.objects.filter(pk=creator.pk).update(**fields)
    creator.refresh_from_db()
    return creator


def sold(creator: Creator | None, price_minor: int, *, at: datetime = INSIDE, **fields: Any) -> Payment:
    title = sales.published(creator, price_minor=price_minor, **fields)
    return sales.sale(title, at=at)


def of_the_platform(price_minor: int) -> Payment:
    title = sales.published(price_minor=price_minor)
    type(title).objects.filter(pk=title.pk).update(creator=None)
    title.refresh_from_db()
    return sales.sale(title, at=INSIDE)


def nothing_changes() -> Proposal:
    """A proposal that touches no sale: a promotion that nobody used."""
    return Proposal.new(fees.terms(22_00, promotion_code="UNUSED"))


def by_creator(replay: Replay) -> dict[Any, Row]:
    return {row.creator_id: row for row in replay.rows}


@pytest.mark.django_db
def test_a_lower_commission_for_premium_creators_worked_out_by_hand() -> None:
    premium = person(tier=Tier.PREMIUM)
    standard = creators.creator()
    # 25 % of 100.00 is 25.00, processing 2.9 % + 0.30 is 3.20: 71.80 is left. At 20 % it is 76.80.
    sold(premium, 100_00)
    sold(premium, 100_00)
    # 5.00: commission 1.25, processing 0.15 + 0.30: 3.30 is left; at 20 % 3.55.
    sold(premium, 5_00)
    sold(standard, 100_00)
    replay = fee_replay.of(Proposal.new(fees.terms(20_00)), MONTH)
    found = by_creator(replay)
    assert found[premium.pk] == Row(
        premium.pk,
        "USD",
        sales=3,
        gross=205_00,
        before=Parts(51_25, 6_85, 0, 146_90),
        unchanged=Parts(51_25, 6_85, 0, 146_90),
        after=Parts(41_00, 6_85, 0, 157_15),
    )
    assert (found[premium.pk].difference, found[standard.pk].difference) == (10_25, 0)
    assert (replay.losing, replay.gaining, replay.has_other_changes) == (0, 1, False)


@pytest.mark.django_db
def test_who_loses_most_comes_first() -> None:
    small, large, other = person(tier=Tier.PREMIUM), creators.creator(), person(country="FR")
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=INSIDE - timedelta(days=60),
        percent_bp=20_00,
        scope=Scope.COUNTRY,
        scope_value="HT",
    )
    sold(small, 10_00)
    sold(large, 50_00)
    sold(other, 90_00)
    rule = RuleVersion.objects.get(scope=Scope.COUNTRY)
    replay = fee_replay.of(Proposal.end(rule, fees.soon()), MONTH)
    assert [(row.creator_id, row.difference) for row in replay.rows] == [
        (large.pk, -2_50),
        (small.pk, -50),
        (other.pk, 0),
    ]


@pytest.mark.django_db
def test_titles_of_the_platform_itself_are_a_row_without_a_creator() -> None:
    of_the_platform(10_00)
    row = by_creator(fee_replay.of(nothing_changes(), MONTH))[None]
    assert (row.gross, row.before, row.after) == (10_00, Parts(9_41, 59, 0, 0), Parts(9_41, 59, 0, 0))


@pytest.mark.django_db
def test_the_month_is_half_open_and_refunds_do_not_change_it() -> None:
    creator = creators.creator()
    payment = sold(creator, 10_00)
    sold(creator, 20_00, at=MONTH.end)
    sold(creator, 40_00, at=MONTH.start - timedelta(microseconds=1))
    sold(creator, 80_00, at=MONTH.start)
    sales.refund(payment, 10_00, at=INSIDE + timedelta(days=1))
    assert by_creator(fee_replay.of(nothing_changes(), MONTH))[creator.pk].gross == 90_00


@pytest.mark.django_db
def test_the_tier_of_the_day_of_the_sale_counts_and_not_todays() -> None:
    creator = person(tier=Tier.PREMIUM)
    sold(creator, 100_00)
    Creator.objects.filter(pk=creator.pk).update(tier=Tier.STANDARD)
    replay = fee_replay.of(Proposal.new(fees.terms(20_00)), MONTH)
    assert by_creator(replay)[creator.pk].difference == 5_00
    assert replay.guessed == 0


@pytest.mark.django_db
def test_what_other_changes_do_is_told_apart_from_what_this_one_does() -> None:
    creator = person(tier=Tier.PREMIUM)
    sold(creator, 100_00)
    commission.add_rule(
        component=Component.COMMISSION, by=None, valid_from=INSIDE + timedelta(days=5), percent_bp=24_00, priority=1
    )
    row = by_creator(fee_replay.of(Proposal.new(fees.terms(20_00)), MONTH))[creator.pk]
    assert (row.difference, row.by_change) == (5_00, 4_00)
    assert fee_replay.of(nothing_changes(), MONTH).has_other_changes


@pytest.mark.django_db
def test_currencies_stay_apart() -> None:
    creator = person(currency="EUR", tier=Tier.PREMIUM)
    sold(creator, 10_00, currency="EUR")
    other = person(tier=Tier.PREMIUM)
    sold(other, 100_00)
    replay = fee_replay.of(Proposal.new(fees.terms(20_00)), MONTH)
    assert [(total.currency, total.gross, total.difference) for total in replay.totals] == [
        ("EUR", 10_00, 50),
        ("USD", 100_00, 5_00),
    ]


@pytest.mark.django_db
def test_the_replay_of_unchanged_rules_is_what_was_frozen() -> None:
    for number, tier in enumerate(Tier):
        creator = person(tier=tier, country="FR" if number else "HT")
        for price in (99, 5_00, 19_99):
            sold(creator, price + number, kind="movie" if price == 99 else "video")
    of_the_platform(7_77)
    replay = fee_replay.of(nothing_changes(), MONTH)
    assert [row.before for row in replay.rows] == [row.after for row in replay.rows]
    frozen = dict.fromkeys(Component.values, 0)
    for line in CommissionLine.objects.all():
        frozen[line.component] += line.amount_minor
    [total] = replay.totals
    assert (total.before.processing, total.before.conversion) == (frozen["processing"], frozen["conversion"])
    assert total.before.commission + total.before.processing + total.before.creator == total.gross
    earned = sum(payment.earning.amount_minor for payment in Payment.objects.exclude(creator=None))
    assert total.before.creator == earned


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow_with_the_sales() -> None:
    creator = creators.creator()
    sold(creator, 10_00)
    few = count(lambda: fee_replay.of(nothing_changes(), MONTH))
    for price in range(5_00, 15_00, 50):
        sold(creator, price)
    assert count(lambda: fee_replay.of(nothing_changes(), MONTH)) == few


@pytest.mark.django_db
def test_a_replay_writes_nothing() -> None:
    sold(person(tier=Tier.PREMIUM), 10_00)
    before = (RuleVersion.objects.count(), CommissionLine.objects.count())
    fee_replay.of(Proposal.new(fees.terms(20_00)), MONTH)
    assert (RuleVersion.objects.count(), CommissionLine.objects.count()) == before


@pytest.mark.django_db
def test_a_month_without_sales_is_empty() -> None:
    replay = fee_replay.of(nothing_changes(), MONTH)
    assert (replay.sales, replay.rows, replay.totals, replay.is_complete) == (0, (), (), True)


@pytest.mark.django_db
def test_a_request_keeps_the_totals_of_its_replay() -> None:
    sold(person(tier=Tier.PREMIUM), 100_00, at=datetime(2026, 10, 5, tzinfo=UTC))
    request = fees.proposed(
        fees.terms(20_00, valid_from=datetime(2026, 12, 1, tzinfo=UTC)), at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    kept = request.payload["replay"]
    assert (kept["month"], kept["gaining"], kept["losing"]) == ("2026-10", 1, 0)
    [total] = fee_replay.read_totals(kept)
    assert (total.before.creator, total.after.creator) == (71_80, 76_80)
    again = fee_replay.of(Proposal.read(request.payload["proposal"]), Month.read(kept["month"]))
    assert again.summary() == kept


# --- In memory --------------------------------------------------------------------------------------------------------

START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = [
    RuleVersion(component="commission", percent_bp=25_00, valid_from=START),
    RuleVersion(component="commission", percent_bp=20_00, valid_from=START, scope="tier", scope_value="premium"),
    RuleVersion(component="processing", percent_bp=290, fixed_minor=30, currency="USD", valid_from=START, priority=10),
    RuleVersion(component="processing", percent_bp=290, valid_from=START),
    RuleVersion(component="conversion", percent_bp=200, valid_from=START),
]
PEOPLE = [None, *(uuid7() for _number in range(3))]


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Sales as they would have been frozen under `RULES`."""
    creator: UUID | None = draw(st.sampled_from(PEOPLE))
    price, number = draw(st.integers(1, 500_00)), draw(st.integers(1, 5))
    tier, converts = draw(st.sampled_from(Tier.values)), draw(st.booleans())
    currency = draw(st.sampled_from(["USD", "EUR"]))
    sale = policy.Sale(price, currency, INSIDE, creator_id=creator, tier=tier, converts=converts)
    split = policy.split(sale, RULES)
    return Group(
        creator_id=creator,
        currency=currency,
        price_minor=price,
        promotion_code="",
        converts=converts,
        tier=tier,
        country="HT",
        category_id=None,
        product="video",
        is_kept=draw(st.booleans()),
        sales=number,
        processing_minor=split.processing_minor * number,
        conversion_minor=split.conversion_minor * number,
        creator_minor=split.creator_minor * number,
    )


def worked_out(found: list[Group], proposal: Proposal) -> Replay:
    return fee_replay.work_out(found, proposal=proposal, rules=RULES, month=MONTH)


@given(st.lists(groups(), max_size=12), st.integers(20_00, 25_00))
def test_the_rows_sum_to_the_totals_and_every_price_to_its_parts(found: list[Group], percent_bp: int) -> None:
    replay = worked_out(found, Proposal.new(fees.terms(percent_bp, scope="default", scope_value="", priority=3)))
    for total in replay.totals:
        rows = [row for row in replay.rows if row.currency == total.currency]
        assert total.sales == sum(row.sales for row in rows)
        for name in ("before", "unchanged", "after"):
            parts = [getattr(row, name) for row in rows]
            assert getattr(total, name) == sum(parts, Parts())
            assert all(part.fees + part.creator == row.gross for part, row in zip(parts, rows, strict=True))
        assert total.difference == sum(row.difference for row in rows)
    assert replay.sales == sum(group.sales for group in found)


@given(st.lists(groups(), max_size=12))
def test_unchanged_rules_give_what_was_frozen_whatever_was_sold(found: list[Group]) -> None:
    replay = worked_out(found, nothing_changes())
    assert all(row.before == row.unchanged == row.after for row in replay.rows)


@given(st.lists(groups(), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_sales_are_read_changes_nothing(found: list[Group], random: Any) -> None:
    proposal = Proposal.new(fees.terms(20_00, scope="default", scope_value="", priority=3))
    mixed = list(found)
    random.shuffle(mixed)
    assert worked_out(found, proposal).summary() == worked_out(mixed, proposal).summary()


def test_more_than_can_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fee_replay, "MOST_GROUPS", 2)
    one = Group(None, "USD", 10_00, "", False, "", "", None, "video", True, 1, 59, 0, 0)
    assert worked_out([one, one], nothing_changes()).is_complete
    assert not worked_out([one, one, one], nothing_changes()).is_complete


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 11, 20, tzinfo=UTC), "2026-10"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2025-12"),
        (datetime(2024, 3, 31, 23, tzinfo=UTC), "2024-02"),
    ],
)
def test_the_last_full_month(at: datetime, month: str) -> None:
    found = Month.last_full(at)
    assert (str(found), Month.read(month)) == (month, found)
    assert found.end <= at


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "03-2026", "x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Month.read(text)
