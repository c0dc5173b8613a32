"""Refunds at the desk: asked for on a payment or from a ticket, approved by another person, followed to their end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from backoffice.approvals.services import requests
from backoffice.core import clock, jobs
from backoffice.finance.models import Attempt, Payment, RefundRequest
from backoffice.finance.services import refunds
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.support.models import Ticket
from backoffice.support.services import tickets
from integrations.stripe.fake.running import RunningFake, running_fake
from tests.desk.clients import Desk, seat
from tests.factories import refunds as made
from tests.factories import sales
from tests.factories.accounts import member
from tests.statements import count

LIST = "/admin/finance/refunds/"


@pytest.fixture
def stripe(settings: Any) -> Iterator[RunningFake]:
    with running_fake() as running:
        settings.STRIPE_API_KEY = running.api_key
        settings.STRIPE_BASE_URL = running.url
        running.topup(10_000_000, "usd")
        yield running


def page_of(payment: Payment) -> str:
    return reverse("desk:payment", args=[payment.pk])


def ask(client: Desk, payment: Payment, **fields: Any) -> Any:
    typed = {"amount": "12.50", "reason": "duplicate", "note": "", "ticket": "", **fields}
    return client.post(reverse("desk:refund_propose", args=[payment.pk]), typed)


def detail(request: RefundRequest) -> str:
    return reverse("desk:refund", args=[request.pk])


def ticket_about(payment: Payment, kind: str = "purchase") -> Ticket:
    subject = payment.purchase_id if kind == "purchase" else payment.pk
    return tickets.open(
        requester=payment.user,
        by=payment.user,
        issue_type="payment",
        subject="Paid twice",
        body="I paid twice.",
        about=[(kind, subject)],
    )


def test_finance_refunds_a_small_part_alone(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    payment, client = made.paid(stripe), desk("financial_admin")
    shown = client.get(page_of(payment)).content.decode()
    assert 'value="100.00"' in shown
    assert "is the share of" in shown
    answer = ask(client, payment, amount=" 12,50 ")
    request = RefundRequest.objects.get()
    assert answer.url == detail(request)
    assert (request.amount_minor, request.status) == (12_50, "approved")
    jobs.run_due(kinds=["finance.send_refund"])
    shown = client.get(detail(request)).content.decode()
    for expected in (
        "$12.50",
        "Refunded",
        request.reference,
        "nobody else had to approve it",
        "Refund to the customer",
    ):
        assert expected in shown
    assert "Ledger entries" in shown
    assert request.reference in client.get(page_of(payment)).content.decode()


def test_before_finance_asks_a_fresh_factor_is_asked_for_and_support_is_not_bothered(
    db: None, stripe: RunningFake
) -> None:
    payment = made.paid(stripe)
    stale = seat("financial_admin", factor_age=600)
    assert ask(stale, payment).status_code == 302
    assert not RefundRequest.objects.exists()
    assert ask(seat("customer_support", factor_age=600), payment).status_code == 302
    assert RefundRequest.objects.get().status == "requested"


def test_support_proposes_and_sees_no_earnings(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    payment, client = made.paid(stripe), desk("customer_support")
    assert payment.creator is not None
    shown = client.get(page_of(payment)).content.decode()
    assert "Propose a refund" in shown
    ask(client, payment, amount="100", reason="not_playable", note="Stops after a minute.")
    request = RefundRequest.objects.get()
    for page in (shown, client.get(detail(request)).content.decode(), client.get(LIST).content.decode()):
        assert payment.creator.stage_name not in page
        assert "share of" not in page
    shown = client.get(detail(request)).content.decode()
    assert "Stops after a minute." in shown
    assert "Calls to the provider" not in shown
    assert reverse("desk:approval_approve", args=[request.approval_id]) not in shown
    assert reverse("desk:approval_withdraw", args=[request.approval_id]) in shown
    # A colleague follows it, and is led to no page that they may not open.
    colleague = desk("customer_support")
    seen = colleague.get(detail(request)).content.decode()
    assert request.reference in seen
    assert "/admin/work/approvals/0" not in seen


def test_finance_approves_what_support_proposed(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    request = made.asked(made.paid(stripe), 60_00)
    client = desk("financial_admin")
    listed = client.get(LIST)
    assert [row.pk for row in listed.context["page"].items] == [request.pk]
    assert "share of" in client.get(detail(request)).content.decode()
    answer: Any = client.post(
        reverse("desk:approval_approve", args=[request.approval_id]), {"revision": "1", "next": detail(request)}
    )
    assert answer.url == detail(request)
    jobs.run_due(kinds=["finance.send_refund"])
    request.refresh_from_db()
    assert request.status == "succeeded"
    assert str(client.person) in client.get(detail(request)).content.decode()


def test_an_approval_without_a_fresh_factor_asks_for_it(db: None, stripe: RunningFake) -> None:
    request = made.asked(made.paid(stripe), 60_00)
    seat("financial_admin", factor_age=600).post(
        reverse("desk:approval_approve", args=[request.approval_id]), {"revision": "1"}
    )
    request.refresh_from_db()
    assert request.status == "requested"


def test_a_rejection_has_a_reason_that_is_shown(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    request = made.asked(made.paid(stripe), 60_00)
    client = desk("financial_admin")
    address = reverse("desk:approval_reject", args=[request.approval_id])
    client.post(address, {"reason": " ", "next": detail(request)})
    request.refresh_from_db()
    assert request.status == "requested"
    client.post(address, {"reason": "Watched to the end.", "next": detail(request)})
    assert "Watched to the end." in client.get(detail(request)).content.decode()


def test_whoever_asked_or_bought_reads_why_somebody_else_has_to_decide(
    desk: Callable[..., Desk], stripe: RunningFake
) -> None:
    maker, buyer = desk("financial_admin"), desk("financial_admin")
    mine = made.asked(made.paid(stripe, 300_00), 300_00, by=maker.person)
    assert "You asked for this" in maker.get(detail(mine)).content.decode()
    bought = made.asked(made.paid(stripe, buyer=buyer.person), 5_00)
    shown = buyer.get(detail(bought)).content.decode()
    assert "You bought this yourself" in shown
    assert reverse("desk:approval_approve", args=[bought.approval_id]) not in shown


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"amount": "abc"}, "amount", "is not an amount"),
        ({"amount": "1.005"}, "amount", "decimals"),
        ({"amount": "0"}, "amount", "more than zero"),
        ({"amount": "100.01"}, "amount", "At most $100.00"),
        ({"reason": ""}, "reason", "Choose a reason."),
        ({"reason": "other"}, "note", "Say in a sentence"),
        ({"ticket": "TK-NOTHING"}, "ticket", "no such ticket"),
    ],
)
def test_errors_stand_beside_their_field_and_nothing_typed_is_lost(
    desk: Callable[..., Desk], stripe: RunningFake, fields: dict[str, str], field: str, sentence: str
) -> None:
    payment, client = made.paid(stripe), desk("financial_admin")
    answer = ask(client, payment, **{"note": "" if field == "note" else "kept words", **fields})
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert answer.context["refund_form"]["error"].field == field
    assert sentence in shown
    assert "data-open" in shown
    for typed in fields.values():
        assert typed in shown
    if field != "note":
        assert "kept words" in shown
    assert not RefundRequest.objects.exists()


def test_where_nothing_can_be_refunded_there_is_no_button(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    payment, client = made.paid(stripe), desk("financial_admin")
    made.asked(payment, 100_00)
    assert client.get(page_of(payment)).context["refund_form"] is None
    assert ask(client, payment).status_code == 400
    waiting = sales.sale(at=clock.now())
    Payment.objects.filter(pk=waiting.pk).update(status="disputed")
    assert client.get(page_of(waiting)).context["refund_form"] is None
    answer = ask(client, waiting)
    assert answer.status_code == 409
    assert "cannot be refunded" in answer.content.decode()


@pytest.mark.parametrize("role", ["ops_manager", "analyst", "editor", "content_moderator", "verification_reviewer"])
def test_others_do_not_ask(desk: Callable[..., Desk], stripe: RunningFake, role: str) -> None:
    payment, client = made.paid(stripe), desk(role)
    assert ask(client, payment).status_code == 403
    request = made.asked(payment, 1_00)
    allowed = 200 if role == "ops_manager" else 403
    assert client.get(LIST).status_code == client.get(detail(request)).status_code == allowed
    for name in ("refund_resume", "refund_give_up"):
        assert client.post(reverse(f"desk:{name}", args=[request.pk]), {"reason": "x"}).status_code == 403


@pytest.mark.parametrize("kind", ["purchase", "payment"])
def test_a_ticket_about_a_payment_leads_to_its_refund(
    desk: Callable[..., Desk], stripe: RunningFake, kind: str
) -> None:
    payment, client = made.paid(stripe), desk("customer_support")
    ticket = ticket_about(payment, kind)
    shown = client.get(reverse("desk:ticket", args=[ticket.pk])).content.decode()
    way = f"{page_of(payment)}?ticket={ticket.reference}"
    assert way in shown
    opened = client.get(way)
    assert opened.context["refund_form"]["is_open"]
    assert ticket.reference in opened.content.decode()
    ask(client, payment, amount="100", ticket=ticket.reference.lower())
    request = RefundRequest.objects.get()
    assert request.ticket == ticket.reference
    shown = client.get(reverse("desk:ticket", args=[ticket.pk])).content.decode()
    assert request.reference in shown
    assert way not in shown


def test_a_ticket_of_another_customer_is_no_reason(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    person = member()
    other = tickets.open(requester=person, by=person, issue_type="payment", subject="Mine", body="Mine.")
    answer = ask(desk("customer_support"), payment, ticket=other.reference)
    assert answer.context["refund_form"]["error"].field == "ticket"
    page = desk("customer_support").get(reverse("desk:ticket", args=[other.pk])).content.decode()
    assert "Propose a refund" not in page


def test_the_list_takes_the_same_statements_however_long_and_is_searched_by_reference(
    desk: Callable[..., Desk], stripe: RunningFake
) -> None:
    client, payment = desk("financial_admin"), made.paid(stripe)
    request = made.asked(payment, 1_00)
    client.get(LIST)
    addresses = [f"{LIST}?tab={tab}" for tab in ("waiting", "all", "attention")]
    short = {address: count(lambda address=address: client.get(address)) for address in addresses}
    for _turn in range(4):
        made.asked(made.paid(stripe), 1_00)
    assert {address: count(lambda address=address: client.get(address)) for address in addresses} == short
    for query in (request.reference, payment.reference, payment.purchase.reference):
        assert [row.pk for row in client.get(LIST, {"q": query}).context["page"].items] == [request.pk]
    assert client.get(LIST, {"tab": "nothing", "after": "???"}).status_code == 200
    assert "Nothing matches" in client.get(LIST, {"q": "RF-NONE"}).content.decode()


def test_the_page_of_a_refund_takes_a_fixed_number_of_statements(
    desk: Callable[..., Desk], stripe: RunningFake
) -> None:
    client, payment = desk("financial_admin"), made.paid(stripe, 300_00)
    first = made.asked(payment, 1_00)
    client.get(detail(first))
    one = count(lambda: client.get(detail(first)))
    for _turn in range(4):
        made.asked(payment, 1_00)
    assert count(lambda: client.get(detail(first))) == one


def test_what_needs_a_person_is_counted_explained_and_gone_on_with(
    desk: Callable[..., Desk], stripe: RunningFake
) -> None:
    client = desk("financial_admin")
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault("reset_before", path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    assert "asked again by itself" in client.get(detail(request)).content.decode()
    Attempt.objects.update(first_sent_at=clock.now() - timedelta(hours=24))
    refunds.send(request_id=request.pk)
    listed = client.get(LIST, {"tab": "attention"})
    assert [row.pk for row in listed.context["page"].items] == [request.pk]
    shown = client.get(detail(request)).content.decode()
    assert "Finance looks at the provider" in shown
    client.post(reverse("desk:refund_give_up", args=[request.pk]), {"reason": ""})
    request.refresh_from_db()
    assert request.status == "needs_human"
    client.post(reverse("desk:refund_resume", args=[request.pk]), {"reason": "none there", "is_absent": "on"})
    jobs.run_due(kinds=["finance.send_refund"])
    request.refresh_from_db()
    assert request.status == "succeeded"


def test_a_refund_that_came_back_says_where_the_money_is(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    client, payment = desk("financial_admin"), made.paid(stripe, card=made.FAILING)
    request = refunds.send(request_id=made.approved(payment, 60_00).pk)
    stripe.run_scheduled()
    made.tell(stripe)
    shown = client.get(detail(request)).content.decode()
    assert "lies with the provider again" in shown
    assert "Came back from the customer" in client.get(page_of(payment)).content.decode()
    assert client.get(page_of(payment)).context["refund_form"] is not None


def test_what_waits_is_counted_beside_the_menu(desk: Callable[..., Desk], stripe: RunningFake) -> None:
    made.asked(made.paid(stripe), 1_00)
    gone = made.asked(made.paid(stripe), 1_00)
    requests.withdraw(request=made.approval_of(gone), by=gone.requested_by)
    page = desk("financial_admin").get(LIST)
    rows = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
    (row,) = [item for item in rows if item["link"] == LIST]
    assert row["badge"] == 1
