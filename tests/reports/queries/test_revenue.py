"""The revenue queries against the ledger itself."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from backoffice.finance.models import Payment
from backoffice.finance.services import fx, ledger, payments
from reports.frames import revenue as frames
from reports.queries import revenue as queries
from tests.factories import creators, sales
from tests.statements import count

pytestmark = pytest.mark.django_db

ALL = queries.Scope()
START, END = dt.date(2026, 3, 1), dt.date(2026, 3, 31)


def day(number: int) -> dt.datetime:
    return dt.datetime(2026, 3, number, 12, tzinfo=dt.UTC)


def totals(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    frame = frames.totals(frames.table(rows, start=START, end=END, grain="day"))
    return {str(currency): {str(k): int(v) for k, v in line.items()} for currency, line in frame.iterrows()}


def by_day(scope: queries.Scope = ALL) -> dict[str, dict[str, int]]:
    return totals(queries.by_day(start=START, end=END, scope=scope))


def in_ledger(account: str, entry: str, currency: str = "USD") -> int:
    """The sum of postings of one kind of account and entry, asked of the tables without the report's help."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(p.amount), 0) FROM finance_posting p"
            " JOIN finance_entry e ON e.id = p.entry_id JOIN finance_account a ON a.id = p.account_id"
            " WHERE a.kind = %s AND e.kind = %s AND p.currency = %s"
            " AND e.effective_date BETWEEN '2026-03-01' AND '2026-03-31'",
            [account, entry, currency],
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def month() -> list[Payment]:
    """Sales and refunds with amounts that do not divide evenly."""
    maker, other = creators.creator(), creators.creator()
    made = [
        sales.sale(sales.published(maker, price_minor=999), at=day(2)),
        sales.sale(sales.published(maker, price_minor=1337), at=day(2)),
        sales.sale(sales.published(other, price_minor=4999), at=day(15)),
    ]
    sales.refund(made[0], 333, at=day(20))
    sales.refund(made[0], 667, at=day(21))
    sales.refund(made[1], 1337, at=day(22))
    return made


@pytest.mark.usefixtures("month")
def test_totals_are_the_ledgers_to_the_cent() -> None:
    usd = by_day()["USD"]

    assert usd["gmv"] == 999 + 1337 + 4999 == -in_ledger("provider_clearing", "sale")
    assert usd["refunds"] == 667 + 1337 == in_ledger("provider_clearing", "refund")
    assert usd["commission"] == in_ledger("platform_commission", "sale")
    assert usd["commission_returned"] == -in_ledger("platform_commission", "refund")
    assert usd["processing"] == in_ledger("processing_fees", "sale")
    assert usd["creators"] == in_ledger("creator_pending", "sale")
    assert usd["creators_returned"] == -in_ledger("creator_pending", "refund")
    assert (usd["sales"], usd["refunded"]) == (3, 3)


@pytest.mark.usefixtures("month")
def test_every_cent_of_the_price_is_accounted_for() -> None:
    usd = by_day()["USD"]

    assert usd["gmv"] == usd["creators"] + usd["commission"] + usd["fees"]
    assert usd["refunds"] == (
        usd["creators_returned"] + usd["commission_returned"] + usd["processing_returned"] + usd["conversion_returned"]
    )


@pytest.mark.usefixtures("month")
def test_only_the_days_asked_for_count_both_ends_included() -> None:
    rows = queries.by_day(start=dt.date(2026, 3, 15), end=dt.date(2026, 3, 20), scope=ALL)

    assert [(row["day"].day, row["sales"], row["refunded"]) for row in rows] == [(15, 1, 0), (20, 0, 1)]


def test_a_breakdown_adds_up_to_the_whole(month: list[Payment]) -> None:
    whole = by_day()["USD"]

    for by in ("creator", "category", "title"):
        rows = queries.by_key(start=START, end=END, scope=ALL, by=by)  # type: ignore[arg-type]
        parts = frames.totals(frames.breakdown(rows)).loc["USD"]
        assert {name: int(parts[name]) for name in frames.COLUMNS} == whole, by


