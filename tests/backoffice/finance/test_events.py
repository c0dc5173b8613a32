"""What the provider tells: stored once, applied in any order and number to one state."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from backoffice.commerce.services import purchases
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden
from backoffice.core.models import Job
from backoffice.core.states import IllegalTransition, advance
from backoffice.creators.models import Creator
from backoffice.finance.models import Attempt, Entry, EventOutcome, Payment, PaymentEvent, PayoutItem, Refund
from backoffice.finance.queries import balances
from backoffice.finance.services import events, fx, payments, payouts, providers, verification
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import EVENT
from integrations.stripe.fake.running import RunningFake
from integrations.stripe.types import Event
from integrations.stripe.webhooks import verify
from tests.factories import finance, sales
from tests.factories.accounts import member, staff
from tests.machines import forbidden

URLS = {"success_url": "https://shop.example/done", "cancel_url": "https://shop.example/back"}


def take(raw: dict[str, Any]) -> PaymentEvent:
    """Stores an event as the webhook does."""
    return events.receive(
        provider="stripe",
        event_id=raw["id"],
        type=raw["type"],
        payload=raw,
        account=raw.get("account") or "",
    )


def take_all(stripe: RunningFake, *, order: int | None = None, times: int = 1) -> None:
    """Applies everything the provider has told so far, shuffled by the seed."""
    waiting = stripe.events() * times
    if order is not None:
        random.Random(order).shuffle(waiting)
    for raw in waiting:
        events.apply(event=take(raw))


def paid(stripe: RunningFake, price: int = 100_00) -> Payment:
    """A checkout page that the customer has paid; nothing told yet."""
    purchase = purchases.start(title=sales.published(price_minor=price), by=member())
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    stripe.pay(payment.provider_session_id)
    stripe.run_scheduled()
    return payment


def outcomes() -> dict[str, str]:
    return dict(EventOutcome.objects.values_list("event__type", "status"))


def test_a_signed_event_is_what_the_webhook_stores(db: None, stripe: RunningFake) -> None:
    paid(stripe)
    body, header = stripe.signed(stripe.events("checkout.session.completed")[0]["id"])
    event: Event = verify(body, header, stripe.webhook_secret, now=stripe.engine.now(), livemode=False)
    stored = events.receive(provider="stripe", event_id=event.id, type=event.type, payload=event.payload)
    assert stored.payload["data"]["object"]["payment_status"] == "paid"


def test_the_same_event_is_stored_once_and_asks_for_one_job(db: None) -> None:
    raw = {"id": "evt_1", "type": "nothing.known", "created": 1, "data": {"object": {"id": "x"}}}
    first, again = take(raw), take(raw)
    assert first.pk == again.pk
    assert Job.objects.filter(kind="finance.apply_event").count() == 1


def test_a_paid_page_captures_the_payment(db: None, stripe: RunningFake) -> None:
    payment = paid(stripe)
    take_all(stripe)
    payment.refresh_from_db()
    assert payment.status == "captured"
    assert outcomes()["checkout.session.completed"] == "applied"
    assert verification.run() == []
    # The provider's fee of 2.9 % + 0.30 has left the clearing account too.
    clearing = next(line for line in balances.trial_balance() if line.provider == "stripe")
    assert clearing.shown == 96_80


def test_the_job_applies_the_event(db: None, stripe: RunningFake) -> None:
    payment = paid(stripe)
    for raw in stripe.events():
        take(raw)
    jobs.run_due(kinds=["finance.apply_event"])
    payment.refresh_from_db()
    assert payment.status == "captured"


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_number_of_events_ends_in_one_state(db: None, stripe: RunningFake, seed: int) -> None:
    payment = paid(stripe)
    intent = stripe.events("checkout.session.completed")[0]["data"]["object"]["payment_intent"]
    client = providers.stripe()
    for number, amount in enumerate((30_00, 70_00)):
        client.create_refund(
            payment_intent=intent, amount=amount, attempt_id=f"a{number}", idempotency_key=f"r{number}"
        )
    take_all(stripe, order=seed, times=2)
    payment.refresh_from_db()
    payment.purchase.refresh_from_db()
    assert (payment.status, payment.refunded_minor, payment.purchase.status) == ("refunded", 100_00, "refunded")
    assert "failed" not in outcomes().values()
    assert balances.for_creator(payment.creator)[0].pending == 0
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 100_00
    assert verification.run() == []


def test_an_expired_page_fails_the_payment_but_a_paid_one_stays_paid(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(), by=member())
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    providers.stripe().expire_checkout_session(payment.provider_session_id)
    take_all(stripe)
    payment.refresh_from_db()
    assert payment.status == "failed"
    assert not Entry.objects.exists()
    again = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k2", **URLS)
    stripe.pay(again.provider_session_id)
    session = stripe.events("checkout.session.completed")[0]["data"]["object"]
    stale = stripe.emit("checkout.session.expired", session)
    events.apply(event=take(stale))
    take_all(stripe)
    again.refresh_from_db()
    assert again.status == "captured"


def test_a_page_opened_just_before_a_crash_is_found_by_its_event(db: None, stripe: RunningFake) -> None:
    payment = paid(stripe)
    Payment.objects.filter(pk=payment.pk).update(provider_session_id="", checkout_url="")
    take_all(stripe)
    payment.refresh_from_db()
    assert (payment.status, payment.provider_session_id.startswith("cs_")) == ("captured", True)


def test_unknown_kinds_and_foreign_objects_are_stored_and_ignored(db: None, stripe: RunningFake) -> None:
    for raw in (
        {"id": "evt_1", "type": "customer.created", "created": 1, "data": {"object": {"id": "cus_1"}}},
        {"id": "evt_2", "type": "payout.paid", "created": 1, "account": "acct_x", "data": {"object": {"id": "po_x"}}},
        {"id": "evt_3", "type": "checkout.session.completed", "created": 1, "data": {"object": {"id": "cs_x"}}},
        {"id": "evt_4", "type": "transfer.created", "created": 1, "data": {"object": {"id": "tr_x"}}},
    ):
        outcome = events.apply(event=take(raw))
        assert outcome.status in ("ignored", "failed"), raw["type"]
    assert set(outcomes()) == {"customer.created", "payout.paid", "checkout.session.completed", "transfer.created"}


def test_while_the_provider_is_silent_the_event_waits_and_the_last_try_fails_it(db: None, stripe: RunningFake) -> None:
    paid(stripe)
    event = take(stripe.events("payment_intent.succeeded")[0])
    stripe.fault("error_before", 2, method="GET")
    with pytest.raises(ProviderUnavailable):
        events.apply(event=event)
    assert EventOutcome.objects.get(event=event).status == "verified"
    assert events.apply(event=event, is_last_try=True).status == "failed"
    assert EventOutcome.objects.get(event=event).error


def test_a_failed_event_is_replayed_by_finance_only(db: None, stripe: RunningFake) -> None:
    payment = paid(stripe)
    event = take(stripe.events("payment_intent.succeeded")[0])
    stripe.fault("error_before", method="GET")
    events.apply(event=event, is_last_try=True)
    with pytest.raises(Forbidden):
        events.replay(event=event, by=staff("ops_manager"))
    events.replay(event=event, by=finance.finance_person())
    assert events.apply(event=event).status == "applied"
    payment.refresh_from_db()
    assert payment.status == "captured"


def test_an_unexpected_error_is_written_down_and_raised(db: None) -> None:
    raw = {"id": "evt_1", "type": "checkout.session.completed", "created": 1, "data": {"object": {"metadata": 5}}}
    event = take(raw)
    with pytest.raises(AttributeError):
        events.apply(event=event)
    outcome = EventOutcome.objects.get(event=event)
    assert (outcome.status, outcome.error.split(":")[0]) == ("failed", "AttributeError")


def test_labels_of_another_shop_on_the_same_account_are_no_error(db: None) -> None:
    thing = {"id": "cs_1", "metadata": {"payment": "order 77"}}
    raw = {"id": "evt_1", "type": "checkout.session.completed", "created": 1, "data": {"object": thing}}
    assert events.apply(event=take(raw)).status == "ignored"


def test_a_deadlock_leaves_the_event_in_line(db: None, stripe: RunningFake, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(stripe)
    event = take(stripe.events("checkout.session.completed")[0])

    def deadlock(**arguments: Any) -> None:
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as patch:
        patch.setattr(payments, "record_captured", deadlock)
        with pytest.raises(ProviderUnavailable):
            events.apply(event=event)
    assert EventOutcome.objects.get(event=event).status == "verified"
    assert events.apply(event=event).status == "applied"


def test_money_that_could_not_be_booked_and_went_back_closes_its_payment(db: None, stripe: RunningFake) -> None:
    payment = paid(stripe)
    Payment.objects.filter(pk=payment.pk).update(amount_minor=99_00)
    take_all(stripe)
    payment.refresh_from_db()
    assert payment.status == "needs_human"
    with pytest.raises(Conflict, match="minor units"):
        payments.look_again(payment=payment, by=finance.finance_person())
    providers.stripe().create_refund(
        payment_intent=payment.provider_payment_id, amount=100_00, attempt_id="r1", idempotency_key="r1"
    )
    take_all(stripe)
    payment.refresh_from_db()
    assert payment.status == "failed"
    assert "Given back" in payment.problem
    assert not Entry.objects.exists()
    assert "failed" not in outcomes().values()


def test_money_is_booked_once_what_stood_against_it_is_gone(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(price_minor=100_00, currency="EUR"), by=member())
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    stripe.pay(payment.provider_session_id)
    stripe.run_scheduled()
    take_all(stripe)
    payment.refresh_from_db()
    assert payment.status == "needs_human"
    fx.record_rate(
        base="EUR",
        quote="USD",
        rate=Decimal("1.10"),
        source="ecb",
        as_of=clock.now() - timedelta(days=1),
        by=None,
    )
    with pytest.raises(Forbidden):
        payments.look_again(payment=payment, by=staff("customer_support"))
    payment = payments.look_again(payment=payment, by=finance.finance_person())
    assert (payment.status, payment.problem) == ("captured", "")
    assert Entry.objects.filter(kind="provider_fee").count() == 1
    purchase.refresh_from_db()
    assert purchase.status == "paid"
    take_all(stripe)
    assert verification.run() == []


@pytest.mark.parametrize(("state", "verb"), forbidden(EVENT))
def test_the_machine_refuses_every_other_verb(db: None, state: str, verb: str) -> None:
    with pytest.raises(IllegalTransition):
        advance(EventOutcome(status=state), verb, by=None)


# --- Events of payouts ------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(db: None, stripe: RunningFake) -> PayoutItem:
    """A payout that the provider has taken."""
    creator: Creator = finance.payable(50_00, connected=True)
    run = finance.approved(creator, 50_00)
    payouts.execute(run=run)
    item = run.items.get()
    payouts.send_item(item_id=item.pk)
    item.refresh_from_db()
    assert item.status == "sent"
    return item


def test_the_paid_event_settles_the_payout_and_its_run(sent: PayoutItem, stripe: RunningFake) -> None:
    stripe.run_scheduled()
    take_all(stripe, times=2)
    sent.refresh_from_db()
    sent.run.refresh_from_db()
    assert (sent.status, sent.run.status, sent.in_transit_minor) == ("paid", "settled", 0)
    assert sent.bank_reference
    assert verification.run() == []


@pytest.mark.parametrize("seed", range(4))
def test_a_payout_that_was_paid_and_then_bounced_ends_as_bounced(
    sent: PayoutItem, stripe: RunningFake, seed: int
) -> None:
    stripe.run_scheduled()
    stripe.fail_payout(sent.payout_id)
    take_all(stripe, order=seed, times=2)
    sent.refresh_from_db()
    assert (sent.status, sent.failure_code, sent.in_transit_minor) == ("failed", "account_closed", 50_00)
    assert balances.of(sent.creator, "USD").in_transit == 50_00
    assert verification.run() == []


def test_a_payout_told_paid_and_later_bounced_is_taken_back_in_the_ledger(
    sent: PayoutItem, stripe: RunningFake
) -> None:
    stripe.run_scheduled()
    take_all(stripe)
    stripe.fail_payout(sent.payout_id)
    take_all(stripe)
    sent.refresh_from_db()
    sent.run.refresh_from_db()
    assert (sent.status, sent.bounces, sent.run.status) == ("failed", 1, "partially_failed")
    assert Entry.objects.filter(kind="payout_bounce").count() == 1
    assert verification.run() == []


def test_an_event_that_overtakes_the_worker_is_adopted(sent: PayoutItem, stripe: RunningFake) -> None:
    # As if the worker had died between the call for the payout and writing it down.
    Attempt.objects.filter(operation="payout").update(status="open", provider_id="", finished_at=None)
    PayoutItem.objects.filter(pk=sent.pk).update(status="submitting", payout_id="", sent_at=None)
    stripe.run_scheduled()
    take_all(stripe)
    payouts.send_item(item_id=sent.pk)
    sent.refresh_from_db()
    assert sent.status == "paid"
    assert len(stripe.calls("/v1/payouts", method="POST")) == 1
