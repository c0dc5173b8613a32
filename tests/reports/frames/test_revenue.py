"""The revenue frames on plain data: no database, no Django."""

import datetime as dt
import subprocess
import sys
from typing import Any

import pytest

from reports.frames import revenue

JAN = dt.date(2026, 1, 1)


def row(day: dt.date, currency: str = "USD", **amounts: int) -> dict[str, Any]:
    return {"day": day, "currency": currency, **dict.fromkeys(revenue.MEASURES, 0), **amounts}


def test_days_without_a_sale_are_zeros_and_not_missing() -> None:
    frame = revenue.table(
        [row(JAN, gmv=100), row(dt.date(2026, 1, 4), gmv=50)], start=JAN, end=dt.date(2026, 1, 5), grain="day"
    )

    assert list(frame.xs("USD", level="currency")["gmv"]) == [100, 0, 0, 50, 0]


def test_currencies_are_never_added_together() -> None:
    frame = revenue.table([row(JAN, "USD", gmv=100), row(JAN, "HTG", gmv=7)], start=JAN, end=JAN, grain="day")

    totals = revenue.totals(frame)

    assert {currency: int(totals.loc[currency, "gmv"]) for currency in totals.index} == {"USD": 100, "HTG": 7}


def test_amounts_stay_whole_numbers_beyond_what_a_float_can_hold() -> None:
    large = 2**53 + 1

    frame = revenue.table([row(JAN, gmv=large)], start=JAN, end=dt.date(2026, 1, 3), grain="day")

    assert int(revenue.totals(frame).loc["USD", "gmv"]) == large
    assert all(str(kind) == "int64" for kind in frame.dtypes)


def test_net_revenue_is_what_was_charged_less_what_was_given_back_and_what_providers_took() -> None:
    frame = revenue.table(
        [
            row(
                JAN,
                commission=500,
                commission_returned=120,
                processing=300,
                processing_settled=80,
                processing_returned=10,
                provider_fees=90,
            )
        ],
        start=JAN,
        end=JAN,
        grain="day",
    )

    assert int(frame.iloc[0]["net"]) == 360


def test_a_provider_fee_that_nobody_was_charged_for_is_borne_by_the_platform() -> None:
    frame = revenue.table([row(JAN, commission=500, provider_fees=90)], start=JAN, end=JAN, grain="day")

    assert int(frame.iloc[0]["net"]) == 410


def test_a_fee_charged_counts_for_the_provider_until_the_provider_says_what_it_took() -> None:
    frame = revenue.table([row(JAN, commission=500, processing=80)], start=JAN, end=JAN, grain="day")

    assert int(frame.iloc[0]["net"]) == 500


def test_sums_of_nothing_count_as_zero() -> None:
    empty: dict[str, Any] = {"day": JAN, "currency": "USD", **dict.fromkeys(revenue.MEASURES)}

    assert int(revenue.totals(revenue.table([empty], start=JAN, end=JAN, grain="day")).loc["USD", "gmv"]) == 0


def test_no_rows_give_an_empty_table_with_its_columns() -> None:
    frame = revenue.table([], start=JAN, end=JAN, grain="day")

    assert frame.empty
    assert list(frame.columns) == list(revenue.COLUMNS)
    assert revenue.totals(frame).empty


@pytest.mark.parametrize(
    ("end", "grain"),
    [
        (dt.date(2026, 1, 1), "day"),
        (dt.date(2026, 3, 3), "day"),
        (dt.date(2026, 3, 4), "week"),
        (dt.date(2026, 7, 2), "week"),
        (dt.date(2026, 7, 3), "month"),
    ],
)
def test_long_ranges_use_larger_buckets(end: dt.date, grain: str) -> None:
    assert revenue.grain_for(JAN, end) == grain


def test_weeks_count_from_the_first_day_of_the_range() -> None:
    start = dt.date(2026, 1, 7)

    assert revenue.periods(start, dt.date(2026, 1, 21), "week") == [
        dt.date(2026, 1, 7),
        dt.date(2026, 1, 14),
        dt.date(2026, 1, 21),
    ]


