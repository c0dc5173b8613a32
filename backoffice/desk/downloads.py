"""How a recorded export is answered: as a stream that no cache keeps."""

from collections.abc import Sequence
from typing import cast

from django.http import HttpResponse, StreamingHttpResponse

from backoffice.audit import exports
from backoffice.audit.models import ExportRecord
from backoffice.core import tables
from backoffice.core.tables import Table


def answer(made: ExportRecord, sheets: Sequence[Table], *, name: str) -> HttpResponse:
    """The export as a file called ``name`` with the ending of its format; the rows are read while they are sent."""
    response = StreamingHttpResponse(
        exports.write(made, sheets),
        content_type=tables.XLSX if made.format == ExportRecord.Format.XLSX else tables.CSV,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{made.format}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
    return cast(HttpResponse, response)  # the stubs keep the two kinds of answer apart; the server does not
