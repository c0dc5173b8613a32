"""The revenue report on the Desk: numbers, filters, files and who may see them."""

import csv
import datetime as dt
import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.audit.models import AuditEntry, ExportRecord
from backoffice.finance.models import Payment
from tests.factories import creators, sales
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db

MARCH = {"start": "2026-03-01", "end": "2026-03-31", "compare": "previous"}
REASON = {"reason": "for the board meeting"}


def day(number: int, month: int = 3) -> dt.datetime:
    return dt.datetime(2026, month, number, 12, tzinfo=dt.UTC)


@pytest.fixture
def finance(client: Client) -> Client:
    return sign_in(client, staff("financial_admin"))


@pytest.fixture
def sold() -> Payment:
    payment = sales.sale(
        sales.published(creators.creator(stage_name="Ti Joslin"), title="=Dlo Cho", price_minor=1000),
        at=day(5),
    )
    sales.sale(sales.published(price_minor=2000, currency="EUR", creator=euro_creator()), at=day(6))
    sales.sale(sales.published(price_minor=500), at=day(5, month=2))
    sales.refund(payment, 250, at=day(20))
    return payment


def euro_creator() -> Any:
    return creators.creator(currency="EUR")


def show(client: Client, **filters: str) -> str:
    response = client.get(reverse("desk:revenue"), MARCH | filters)
    assert response.status_code == 200
    return response.content.decode()


def figures(page: str) -> dict[str, Any]:
    found = re.findall(r'<script id="([\w-]+)" type="application/json">(.*?)</script>', page, re.S)
    return {name: json.loads(text) for name, text in found if "over-time" in name or "by-key" in name}


def export(client: Client, **filters: str) -> list[list[str]]:
    response = client.post(reverse("desk:revenue_export"), MARCH | REASON | filters)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.usefixtures("sold")
def test_each_currency_has_its_own_block_with_chart_and_table(finance: Client) -> None:
    page = show(finance)

    assert figures(page).keys() == {"over-time-EUR", "over-time-USD", "by-key-EUR", "by-key-USD"}
    assert "$10.00" in page
    assert "€20.00" in page
    assert "$2.50" in page
    assert "30.00" not in page


@pytest.mark.usefixtures("sold")
def test_the_currency_with_the_most_sales_comes_first(finance: Client) -> None:
    sales.sale(sales.published(price_minor=100), at=day(7))

    assert re.findall(r'<h2 id="currency-(\w+)"', show(finance)) == ["USD", "EUR"]


@pytest.mark.usefixtures("sold")
def test_the_chart_shows_what_the_table_says(finance: Client) -> None:
    series = {trace["name"]: trace for trace in figures(show(finance))["over-time-USD"]["data"]}

    parts = ("Creators' share", "Commission", "Fees charged")
    assert sum(Decimal(series[name]["y"][4]) for name in parts) == Decimal("10.00")
    assert Decimal(series["Refunds"]["y"][19]) == Decimal("-2.50")
    assert len(series["Commission"]["x"]) == 31


@pytest.mark.usefixtures("sold")
def test_the_comparison_is_the_month_before(finance: Client) -> None:
    page = show(finance)

    assert "Feb. 1, 2026" in page
    assert "+100.0 %" in page
    assert "from $5.00" in page
    assert "+100.0 %" not in show(finance, compare="none")


@pytest.mark.usefixtures("sold")
def test_filters_narrow_by_currency_creator_and_category(finance: Client) -> None:
    drama = sales.category()
    sales.sale(sales.published(price_minor=700, category=drama), at=day(7))

    assert figures(show(finance, currency="EUR")).keys() == {"over-time-EUR", "by-key-EUR"}
    assert "$7.00" in show(finance, category=drama.slug)
    assert "$10.00" not in show(finance, category=drama.slug)
    assert "$7.00" not in show(finance, creator="Ti Joslin")


