"""Revenue rows into tables: periods, comparison, totals and breakdowns (K-001, K-002, K-003, K-006, K-014).

Plain data in, pandas out; nothing here knows Django, so every number is tested without a database.
All money stays in signed 64-bit minor units of one currency. Currencies are never added together:
the currency is part of every index.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

Grain = Literal["day", "week", "month"]
Comparison = Literal["none", "previous", "year"]

# What the queries deliver per day (or per key) and currency; counts first, then minor units.
COUNTS: Final = ("sales", "refunded")
AMOUNTS: Final = (
    "gmv",
    "tax",
    "refunds",
    "commission",
    "commission_returned",
    "processing",
    "processing_returned",
    "processing_settled",
    "provider_fees",
    "conversion",
    "conversion_returned",
    "creators",
    "creators_returned",
)
MEASURES: Final = COUNTS + AMOUNTS
# Derived here, once, so that every screen and file agrees. `fees` is all that was charged beside the
# commission. `net` is what stays with the platform (K-002): commission less what refunds gave back of it and
# of the fees, and the difference where the provider's own fee turned out other than the one charged. Until
# the provider has said what it took (`processing_settled` is what was charged where it has), the fee charged
# stands for it.
DERIVED: Final = ("fees", "net")
COLUMNS: Final = MEASURES + DERIVED

LONGEST_DAILY: Final = 62  # days; longer ranges would draw bars thinner than a pointer
LONGEST_WEEKLY: Final = 183


@dataclass(frozen=True, slots=True)
class Change:
    """One measure against the comparison period: both in minor units (or counts), growth in basis points.

    `growth` is None when the comparison period had nothing, because no percentage is true then.
    """

    before: int
    difference: int
    growth: int | None


def grain_for(start: dt.date, end: dt.date) -> Grain:
    """The bucket size that keeps a chart readable for the range `start`..`end`, both included."""
    days = (end - start).days + 1
    if days <= LONGEST_DAILY:
        return "day"
    return "week" if days <= LONGEST_WEEKLY else "month"


def bucket(day: dt.date, *, start: dt.date, grain: Grain) -> dt.date:
    """The first day of the bucket that `day` belongs to.

    Weeks count from the first day of the range, so that two ranges of equal length have equal weeks;
    the first month begins where the range begins.
    """
    if grain == "day":
        return day
    if grain == "week":
        return start + dt.timedelta(days=(day - start).days // 7 * 7)
    return max(day.replace(day=1), start)


def periods(start: dt.date, end: dt.date, grain: Grain) -> list[dt.date]:
    """Every bucket of the range in order, those without a sale included."""
    found: dict[dt.date, None] = {}
    for offset in range((end - start).days + 1):
        found.setdefault(bucket(start + dt.timedelta(days=offset), start=start, grain=grain))
    return list(found)


def comparison_range(start: dt.date, end: dt.date, mode: Comparison) -> tuple[dt.date, dt.date] | None:
    """The range to compare with: as long and directly before, or the same dates a year earlier.

    Whole calendar months compare with as many whole months before, because 31 days against the 31 days
    before mixes two months.
    """
    if mode == "none":
        return None
    if mode == "year":
        return _months_back(start, 12), _months_back(end, 12, end_of_month=_is_month_end(end))
    if start.day == 1 and _is_month_end(end):
        months = (end.year - start.year) * 12 + end.month - start.month + 1
        return _months_back(start, months), start - dt.timedelta(days=1)
    length = (end - start).days + 1
    return start - dt.timedelta(days=length), start - dt.timedelta(days=1)


def table(rows: Iterable[Mapping[str, Any]], *, start: dt.date, end: dt.date, grain: Grain) -> pd.DataFrame:
    """Rows per day and currency into one line per currency and bucket, empty buckets as zeros.

    `rows` carry `day`, `currency` and every name of MEASURES as whole numbers. The result is indexed by
    (currency, period), sorted, with the integer columns COLUMNS; it is empty when there are no rows.
    """
    lines = [(r["currency"], bucket(r["day"], start=start, grain=grain), *_measures(r)) for r in rows]
    frame = _frame(lines, ["currency", "period"])
    if frame.empty:
        return frame
    currencies = frame.index.get_level_values("currency").unique().sort_values()
    full = pd.MultiIndex.from_product([currencies, periods(start, end, grain)], names=["currency", "period"])
    return frame.reindex(full, fill_value=0)


def breakdown(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows per key and currency into one line each, the largest GMV of every currency first.

    `rows` carry `key`, `currency` and MEASURES; indexed by (currency, key).
    """
    frame = _frame([(r["currency"], r["key"], *_measures(r)) for r in rows], ["currency", "key"])
    if frame.empty:
        return frame
    ordered = frame.reset_index().sort_values(["currency", "gmv", "key"], ascending=[True, False, True], kind="stable")
    return ordered.set_index(["currency", "key"])


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """One line per currency: the sum of the table that is shown, so table and total cannot differ."""
    return frame.groupby(level="currency", sort=True).sum()


def compare(now: pd.DataFrame, before: pd.DataFrame) -> dict[str, dict[str, Change]]:
    """Totals of two periods into the change of every measure, by currency and measure.

    A currency that only one of the periods has counts as zero in the other.
    """
    changes: dict[str, dict[str, Change]] = {}
    for currency in sorted(set(now.index) | set(before.index)):
        changes[str(currency)] = {
            measure: _change(_at(now, currency, measure), _at(before, currency, measure)) for measure in COLUMNS
        }
    return changes


def share(part: int, whole: int) -> int | None:
    """`part` of `whole` in basis points, rounded half up; None of nothing (N-002 is read from this)."""
    if whole <= 0:
        return None
    return (part * 20_000 + whole) // (2 * whole)


def _change(now: int, before: int) -> Change:
    growth = None
    if before > 0:
        growth = (abs(now - before) * 20_000 + before) // (2 * before)
        growth = growth if now >= before else -growth
    return Change(before=before, difference=now - before, growth=growth)


def _at(frame: pd.DataFrame, currency: object, measure: str) -> int:
    return int(frame[measure].get(currency, 0))  # type: ignore[call-overload]


def _measures(row: Mapping[str, Any]) -> list[int]:
    # SQL sums arrive as None for nothing and as Decimal for bigint sums; both become whole numbers.
    return [int(row[measure] or 0) for measure in MEASURES]


def _frame(lines: list[tuple[Any, ...]], keys: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=[*keys, *MEASURES]).astype(dict.fromkeys(MEASURES, "int64"))
    frame = frame.groupby(keys, sort=True)[list(MEASURES)].sum()
    frame["fees"] = frame["processing"] + frame["conversion"]
    frame["net"] = (
        frame["commission"]
        - frame["commission_returned"]
        - frame["processing_returned"]
        + frame["processing_settled"]
        - frame["provider_fees"]
    )
    return frame


def _is_month_end(day: dt.date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]


def _months_back(day: dt.date, months: int, *, end_of_month: bool = False) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, last if end_of_month else min(day.day, last))
