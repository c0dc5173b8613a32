"""The revenue figures on plain data."""

import datetime as dt
import json

import pytest

from reports.charts import revenue as charts
from reports.frames import revenue as frames

JAN = dt.date(2026, 1, 1)
LABELS = {
    "creators": "Creators",
    "commission": "Commission",
    "fees": "Fees",
    "refunds": "Refunds",
    "before": "Before",
    "gmv": "GMV",
}


def figure(**options: object) -> dict[str, list[dict[str, object]]]:
    rows = [
        {"day": JAN, "currency": "USD", **dict.fromkeys(frames.MEASURES, 0), "creators": 705, "refunds": 99},
        {"day": JAN, "currency": "JPY", **dict.fromkeys(frames.MEASURES, 0), "creators": 12},
    ]
    frame = frames.table(rows, start=JAN, end=dt.date(2026, 1, 2), grain="day")
    return charts.over_time(frame, **{"currency": "USD", "exponent": 2, "labels": LABELS, **options})  # type: ignore[arg-type]


def test_amounts_leave_as_exact_decimal_strings() -> None:
    assert figure()["data"][0]["y"] == ["7.05", "0.00"]


def test_refunds_are_drawn_below_the_line() -> None:
    assert figure()["data"][3]["y"][0] == "-0.99"  # type: ignore[index]


def test_a_figure_shows_one_currency_only() -> None:
    assert figure(currency="JPY", exponent=0)["data"][0]["y"] == ["12", "0"]


def test_the_comparison_line_is_drawn_only_when_asked_for_and_never_longer_than_the_period() -> None:
    assert len(figure()["data"]) == 4
    assert figure(before=[100, 200, 300])["data"][4]["y"] == ["1.00", "2.00"]


def test_figures_are_plain_json() -> None:
    json.dumps(figure(before=[1, 2]))


def test_two_keys_of_one_name_stay_two_bars_with_the_largest_on_top() -> None:
    rows = [
        {"key": key, "currency": "USD", **dict.fromkeys(frames.MEASURES, 0), "gmv": gmv}
        for key, gmv in (("a", 100), ("b", 300), ("c", 200))
    ]

    spec = charts.by_key(
        frames.breakdown(rows),
        currency="USD",
        exponent=2,
        names={"a": "Same", "b": "Same"},
        labels=LABELS,
        most=2,
    )

    assert spec["data"][0]["y"] == ["c", "b"]
    assert spec["layout"]["yaxis"]["ticktext"] == ["c", "Same"]
    json.dumps(spec)


def test_long_names_leave_room_for_the_bars() -> None:
    rows = [{"key": "a", "currency": "USD", **dict.fromkeys(frames.MEASURES, 0), "gmv": 1}]

    spec = charts.by_key(frames.breakdown(rows), currency="USD", exponent=2, names={"a": "x" * 300}, labels=LABELS)

    assert len(spec["layout"]["yaxis"]["ticktext"][0]) == charts.LONGEST_NAME


@pytest.mark.parametrize(
    ("minor", "exponent", "text"),
    [
        (0, 2, "0.00"),
        (-5, 2, "-0.05"),
        (123456, 2, "1234.56"),
        (7, 0, "7"),
        (1234, 3, "1.234"),
        (-1, 3, "-0.001"),
    ],
)
def test_minor_units_become_decimals_of_the_currency(minor: int, exponent: int, text: str) -> None:
    assert charts.decimal(minor, exponent) == text
