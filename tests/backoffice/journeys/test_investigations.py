"""Following a person and the money."""

from datetime import timedelta

import pytest
from django.db import transaction

from backoffice.accounts.models import SecurityEvent
from backoffice.audit import entries
from backoffice.commerce.services import purchases
from backoffice.core import clock
from backoffice.creators.services import creators as creator_services
from backoffice.finance.models import Payment, PayoutItem
from backoffice.finance.services import earnings, payout_accounts
from backoffice.finance.services import payouts as payout_service
from backoffice.journeys.queries import investigations
from backoffice.journeys.queries.investigations import CHAPTERS, Span, chapter_of, follow, journey
from integrations.stripe.fake.running import RunningFake
from tests.backoffice.finance.conftest import stripe  # noqa: F401  the fixture of the loopback provider
from tests.backoffice.finance.test_events import paid, take_all
from tests.factories import catalogue, creators, finance, sales, support
from tests.factories.accounts import member, staff
from tests.statements import count

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled(stripe: RunningFake) -> Payment:  # noqa: F811
    """A payment whose money has reached the creator's bank."""
    payment = paid(stripe)
    take_all(stripe)
    creator = payment.creator
    assert creator is not None
    creator_services.record_tax_form(creator=creator, status="submitted", by=None)
    payout_accounts.connect(creator=creator, by=creator.user, bank=finance.BANK)
    earnings.release_due(at=payment.earning.available_at)
    run = payout_service.execute(run=finance.approved(creator, 71_80))
    payout_service.send_item(item_id=run.items.get().pk, at=clock.now())
    stripe.run_scheduled()
    take_all(stripe)
    return Payment.objects.select_related("purchase__title", "creator").get(pk=payment.pk)


def kinds(text: str, *, people: bool = True) -> set[str]:
    return {found.kind for found in investigations.search(text, people=people)}


def test_a_payment_is_followed_from_the_checkout_page_to_the_bank_reference(settled: Payment) -> None:
    trace = investigations.of_payment(settled)
    said = [step.what for step in trace.steps]
    wanted = [
        "Checkout",
        "Call to the provider: Checkout page",
        "The customer paid",
        "Ledger: Sale",
        "The creator's part",
        "Available to the creator",
        "Put into a payout",
        "Ledger: Payout approved",
        "Payout sent",
        "Arrived at the bank",
    ]
    assert [what for what in wanted if what not in said] == []
    (item,) = trace.items
    arrived = next(step for step in trace.steps if step.what == "Arrived at the bank")
    assert (arrived.reference, arrived.amount_minor) == (item.bank_reference, item.net_minor)
    seconds = [step.at.replace(microsecond=0) for step in trace.steps]
    assert seconds == sorted(seconds)
    assert said[0] == "Checkout"


def test_a_payout_is_followed_back_to_the_payment_that_it_pays(settled: Payment) -> None:
    item = PayoutItem.objects.select_related("run", "account__method", "creator").get()
    trace = investigations.of_payout(item)
    assert [payment.pk for payment in trace.payments] == [settled.pk]
    assert "Checkout" in {step.what for step in trace.steps}


def test_every_reference_of_the_money_leads_to_it(settled: Payment) -> None:
    item = PayoutItem.objects.select_related("run").get()
    for text in (settled.reference, settled.reference.lower(), settled.provider_payment_id, str(settled.pk)):
        assert kinds(text, people=False) == {"payment"}, text
    for text in (item.run.reference, item.transfer_id, item.payout_id, item.bank_reference, str(item.pk)):
        assert kinds(text, people=False) == {"payout"}, text
    assert kinds(settled.purchase.reference) == {"person", "payment"}


def test_a_person_is_found_by_address_key_and_every_reference_of_theirs() -> None:
    person = member(email="nadege@example.com")
    creator = creators.creator(person)
    ticket = support.ticket(requester=person)
    for text in ("NADEGE@example.com", str(person.pk), f"U-{str(person.pk)[-8:]}", creator.reference, ticket.reference):
        found = investigations.search(text, people=True)
        assert {each.key for each in found} == {person.pk}, text


