"""The revenue report: filters in, everything that the screen and the files show out.

Screen and CSV read the same frames, so a number is the same wherever it stands. Currencies are never added:
there is one block per currency.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pandas as pd
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.core import clock, money
from backoffice.core.tables import Cell
from reports.charts import revenue as charts
from reports.frames import revenue as frames
from reports.pages.filters import RevenueFilters
from reports.queries import revenue as queries

BREAKDOWN_SHOWN: Final = 50  # lines on the screen; the file has all of them

HEADINGS: Final = {
    "sales": gettext_lazy("Sales"),
    "gmv": gettext_lazy("GMV"),
    "tax": gettext_lazy("Tax"),
    "refunded": gettext_lazy("Refunds made"),
    "refunds": gettext_lazy("Refunds"),
    "commission": gettext_lazy("Commission"),
    "commission_returned": gettext_lazy("Commission given back"),
    "fees": gettext_lazy("Fees charged"),
    "processing": gettext_lazy("Processing fees charged"),
    "processing_returned": gettext_lazy("Processing fees given back"),
    "processing_settled": gettext_lazy("Processing fees charged, provider's fee known"),
    "provider_fees": gettext_lazy("Providers' own fees"),
    "conversion": gettext_lazy("Conversion fees charged"),
    "conversion_returned": gettext_lazy("Conversion fees given back"),
    "creators": gettext_lazy("Creators' share"),
    "creators_returned": gettext_lazy("Creators' share taken back"),
    "net": gettext_lazy("Net revenue"),
}
# The columns of the screen's tables; the file has every measure.
SHOWN: Final = ("sales", "gmv", "tax", "refunds", "commission", "fees", "creators", "net")


@dataclass(frozen=True, slots=True)
class Stat:
    """One headline: an amount in minor units, and how it moved."""

    name: str
    heading: str
    amount: int
    change: frames.Change | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: its label and the amounts of SHOWN in order, minor units except the count."""

    label: str
    sales: int
    amounts: list[int]
    share: int | None  # creators' share of GMV in basis points (N-002)
    key: str = ""


@dataclass(slots=True)
class Block:
    """Everything about one currency."""

    currency: str
    stats: list[Stat]
    share: int | None
    lines: list[Line]
    total: Line
    over_time: dict[str, Any]
    by_key: dict[str, Any] | None
    breakdown: list[Line] = field(default_factory=list)
    breakdown_left_out: int = 0

    @property
    def money_headings(self) -> list[str]:
        """The headings of the amounts."""
        return [str(HEADINGS[name]) for name in SHOWN[1:]]


@dataclass(frozen=True, slots=True)
class Report:
    """The page: one block per currency, none when nothing happened."""

    filters: RevenueFilters
    as_of: dt.datetime
    grain: frames.Grain
    compared: tuple[dt.date, dt.date] | None
    blocks: list[Block]


def build(filters: RevenueFilters, *, at: dt.datetime | None = None) -> Report:
    """The report as of now; at most four SQL statements whatever the data."""
    grain = frames.grain_for(filters.start, filters.end)
    now = _over_time(filters, filters.start, filters.end, grain)
    compared = frames.comparison_range(filters.start, filters.end, filters.compare)
    before = _over_time(filters, *compared, grain) if compared else None
    changes = frames.compare(frames.totals(now), frames.totals(before)) if before is not None else {}
    parts = _breakdown(filters)
    names = _names(filters, parts)
    # Amounts of different currencies cannot be compared, numbers of sales can: the busiest currency comes first.
    sales = {str(currency): int(amounts["sales"]) for currency, amounts in _records(frames.totals(now))}
    currencies = sorted(set(sales) | set(changes), key=lambda currency: (-sales.get(currency, 0), currency))
    return Report(
        filters=filters,
        as_of=at or clock.now(),
        grain=grain,
        compared=compared,
        blocks=[
            _block(currency, filters, grain, now, before, changes.get(currency), parts, names)
            for currency in currencies
        ],
    )


def periods_file(filters: RevenueFilters) -> tuple[list[str], Iterator[list[Cell]]]:
    """Header and rows of the table over time: one row per currency and period, then each currency's total."""
    grain = frames.grain_for(filters.start, filters.end)
    frame = _over_time(filters, filters.start, filters.end, grain)
    header = [_("Currency"), _("From"), *(str(HEADINGS[name]) for name in HEADINGS)]
    # Said now: rows are written after the reader's language is gone from the thread.
    total = _("Total")

    def rows() -> Iterator[list[Cell]]:
        for (currency, period), amounts in _records(frame):
            yield [currency, period, *_cells(amounts, currency)]
        for currency, amounts in _records(frames.totals(frame)):
            yield [currency, total, *_cells(amounts, currency)]

    return header, rows()


