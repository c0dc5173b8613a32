"""Reading files that nobody vouches for."""

import io
import zipfile
from datetime import UTC, datetime

import openpyxl
import pytest

from backoffice.journeys.services.imports import sheets

BOUNDS = sheets.Bounds(unpacked=20 << 20, cells=200_000, rows=10_000)


def read(content, bounds=BOUNDS):
    return sheets.read(content if isinstance(content, bytes) else content.encode(), bounds=bounds)


def workbook(rows, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book.active)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def repack(content, replace):
    """The same archive with some members replaced or added."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in replace:
                new.writestr(name, old.read(name))
        for name, body in replace.items():
            new.writestr(name, body)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("title,price\nÉté,4.99\n".encode(), "UTF-8, comma"),
        ("\ufefftitle;price\nÉté;4.99\n".encode(), "UTF-8, semicolon"),
        ("title;price\r\nÉté;4.99\r\n".encode("latin-1"), "Windows-1252, semicolon"),
        ("title\tprice\nÉté\t4.99\n".encode("utf-16"), "UTF-16, tab"),
    ],
)
def test_encodings_marks_and_separators_are_recognised(content, shown):
    sheet = read(content)
    assert sheet.format == f"CSV, {shown}"
    assert sheet.rows == [(2, {"title": "Été", "price": "4.99"})]


def test_rows_keep_the_numbers_that_a_spreadsheet_shows():
    sheet = read("\n title ,Release Date\n\nA,2024\n,\nB,2025\n")
    assert sheet.headers == ["title", "release_date"]
    assert [number for number, _row in sheet.rows] == [4, 6]


def test_workbook_cells_become_the_text_a_person_would_type():
    content = workbook(
        [
            ["title", "price", "on", "sold"],
            ["A", 0.1 + 0.2, True, datetime(2024, 5, 31, 18, 30, tzinfo=UTC).replace(tzinfo=None)],
        ]
    )
    assert read(content).rows == [(2, {"title": "A", "price": "0.3", "on": "yes", "sold": "2024-05-31T18:30:00"})]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "＝1+1"])
def test_formulas_in_text_are_refused_with_row_and_column(text):
    sheet = read(f'title,about\nFine,-5\nBad,"{text}"\nAlso fine,- a list\n')
    assert [(trouble.row, trouble.column, trouble.cause) for trouble in sheet.troubles] == [
        (3, "about", "Formulas are not accepted.")
    ]


def test_formulas_in_a_workbook_are_refused_with_row_and_column():
    def formula(sheet):
        sheet["B3"] = '=HYPERLINK("http://x", 1)'

    sheet = read(workbook([["title", "price"], ["A", 1], ["B", None]], formula))
    assert [(trouble.row, trouble.column) for trouble in sheet.troubles] == [(3, "price")]


def test_values_outside_the_header_and_columns_named_twice_are_reported():
    sheet = read("title,title\nA,B,C\n")
    assert [(trouble.row, trouble.column) for trouble in sheet.troubles] == [(1, "title"), (2, "#3")]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"title,price\n", "nothing below"),
        (b"\n\n", "empty"),
        (b"\xd0\xcf\x11\xe0" + b"0" * 100, "old or a protected Excel"),
        (b"PK\x03\x04 this is no archive", "damaged"),
        (b'title\n"never closed\n', "cannot be read"),
        (b"title\nA\x00B\n", "not a text file"),
        (b"\xff\xfe\x00", "damaged"),
        (b"title\n" + b"x" * 200_000, "cannot be read"),
        (",".join(f"c{n}" for n in range(70)).encode() + b"\n1\n", "more than 64 columns"),
        (b"title\n" + b"x\n" * 10_001, "more than 10000 rows"),
        (b"a,b\n" + b",\n" * 200_001, "more than 200000 cells"),
    ],
)
def test_files_that_cannot_be_taken_are_refused_with_the_reason(content, cause):
    with pytest.raises(sheets.Unreadable, match=cause):
        read(content)


def test_an_archive_that_is_no_workbook_is_refused():
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("hello.txt", "hi")
    with pytest.raises(sheets.Unreadable, match=r"not an \.xlsx"):
        read(kept.getvalue())


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_parsed():
    bomb = repack(workbook([["title"], ["A"]]), {"xl/media/filler.bin": b"\0" * (25 << 20)})
    assert len(bomb) < 100_000
    with pytest.raises(sheets.Unreadable, match="Unpacked"):
        read(bomb)


def test_a_workbook_with_too_many_cells_is_refused_before_it_is_parsed():
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 250_001))
    xml = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>'
    bomb = repack(workbook([["title"]]), {"xl/worksheets/sheet1.xml": xml})
    with pytest.raises(sheets.Unreadable, match="more than 200000 cells"):
        read(bomb)


def test_a_workbook_with_entity_declarations_is_refused():
    xml = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    with pytest.raises(sheets.Unreadable, match="declarations"):
        read(repack(workbook([["title"], ["A"]]), {"xl/worksheets/sheet1.xml": xml}))


def test_a_lonely_cell_in_the_last_row_does_not_take_a_minute():
    def far(sheet):
        sheet.cell(row=1_048_576, column=16_384, value="x")

    with pytest.raises(sheets.Unreadable, match="more than 10000 rows"):
        read(workbook([["title"], ["A"]], far))


@pytest.mark.parametrize("cut", [100, 1000, 3000])
def test_a_workbook_that_was_cut_off_is_refused(cut):
    with pytest.raises(sheets.Unreadable):
        read(workbook([["title"], ["A"]])[:cut])


def test_a_workbook_with_broken_xml_is_refused():
    with pytest.raises(sheets.Unreadable, match="damaged"):
        read(repack(workbook([["title"], ["A"]]), {"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row"}))
