"""CSV and XLSX files that a spreadsheet can open without running anything.

A text cell that begins like a formula is prefixed with an apostrophe in both formats (a workbook is saved as CSV
sooner or later); numbers are typed, so a negative amount stays a number. Rows are written one at a time, so a file of
any length needs the memory of a row; a workbook is put together on disk.
"""

import csv
import datetime as dt
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

Cell = str | int | Decimal | dt.date | None
type Row = Sequence[Cell]

# What starts a formula in Excel, LibreOffice or Sheets, the full-width forms included.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads accents in the machine's old code page
CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The sheet's own limits: rows with the header, characters in a cell.
MAX_SHEET_ROWS: Final = 1_048_576
MAX_CELL_CHARACTERS: Final = 32_767
_CHUNK: Final = 64 * 1024
# XML has no way to write these.
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SHEET_NAME: Final = re.compile(r"[\\/*?:\[\]]")


class Table(NamedTuple):
    """A sheet's name, its header and its rows; the rows are read once."""

    name: str
    header: Row
    rows: Iterable[Row]


class _Echo:
    """A file that hands each written line back instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def inert(cell: Cell) -> str | int | Decimal:
    """The cell as it may be written: text that begins a formula gets an apostrophe, NUL is dropped."""
    if cell is None:
        return ""
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, int | Decimal):
        return cell
    # Some programs skip leading blanks before they look for a formula, so they do not hide one here.
    if cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS):
        cell = "'" + cell
    return cell.replace("\x00", "")


def stream(header: Row, rows: Iterable[Row]) -> Iterator[str]:
    """A CSV file piece by piece, ready for a streaming response: mark, header, then every row."""
    yield BYTE_ORDER_MARK
    yield from lines([header])
    yield from lines(rows)


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as CSV lines."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    for row in rows:
        yield writer.writerow([inert(cell) for cell in row])


def workbook(tables: Sequence[Table]) -> Iterator[bytes]:
    """An XLSX file piece by piece, a sheet per table. A table longer than a sheet goes on in the next one."""
    book = openpyxl.Workbook(write_only=True)
    for table in tables:
        _fill(book, table)
    with tempfile.TemporaryFile(prefix="backlot-sheet-") as file:
        book.save(file)
        book.close()
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _fill(book: openpyxl.Workbook, table: Table) -> None:
    rows = iter(table.rows)
    part, more = 1, True
    while more:
        name = _SHEET_NAME.sub(" ", table.name)
        sheet = book.create_sheet(name[:31] if part == 1 else f"{name[:26]} {part}")
        heads = []
        for cell in table.header:
            head = WriteOnlyCell(sheet, value=None)
            head.value, head.data_type, head.font = _text(str(inert(cell))), "s", Font(bold=True)
            heads.append(head)
        sheet.append(heads)
        more = False
        for written, row in enumerate(rows, start=2):
            sheet.append([_sheet_cell(sheet, cell) for cell in row])
            if written == MAX_SHEET_ROWS:
                more = True
                break
        part += 1


def _sheet_cell(sheet: object, cell: Cell) -> object:
    value = inert(cell)
    if not isinstance(value, str):
        return value
    made = WriteOnlyCell(sheet, value=None)  # type: ignore[arg-type]
    made.value = _text(value)
    # Whatever the text looks like, the sheet is told that it is text.
    made.data_type = "s"
    return made


def _text(text: str) -> str:
    return _UNWRITABLE.sub("", text)[:MAX_CELL_CHARACTERS]