@pytest.mark.parametrize("text", ["", "nadege", "U-", "%", "PY-", "\x00", "-" * 400])
def test_parts_and_nonsense_find_nothing(text: str) -> None:
    member(email="nadege@example.com")
    assert investigations.search(text, people=True) == []


def test_without_the_right_to_people_only_money_is_found() -> None:
    person = member(email="nadege@example.com")
    assert investigations.search("nadege@example.com", people=False) == []
    assert investigations.search(str(person.pk), people=False) == []


def test_the_journey_has_sign_ins_uploads_purchases_tickets_and_sanctions_in_one_line() -> None:
    person = member()
    creator = creators.creator(person)
    catalogue.title(owner=creator)
    purchases.start(title=sales.published(), by=person)
    support.ticket(requester=person)
    creator_services.suspend(creator=creator, by=staff("ops_manager"), reason="spam")
    SecurityEvent.objects.create(user=person, kind=SecurityEvent.Kind.LOGIN_FAILED, ip="203.0.113.9")
    moments = journey(follow(person), Span(), most=200)
    assert {"sign_ins", "uploads", "purchases", "tickets", "sanctions", "account"} <= {each.chapter for each in moments}
    assert [each.order for each in moments] == sorted((each.order for each in moments), reverse=True)
    only = journey(follow(person), Span(chapters=frozenset({"sanctions", "tickets"})), most=200)
    assert {each.chapter for each in only} == {"sanctions", "tickets"}
    assert journey(follow(person), Span(first=clock.now() + timedelta(days=1)), most=200) == []


def test_every_chapter_filters_exactly_what_it_is_called() -> None:
    person = staff("admin")
    names = ["user.update", "title.create", "title.take_down", "payment.start", "ticket.open", "case.reject", "x.y"]
    names += ["application.submit", "payout_item.send", "staff.sign_in", "session.revoke"]
    with transaction.atomic():
        for name in names:
            entries.record(action=name, by=person)
    for chapter in CHAPTERS:
        found = journey(follow(person), Span(chapters=frozenset({chapter})), most=200)
        assert {m.entry.action for m in found if m.entry} >= {name for name in names if chapter_of(name) == chapter}
        assert {m.chapter for m in found} <= {chapter}


def test_a_journey_is_paged_without_losing_lines_of_the_same_moment() -> None:
    person, at = member(), clock.now()
    with transaction.atomic():
        for _ in range(7):
            entries.record(action="x.y", by=person, at=at)
    for _ in range(4):
        SecurityEvent.objects.create(user=person, kind=SecurityEvent.Kind.LOGIN_OK, at=at)
    followed, seen, after = follow(person), [], None
    while page := journey(followed, Span(), most=3, after=after):
        seen += page
        after = page[-1].order
    assert len({each.order for each in seen}) == len(seen) == 11


def test_another_persons_lines_are_not_in_it() -> None:
    person, other = member(), member()
    support.ticket(requester=other)
    assert {each.chapter for each in journey(follow(person), Span(), most=50)} <= {"account"}


def test_a_journey_and_a_trace_take_the_same_statements_however_long(settled: Payment) -> None:
    person = settled.user
    short = count(lambda: journey(follow(person), Span(), most=500))
    for _ in range(5):
        support.ticket(requester=person)
        purchases.start(title=sales.published(), by=person)
    assert count(lambda: journey(follow(person), Span(), most=500)) == short
    assert count(lambda: investigations.of_payment(settled)) <= 12


def test_whoever_has_more_than_is_followed_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(investigations, "FOLLOWED", 2)
    person = member()
    for _ in range(3):
        support.ticket(requester=person)
    followed = follow(person)
    assert followed.cut == ["tickets"]
    assert len(followed.keys["support.ticket"]) == 2
