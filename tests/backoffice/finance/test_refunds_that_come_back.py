"""Refunds that the customer's bank sent back: the books end as if only what lasted had ever gone back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.audit import queries as audit
from backoffice.commerce.services import purchases
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import Earning, Entry, Payment, Refund, RefundRequest, RefundReversal
from backoffice.finance.queries import balances
from backoffice.finance.queries import refunds as queries
from backoffice.finance.services import earnings, ledger, payments, providers, refunds, verification
from backoffice.notifications.models import Notification
from integrations.stripe.fake.running import RunningFake
from tests.backoffice.finance.test_events import take_all
from tests.factories import creators, finance, sales
from tests.factories import refunds as made
from tests.factories.accounts import member

AT = clock.now() - timedelta(days=60)
RELEASED = AT + timedelta(days=15)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("purchase").get(pk=payment.pk)


def sold(creator: Creator, price: int = 100_00) -> Payment:
    return sales.sale(sales.published(creator, price_minor=price), at=AT)


def refund(payment: Payment, total: int, *, at: Any = None) -> None:
    payments.record_refunded(
        payment=payment, cumulative_minor=total, currency=payment.currency, at=at or AT + timedelta(days=1)
    )


def come_back(payment: Payment, total: int) -> list[RefundReversal]:
    return payments.record_came_back(payment=payment, cumulative_minor=total, reason="expired_or_canceled_card")


def shape(creator: Creator) -> tuple[int, int, int, int]:
    found = balances.of(creator, "USD")
    return (found.pending, found.available, found.owed, found.in_transit)


def free(creator: Creator) -> int:
    """What the rows of released earnings say can still be paid."""
    return sum(
        earning.amount_minor - earning.refunded_minor - earning.allocated_minor
        for earning in Earning.objects.filter(creator=creator, status="released")
    )


def test_a_full_refund_that_came_back_leaves_the_books_as_before_it(db: None) -> None:
    creator = creators.creator()
    payment = sold(creator)
    before, trial = shape(creator), [(line.kind, line.total) for line in balances.trial_balance()]
    refund(payment, 100_00)
    assert fresh(payment).purchase.status == "refunded"
    (back,) = come_back(payment, 0)
    payment = fresh(payment)
    assert (payment.status, payment.refunded_minor, payment.purchase.status) == ("captured", 0, "paid")
    assert back.entry.reverses_id == back.refund.entry_id
    assert shape(creator) == before
    assert [(line.kind, line.total) for line in balances.trial_balance()] == trial
    assert audit.for_subject(payment)[0].action == "payment.take_back"
    assert verification.run() == []


def test_the_same_total_can_be_refunded_anew(db: None) -> None:
    payment = sold(creators.creator())
    for _turn in range(3):
        refund(payment, 100_00)
        assert fresh(payment).status == "refunded"
        come_back(payment, 0)
    refund(payment, 100_00)
    assert Refund.objects.count() == 4
    assert RefundReversal.objects.count() == 3
    assert Entry.objects.filter(kind="refund").count() == 4
    assert verification.run() == []


def test_an_earlier_part_that_came_back_leaves_exactly_the_later_one(db: None) -> None:
    """Rounding too: what stays is what a single refund of that total would have taken."""
    creator, other = creators.creator(), creators.creator()
    payment, plain = sold(creator, 99_99), sold(other, 99_99)
    refund(payment, 33_33)
    refund(payment, 66_67)
    come_back(payment, 33_34)
    refund(plain, 33_34)
    assert fresh(payment).refunded_minor == 33_34
    assert shape(creator) == shape(other)
    assert RefundReversal.objects.count() == 1
    come_back(payment, 20_00)
    third = creators.creator()
    refund(sold(third, 99_99), 20_00)
    assert shape(creator) == shape(third)
    assert come_back(payment, 20_00) == []
    assert come_back(payment, 50_00) == []
    assert verification.run() == []


def test_taken_inside_the_window_and_given_back_after_it_goes_to_the_balance(db: None) -> None:
    for part in (100_00, 40_00):
        creator = creators.creator()
        payment = sold(creator)
        refund(payment, part)
        earnings.release_due(at=RELEASED)
        come_back(payment, 0)
        assert shape(creator) == (0, 71_80, 0, 0)
        assert free(creator) == 71_80
        refund(payment, part, at=RELEASED)
        come_back(payment, 0)
        assert shape(creator) == (0, 71_80, 0, 0)
        assert verification.run() == []


def test_a_debt_that_stood_for_it_is_gone_and_what_was_paid_on_it_is_given_back(db: None) -> None:
    creator = finance.payable()
    payment = sold(creator)
    earnings.release_due(at=RELEASED)
    finance.approved(creator, 71_80)
    refund(payment, 100_00, at=RELEASED + timedelta(days=1))
    assert shape(creator) == (0, 0, 71_80, 71_80)
    later = sales.sale(sales.published(creator, price_minor=50_00), at=AT + timedelta(days=20))
    earnings.release_due(at=AT + timedelta(days=35))
    paid_on_it = Earning.objects.get(payment=later).amount_minor
    assert shape(creator) == (0, 0, 71_80 - paid_on_it, 71_80)
    come_back(payment, 0)
    assert shape(creator) == (0, paid_on_it, 0, 71_80)
    assert free(creator) == paid_on_it
    assert verification.run() == []


def test_other_earnings_that_stood_in_for_it_are_free_again(db: None) -> None:
    creator = finance.payable()
    first = sold(creator)
    earnings.release_due(at=RELEASED)
    finance.approved(creator, 71_80)
    sales.sale(sales.published(creator, price_minor=100_00), at=AT + timedelta(days=5))
    earnings.release_due(at=RELEASED + timedelta(days=5))
    refund(first, 100_00, at=RELEASED + timedelta(days=6))
    assert shape(creator) == (0, 0, 0, 71_80)
    come_back(first, 0)
    assert shape(creator) == (0, 71_80, 0, 71_80)
    assert free(creator) == 71_80
    assert verification.run() == []


def test_a_sale_of_the_platforms_own_title_comes_back_too(db: None) -> None:
    title = sales.published(price_minor=10_00)
    title.creator = None
    title.save(update_fields=["creator"])
    payment = sales.sale(title, at=AT)
    refund(payment, 4_00)
    come_back(payment, 0)
    assert fresh(payment).status == "captured"
    assert verification.run() == []


def test_a_title_bought_again_meanwhile_stays_bought_once_and_the_payment_says_so(db: None) -> None:
    buyer = member()
    title = sales.published(price_minor=10_00)
    payment = sales.sale(title, at=AT, buyer=buyer)
    refund(payment, 10_00)
    again = sales.sale(title, at=AT + timedelta(days=2), buyer=buyer)
    come_back(payment, 0)
    payment = fresh(payment)
    assert (payment.status, payment.purchase.status) == ("captured", "refunded")
    assert "bought again" in payment.problem
    assert [problem.rule for problem in verification.run()] == ["payment_without_purchase"]
    refund(payment, 10_00)
    assert fresh(payment).status == "refunded"
    assert fresh(again).purchase.status == "paid"
    assert verification.run() == []


def test_what_was_never_refunded_cannot_come_back(db: None) -> None:
    payment = sold(creators.creator())
    refund(payment, 10_00)
    Payment.objects.filter(pk=payment.pk).update(status="disputed")
    with pytest.raises(payments.NotYet):
        come_back(payment, 0)


def test_the_verifier_sees_a_posting_that_was_undone_without_a_row(db: None) -> None:
    payment = sold(creators.creator())
    refund(payment, 10_00)
    entry = Refund.objects.get().entry
    ledger.reverse(entry=entry, key="by-hand", source=payment, by=None, effective_date=AT.date())
    assert "refund_reversal_without_row" in {problem.rule for problem in verification.run()}


STEPS = st.lists(
    st.tuples(st.sampled_from(["refund", "back", "release", "payout", "sell"]), st.integers(0, 2), st.integers(0, 100)),
    min_size=2,
    max_size=9,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS, price=st.integers(3_00, 99_99))
def test_whatever_happens_in_between_the_books_stay_right(db: None, steps: list[Any], price: int) -> None:
    # One example leaves nothing to the next, whose plans were made for nearly empty tables.
    with transaction.atomic():
        whatever_happens(steps, price)
        transaction.set_rollback(True)


def whatever_happens(steps: list[Any], price: int) -> None:
    creator = finance.payable()
    rows = [sold(creator, price), sold(creator, price + 777)]
    day = 1
    for verb, which, share in steps:
        day += 1
        payment = fresh(rows[which % len(rows)])
        total = payment.amount_minor * share // 100
        if verb == "refund" and total:
            refund(payment, total, at=AT + timedelta(days=day))
        elif verb == "back" and payment.refunded_minor:
            come_back(payment, min(total, payment.refunded_minor))
        elif verb == "release":
            earnings.release_due(at=AT + timedelta(days=14 + 8 * which))
        elif verb == "sell":
            rows.append(
                sales.sale(sales.published(creator, price_minor=price + 50 * which), at=AT + timedelta(days=which))
            )
        elif verb == "payout":
            found = balances.of(creator, "USD")
            open_one = creator.payout_items.filter(status__in=["reserved", "sent"]).exists()
            if found.free >= 10_00 and not found.owed and not open_one:
                finance.approved(creator, max(10_00, found.free * share // 100))
        assert verification.run() == []
    for payment in rows:
        if fresh(payment).refunded_minor:
            come_back(payment, 0)
    earnings.release_due(at=AT + timedelta(days=60))
    found = balances.of(creator, "USD")
    earned = sum(Earning.objects.filter(creator=creator).values_list("amount_minor", flat=True))
    # Nothing lasted of any refund: the creator has everything, less what is in payouts, and owes nothing.
    assert (found.pending, found.owed) == (0, 0)
    assert found.available + found.in_transit == earned
    assert free(creator) == found.available
    assert verification.run() == []


# --- With the provider ---


def test_a_refund_that_fails_after_it_had_succeeded_is_taken_back_and_can_be_asked_for_again(
    db: None, stripe: RunningFake
) -> None:
    payment = made.paid(stripe, card=made.FAILING)
    request = made.approved(payment, 100_00)
    request = refunds.send(request_id=request.pk)
    assert (request.status, fresh(payment).purchase.status) == ("succeeded", "refunded")
    stripe.run_scheduled()
    made.tell(stripe)
    request.refresh_from_db()
    payment = fresh(payment)
    assert (request.status, request.failure_code, request.refund) == ("failed", "expired_or_canceled_card", None)
    assert (payment.status, payment.refunded_minor, payment.purchase.status) == ("captured", 0, "paid")
    events = Notification.objects.filter(user=payment.user, channel="in_app").values_list("event", flat=True)
    assert list(events.order_by("id"))[-2:] == ["refund.succeeded", "refund.came_back"]
    told = Notification.objects.filter(user=request.requested_by, event="refund.outcome", channel="in_app")
    assert [row.data["outcome"] for row in told.order_by("id")] == ["succeeded", "came_back"]
    assert queries.left(payment) == 100_00
    assert verification.run() == []
    again = refunds.send(request_id=made.approved(payment, 100_00).pk)
    assert again.status == "succeeded"
    assert verification.run() == []


def test_of_two_refunds_the_one_that_lasted_stays_counted(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    first = refunds.send(request_id=made.approved(payment, 33_33).pk)
    second = refunds.send(request_id=made.approved(payment, 66_67).pk)
    assert fresh(payment).status == "refunded"
    stripe.fail_refund(first.provider_refund_id)
    made.tell(stripe)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("failed", "succeeded")
    assert second.refund is not None
    assert (second.refund.cumulative_minor, fresh(payment).refunded_minor) == (66_67, 66_67)
    assert verification.run() == []


@pytest.mark.parametrize("seed", range(5))
def test_events_of_refunds_in_any_order_and_number_end_in_one_state(db: None, stripe: RunningFake, seed: int) -> None:
    payment = made.paid(stripe, card=made.FAILING)
    for amount in (20_00, 30_00):
        made.approved(payment, amount)
    for request in RefundRequest.objects.all():
        stripe.fault("reset_after", path="/v1/refunds")
        with pytest.raises(providers.ProviderUnavailable):
            refunds.send(request_id=request.pk)
    stripe.run_scheduled()
    take_all(stripe, order=seed, times=2)
    assert set(RefundRequest.objects.values_list("status", flat=True)) == {"failed"}
    assert fresh(payment).refunded_minor == 0
    assert verification.run() == []


def test_a_pending_refund_that_fails_was_never_counted(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe, card=made.PENDING)
    request = refunds.send(request_id=made.approved(payment, 10_00).pk)
    stripe.fail_refund(request.provider_refund_id, "lost_or_stolen_card")
    made.tell(stripe)
    request.refresh_from_db()
    assert (request.status, request.failure_code) == ("failed", "lost_or_stolen_card")
    assert request.approval is not None
    request.approval.refresh_from_db()
    assert request.approval.status == "failed"
    assert not Refund.objects.exists()
    assert verification.run() == []


def test_a_payment_closed_as_given_back_is_looked_at_again_when_it_was_not(db: None, stripe: RunningFake) -> None:
    purchase = purchases.start(title=sales.published(price_minor=100_00), by=member())
    payment = payments.start_checkout(purchase=purchase, by=purchase.buyer, key="k", **made.URLS)
    stripe.pay(payment.provider_session_id)
    stripe.run_scheduled()
    Payment.objects.filter(pk=payment.pk).update(amount_minor=99_00)
    made.tell(stripe)
    payment = fresh(payment)
    assert payment.status == "needs_human"
    refund_ = providers.stripe().create_refund(
        payment_intent=payment.provider_payment_id, amount=100_00, attempt_id="r", idempotency_key="r"
    )
    made.tell(stripe)
    assert fresh(payment).status == "failed"
    stripe.fail_refund(refund_.id)
    made.tell(stripe)
    assert fresh(payment).status == "needs_human"


def test_money_that_came_back_to_a_paid_out_creator_is_paid_in_the_next_run(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe, 100_00)
    creator = payment.creator
    assert creator is not None
    request = refunds.send(request_id=made.approved(payment, 100_00).pk)
    earnings.release_due(at=clock.now() + timedelta(days=15))
    stripe.fail_refund(request.provider_refund_id)
    made.tell(stripe)
    assert balances.of(creator, "USD").available == 71_80
    assert verification.run() == []
