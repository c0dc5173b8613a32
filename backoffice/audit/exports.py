"""Every file of rows that leaves the desk: recorded first, then written piece by piece with formulas inert."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.audit.models import ExportRecord
from backoffice.core import clock, tables
from backoffice.core.errors import Invalid
from backoffice.core.tables import Row, Table

SHORTEST_REASON = 5
STREAMED = (ExportRecord.Format.CSV, ExportRecord.Format.XLSX)


def record(
    *,
    dataset: str,
    by: Any,
    format: str,
    reason: str,
    filters: Mapping[str, Any] | None = None,
    subject: models.Model | None = None,
    ticket: str = "",
    action: str = "",
    at: datetime | None = None,
) -> ExportRecord:
    """Puts an export on record, with its audit row, before the first byte of it leaves (E-088, P-005).

    ``action`` is the audit row's, by default ``<dataset>.export``. Invalid without a reason of five characters.
    """
    at = at or clock.now()
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid(_("Say why this is taken out: a few words that somebody will understand later."), field="reason")
    if format not in ExportRecord.Format.values:
        raise Invalid(_("This format is not offered."), field="format")
    with transaction.atomic():
        made = ExportRecord.objects.create(
            user=by,
            dataset=dataset,
            filters=entries.plain({name: value for name, value in (filters or {}).items() if value not in (None, "")}),
            format=format,
            reason=reason,
            ticket=ticket,
            subject_type=subject._meta.label_lower if subject is not None else "",
            subject_id=str(subject.pk) if subject is not None else "",
            subject_label=str(subject)[:200] if subject is not None else "",
            created_at=at,
        )
        entries.record(
            action=action or f"{dataset}.export",
            by=by,
            subject=subject if subject is not None else made,
            reason=reason,
            data={"export": made.reference, "format": format, "ticket": ticket, **made.filters},
            at=at,
        )
    return made


def write(made: ExportRecord, sheets: Sequence[Table]) -> Iterator[bytes]:
    """The file piece by piece; notes on the record how many rows went out, also when the reader hangs up.

    Several tables are sheets of a workbook; in a CSV file they follow each other, each below its name.
    """
    sent = 0

    def counted(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal sent
        for row in rows:
            sent += 1
            yield row

    given = [Table(table.name, table.header, counted(table.rows)) for table in sheets]
    try:
        if made.format == ExportRecord.Format.XLSX:
            yield from tables.workbook(given)
        elif len(given) == 1:
            yield from (line.encode() for line in tables.stream(given[0].header, given[0].rows))
        else:
            for number, table in enumerate(given):
                lines = tables.stream(table.header, table.rows)
                mark = next(lines)
                yield (mark if number == 0 else "\r\n").encode()
                yield from (line.encode() for line in tables.lines([[table.name]]))
                yield from (line.encode() for line in lines)
    finally:
        finish(made, rows=sent)


def finish(made: ExportRecord, *, rows: int, at: datetime | None = None) -> None:
    """Notes how many rows the file has; the first note stays."""
    at = at or clock.now()
    ExportRecord.objects.filter(pk=made.pk, finished_at=None).update(rows=rows, finished_at=at, updated_at=at)
    made.refresh_from_db(fields=["rows", "finished_at"])
