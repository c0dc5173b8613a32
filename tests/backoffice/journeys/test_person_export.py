"""One person's data, for one ticket (Q-017)."""

import io
from typing import Any

import openpyxl
import pytest

from backoffice.accounts.models import User
from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.audit import exports
from backoffice.audit.models import ExportRecord
from backoffice.core.errors import Forbidden, Invalid
from backoffice.journeys.queries import person_data
from backoffice.journeys.services import person_export
from backoffice.support.models import Ticket
from backoffice.support.services import tickets
from tests.factories import creators, sales, support
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db


def mine(by: User, requester: User | None = None) -> Ticket:
    ticket = support.ticket(requester=requester or member())
    tickets.claim(ticket, by=by)
    ticket.refresh_from_db()
    return ticket


def start(person: User, by: User, ticket: str = "", **fields: Any) -> ExportRecord:
    given = {"format": "xlsx", "reason": "asked for a copy", **fields}
    return person_export.start(person=person, by=by, ticket=ticket, **given)


def file_of(person: User, format: str = "xlsx") -> bytes:
    record = start(person, staff("admin"), format=format)
    return b"".join(exports.write(record, person_data.of(person)))


@pytest.mark.parametrize("role", ROLES)
def test_each_role_takes_what_the_matrix_gives_it(role: str) -> None:
    by, held = staff(role), permissions_of(role)
    person = member()
    if "users.export" in held:
        assert start(person, by).ticket == ""
    elif "users.export_one" in held:
        with pytest.raises(Invalid):
            start(person, by)
    else:
        with pytest.raises(Forbidden):
            start(person, by)


def test_support_takes_the_data_of_the_person_whose_ticket_it_works_on() -> None:
    agent = staff("customer_support")
    ticket = mine(agent)
    record = start(ticket.requester, agent, ticket.reference.lower())
    assert (record.ticket, record.subject_id, record.dataset) == (ticket.reference, str(ticket.requester.pk), "person")


def test_somebody_elses_a_finished_and_another_persons_ticket_are_refused() -> None:
    agent, colleague, person = staff("customer_support"), staff("customer_support"), member()
    for ticket in (mine(colleague, person), support.ticket(requester=person), mine(agent)):
        with pytest.raises(Invalid) as refused:
            start(person, agent, ticket.reference)
        assert refused.value.field == "ticket"
    done = mine(agent, person)
    Ticket.objects.filter(pk=done.pk).update(status="closed", closed_at=done.created_at)
    with pytest.raises(Invalid):
        start(person, agent, done.reference)
    assert not ExportRecord.objects.exists()


def test_the_data_of_staff_is_not_taken_out() -> None:
    with pytest.raises(Forbidden):
        start(staff("editor"), staff("super_admin"))


def test_the_file_has_what_the_person_gave_and_made() -> None:
    person = member(display_name="Nadège Canary", email="canary@example.com")
    creators.creator(person, stage_name="Ti Canary")
    support.ticket(requester=person, subject="=1+1", body="Canary body")
    book = openpyxl.load_workbook(io.BytesIO(file_of(person)))
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
    assert {"Nadège Canary", "canary@example.com", "Ti Canary", "Canary body", "'=1+1"} <= cells
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_no_payment_document_or_internal_note_is_in_the_file(format: str) -> None:
    application = creators.submitted(legal_name="Canary Legalname")
    person = application.applicant
    agent = staff("customer_support")
    ticket = mine(agent, person)
    tickets.note(ticket, by=agent, body="Canary note")
    payment = sales.sale(sales.published(title="Dlo Cho", price_minor=98765), at=ticket.created_at, buyer=person)
    content = file_of(person, format)
    text = content.decode() if format == "csv" else ""
    if format == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(content))
        text = "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    assert "Dlo Cho" in text
    for canary in ("Canary Legalname", "Canary note", "987.65", "98765", payment.reference, "passport"):
        assert canary not in text, canary
