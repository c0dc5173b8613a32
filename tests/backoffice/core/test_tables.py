"""CSV and XLSX files stay data when a spreadsheet opens them."""

import csv
import datetime as dt
import io
import itertools
from decimal import Decimal

import openpyxl
import pytest

from backoffice.core import tables
from backoffice.core.tables import BYTE_ORDER_MARK, Table, inert, stream, workbook


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.com","x")',
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "\x00=1+1",
        "  =1+1",
        "＝1+1",
    ],
)
def test_text_that_begins_a_formula_is_prefixed(text: str) -> None:
    written = str(inert(text))

    assert written.startswith("'")
    assert "\x00" not in written


@pytest.mark.parametrize("text", ["Dlo Cho", "a=b", "1-2", "é", ""])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert inert(text) == text


def test_negative_numbers_stay_numbers() -> None:
    assert inert(-5) == -5
    assert inert(Decimal("-12.00")) == Decimal("-12.00")


def test_a_file_reads_back_with_its_quotes_line_breaks_and_accents() -> None:
    text = "".join(stream(["name", "amount"], [['Rivyè, "sou"\nlò', Decimal("-1.50")], [None, dt.date(2026, 1, 2)]]))

    assert text.startswith(BYTE_ORDER_MARK)
    assert list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""))) == [
        ["name", "amount"],
        ['Rivyè, "sou"\nlò', "-1.50"],
        ["", "2026-01-02"],
    ]


def test_rows_are_written_as_they_come() -> None:
    endless = ([number] for number in itertools.count())

    assert list(itertools.islice(stream(["n"], endless), 4)) == [BYTE_ORDER_MARK, "n\r\n", "0\r\n", "1\r\n"]


def sheets(content: bytes) -> dict[str, list[list[object]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers() -> None:
    rows = [['=HYPERLINK("http://example.com")', -5], ["+1", Decimal("-1.5")], ["Dlo\x0bCho", None]]
    book = sheets(b"".join(workbook([Table("Sales/2026", ["=head", "amount"], rows), Table("Empty", ["n"], [])])))
    assert book == {
        "Sales 2026": [
            ["'=head", "amount"],
            ['\'=HYPERLINK("http://example.com")', -5],
            ["'+1", -1.5],
            ["DloCho", None],
        ],
        "Empty": [["n"]],
    }


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_SHEET_ROWS", 3)
    book = sheets(b"".join(workbook([Table("Long", ["n"], ([n] for n in range(5)))])))
    assert book == {"Long": [["n"], [0], [1]], "Long 2": [["n"], [2], [3]], "Long 3": [["n"], [4]]}
