"""My work: the first page of every role."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse

from backoffice.accounts.roles import ROLES
from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.core import clock
from backoffice.desk.work.queues import outcome_in_words
from backoffice.queues.services import items
from tests.desk.clients import Desk
from tests.factories import accounts, finance
from tests.statements import count


def waiting(number: int = 1, **fields: object) -> None:
    for _ in range(number):
        items.enqueue(queue="tickets", subject=accounts.member(), label="TK-7K2M9Q", **fields)  # type: ignore[arg-type]


def test_the_admin_s_first_page_is_my_work(desk: Callable[..., Desk]) -> None:
    assert desk("editor").get("/admin/")["Location"] == reverse("desk:work")


@pytest.mark.parametrize("role", list(ROLES))
def test_every_role_finds_something_on_it(desk: Callable[..., Desk], role: str) -> None:
    answer = desk(role).get(reverse("desk:work"))
    assert answer.context["queues"] or answer.context["places"]


def test_someone_without_a_role_is_told_whom_to_ask(desk: Callable[..., Desk]) -> None:
    assert "Ask a super admin" in desk().get(reverse("desk:work")).content.decode()


def test_counts_and_the_way_to_the_next_item(desk: Callable[..., Desk]) -> None:
    waiting(2)
    waiting(1, due_at=clock.now() - timedelta(minutes=1))
    client = desk("customer_support")
    page = client.get(reverse("desk:work"))
    tickets = next(row for row in page.context["queues"] if row["desk"].code == "tickets")
    assert (tickets["counts"]["open"], tickets["counts"]["overdue"]) == (3, 1)
    assert f'action="{reverse("desk:ticket_next")}"' in page.content.decode()


def test_who_only_watches_a_queue_is_not_offered_its_next_item(desk: Callable[..., Desk]) -> None:
    waiting()
    page = desk("financial_admin").get(reverse("desk:work")).content.decode()
    assert f'action="{reverse("desk:ticket_next")}"' not in page


def test_what_i_hold_is_there_with_its_due_time(desk: Callable[..., Desk]) -> None:
    client = desk("customer_support")
    waiting(due_at=clock.now() + timedelta(minutes=30))
    items.claim_next(queues=["tickets"], by=client.person)
    answer = client.get(reverse("desk:work"))
    assert [row.item.label for row in answer.context["held"]] == ["TK-7K2M9Q"]
    assert answer.context["mine_soon"] == 1


def test_what_somebody_else_holds_is_not_mine(desk: Callable[..., Desk]) -> None:
    waiting()
    items.claim_next(queues=["tickets"], by=accounts.staff("customer_support"))
    assert desk("customer_support").get(reverse("desk:work")).context["held"] == []


def test_it_takes_the_same_statements_whatever_waits(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    page = reverse("desk:work")
    client.get(page)
    idle = count(lambda: client.get(page))
    waiting(12)
    for _ in range(8):
        items.claim_next(queues=["tickets"], by=client.person)
    assert count(lambda: client.get(page)) == idle


def test_whatever_i_may_approve_is_there_the_oldest_first(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, permission in (("raise", "fees.approve"), ("hire", "staff.decide")):
        kind = kinds.Kind(code, code.title(), permission, (), apply=lambda request, *, by, at: None)
        monkeypatch.setitem(kinds.KINDS, code, kind)
    client, maker = desk("financial_admin"), accounts.staff("financial_admin")
    for code in ("raise", "hire"):
        requests.open(kind=code, by=maker, label=f"{code} it", payload={}, reason="Needed")
    price = {"amount_minor": 12_00, "currency": "USD"}
    requests.open(kind="raise", by=maker, label="raise it by 12", payload=price, reason="Needed")
    requests.open(kind="raise", by=client.person, label="my own", payload={}, reason="Needed")
    run = finance.requested(finance.payable(50_000), 20_000)
    page = client.get(reverse("desk:work"))
    asked, second = ApprovalRequest.objects.filter(label__startswith="raise it").order_by("id")
    rows = [(row.label, row.what, row.link, row.amount) for row in page.context["waiting"]]
    assert rows == [
        ("raise it", "Raise", reverse("desk:approval_detail", args=[asked.pk]), ""),
        ("raise it by 12", "Raise", reverse("desk:approval_detail", args=[second.pk]), "$12.00"),
        (run.reference, "Payout", reverse("desk:payout", args=[run.pk]), "$199.25"),
    ]
    # The key of the payout desk opens a payout, not whatever has waited longest.
    assert f'href="{reverse("desk:payout", args=[run.pk])}" data-key="p"' in page.content.decode()
    assert desk("customer_support").get(reverse("desk:work")).context["waiting"] is None


def test_approvals_take_the_same_statements_however_many_wait(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds.Kind("raise", "Raise", "fees.approve", (), apply=lambda request, *, by, at: None)
    monkeypatch.setitem(kinds.KINDS, "raise", kind)
    client, page = desk("financial_admin"), reverse("desk:work")
    client.get(page)
    idle = count(lambda: client.get(page))
    for number in range(6):
        requests.open(kind="raise", by=accounts.staff("admin"), label=f"{number}", payload={}, reason="Needed")
        finance.requested(finance.payable(50_000), 20_000)
    assert len(client.get(page).context["waiting"]) == 12
    assert count(lambda: client.get(page)) == idle


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("approve", "Approved"),
        ("rejected: document", "Rejected: Document unreadable, altered or out of date"),
        ("", ""),
        ("of another day", "of another day"),
    ],
)
def test_a_decision_is_told_in_words(kept: str, words: str) -> None:
    assert outcome_in_words(kept) == words
