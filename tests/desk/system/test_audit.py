"""The audit screen: search, differences, and each role's own part."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from backoffice.audit import entries
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
    assert f"?object={client.person.pk}" in client.get(reverse("desk:audit_list")).content.decode()