@pytest.mark.usefixtures("sold")
def test_the_breakdown_links_to_the_creators_titles(finance: Client, sold: Payment) -> None:
    page = show(finance)
    assert f"creator={sold.creator_id}" in page

    assert "=Dlo Cho" in show(finance, creator=str(sold.creator_id), by="title")


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"start": "2026-04-01"}, "The end lies before the start."),
        ({"start": "2000-01-01"}, "At most five years at a time."),
        ({"start": "soon"}, "Enter a valid date."),
        ({"creator": "Nobody"}, "No creator has this name or reference."),
        ({"currency": "XXX"}, "Select a valid choice."),
        ({"category": "none-such"}, "Select a valid choice."),
        ({"by": "buyer"}, "Select a valid choice."),
    ],
)
def test_wrong_filters_are_said_beside_the_field(finance: Client, filters: dict[str, str], sentence: str) -> None:
    assert sentence in show(finance, **filters)
    assert finance.post(reverse("desk:revenue_export"), MARCH | REASON | filters).status_code == 400
    assert not AuditEntry.objects.filter(action="report.export").exists()


def test_a_name_that_two_creators_share_asks_for_the_reference(finance: Client) -> None:
    first, _second = creators.creator(stage_name="Same"), creators.creator(stage_name="Same")

    assert "Several creators have this name" in show(finance, creator="same")
    assert "Several creators" not in show(finance, creator=first.reference.lower())


def test_nothing_sold_is_said(finance: Client) -> None:
    page = show(finance)

    assert "No sale and no refund in this period" in page
    assert "plotly.min.js" not in page


def test_without_filters_the_last_thirty_days_are_shown(finance: Client) -> None:
    assert finance.get(reverse("desk:revenue")).status_code == 200


@pytest.mark.usefixtures("sold")
def test_the_file_has_the_tables_numbers_and_its_export_is_on_record(finance: Client) -> None:
    rows = export(finance, currency="USD", table="periods")

    header, lines, total = rows[0], rows[1:-1], rows[-1]
    gmv, net = header.index("GMV"), header.index("Net revenue")
    assert len(lines) == 31
    assert (total[0], total[1], total[gmv]) == ("USD", "Total", "10.00")
    assert sum(Decimal(line[net]) for line in lines) == Decimal(total[net])
    entry = AuditEntry.objects.get(action="report.export")
    assert entry.data["report"] == "revenue"
    assert entry.data["currency"] == "USD"
    made = ExportRecord.objects.get()
    assert (made.user, made.dataset, made.format, made.reason) == (entry.actor, "report", "csv", REASON["reason"])
    assert made.rows == len(rows) - 1
    assert made.finished_at is not None


@pytest.mark.usefixtures("sold")
def test_an_export_asks_for_a_reason_and_a_fresh_factor(finance: Client, client: Client) -> None:
    assert finance.post(reverse("desk:revenue_export"), MARCH).status_code == 400
    old = sign_in(client, staff("financial_admin"), factor_age=600)
    asked = old.post(reverse("desk:revenue_export"), MARCH | REASON)
    assert asked.status_code == 302
    assert asked["Location"].startswith(reverse("mfa_reauthenticate"))
    assert not ExportRecord.objects.exists()


@pytest.mark.usefixtures("sold")
def test_the_same_table_is_taken_as_a_workbook(finance: Client) -> None:
    wanted = {"format": "xlsx", "table": "breakdown", "by": "title", "currency": "USD"}
    answer: Any = finance.post(reverse("desk:revenue_export"), MARCH | REASON | wanted)
    (sheet,) = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert sheet.cell(2, 2).value == "'=Dlo Cho"
    assert sheet.cell(2, 2).data_type != "f"