def test_a_creators_lines_are_the_creators_own(month: list[Payment]) -> None:
    maker = month[0].creator
    assert maker is not None

    rows = queries.by_key(start=START, end=END, scope=ALL, by="creator")
    narrowed = by_day(queries.Scope(creator=maker.pk))["USD"]

    row = next(row for row in rows if row["key"] == str(maker.pk))
    assert row["gmv"] == narrowed["gmv"] == 999 + 1337
    assert row["refunds"] == narrowed["refunds"] == 667 + 1337


def test_a_category_narrows_and_titles_without_one_have_a_line_of_their_own() -> None:
    drama = sales.category()
    sales.sale(sales.published(category=drama, price_minor=500), at=day(1))
    sales.sale(sales.published(category=None, price_minor=700), at=day(1))

    rows = queries.by_key(start=START, end=END, scope=ALL, by="category")

    assert {row["key"]: row["gmv"] for row in rows} == {str(drama.pk): 500, "": 700}
    assert by_day(queries.Scope(category=drama.pk))["USD"]["gmv"] == 500


def test_the_providers_own_fee_replaces_the_one_charged(month: list[Payment]) -> None:
    before = by_day()["USD"]
    charged = -in_ledger("processing_fees", "sale")
    assert charged < 0

    payments.record_fee(payment=month[2], fee_minor=150, currency="USD", provider_id="txn_1", at=day(16))
    after = by_day()["USD"]

    fee_of_sale = month[2].commission_lines.get(component="processing").amount_minor
    assert after["provider_fees"] == 150
    assert after["processing_settled"] == fee_of_sale
    assert after["net"] == before["net"] + fee_of_sale - 150
    # It stands on the day of the sale and with the sale's creator.
    assert month[2].creator is not None
    rows = queries.by_key(start=START, end=END, scope=ALL, by="creator")
    assert next(r for r in rows if r["key"] == str(month[2].creator.pk))["provider_fees"] == 150


def test_a_reversed_sale_counts_as_if_it_had_not_been(month: list[Payment]) -> None:
    before = by_day()["USD"]
    payment = sales.sale(sales.published(price_minor=2500), at=day(5))
    assert payment.sale_entry is not None

    ledger.reverse(
        entry=payment.sale_entry,
        key="undo",
        source=payment,
        by=None,
        effective_date=dt.date(2026, 3, 6),
    )

    assert by_day()["USD"] == before


def test_currencies_stand_apart_and_a_converted_sale_stays_in_its_own() -> None:
    fx.record_rate(base="EUR", quote="USD", rate=Decimal("1.10"), source="test", as_of=day(1), by=None)
    maker = creators.creator(currency="USD")
    sales.sale(sales.published(maker, price_minor=1000, currency="EUR"), at=day(2))
    sales.sale(sales.published(maker, price_minor=1000, currency="USD"), at=day(2))

    found = by_day()

    assert found["EUR"]["gmv"] == found["USD"]["gmv"] == 1000
    assert found["EUR"]["gmv"] == found["EUR"]["creators"] + found["EUR"]["commission"] + found["EUR"]["fees"]
    assert found["EUR"]["conversion"] > 0
    assert by_day(queries.Scope(currency="EUR")).keys() == {"EUR"}
    # What arrives in dollars is not income in dollars: it comes out of the exchange account.
    assert found["USD"]["creators"] == found["USD"]["gmv"] - found["USD"]["commission"] - found["USD"]["fees"]


def test_currencies_are_those_of_sales() -> None:
    sales.sale(sales.published(currency="USD"), at=day(2))

    assert queries.currencies() == ["USD"]


def test_statements_do_not_grow_with_the_rows(month: list[Payment]) -> None:
    assert count(lambda: queries.by_day(start=START, end=END, scope=ALL)) == 1
    assert count(lambda: queries.by_key(start=START, end=END, scope=ALL, by="title")) == 1
    assert count(lambda: queries.names({str(p.creator_id) for p in month}, by="creator")) == 1