def breakdown_file(filters: RevenueFilters) -> tuple[list[str], Iterator[list[Cell]]]:
    """Header and rows of the breakdown, every line of it."""
    frame = _breakdown(filters)
    names = _names(filters, frame)
    header = [_("Currency"), by_label(filters.by), *(str(HEADINGS[name]) for name in HEADINGS)]

    def rows() -> Iterator[list[Cell]]:
        for (currency, key), amounts in _records(frame):
            yield [currency, names[key], *_cells(amounts, currency)]

    return header, rows()


def by_label(by: queries.By) -> str:
    """What a line of the breakdown is."""
    return {"creator": _("Creator"), "category": _("Category"), "title": _("Title")}[by]


def period_label(period: dt.date, grain: frames.Grain) -> str:
    """The first day of a bucket as people name the bucket."""
    if grain == "month":
        return str(date_format(period, "YEAR_MONTH_FORMAT"))
    day = date_format(period, "DATE_FORMAT")
    return str(_("Week from %(day)s") % {"day": day} if grain == "week" else day)


def _over_time(filters: RevenueFilters, start: dt.date, end: dt.date, grain: frames.Grain) -> pd.DataFrame:
    rows = queries.by_day(start=start, end=end, scope=filters.scope)
    return frames.table(rows, start=start, end=end, grain=grain)


def _breakdown(filters: RevenueFilters) -> pd.DataFrame:
    rows = queries.by_key(start=filters.start, end=filters.end, scope=filters.scope, by=filters.by)
    return frames.breakdown(rows)


def _names(filters: RevenueFilters, parts: pd.DataFrame) -> dict[str, str]:
    keys = {str(key) for key in parts.index.get_level_values("key")} if not parts.empty else set()
    if filters.anonymous and filters.by != "category":
        # The end of a time-ordered key is its random part; the same line has the same name in every period.
        found = {key: f"{by_label(filters.by)} {key[-6:]}" for key in keys if key}
    else:
        found = queries.names(keys, by=filters.by)
    return {key: found.get(key) or _("None") for key in keys}


def _block(
    currency: str,
    filters: RevenueFilters,
    grain: frames.Grain,
    now: pd.DataFrame,
    before: pd.DataFrame | None,
    change: dict[str, frames.Change] | None,
    parts: pd.DataFrame,
    names: dict[str, str],
) -> Block:
    mine = _of(now, currency)
    if mine.empty:
        # Only the comparison period had this currency: zeros, so that the fall is seen.
        nothing = {"day": filters.start, "currency": currency, **dict.fromkeys(frames.MEASURES, 0)}
        mine = frames.table([nothing], start=filters.start, end=filters.end, grain=grain)
    total = _line(_("Total"), next(amounts for _currency, amounts in _records(frames.totals(mine))))
    exponent = money.exponent(currency)
    earlier = _of(before, currency) if before is not None else mine.iloc[:0]
    lines = [
        _line(names[str(key)], amounts, key=str(key)) for (_currency, key), amounts in _records(_of(parts, currency))
    ]
    return Block(
        currency=currency,
        stats=[
            Stat(name, str(HEADINGS[name]), amount, change[name] if change else None)
            for name, amount in zip(SHOWN, [total.sales, *total.amounts], strict=True)
            if name != "tax"
        ],
        share=total.share,
        lines=[_line(period_label(period, grain), amounts) for (_currency, period), amounts in _records(mine)],
        total=total,
        over_time=charts.over_time(
            mine,
            currency=currency,
            exponent=exponent,
            labels={
                **{name: str(HEADINGS[name]) for name in ("creators", "commission", "fees", "refunds")},
                "before": _("GMV in the comparison period"),
            },
            before=[int(amount) for amount in earlier["gmv"]],
        ),
        by_key=charts.by_key(
            _of(parts, currency),
            currency=currency,
            exponent=exponent,
            names=names,
            labels={"gmv": str(HEADINGS["gmv"])},
        )
        if lines
        else None,
        breakdown=lines[:BREAKDOWN_SHOWN],
        breakdown_left_out=max(len(lines) - BREAKDOWN_SHOWN, 0),
    )


def _line(label: str, amounts: dict[str, int], *, key: str = "") -> Line:
    return Line(
        label=label,
        sales=int(amounts["sales"]),
        amounts=[int(amounts[name]) for name in SHOWN[1:]],
        share=frames.share(int(amounts["creators"]), int(amounts["gmv"])),
        key=key,
    )


def _cells(amounts: dict[str, int], currency: str) -> list[Cell]:
    exponent = money.exponent(currency)
    return [
        int(amounts[name])
        if name in frames.COUNTS
        else Decimal(int(amounts[name])).scaleb(-exponent).quantize(Decimal(1).scaleb(-exponent))
        for name in HEADINGS
    ]


def _records(frame: pd.DataFrame) -> Iterator[tuple[Any, dict[str, int]]]:
    """Index and columns of every row."""
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    return zip(frame.index, rows, strict=True)


def _of(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    return frame if frame.empty else frame[frame.index.get_level_values("currency") == currency]