@pytest.mark.usefixtures("sold")
def test_titles_that_look_like_formulas_are_inert_in_the_file(finance: Client) -> None:
    rows = export(finance, currency="USD", table="breakdown", by="title")

    assert [row[1] for row in rows[1:]] == ["'=Dlo Cho"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("sold")
def test_each_role_sees_and_takes_what_the_matrix_says(client: Client, role: str) -> None:
    held = permissions_of(role)
    person = sign_in(client, staff(role))

    seen: HttpResponse = person.get(reverse("desk:revenue"), MARCH)
    taken = person.post(reverse("desk:revenue_export"), MARCH | REASON)

    assert (seen.status_code == 200) is ("reports.view" in held)
    assert (taken.status_code == 200) is ("reports.view" in held and "reports.export" in held)
    if "reports.view" not in held:
        assert "$10.00" not in seen.content.decode()
    assert AuditEntry.objects.filter(action="report.export").count() == (taken.status_code == 200)


@pytest.mark.usefixtures("sold")
def test_an_analyst_sees_sums_and_no_names(client: Client, sold: Payment) -> None:
    analyst = sign_in(client, staff("analyst"))

    page = show(analyst) + show(analyst, by="title")

    assert "$10.00" in page
    assert "Ti Joslin" not in page
    assert "Dlo Cho" not in page
    assert "Download CSV" not in page
    # Asking for one person by name narrows nothing, so it tells nothing either.
    assert "€20.00" in show(analyst, creator="Ti Joslin")


@pytest.mark.usefixtures("sold")
def test_the_operations_manager_sees_names_and_takes_none_out(client: Client) -> None:
    ops = sign_in(client, staff("ops_manager"))
    assert "Ti Joslin" in show(ops)
    assert "Take this table out, without names" in show(ops)

    for by, name in (("creator", "Ti Joslin"), ("title", "Dlo Cho")):
        rows = export(ops, currency="USD", table="breakdown", by=by)
        assert [row[rows[0].index("GMV")] for row in rows[1:]] == ["10.00"]
        assert name not in str(rows)
    assert ExportRecord.objects.latest("created_at").filters["names"] == "none"


@pytest.mark.parametrize("table", ["periods", "breakdown"])
@pytest.mark.usefixtures("sold")
def test_the_operations_manager_takes_no_file_of_one_creator(client: Client, sold: Payment, table: str) -> None:
    ops = sign_in(client, staff("ops_manager"))
    assert sold.creator is not None
    assert 'data-dialog="export' in show(ops)
    for creator in ("Ti Joslin", str(sold.creator_id), sold.creator.reference):
        assert "$10.00" in show(ops, creator=creator)
        assert 'data-dialog="export' not in show(ops, creator=creator)
        wanted = MARCH | REASON | {"creator": creator, "table": table, "by": "title"}
        assert ops.post(reverse("desk:revenue_export"), wanted).status_code == 403
    assert not ExportRecord.objects.exists()


@pytest.mark.usefixtures("sold")
def test_who_may_take_payments_out_takes_names_and_one_creator(finance: Client) -> None:
    assert "Take this table out, without names" not in show(finance)
    rows = export(finance, currency="USD", table="breakdown", by="creator", creator="Ti Joslin")
    assert [row[1] for row in rows[1:]] == ["Ti Joslin"]


def test_visitors_are_sent_to_the_door(client: Client) -> None:
    assert client.get(reverse("desk:revenue")).status_code == 302


@pytest.mark.usefixtures("sold")
def test_the_page_asks_the_same_statements_however_much_was_sold(finance: Client) -> None:
    show(finance)  # the first page of a session notes the session too
    few = count(lambda: show(finance))
    for _ in range(4):
        sales.sale(sales.published(), at=day(9))

    assert count(lambda: show(finance)) == few


def test_an_export_takes_post_only(finance: Client) -> None:
    assert finance.get(reverse("desk:revenue_export"), MARCH).status_code == 405


def test_the_server_starts_without_pandas_and_plotly() -> None:
    code = (
        "import sys, django\n"
        "django.setup()\n"
        "import backoffice.urls\n"
        "raise SystemExit('pandas' in sys.modules or 'plotly' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