def test_the_first_month_begins_where_the_range_begins() -> None:
    assert revenue.periods(dt.date(2026, 1, 15), dt.date(2026, 3, 2), "month") == [
        dt.date(2026, 1, 15),
        dt.date(2026, 2, 1),
        dt.date(2026, 3, 1),
    ]


@pytest.mark.parametrize(
    ("start", "end", "mode", "expected"),
    [
        (dt.date(2026, 3, 10), dt.date(2026, 3, 16), "previous", (dt.date(2026, 3, 3), dt.date(2026, 3, 9))),
        (dt.date(2026, 3, 1), dt.date(2026, 3, 31), "previous", (dt.date(2026, 2, 1), dt.date(2026, 2, 28))),
        (
            dt.date(2026, 1, 1),
            dt.date(2026, 3, 31),
            "previous",
            (dt.date(2025, 10, 1), dt.date(2025, 12, 31)),
        ),
        (dt.date(2028, 2, 1), dt.date(2028, 2, 29), "year", (dt.date(2027, 2, 1), dt.date(2027, 2, 28))),
        (dt.date(2027, 2, 1), dt.date(2027, 2, 28), "previous", (dt.date(2027, 1, 1), dt.date(2027, 1, 31))),
        (dt.date(2029, 2, 1), dt.date(2029, 2, 28), "year", (dt.date(2028, 2, 1), dt.date(2028, 2, 29))),
        (dt.date(2028, 2, 20), dt.date(2028, 3, 4), "year", (dt.date(2027, 2, 20), dt.date(2027, 3, 4))),
    ],
)
def test_comparison_ranges(
    start: dt.date, end: dt.date, mode: revenue.Comparison, expected: tuple[dt.date, dt.date]
) -> None:
    assert revenue.comparison_range(start, end, mode) == expected


def test_no_comparison_has_no_range() -> None:
    assert revenue.comparison_range(JAN, JAN, "none") is None


def test_growth_is_exact_and_absent_when_there_was_nothing_before() -> None:
    now = revenue.totals(revenue.table([row(JAN, gmv=150, commission=30)], start=JAN, end=JAN, grain="day"))
    before = revenue.totals(revenue.table([row(JAN, gmv=120)], start=JAN, end=JAN, grain="day"))

    changes = revenue.compare(now, before)["USD"]

    assert changes["gmv"] == revenue.Change(before=120, difference=30, growth=2500)
    assert changes["commission"] == revenue.Change(before=0, difference=30, growth=None)


def test_a_fall_is_as_large_as_the_same_rise() -> None:
    now = revenue.totals(revenue.table([row(JAN, gmv=199)], start=JAN, end=JAN, grain="day"))
    before = revenue.totals(revenue.table([row(JAN, gmv=300)], start=JAN, end=JAN, grain="day"))

    assert revenue.compare(now, before)["USD"]["gmv"].growth == -3367


def test_a_currency_of_one_period_only_is_still_compared() -> None:
    now = revenue.totals(revenue.table([], start=JAN, end=JAN, grain="day"))
    before = revenue.totals(revenue.table([row(JAN, "HTG", gmv=9)], start=JAN, end=JAN, grain="day"))

    assert revenue.compare(now, before)["HTG"]["gmv"].difference == -9


def test_breakdown_puts_the_largest_first_within_each_currency() -> None:
    rows = [
        row(JAN, "USD", gmv=10) | {"key": "a"},
        row(JAN, "USD", gmv=30) | {"key": "b"},
        row(JAN, "HTG", gmv=5) | {"key": "a"},
        row(JAN, "USD", gmv=25) | {"key": "a"},
    ]

    assert list(revenue.breakdown(rows).index) == [("HTG", "a"), ("USD", "a"), ("USD", "b")]


@pytest.mark.parametrize(("part", "whole", "points"), [(3, 4, 7500), (2, 3, 6667), (1, 3, 3333), (0, 5, 0)])
def test_shares_round_half_up_in_basis_points(part: int, whole: int, points: int) -> None:
    assert revenue.share(part, whole) == points


def test_a_share_of_nothing_is_unknown() -> None:
    assert revenue.share(5, 0) is None


def test_frames_and_charts_work_without_django() -> None:
    # A fresh interpreter, because the test run itself has loaded Django already.
    code = (
        "import sys\nimport reports.frames.revenue, reports.charts.revenue\nraise SystemExit('django' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
