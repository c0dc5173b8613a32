"""The list of what was taken out."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.audit import exports
from backoffice.audit.models import ExportRecord
from tests.desk.clients import Desk
from tests.factories.accounts import member, staff
from tests.statements import count

LIST = "/admin/system/exports/"


def made(**fields: object) -> ExportRecord:
    given = {"dataset": "report", "by": staff("analyst"), "format": "csv", "reason": "for the board", **fields}
    return exports.record(**given)  # type: ignore[arg-type]


def found(client: Desk, **query: str) -> list[ExportRecord]:
    return [record for record, _what in client.get(LIST, query).context["rows"]]


@pytest.mark.parametrize("role", ROLES)
def test_the_list_is_for_who_reads_the_whole_log(desk: Callable[..., Desk], role: str) -> None:
    record, client = made(), desk(role)
    answers = {client.get(LIST).status_code, client.get(reverse("desk:export", args=[record.pk])).status_code}
    assert answers == ({200} if "audit.view" in permissions_of(role) else {403})


def test_exports_are_found_by_person_kind_and_what_they_are_about(desk: Callable[..., Desk]) -> None:
    client, person = desk("ops_manager"), member()
    first = made(by=staff("analyst", display_name="Claire Fontaine"))
    second = made(dataset="person", subject=person, ticket="TK-ABCDEFGH")
    assert found(client) == [second, first]
    assert found(client, person="Claire") == [first]
    assert found(client, dataset="person") == [second]
    for text in (second.reference.lower(), "tk-abcdefgh", str(person.pk), str(person)):
        assert found(client, about=text) == [second], text
    assert found(client, about="nothing") == []


def test_one_export_tells_who_what_and_why(desk: Callable[..., Desk]) -> None:
    record = made(filters={"from": "2026-01-01"}, reason="for the <b>board</b>")
    page = desk("admin").get(reverse("desk:export", args=[record.pk])).content.decode()
    assert "2026-01-01" in page
    assert "for the &lt;b&gt;board&lt;/b&gt;" in page
    assert reverse("desk:export_download", args=[record.pk]) not in page


def test_a_streamed_export_cannot_be_fetched_again(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    record = made(by=client.person)
    assert client.get(reverse("desk:export_download", args=[record.pk])).status_code == 409


def test_the_list_takes_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    made()
    client.get(LIST)
    short = count(lambda: client.get(LIST))
    for _ in range(20):
        made()
    assert count(lambda: client.get(LIST)) == short
