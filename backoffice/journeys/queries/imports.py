"""Reads of the imports."""

from collections.abc import Iterator

from django.db.models import QuerySet

from backoffice.journeys.models import ImportProblem, ImportRun

SHOWN_ERRORS = 500


def run_list() -> QuerySet[ImportRun]:
    """The runs, newest first, with who uploaded them."""
    return ImportRun.objects.select_related("created_by", "job")


def first_errors(run: ImportRun) -> list[ImportProblem]:
    """The first 500 errors in the order of the sheet."""
    return list(run.errors.order_by("row", "id")[:SHOWN_ERRORS])


def all_errors(run: ImportRun) -> Iterator[tuple[int, str, str, str]]:
    """Every error as (row, column, value, cause), read in pieces."""
    return run.errors.order_by("row", "id").values_list("row", "column", "value", "cause").iterator(chunk_size=2000)
