"""Reading a CSV or XLSX file that nobody vouches for: bounds first, then cells as text with their row
numbers."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from backoffice.core.errors import Invalid

MAX_COLUMNS = 64
MAX_CELL = 20_000
MAX_MEMBERS = 500
SPARE_LINES = 1_000
CHUNK = 1 << 20
FULL_WIDTH = str.maketrans("＝＋－＠", "=+-@")
# A number with its sign is no formula.
SIGNED_NUMBER = re.compile(r"[+-]\s?\d[\d\s.,:()/-]*")


class Unreadable(Invalid):
    """The file as a whole cannot be taken."""

    default_code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read: bytes unpacked, cells, rows below the header."""

    unpacked: int
    cells: int
    rows: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong with one cell; the header is row 1."""

    row: int
    column: str
    cause: str
    value: str = ""


@dataclass(slots=True)
class Sheet:
    """The cells as text. ``rows`` are (row number, {column: text}); formulas stand in ``troubles``, not in
    cells."""

    format: str
    headers: list[str]
    rows: list[tuple[int, dict[str, str]]]
    troubles: list[Trouble] = field(default_factory=list)


def read(content: bytes, *, bounds: Bounds) -> Sheet:
    """The sheet of a file, by its content and not its name. Raises Unreadable with the reason."""
    if not content.strip():
        raise Unreadable(_("The file is empty."), field="file")
    if content.startswith(b"PK\x03\x04"):
        return _table(_workbook_lines(content, bounds), "XLSX", bounds)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            _("This is an old or a protected Excel file. Save it as .xlsx without a password, or as CSV."),
            field="file",
        )
    text, encoding = _decode(content)
    delimiter = _delimiter(text)
    if text.count(delimiter) > bounds.cells:
        raise Unreadable(_too_many_cells(bounds), field="file")
    names = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": "|"}
    return _table(_text_lines(text, delimiter), f"CSV, {encoding}, {names[delimiter]}", bounds)


def _decode(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding: marks first, then strict UTF-8, then the old Western one."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding, shown = "utf-16", "UTF-16"
    elif content.startswith(b"\xef\xbb\xbf"):
        encoding, shown = "utf-8-sig", "UTF-8"
    else:
        try:
            text, shown = content.decode("utf-8"), "UTF-8"
        except UnicodeDecodeError:
            text, shown = content.decode("cp1252", errors="replace"), "Windows-1252"
        return _without_nul(text), shown
    try:
        return _without_nul(content.decode(encoding)), shown
    except UnicodeDecodeError as error:
        raise Unreadable(_("The text of this file is damaged."), field="file") from error


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise Unreadable(_("This is not a text file."), field="file")
    return text


def _delimiter(text: str) -> str:
    """The sign that splits the header line most often."""
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    return max((",", ";", "\t", "|"), key=header.count)


def _text_lines(text: str, delimiter: str) -> Iterator[tuple[int, list[Any]]]:
    """Rows with the number that a spreadsheet would show for them."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(lines, start=1):
            yield number, list(row)
    except csv.Error as error:
        raise Unreadable(
            _("Row %(row)d cannot be read: a quotation mark is not closed or a cell is too long.")
            % {"row": number + 1},
            field="file",
        ) from error


def _too_many_cells(bounds: Bounds) -> str:
    return _("The file has more than %(cells)s cells. Split it.") % {"cells": bounds.cells}


def _too_many_rows(bounds: Bounds) -> str:
    return _("The file has more than %(rows)s rows. Split it.") % {"rows": bounds.rows}


