"""My work: the first page of every role."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse

from backoffice.accounts.roles import ROLES
from backoffice.core import clock
from backoffice.desk.work.queues import outcome_in_words
from backoffice.queues.services import items
from tests.desk.clients import Desk
from tests.factories import accounts
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
