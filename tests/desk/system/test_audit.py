"""The audit screen: search, differences, and each role's own part."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest
from django.db import transaction
from django.urls import reverse

from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.audit import chain, entries
from backoffice.audit.models import AuditEntry, ChainLink, ExportRecord
from backoffice.core import clock, context
from backoffice.finance.models import PayoutMethod
from tests.desk.clients import Desk
from tests.factories import accounts
from tests.statements import count

LIST = "/admin/system/audit/"


def write(action: str, **fields: object) -> None:
    with transaction.atomic():
        entries.record(action=action, by=fields.pop("by", None), **fields)  # type: ignore[arg-type]


def actions(client: Desk, **query: str) -> list[str]:
    return [entry.action for entry, _changes in client.get(LIST, query).context["rows"]]


def test_entries_show_what_was_before_and_after(desk: Callable[..., Desk]) -> None:
    write("setting.change", before={"value": 24, "kept": 1}, after={"value": 48, "kept": 1}, reason="busy week")
    page = desk("admin").get(LIST, {"action": "setting."}).content.decode()
    assert "<del>24</del>" in page
    assert "<ins>48</ins>" in page
    assert "busy week" in page
    assert "kept" not in page


def test_the_log_is_searched_by_person_action_object_and_day(desk: Callable[..., Desk]) -> None:
    person, client = accounts.staff("editor", display_name="Claire Fontaine"), desk("admin")
    write("title.feature", by=person, subject=person)
    write("title.reject", at=clock.now() - timedelta(days=40))
    assert actions(client, actor="Claire") == ["title.feature"]
    assert actions(client, action="title.rej") == ["title.reject"]
    assert actions(client, object=str(person.pk)) == ["title.feature"]
    assert "title.reject" not in actions(client, **{"from": (clock.now() - timedelta(days=1)).date().isoformat()})
    assert actions(client, to=(clock.now() - timedelta(days=30)).date().isoformat()) == ["title.reject"]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-02-31"},
        {"to": "nonsense"},
        {"to": "9999-12-31"},
        {"from": "0001-01-01"},
        {"object": "'; --"},
        {"after": "WzFd"},
        {"after": "W251bGxd"},
        {"after": "W3t9XQ"},
        {"after": "W0luZmluaXR5XQ"},
        {"after": "WyJcdTAwMDAiXQ"},
    ],
)
def test_nonsense_in_the_search_is_no_error(desk: Callable[..., Desk], query: dict[str, str]) -> None:
    assert desk("admin").get(LIST, query).status_code == 200


def test_a_moderator_reads_only_what_they_did_themselves(desk: Callable[..., Desk]) -> None:
    client = desk("content_moderator")
    write("title.approve", by=client.person)
    write("title.reject", by=accounts.staff("content_moderator"))
    assert actions(client) == ["title.approve"]


def test_finance_reads_money_and_their_own(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    method = PayoutMethod.objects.get(code="bank", currency="USD")
    write("payout_method.change", subject=method)
    write("title.reject")
    assert "payout_method.change" in actions(client)
    assert "title.reject" not in actions(client)


def test_the_address_of_the_actor_is_for_those_who_read_the_whole_log(
    desk: Callable[..., Desk],
) -> None:
    client = desk("content_moderator")
    token = context._origin.set(context.Origin(ip="203.0.113.77"))
    try:
        write("case.skip", by=client.person)
    finally:
        context._origin.reset(token)
    assert "203.0.113.77" not in client.get(LIST).content.decode()
    assert "203.0.113.77" in desk("admin").get(LIST).content.decode()


def test_the_log_takes_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    write("title.feature", by=client.person, subject=client.person)
    client.get(LIST)  # the first request of a session notes it
    short = count(lambda: client.get(LIST))
    for _ in range(40):
        write("title.feature", by=accounts.staff("editor"), subject=client.person)
    assert count(lambda: client.get(LIST)) == short


def test_the_object_of_an_entry_leads_to_its_whole_history(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    write("user.register", subject=client.person)
    address = reverse("desk:audit_object", args=["accounts.user", client.person.pk])
    assert address in client.get(LIST).content.decode()
    page = client.get(address)
    assert [entry.action for entry, _changes in page.context["rows"]] == ["user.register"]
    assert reverse("admin:accounts_user_change", args=[client.person.pk]) in page.content.decode()


def test_what_a_person_did_and_what_was_done_to_them_is_on_one_page(desk: Callable[..., Desk]) -> None:
    client, person, other = desk("admin"), accounts.staff("editor"), accounts.staff("editor")
    write("title.feature", by=person)
    write("role.give", subject=person)
    write("role.take", subject=other)
    page = client.get(reverse("desk:audit_person", args=[person.pk]))
    assert [entry.action for entry, _changes in page.context["rows"]] == ["role.give", "title.feature"]


def test_a_history_shows_each_role_only_its_own_part(desk: Callable[..., Desk]) -> None:
    moderator = desk("content_moderator")
    subject = accounts.member()
    write("user.unlock", by=moderator.person, subject=subject)
    write("user.update", by=accounts.staff("admin"), subject=subject)
    for address in (
        reverse("desk:audit_object", args=["accounts.user", subject.pk]),
        reverse("desk:audit_person", args=[subject.pk]),
    ):
        assert [e.action for e, _c in moderator.get(address).context["rows"]] == ["user.unlock"]
    assert desk("analyst").get(LIST).status_code == 403


@pytest.mark.parametrize("kind", ["no.such", "finance", "accounts.user.x", "__.__"])
def test_a_kind_that_does_not_exist_has_no_history(desk: Callable[..., Desk], kind: str) -> None:
    assert desk("admin").get(reverse("desk:audit_object", args=[kind, "1"])).status_code == 404


def test_the_log_is_searched_by_reference_request_and_address(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    method = PayoutMethod.objects.get(code="bank", currency="USD")
    member = accounts.member(email="nadege@example.com")
    token = context._origin.set(context.Origin(request_id="req-77"))
    try:
        write("payout_method.change", subject=method, by=member)
        write("user.update", subject=member)
    finally:
        context._origin.reset(token)
    write("title.reject")
    assert actions(client, object=str(method).lower()) == ["payout_method.change"]
    assert actions(client, request="req-77") == ["user.update", "payout_method.change"]
    assert actions(client, actor="NADEGE@example.com") == ["payout_method.change"]
    assert actions(client, actor=f"U-{str(member.pk)[-8:]}") == ["payout_method.change"]
    assert actions(client, actor="nadege") == []


EXPORT = {"reason": "asked by the auditor", "action": "canary."}


def exported(client: Desk, **fields: str) -> list[dict[str, str]]:
    answer = client.post(reverse("desk:audit_export"), EXPORT | fields)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_log_is_taken_out_with_its_place_in_the_chain(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    write("canary.do", reason="=1+1", before={"a": 1}, after={"a": 2})
    chain.seal()
    write("other.do")
    (row,) = exported(client)
    link = ChainLink.objects.get(entry__action="canary.do")
    assert (row["action"], row["position"], row["hash"]) == ("canary.do", str(link.position), link.hash)
    assert (row["reason"], row["after"]) == ("'=1+1", '{"a": 2}')
    made = ExportRecord.objects.get()
    assert (made.user, made.dataset, made.rows, made.reason) == (client.person, "audit", 1, EXPORT["reason"])
    assert made.filters == {"action": "canary."}
    assert AuditEntry.objects.filter(action="audit.export", actor=client.person).count() == 1


def test_the_log_is_taken_out_as_a_workbook_without_formulas(desk: Callable[..., Desk]) -> None:
    write("canary.do", reason="=1+1")
    answer = desk("super_admin").post(reverse("desk:audit_export"), EXPORT | {"format": "xlsx"})
    (sheet,) = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert "'=1+1" in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)


@pytest.mark.parametrize("role", ROLES)
def test_only_who_may_takes_the_log_out(desk: Callable[..., Desk], role: str) -> None:
    client = desk(role)
    answer = client.post(reverse("desk:audit_export"), EXPORT)
    allowed = "audit.export" in permissions_of(role)
    assert answer.status_code == (200 if allowed else 403)
    listing = client.get(LIST)
    assert (listing.status_code == 200 and b'id="export"' in listing.content) is allowed
    assert ExportRecord.objects.exists() is allowed


def test_taking_out_asks_for_the_factor_and_a_reason(desk: Callable[..., Desk]) -> None:
    old = desk("admin", factor_age=600)
    answer = old.post(reverse("desk:audit_export"), EXPORT)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    assert desk("admin").post(reverse("desk:audit_export"), {"reason": ""}).status_code == 400
    assert not ExportRecord.objects.exists()


def test_an_export_takes_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    write("canary.do", by=client.person)
    exported(client)
    short = count(lambda: exported(client))
    for _ in range(30):
        write("canary.do", by=accounts.staff("editor"))
    assert count(lambda: exported(client)) == short
