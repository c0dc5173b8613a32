"""CSV files that a spreadsheet can open without running anything.

A text cell that begins like a formula is prefixed with an apostrophe; numbers are typed, so a negative
amount stays a number. Rows are written one at a time, so a file of any length needs the memory of a row.
"""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

Cell = str | int | Decimal | dt.date | None

# What starts a formula in Excel, LibreOffice or Sheets, the full-width forms included.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads accents in the machine's old code page


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


def stream(header: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The file piece by piece, ready for a streaming response: mark, header, then every row."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield BYTE_ORDER_MARK
    yield writer.writerow([inert(cell) for cell in header])
    for row in rows:
        yield writer.writerow([inert(cell) for cell in row])
