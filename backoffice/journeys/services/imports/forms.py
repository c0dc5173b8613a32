"""The empty table that people fill in: the header and one example row, as CSV or XLSX."""

import csv
import io

import openpyxl
from openpyxl.styles import Font

from backoffice.journeys.services.imports.resources import TABLES


def csv_template(resource: str) -> bytes:
    """UTF-8 with a mark, so that Excel shows accents."""
    columns = TABLES[resource].columns()
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.column_name for column in columns])
    writer.writerow([column.example for column in columns])
    return text.getvalue().encode("utf-8-sig")


def xlsx_template(resource: str) -> bytes:
    """A workbook with a bold, frozen header; every cell is text."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = resource
    columns = TABLES[resource].columns()
    sheet.append([column.column_name for column in columns])
    sheet.append([column.example for column in columns])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
