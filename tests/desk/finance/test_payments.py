"""Payments, provider events and the ledger, as people read them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from backoffice.core import clock
from backoffice.finance.models import EventOutcome, Payment
from backoffice.finance.services import earnings, events
from backoffice.finance.states import EventStatus
from tests.desk.clients import Desk
from tests.factories import finance, sales
from tests.statements import count

LIST = "/admin/finance/payments/"
EVENTS = "/admin/finance/events/"
LEDGER = "/admin/finance/ledger/"


def sold(**fields: object) -> Payment:
    return sales.sale(at=clock.now() - timedelta(days=20), **fields)  # type: ignore[arg-type]


def failed_event(number: int = 1) -> EventOutcome:
    event = events.receive(
        provider="stripe",
        event_id=f"evt_{number}",
        type="checkout.session.completed",
        payload={
            "created": 1_700_000_000,
            "data": {"object": {"id": "cs_unknown", "customer_email": "canary@example.com"}},
        },
    )
    EventOutcome.objects.filter(event=event).update(status=EventStatus.FAILED, error="NotFound: no such payment")
    return EventOutcome.objects.get(event=event)


def test_a_payment_is_traced_from_the_customer_to_the_payout(desk: Callable[..., Desk]) -> None:
    creator = finance.payable()
    payment = sales.sale(sales.published(creator, price_minor=40_000), at=clock.now() - timedelta(days=30))
    earnings.release_due()
    run = finance.approved(creator, 20_000)
    page = desk("financial_admin").get(reverse("desk:payment", args=[payment.pk])).content.decode()
    for expected in (
        payment.provider_payment_id,
        "Posted to the ledger",
        "Available to the creator",
        run.reference,
    ):
        assert expected in page


def test_every_fee_says_its_rate_and_why_its_rule_was_chosen(desk: Callable[..., Desk]) -> None:
    answer = desk("financial_admin").get(reverse("desk:payment", args=[sold().pk]))
    components = {line.component for line in answer.context["lines"]}
    assert {"commission", "processing"} <= components
    page = answer.content.decode()
    assert "Why this cent" in page
    assert "default" in page


def test_the_parts_on_the_page_sum_to_the_price(desk: Callable[..., Desk]) -> None:
    payment = sold()
    context = desk("financial_admin").get(reverse("desk:payment", args=[payment.pk])).context
    assert sum(line.amount_minor for line in context["lines"]) + context["earning"].amount_minor == payment.amount_minor
    for shown in context["entries"]:
        held = sum(line.amount for line in shown.lines if line.account == "Money at a payment provider")
        assert sum(line.amount for line in shown.lines) == 2 * held


def test_support_sees_the_order_and_not_what_anybody_earns(desk: Callable[..., Desk]) -> None:
    payment = sold()
    client = desk("customer_support")
    answer = client.get(reverse("desk:payment", args=[payment.pk]))
    page = answer.content.decode()
    assert payment.reference in page
    assert "lines" not in answer.context
    assert "Why this cent" not in page
    assert payment.creator is not None
    assert payment.creator.stage_name not in page
    assert payment.creator.stage_name not in client.get(LIST).content.decode()
    assert client.get(EVENTS).status_code == 403
    assert client.get(LEDGER).status_code == 403


def test_the_customer_is_a_reference_on_money_screens(desk: Callable[..., Desk]) -> None:
    payment = sold()
    client = desk("financial_admin")
    for address in (LIST, reverse("desk:payment", args=[payment.pk])):
        assert payment.user.email not in client.get(address).content.decode()


def test_payments_are_found_by_any_reference_that_is_on_paper(desk: Callable[..., Desk]) -> None:
    payment = sold()
    sold()
    client = desk("financial_admin")
    for query in (payment.reference, payment.purchase.reference, payment.provider_payment_id):
        assert [found.pk for found in client.get(LIST, {"q": query}).context["page"].items] == [payment.pk]


def test_lists_take_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    sold()
    failed_event(1)
    addresses = (LIST, EVENTS, f"{LEDGER}creators/", f"{LEDGER}entries/", LEDGER)
    client.get(LIST)  # the first page of a session also writes the session down
    short = {address: count(lambda address=address: client.get(address)) for address in addresses}
    for number in range(2, 8):
        sold()
        failed_event(number)
    assert {address: count(lambda address=address: client.get(address)) for address in addresses} == short


def test_the_trial_balance_sums_to_zero_and_says_so(desk: Callable[..., Desk]) -> None:
    sold()
    answer = desk("ops_manager").get(LEDGER)
    assert [(row["code"], row["total"]) for row in answer.context["currencies"]] == [("USD", 0)]
    assert "sums to zero" in answer.content.decode()


def test_the_creators_of_the_ledger_show_what_each_has(desk: Callable[..., Desk]) -> None:
    creator = finance.payable(50_000)
    finance.requested(creator, 20_000)
    [(found, [balance])] = desk("financial_admin").get(f"{LEDGER}creators/", {"q": creator.reference}).context["rows"]
    assert (found.pk, balance.available, balance.reserved) == (creator.pk, 50_000, 20_000)


@pytest.mark.parametrize("query", ["#1", "999999999999999999999999", "' OR 1=1", "PY-NOTHING"])
def test_nonsense_in_the_search_of_entries_is_no_error(desk: Callable[..., Desk], query: str) -> None:
    sold()
    assert desk("financial_admin").get(f"{LEDGER}entries/", {"q": query}).status_code == 200


def test_a_failed_event_comes_first_and_is_replayed(desk: Callable[..., Desk]) -> None:
    outcome, client = failed_event(), desk("financial_admin")
    page = client.get(EVENTS)
    assert page.context["tab"] == "failed"
    assert "no such payment" in page.content.decode()
    client.post(reverse("desk:event_replay", args=[outcome.pk]))
    outcome.refresh_from_db()
    assert outcome.status == EventStatus.VERIFIED
    again = client.post(reverse("desk:event_replay", args=[outcome.pk]), follow=True)
    assert "is not possible here" in again.content.decode()


def test_what_the_provider_wrote_is_for_those_who_decide_on_payments(desk: Callable[..., Desk]) -> None:
    outcome = failed_event()
    address = reverse("desk:event", args=[outcome.pk])
    assert "canary@example.com" in desk("financial_admin").get(address).content.decode()
    watcher = desk("ops_manager")
    assert "canary@example.com" not in watcher.get(address).content.decode()
    assert watcher.post(reverse("desk:event_replay", args=[outcome.pk])).status_code == 403


def test_failed_events_and_dead_jobs_are_counted_on_the_health_page(desk: Callable[..., Desk]) -> None:
    failed_event()
    answer = desk("admin").get(reverse("desk:health"))
    assert answer.context["failed_events"] == 1


def test_money_that_could_not_be_booked_is_counted_explained_and_looked_at_again(
    desk: Callable[..., Desk], settings: Any
) -> None:
    settings.STRIPE_API_KEY = ""
    payment = sold()
    Payment.objects.filter(pk=payment.pk).update(
        status="needs_human", sale_entry=None, provider="stripe", problem="There is no exchange rate."
    )
    address = reverse("desk:payment", args=[payment.pk])
    again = reverse("desk:payment_look_again", args=[payment.pk])
    client = desk("financial_admin")
    assert client.get(LIST).context["needing"] == 1
    page = client.get(address).content.decode()
    assert "There is no exchange rate." in page
    assert "is not in the ledger" in page
    assert again in page
    # No provider is set up here: the person is told, and nothing changes.
    assert "Payments are not set up" in client.post(again, follow=True).content.decode()
    payment.refresh_from_db()
    assert payment.status == "needs_human"
    assert again not in desk("ops_manager").get(address).content.decode()
    assert desk("ops_manager").post(again).status_code == 403


def test_a_payment_that_failed_asks_for_nobody(desk: Callable[..., Desk]) -> None:
    payment = sold()
    Payment.objects.filter(pk=payment.pk).update(status="failed", sale_entry=None, problem="expired")
    page = desk("financial_admin").get(reverse("desk:payment", args=[payment.pk])).content.decode()
    assert "expired" in page
    assert "Needs a person." not in page


def test_an_entry_shows_each_account_as_its_reader_expects(desk: Callable[..., Desk]) -> None:
    payment = sold()
    (sale,) = [
        shown
        for shown in desk("financial_admin").get(reverse("desk:payment", args=[payment.pk])).context["entries"]
        if shown.entry.kind == "sale"
    ]
    # The provider holds what the customer paid; the same sign as in the trial balance.
    assert payment.amount_minor in [line.amount for line in sale.lines]
    assert all(line.amount > 0 for line in sale.lines)