def _workbook_lines(content: bytes, bounds: Bounds) -> Iterator[tuple[int, list[Any]]]:
    """The first sheet of a workbook, after its unpacked size and its cells were counted without parsing
    it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_archive(archive, bounds)
        # Formulas come as text starting with "=", so that they can be refused instead of trusted.
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), start=1):
                # Empty lines between are padded one by one: a last cell in row 1,048,576 must not cost a
                # minute.
                if number > bounds.rows + SPARE_LINES:
                    raise Unreadable(_too_many_rows(bounds), field="file")
                yield number, [_Formula() if cell.data_type == "f" else cell.value for cell in row]
        finally:
            book.close()
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        ParseError,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
        RuntimeError,
        zlib.error,
    ) as error:
        # openpyxl meets a damaged workbook with whatever it stumbles over; every one of them means the same
        # here.
        raise Unreadable(_("This workbook is damaged or is not an .xlsx file."), field="file") from error


def _check_archive(archive: zipfile.ZipFile, bounds: Bounds) -> None:
    """Refuses bombs before anything is parsed: members, unpacked bytes, cells, document type declarations."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise Unreadable(_("This workbook has too many parts."), field="file")
    # A member that unpacks to more than it declares is cut off there by zipfile and fails its checksum.
    if sum(member.file_size for member in members) > bounds.unpacked:
        raise Unreadable(
            _("Unpacked, this workbook is larger than %(size)d MB.") % {"size": bounds.unpacked // CHUNK},
            field="file",
        )
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise Unreadable(_("This archive is not an .xlsx file."), field="file")
    cells = 0
    for member in members:
        if not member.filename.lower().endswith((".xml", ".rels")):
            continue
        counts = member.filename.startswith("xl/worksheets/")
        with archive.open(member) as part:
            tail = b""
            while chunk := part.read(CHUNK):
                piece = tail + chunk
                if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                    raise Unreadable(_("This workbook holds declarations that are not allowed."), field="file")
                if counts:
                    # Two bytes of the chunk before: a whole "<c " never lies in them, so none is counted
                    # twice.
                    part_of = tail[-2:] + chunk
                    cells += part_of.count(b"<c ") + part_of.count(b"<c>")
                    if cells > bounds.cells:
                        raise Unreadable(_too_many_cells(bounds), field="file")
                tail = piece[-8:]


class _Formula:
    """Stands for a formula cell; what it would compute is nobody's business."""


def _table(lines: Iterable[tuple[int, list[Any]]], shown: str, bounds: Bounds) -> Sheet:
    """Header and rows from raw lines."""
    source = iter(lines)
    headers: list[str] = []
    for _number, row in source:
        headers = [_header(value) for value in row]
        while headers and not headers[-1]:
            headers.pop()
        if headers:
            break
    if not headers:
        raise Unreadable(_("The file has no header row."), field="file")
    if len(headers) > MAX_COLUMNS:
        raise Unreadable(_("The file has more than %(count)d columns.") % {"count": MAX_COLUMNS}, field="file")
    sheet = Sheet(format=shown, headers=headers, rows=[])
    seen: set[str] = set()
    for header in headers:
        if header in seen:
            sheet.troubles.append(Trouble(1, header, _("This column stands twice.")))
        seen.add(header)
    cells = 0
    for number, row in source:
        cells += sum(1 for value in row if value not in (None, ""))
        if cells > bounds.cells:
            raise Unreadable(_too_many_cells(bounds), field="file")
        values = _row(sheet, number, row)
        if values is None:
            continue
        sheet.rows.append((number, values))
        if len(sheet.rows) > bounds.rows:
            raise Unreadable(_too_many_rows(bounds), field="file")
    if not sheet.rows and not sheet.troubles:
        raise Unreadable(_("The file has a header and nothing below it."), field="file")
    return sheet


def _header(value: Any) -> str:
    return "" if value is None or isinstance(value, _Formula) else re.sub(r"[\s-]+", "_", str(value).strip().lower())


def _row(sheet: Sheet, number: int, row: list[Any]) -> dict[str, str] | None:
    """The cells of one line as text; None for an empty line."""
    values: dict[str, str] = {}
    filled = False
    for index, raw in enumerate(row):
        column = sheet.headers[index] if index < len(sheet.headers) else ""
        if isinstance(raw, _Formula):
            filled = True
            sheet.troubles.append(Trouble(number, column or f"#{index + 1}", _("Formulas are not accepted.")))
            continue
        text = _text(raw)
        if not text:
            if column:
                values[column] = ""
            continue
        filled = True
        if not column:
            cause = _("There is a value outside the columns of the header.")
            sheet.troubles.append(Trouble(number, f"#{index + 1}", cause, text[:200]))
        elif is_formula(text):
            sheet.troubles.append(Trouble(number, column, _("Formulas are not accepted."), text[:200]))
        elif len(text) > MAX_CELL:
            cause = _("This is longer than %(limit)d characters.") % {"limit": MAX_CELL}
            sheet.troubles.append(Trouble(number, column, cause, text[:200]))
        else:
            values[column] = text
    return values if filled else None


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take this text for a formula. Signed numbers and "- " lists are not."""
    # Spreadsheets take the full-width signs for the plain ones.
    text = text.lstrip(" ").translate(FULL_WIDTH)
    if text[0] in "=@\t\r":
        return True
    return text[0] in "+-" and not text.startswith(("- ", "+ ")) and not SIGNED_NUMBER.fullmatch(text) and len(text) > 1


def _text(raw: Any) -> str:
    """A cell's value as the text that a person would type."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, float):
        # Excel keeps 15 digits; more would turn 0.3 into 0.30000000000000004.
        return format(raw, ".15g")
    if isinstance(raw, datetime | date | time):
        return raw.isoformat()
    return str(raw).strip(" \n\u00a0")
