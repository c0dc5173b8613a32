"""Taking a customer's money, from the checkout page to the split, and giving it back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.audit import queries as audit
from backoffice.commerce.services import purchases
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import IllegalTransition, advance
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Attempt, CommissionLine, Earning, Entry, Payment
from backoffice.finance.queries import balances
from backoffice.finance.services import earnings, fx, ledger, payments, verification
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import PAYMENT
from backoffice.notifications.models import Notification
from integrations.stripe.fake.running import RunningFake
from tests import statements
from tests.factories import creators, finance, sales
from tests.factories.accounts import member
from tests.machines import forbidden

AT = datetime(2026, 1, 10, 12, tzinfo=UTC)
URLS = {"success_url": "https://shop.example/done", "cancel_url": "https://shop.example/back"}


def started(**title_fields: Any) -> Payment:
    """A payment that waits for its customer, without a provider."""
    title = sales.published(price_minor=100_00, **title_fields)
    purchase = purchases.start(title=title, by=member())
    return Payment.objects.create(
        user=purchase.buyer,
        purchase=purchase,
        creator=title.creator,
        provider="stripe",
        amount_minor=purchase.price_minor,
        currency=purchase.currency,
    )


def capture(payment: Payment, **fields: Any) -> Payment:
    values = {
        "provider_payment_id": f"pi_{payment.pk}",
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "at": AT,
        **fields,
    }
    return payments.record_captured(payment=payment, **values)


def legs(entry: Entry | None) -> dict[str, int]:
    assert entry is not None
    return {
        f"{posting.account.kind} {posting.currency}": posting.amount
        for posting in entry.postings.select_related("account")
    }


def owner(payment: Payment) -> Creator:
    assert payment.creator is not None
    return payment.creator


def balance(payment: Payment) -> balances.CreatorBalance:
    return balances.for_creator(owner(payment))[0]


# --- Checkout ---------------------------------------------------------------------------------------------------------


def test_a_purchase_gets_a_checkout_page(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(price_minor=12_50), by=member())
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    assert payment.checkout_url.startswith(stripe.url)
    attempt = Attempt.objects.get(subject_id=payment.pk)
    assert (attempt.status, attempt.provider_id) == ("done", payment.provider_session_id)


def test_the_same_key_gives_the_same_page_and_one_call(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(), by=member())
    first = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    again = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    other_key = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k2", **URLS)
    assert first.pk == again.pk == other_key.pk
    assert len(stripe.calls("/v1/checkout/sessions", method="POST")) == 1


def test_a_key_of_another_purchase_is_refused(db: None, stripe: RunningFake) -> None:
    buyer = member()
    first = purchases.start(title=sales.published(), by=buyer)
    second = purchases.start(title=sales.published(), by=buyer)
    payments.start_checkout(purchase=first, by=buyer, key="k1", **URLS)
    with pytest.raises(payments.KeyReused):
        payments.start_checkout(purchase=second, by=buyer, key="k1", **URLS)


def test_nobody_pays_for_another_persons_purchase(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(), by=member())
    with pytest.raises(Conflict):
        payments.start_checkout(purchase=purchase, by=member(), key="k1", **URLS)


def test_after_a_lost_answer_the_same_page_comes_back(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(), by=member())
    stripe.fault("reset_after", path="/v1/checkout/sessions")
    with pytest.raises(ProviderUnavailable):
        payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    calls = stripe.calls("/v1/checkout/sessions", method="POST")
    assert payment.checkout_url
    assert len({call.idempotency_key for call in calls}) == 1


def test_a_key_whose_answer_is_broken_for_good_is_given_up(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(), by=member())
    stripe.fault("error_after", path="/v1/checkout/sessions")
    for _turn in range(2):
        with pytest.raises(ProviderUnavailable):
            payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    assert payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS).checkout_url


def test_a_refusal_of_the_provider_ends_the_payment(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(price_minor=10), by=member())
    with pytest.raises(payments.PaymentRefused):
        payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k1", **URLS)
    payment = Payment.objects.get()
    assert payment.status == "failed"
    assert Attempt.objects.get().status == "refused"


def test_a_new_price_closes_the_page_that_shows_the_old_one(db: None, stripe: RunningFake) -> None:
    title = sales.published(price_minor=10_00)
    buyer = member()
    old = payments.start_checkout(purchase=purchases.start(title=title, by=buyer), by=buyer, key="k1", **URLS)
    title.price_minor = 15_00
    title.save()
    new = payments.start_checkout(purchase=purchases.start(title=title, by=buyer), by=buyer, key="k2", **URLS)
    old.refresh_from_db()
    assert (old.status, new.amount_minor) == ("failed", 15_00)
    session = next(s for s in [stripe.engine.store.get(old.provider_session_id)] if s)
    assert session["status"] == "expired"


# --- Capture ----------------------------------------------------------------------------------------------------------


def test_a_captured_payment_is_split_posted_and_gives_the_title(db: None) -> None:
    payment = capture(started())
    assert payment.status == "captured"
    assert legs(payment.sale_entry) == {
        "provider_clearing USD": -100_00,
        "platform_commission USD": 25_00,
        "processing_fees USD": 3_20,
        "creator_pending USD": 71_80,
    }
    payment.purchase.refresh_from_db()
    assert payment.purchase.status == "paid"
    assert balance(payment).pending == 71_80
    lines = {line.component: line.amount_minor for line in CommissionLine.objects.filter(payment=payment)}
    assert lines == {"commission": 25_00, "processing": 3_20}
    assert set(Notification.objects.values_list("event", flat=True)) == {"payment.receipt", "payment.earned"}
    assert audit.for_subject(payment)[0].action == "payment.capture"
    assert verification.run() == []


def test_a_second_report_of_the_same_capture_changes_nothing(db: None) -> None:
    payment = capture(started())
    entries = Entry.objects.count()
    assert capture(payment).status == "captured"
    assert Entry.objects.count() == entries


@pytest.mark.parametrize("fields", [{"amount_minor": 99_99}, {"currency": "EUR"}, {"amount_minor": 100_01}])
def test_another_amount_or_currency_waits_for_a_person(db: None, fields: dict[str, Any]) -> None:
    payment = capture(started(), **fields)
    assert payment.status == "needs_human"
    assert payment.problem
    assert not Entry.objects.exists()
    assert payment.purchase.status == "pending"


def test_a_second_payment_of_a_paid_purchase_waits_for_a_person(db: None) -> None:
    first = started()
    payments.fail(payment=first, reason="expired")
    second = Payment.objects.create(
        user=first.user, purchase=first.purchase, creator=first.creator, provider="stripe",
        amount_minor=100_00, currency="USD",
    )  # fmt: skip
    capture(second)
    late = capture(first)
    assert late.status == "needs_human"
    assert Entry.objects.filter(kind="sale").count() == 1


def test_money_in_another_currency_is_exchanged_at_the_rate_of_the_sale(db: None) -> None:
    fx.record_rate(base="EUR", quote="USD", rate=Decimal("1.10"), source="ecb", as_of=AT, by=None)
    payment = capture(started(currency="EUR"))
    assert legs(payment.sale_entry) == {
        "provider_clearing EUR": -100_00,
        "platform_commission EUR": 25_00,
        "processing_fees EUR": 3_20,
        "conversion_fees EUR": 2_00,
        "fx_trading EUR": 69_80,
        "fx_trading USD": -76_78,
        "creator_pending USD": 76_78,
    }
    assert payment.sale_entry is not None
    assert payment.sale_entry.data["rate"]["rate"] == "1.1"
    fx.record_rate(base="EUR", quote="USD", rate=Decimal("2"), source="ecb", as_of=AT + timedelta(days=1), by=None)
    payments.record_refunded(payment=payment, cumulative_minor=100_00, currency="EUR", at=AT + timedelta(days=2))
    assert balance(payment).pending == 0
    assert verification.run() == []


def test_without_a_rate_nothing_is_booked(db: None) -> None:
    payment = capture(started(currency="EUR"))
    assert payment.status == "needs_human"
    assert "EUR" in payment.problem


def test_the_providers_own_fee_is_booked_once(db: None) -> None:
    payment = capture(started())
    for _turn in range(2):
        assert payments.record_fee(payment=payment, fee_minor=3_20, currency="USD", provider_id="txn_1")
    trial = {(line.kind, line.currency): line.total for line in balances.trial_balance()}
    assert trial["provider_clearing", "USD"] == -96_80
    assert ("processing_fees", "USD") not in trial or trial["processing_fees", "USD"] == 0


@pytest.mark.parametrize(("state", "verb"), forbidden(PAYMENT))
def test_the_machine_refuses_every_other_verb(db: None, state: str, verb: str) -> None:
    with pytest.raises(IllegalTransition):
        advance(Payment(status=state), verb, by=None)


# --- Release ----------------------------------------------------------------------------------------------------------


def test_an_earning_becomes_available_when_its_window_is_over_and_once(db: None) -> None:
    payment = capture(started())
    assert earnings.release_due(at=AT + timedelta(days=13, hours=23)) == 0
    assert earnings.release_due(at=AT + timedelta(days=14)) == 1
    assert earnings.release_due(at=AT + timedelta(days=15)) == 0
    assert (balance(payment).pending, balance(payment).available) == (0, 71_80)
    assert verification.run() == []


def test_without_a_refund_window_the_money_is_available_at_once(db: None) -> None:
    values.change(key="earnings.hold_days", value=0, by=None, reason="test")
    values.cache.clear()
    assert balance(capture(started())).available == 71_80


def test_what_a_creator_owes_is_paid_back_out_of_new_earnings(db: None) -> None:
    payment = capture(started())
    creator = owner(payment)
    ledger.post(
        key="owed",
        kind=ledger.EntryKind.ADJUSTMENT,
        source=creator,
        by=None,
        effective_date=AT.date(),
        postings=[
            (ledger.accounts.platform(AccountKind.PLATFORM_COMMISSION, "USD"), 50_00),
            (ledger.accounts.creator(AccountKind.CREATOR_RECEIVABLE, creator, "USD"), -50_00),
        ],
    )
    assert balance(payment).owed == 50_00
    earnings.release_due(at=AT + timedelta(days=14))
    assert (balance(payment).owed, balance(payment).available) == (0, 21_80)


# --- Refunds ----------------------------------------------------------------------------------------------------------


def refund(payment: Payment, cumulative: int, days: int = 1) -> None:
    payments.record_refunded(payment=payment, cumulative_minor=cumulative, currency="USD", at=AT + timedelta(days=days))


def test_a_full_refund_takes_everything_back_and_the_title_away(db: None) -> None:
    payment = capture(started())
    refund(payment, 100_00)
    payment.refresh_from_db()
    payment.purchase.refresh_from_db()
    assert (payment.status, payment.purchase.status) == ("refunded", "refunded")
    assert balance(payment).pending == 0
    assert all(line.total == 0 for line in balances.trial_balance())
    assert verification.run() == []


def test_a_partial_refund_takes_back_pro_rata(db: None) -> None:
    payment = capture(started())
    refund(payment, 25_00)
    payment.refresh_from_db()
    assert payment.status == "partially_refunded"
    assert balance(payment).pending == 71_80 - 17_95
    refund(payment, 100_00)
    assert balance(payment).pending == 0


def test_an_older_smaller_total_changes_nothing(db: None) -> None:
    payment = capture(started())
    refund(payment, 50_00)
    refund(payment, 20_00)
    refund(payment, 50_00)
    payment.refresh_from_db()
    assert payment.refunded_minor == 50_00
    assert payment.refunds.count() == 1


def test_more_than_was_paid_cannot_be_refunded(db: None) -> None:
    payment = capture(started())
    with pytest.raises(Invalid):
        refund(payment, 100_01)
    with pytest.raises(payments.NotYet):
        refund(started(), 1)


def test_a_refund_after_the_release_takes_from_available_first_and_the_rest_is_owed(db: None) -> None:
    payment = capture(started())
    earnings.release_due(at=AT + timedelta(days=14))
    creator = owner(payment)
    ledger.post(
        key="spent",
        kind=ledger.EntryKind.ADJUSTMENT,
        source=creator,
        by=None,
        effective_date=AT.date(),
        postings=[
            (ledger.accounts.creator(AccountKind.CREATOR_AVAILABLE, creator, "USD"), -60_00),
            (ledger.accounts.platform(AccountKind.PLATFORM_CASH, "USD"), 60_00),
        ],
    )
    refund(payment, 100_00, days=20)
    assert (balance(payment).available, balance(payment).owed) == (0, 60_00)
    assert verification.run() == []


def test_a_refund_of_a_sale_that_was_paid_out_takes_the_place_of_other_earnings(db: None) -> None:
    creator = finance.payable()
    finance.earned(creator, 100_00, days_ago=40)
    finance.approved(creator, 71_80)
    finance.earned(creator, 100_00, days_ago=30)
    first = Payment.objects.order_by("captured_at")[0]
    payments.record_refunded(payment=first, cumulative_minor=100_00, currency="USD")
    second = Earning.objects.order_by("released_at")[1]
    assert second.allocated_minor == 71_80
    assert balances.of(creator, "USD").available == 0


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(price=st.integers(50, 50_000), steps=st.lists(st.integers(1, 50_000), min_size=1, max_size=4))
def test_any_refunds_in_any_order_end_where_their_total_says(db: None, price: int, steps: list[int]) -> None:
    with transaction.atomic():
        any_refunds_in_any_order(price, steps)
        transaction.set_rollback(True)


def any_refunds_in_any_order(price: int, steps: list[int]) -> None:
    totals = [min(step, price) for step in steps]
    creator = creators.creator()
    one = sales.sale(sales.published(creator, price_minor=price), at=AT)
    for total in totals:
        refund(one, total)
    once = sales.sale(sales.published(creator, price_minor=price), at=AT)
    refund(once, max(totals))
    shares = [earning.refunded_minor for earning in Earning.objects.filter(payment__in=[one, once])]
    assert shares[0] == shares[1]
    refund(one, price)
    refund(once, price)
    assert balances.of(creator, "USD").pending == 0


def test_posting_a_sale_takes_a_fixed_number_of_statements(db: None) -> None:
    capture(started(), announce=False)
    few, many = started(), started()
    first = statements.count(lambda: capture(few, announce=False))
    for _turn in range(3):
        capture(started(), announce=False)
    assert statements.count(lambda: capture(many, announce=False)) == first


def test_a_sale_taken_over_from_elsewhere_sends_no_mail(db: None) -> None:
    sales.sale(at=clock.now() - timedelta(days=90))
    assert not Notification.objects.exists()
