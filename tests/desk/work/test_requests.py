"""The page where one person's request meets another person's decision."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.core.errors import Conflict
from backoffice.desk.work.requests import MAY
from tests.desk.clients import Desk
from tests.factories import accounts
from tests.statements import count

LIST = "/admin/work/approvals/"
Seat = Callable[..., Desk]


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that finance decides; it refuses what is called impossible."""

    def apply(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
        if request.payload.get("value") == "impossible":
            raise Conflict("The month is closed.")

    for code in ("plain", "other"):
        kind = kinds.Kind(
            code=code, label=f"A {code} thing", permission="fees.approve", asker_permission=("fees.edit",), apply=apply
        )
        monkeypatch.setitem(kinds.KINDS, code, kind)


def asked(by: User, **fields: Any) -> ApprovalRequest:
    given: dict[str, Any] = {"label": "Raise <b>it</b>", "payload": {"value": "22.5 %"}, **fields}
    return requests.open(kind="plain", by=by, before={"value": "20 %"}, reason="Board decision", **given)


def page_of(request: ApprovalRequest, name: str = "detail") -> str:
    return reverse(f"desk:approval_{name}", args=[request.pk])


def shown(client: Desk, **query: str) -> list[ApprovalRequest]:
    return [row for row, _label in client.get(LIST, query).context["rows"]]


@pytest.mark.parametrize("role", ROLES)
def test_the_list_is_for_who_asks_or_decides(desk: Seat, role: str) -> None:
    allowed = bool(set(MAY) & set(permissions_of(role)))
    assert desk(role).get(LIST).status_code == (200 if allowed else 403)


def test_each_tab_shows_its_own(desk: Seat) -> None:
    client = desk("financial_admin")
    other = accounts.staff("financial_admin")
    mine, theirs, over = asked(client.person), asked(other), asked(other)
    requests.withdraw(request=over, by=other)
    assert shown(client) == [theirs]
    assert shown(client, tab="asked") == [mine]
    assert shown(client, tab="open") == [theirs, mine]
    assert shown(client, tab="over") == [over]
    assert shown(client, q=mine.reference.lower()) == [mine]
    assert shown(client, tab="open", kind="plain") == [theirs, mine]
    assert shown(client, tab="open", kind="other") == []


def test_the_request_is_read_line_by_line_and_escaped(desk: Seat) -> None:
    page = desk("financial_admin").get(page_of(asked(accounts.staff("financial_admin")))).content.decode()
    for text in ("20 %", "22.5 %", "Board decision", "Raise &lt;b&gt;it&lt;/b&gt;"):
        assert text in page


def test_another_persons_yes_applies_it(desk: Seat) -> None:
    client = desk("financial_admin")
    request = asked(accounts.staff("financial_admin"))
    answer = client.post(page_of(request, "approve"), {"revision": "1"}, follow=True)
    request.refresh_from_db()
    assert (request.status, request.decided_by) == (Status.APPLIED, client.person)
    assert "Your approval is recorded." in answer.content.decode()


def test_the_yes_needs_a_fresh_factor(desk: Seat) -> None:
    client = desk("financial_admin", factor_age=600)
    request = asked(accounts.staff("financial_admin"))
    answer = client.post(page_of(request, "approve"), {"revision": "1"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    request.refresh_from_db()
    assert request.status == Status.PENDING


def test_the_requester_is_offered_to_withdraw_and_refused_to_approve(desk: Seat) -> None:
    client = desk("financial_admin")
    request = asked(client.person)
    page = client.get(page_of(request)).content.decode()
    assert page_of(request, "approve") not in page
    assert page_of(request, "withdraw") in page
    client.post(page_of(request, "approve"), {"revision": "1"})
    request.refresh_from_db()
    assert request.status == Status.PENDING
    client.post(page_of(request, "withdraw"), {"reason": "Wrong month"})
    request.refresh_from_db()
    assert (request.status, request.decision_reason) == (Status.WITHDRAWN, "Wrong month")


@pytest.mark.parametrize("seen", ["0", "2", "", "one", "²", "9" * 40])
def test_what_was_changed_after_it_was_seen_is_not_approved(desk: Seat, seen: str) -> None:
    client = desk("financial_admin")
    request = asked(accounts.staff("financial_admin"))
    answer = client.post(page_of(request, "approve"), {"revision": seen}, follow=True)
    request.refresh_from_db()
    assert request.status == Status.PENDING
    assert "changed since you opened it" in answer.content.decode()


def test_a_no_needs_its_reason(desk: Seat) -> None:
    client = desk("financial_admin")
    request = asked(accounts.staff("financial_admin"))
    answer = client.post(page_of(request, "reject"), {"reason": " "}, follow=True)
    assert "Say why it is rejected." in answer.content.decode()
    client.post(page_of(request, "reject"), {"reason": "Too high"})
    request.refresh_from_db()
    assert (request.status, request.decision_reason) == (Status.REJECTED, "Too high")


def test_what_cannot_be_carried_out_says_so(desk: Seat) -> None:
    client = desk("financial_admin")
    request = asked(accounts.staff("financial_admin"), payload={"value": "impossible"})
    answer = client.post(page_of(request, "approve"), {"revision": "1"}, follow=True)
    assert answer.content.decode().count("The month is closed.") >= 2
    request.refresh_from_db()
    assert request.status == Status.FAILED


def test_who_has_nothing_to_do_with_it_finds_nothing(desk: Seat) -> None:
    request, stranger = asked(accounts.staff("financial_admin")), desk("customer_support")
    for name in ("detail", "approve", "reject", "withdraw"):
        address = page_of(request, name)
        answer = stranger.get(address) if name == "detail" else stranger.post(address, {"revision": "1"})
        assert answer.status_code == 404, name


def test_it_goes_back_to_a_page_of_ours_only(desk: Seat) -> None:
    client = desk("financial_admin")
    for back, goes in (("/admin/finance/fees/", True), ("https://evil.example/", False), ("//evil.example", False)):
        request = asked(accounts.staff("financial_admin"))
        answer = client.post(page_of(request, "approve"), {"revision": "1", "next": back})
        assert (answer["Location"] == back) is goes


def test_the_list_takes_the_same_statements_however_long(desk: Seat) -> None:
    client, maker = desk("financial_admin"), accounts.staff("financial_admin")
    asked(maker)
    client.get(LIST)
    short = count(lambda: client.get(LIST))
    for _ in range(20):
        asked(maker)
    assert count(lambda: client.get(LIST)) == short
