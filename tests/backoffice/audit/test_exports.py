"""The record of what leaves the desk."""

import pytest
from django.db import DatabaseError, connection, transaction

from backoffice.audit import exports
from backoffice.audit.models import AuditEntry, ExportRecord
from backoffice.core.errors import Invalid
from backoffice.core.tables import Table
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db


def made(**fields: object) -> ExportRecord:
    given = {"dataset": "thing", "by": staff("admin"), "format": "csv", "reason": "for the court", **fields}
    return exports.record(**given)  # type: ignore[arg-type]


def test_an_export_is_on_record_before_its_first_row_leaves() -> None:
    person = staff("admin")
    record = made(by=person, filters={"from": "2026-01-01", "to": None}, subject=person, ticket="TK-1")
    assert (record.rows, record.finished_at) == (None, None)
    assert record.filters == {"from": "2026-01-01"}
    assert (record.subject_type, record.subject_id, record.ticket) == ("accounts.user", str(person.pk), "TK-1")
    entry = AuditEntry.objects.get(action="thing.export")
    assert (entry.actor, entry.reason, entry.data["export"]) == (person, "for the court", record.reference)


@pytest.mark.parametrize("reason", ["", "    ", "why"])
def test_an_export_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(reason=reason)
    assert refused.value.field == "reason"
    assert not ExportRecord.objects.exists()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(Invalid):
        made(format="pdf")


def test_the_rows_are_counted_when_the_file_is_complete() -> None:
    record = made()
    text = b"".join(exports.write(record, [Table("Things", ["n"], [[1], ["=2"]])])).decode("utf-8-sig")
    assert text == "n\r\n1\r\n'=2\r\n"
    assert record.rows == 2
    assert record.finished_at is not None


def test_a_reader_who_hangs_up_has_the_rows_that_were_sent() -> None:
    record = made()
    pieces = exports.write(record, [Table("Things", ["n"], ([n] for n in range(100)))])
    for _ in range(12):  # the mark, the header and ten rows
        next(pieces)
    pieces.close()
    assert record.rows == 10


def test_several_tables_follow_each_other_in_a_csv_file() -> None:
    record = made()
    tables = [Table("One", ["a"], [[1]]), Table("=Two", ["b"], [])]
    text = b"".join(exports.write(record, tables)).decode("utf-8-sig")
    assert text == "One\r\na\r\n1\r\n\r\n'=Two\r\nb\r\n"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_exportrecord",
        "TRUNCATE audit_exportrecord",
        "UPDATE audit_exportrecord SET reason = 'other'",
        "UPDATE audit_exportrecord SET user_id = NULL",
        "UPDATE audit_exportrecord SET filters = '{}'",
    ],
)
def test_the_database_refuses_the_application_to_change_who_took_what_and_why(statement: str) -> None:
    made()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
