"""Refunds that staff ask for: asked, approved by another person, sent, counted once, followed to their end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition, advance
from backoffice.finance.models import Attempt, Payment, Refund, RefundRequest
from backoffice.finance.queries import refunds as queries
from backoffice.finance.services import payments, providers, refunds, verification
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import REFUND
from backoffice.notifications.models import Notification
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Refused
from integrations.stripe.fake.running import RunningFake
from integrations.stripe.types import Refund as ProviderRefund
from tests.factories import finance, sales
from tests.factories import refunds as made
from tests.factories.accounts import member, staff
from tests.machines import forbidden


def again(request: RefundRequest) -> RefundRequest:
    return RefundRequest.objects.select_related("payment__purchase", "approval", "refund").get(pk=request.pk)


def send(request: RefundRequest, **fields: Any) -> RefundRequest:
    refunds.send(request_id=request.pk, **fields)
    return again(request)


def at_provider(payment: Payment) -> list[ProviderRefund]:
    return providers.stripe().list_refunds(payment.provider_payment_id)


def given_back(payment: Payment) -> int:
    return sum(refund.amount for refund in at_provider(payment) if refund.status == "succeeded")


def told(person: Any) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(user=person, channel="in_app", event__startswith="refund.").order_by("id")
    return [(row.event, row.data.get("outcome", "")) for row in rows]


# --- Asking ---


def test_what_support_proposes_waits_for_finance_and_is_sent_after_its_yes(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    agent, approver = made.support_person(), finance.finance_person()
    request = refunds.propose(
        payment=payment, amount_minor=40_00, reason="not_playable", by=agent, ticket="TK-1", note="does not start"
    )
    assert (request.status, request.is_single_handed, made.approval_of(request).needed) == ("requested", False, 1)
    assert not stripe.calls("/v1/refunds", method="POST")
    requests.approve(request=made.approval_of(request), by=approver, revision=1)
    jobs.run_due(kinds=["finance.send_refund"])
    request = again(request)
    payment = request.payment
    assert (request.status, made.approval_of(request).status) == ("succeeded", "applied")
    assert (payment.status, payment.refunded_minor, given_back(payment)) == ("partially_refunded", 40_00, 40_00)
    assert request.refund is not None
    assert request.refund.amount_minor == 40_00
    assert told(payment.user) == [("refund.succeeded", "")]
    assert told(agent) == [("refund.outcome", "succeeded")]
    made.tell(stripe)
    assert Refund.objects.count() == 1
    assert verification.run() == []


def test_finances_own_small_refund_needs_nobody_else(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    request = made.asked(payment, 100_00, by=finance.finance_person())
    assert (request.status, made.approval_of(request).needed, made.approval_of(request).status) == (
        "approved",
        0,
        "approved",
    )
    request = send(request)
    assert (request.status, request.payment.status) == ("succeeded", "refunded")
    assert request.payment.purchase.status == "refunded"
    assert verification.run() == []


def test_small_refunds_of_one_payment_add_up_against_the_limit(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe, 300_00)
    maker = finance.finance_person()
    assert made.approval_of(made.asked(payment, 60_00, by=maker)).needed == 0
    assert made.approval_of(made.asked(payment, 41_00, by=finance.finance_person())).needed == 1
    assert made.approval_of(made.asked(payment, 40_00, by=maker)).needed == 0


def test_many_small_refunds_of_one_person_in_a_day_need_another_person(db: None, stripe: RunningFake) -> None:
    values.change(key="refund.auto_day_limit", value=150_00, by=None, reason="test")
    maker, at = finance.finance_person(), clock.now()
    assert made.approval_of(made.asked(made.paid(stripe), 90_00, by=maker, at=at)).needed == 0
    other = made.paid(stripe)
    assert queries.limit_alone(other, maker, at=at) == 60_00
    assert made.approval_of(made.asked(other, 60_01, by=maker, at=at)).needed == 1
    assert made.approval_of(made.asked(made.paid(stripe), 60_00, by=maker, at=at)).needed == 0
    assert made.approval_of(made.asked(made.paid(stripe), 1, by=maker, at=at)).needed == 1
    assert made.approval_of(made.asked(made.paid(stripe), 90_00, by=finance.finance_person(), at=at)).needed == 0
    tomorrow = at + timedelta(days=1, minutes=1)
    assert made.approval_of(made.asked(made.paid(stripe), 90_00, by=maker, at=tomorrow)).needed == 0


@pytest.mark.parametrize("amount", [100_01, 300_00])
def test_above_the_limit_finance_needs_another_person(db: None, stripe: RunningFake, amount: int) -> None:
    maker = finance.finance_person()
    request = made.asked(made.paid(stripe, 300_00), amount, by=maker)
    assert (request.status, made.approval_of(request).needed) == ("requested", 1)
    with pytest.raises(Forbidden):
        requests.approve(request=made.approval_of(request), by=maker)
    values.change(key="refund.auto_limit", value=0, by=None, reason="test")
    values.cache.clear()
    assert made.approval_of(made.asked(made.paid(stripe), 1, by=maker)).needed == 1


def test_in_another_currency_there_is_always_another_person(db: None, stripe: RunningFake) -> None:
    stripe.topup(10_000, "eur")
    payment = sales.sale(at=clock.now())
    Payment.objects.filter(pk=payment.pk).update(currency="EUR")
    payment.refresh_from_db()
    assert made.approval_of(made.asked(payment, 1_00, by=finance.finance_person())).needed == 1


def test_nobody_alone_refunds_or_approves_what_they_bought(db: None, stripe: RunningFake) -> None:
    buyer = finance.finance_person()
    payment = made.paid(stripe, buyer=buyer)
    assert made.approval_of(made.asked(payment, 1_00, by=buyer)).needed == 1
    request = made.asked(payment, 2_00)
    for act in (
        lambda: requests.approve(request=made.approval_of(request), by=buyer),
        lambda: requests.reject(request=made.approval_of(request), by=buyer, reason="no"),
    ):
        with pytest.raises(Forbidden) as refusal:
            act()
        assert refusal.value.code == "own_refund"


@pytest.mark.parametrize("role", ["ops_manager", "content_moderator", "editor", "analyst"])
def test_others_neither_propose_nor_approve(db: None, stripe: RunningFake, role: str) -> None:
    payment = made.paid(stripe)
    with pytest.raises(Forbidden):
        made.asked(payment, 1_00, by=staff(role))
    with pytest.raises(Forbidden):
        requests.approve(request=made.approval_of(made.asked(payment, 1_00)), by=staff(role))


def test_support_does_not_approve(db: None, stripe: RunningFake) -> None:
    with pytest.raises(Forbidden):
        requests.approve(request=made.approval_of(made.asked(made.paid(stripe), 1_00)), by=made.support_person())


def test_all_that_is_asked_for_and_given_back_never_exceeds_what_was_paid(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    send(made.approved(payment, 30_00))
    made.asked(payment, 50_00)
    assert queries.left(Payment.objects.get(pk=payment.pk)) == 20_00
    with pytest.raises(Invalid) as refusal:
        made.asked(payment, 20_01)
    assert (refusal.value.code, refusal.value.field) == ("more_than_is_left", "amount")
    made.asked(payment, 20_00)


def test_the_database_itself_refuses_more_than_is_left_and_another_amount(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    request = made.asked(payment, 60_00)
    fields = {"payment": payment, "reason": "other", "requested_by": request.requested_by}
    for wrong in ({"amount_minor": 40_01, "currency": "USD"}, {"amount_minor": 1, "currency": "EUR"}):
        with pytest.raises(IntegrityError, match="left of the payment"), transaction.atomic():
            RefundRequest.objects.create(**fields, **wrong)
    for change in ({"amount_minor": 59_00}, {"requested_by": finance.finance_person()}, {"is_single_handed": True}):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            RefundRequest.objects.filter(pk=request.pk).update(**change)


def test_the_database_itself_refuses_to_approve_without_the_second_person(db: None, stripe: RunningFake) -> None:
    request = made.asked(made.paid(stripe), 60_00)
    other = made.approved(made.paid(stripe), 60_00)
    for approval in (request.approval, other.approval):
        with pytest.raises(IntegrityError, match="not approved"), transaction.atomic():
            RefundRequest.objects.filter(pk=request.pk).update(status="approved", approval=approval)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": -5}, "amount"),
        ({"reason": "because"}, "reason"),
        ({"reason": "other"}, "note"),
        ({"reason": "goodwill", "note": "  "}, "note"),
    ],
)
def test_a_refund_says_how_much_and_why(db: None, stripe: RunningFake, fields: dict[str, Any], field: str) -> None:
    payment = made.paid(stripe)
    values = {"amount_minor": 1_00, "reason": "duplicate", **fields}
    with pytest.raises(Invalid) as refusal:
        refunds.propose(payment=payment, by=made.support_person(), **values)
    assert refusal.value.field == field


def test_only_captured_money_of_a_provider_can_be_refunded(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    Payment.objects.filter(pk=payment.pk).update(provider="manual")
    with pytest.raises(Conflict) as refusal:
        made.asked(payment, 1_00)
    assert refusal.value.code == "not_refundable"
    full = made.paid(stripe)
    send(made.approved(full, 100_00))
    with pytest.raises(Conflict):
        made.asked(full, 1)


def test_rejected_and_withdrawn_refunds_send_nothing_and_free_their_amount(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    agent = made.support_person()
    rejected, withdrawn = made.asked(payment, 60_00, by=agent), made.asked(payment, 40_00, by=agent)
    requests.reject(request=made.approval_of(rejected), by=finance.finance_person(), reason="watched twice")
    requests.withdraw(request=made.approval_of(withdrawn), by=agent)
    assert (again(rejected).status, again(withdrawn).status) == ("rejected", "withdrawn")
    assert again(rejected).failure == "watched twice"
    assert told(agent) == [("refund.outcome", "rejected")]
    assert queries.left(payment) == 100_00
    jobs.run_due(kinds=["finance.send_refund"])
    assert not stripe.calls("/v1/refunds", method="POST")


def test_what_nobody_approves_expires(db: None, stripe: RunningFake) -> None:
    request = made.asked(made.paid(stripe), 60_00)
    requests.expire_due(at=clock.now() + timedelta(days=15))
    assert again(request).status == "withdrawn"
    assert told(request.requested_by) == [("refund.outcome", "expired")]


def test_an_approved_refund_cannot_be_withdrawn_any_more(db: None, stripe: RunningFake) -> None:
    request = made.approved(made.paid(stripe), 60_00)
    with pytest.raises(Conflict) as refusal:
        requests.withdraw(request=made.approval_of(request), by=request.requested_by)
    assert refusal.value.code == "under_way"
    assert ApprovalRequest.objects.get(pk=made.approval_of(request).pk).status == "approved"


# --- Sending ---


def test_money_given_back_elsewhere_meanwhile_fails_the_request_before_anything_is_sent(
    db: None, stripe: RunningFake
) -> None:
    payment = made.paid(stripe)
    waiting, ready = made.asked(payment, 30_00), made.approved(payment, 70_00)
    providers.stripe().create_refund(
        payment_intent=payment.provider_payment_id, amount=80_00, attempt_id="x", idempotency_key="dashboard"
    )
    made.tell(stripe)
    stripe.clear_calls()
    ready = send(ready)
    assert (ready.status, ready.failure_code, made.approval_of(ready).status) == ("failed", "not_possible", "failed")
    requests.approve(request=made.approval_of(waiting), by=finance.finance_person())
    assert (again(waiting).status, made.approval_of(again(waiting)).status) == ("failed", "failed")
    assert not stripe.calls("/v1/refunds", method="POST")
    assert verification.run() == []


def test_a_definite_refusal_fails_with_the_providers_sentence_and_can_be_asked_for_again(
    db: None, stripe: RunningFake
) -> None:
    payment = made.paid(stripe)
    approver = finance.finance_person()
    request = made.approved(payment, 60_00, by=approver)
    stripe.topup(-10_000_000, "usd")
    stripe.topup(-90_00, "usd")
    request = send(request)
    assert (request.status, request.failure_code) == ("failed", "balance_insufficient")
    assert "does not cover" in request.failure
    assert made.approval_of(request).status == "failed"
    assert told(request.requested_by) == told(approver) == [("refund.outcome", "failed")]
    assert told(payment.user) == []
    stripe.topup(10_000_000, "usd")
    assert send(made.approved(payment, 60_00)).status == "succeeded"
    assert given_back(payment) == 60_00
    assert verification.run() == []


@pytest.mark.parametrize(
    ("fault", "already"),
    [("reset_before", 0), ("reset_after", 1), ("error_before", 0), ("error_after", 1), ("rate_limit", 0)],
)
def test_a_lost_answer_is_unknown_and_then_looked_up(db: None, stripe: RunningFake, fault: str, already: int) -> None:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault(fault, path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    assert again(request).status == "unknown"
    assert len(at_provider(request.payment)) == already
    request = send(request)
    assert request.status == "succeeded"
    assert len(at_provider(request.payment)) == 1
    assert (request.failure, request.failure_code) == ("", "")
    assert verification.run() == []


class Tightlipped(StripeClient):
    """Refuses to look anything up."""

    def list_refunds(self, payment_intent: str) -> list[ProviderRefund]:
        raise Refused("No such payment.", code="resource_missing", status=404)


def test_a_refusal_to_look_up_is_no_proof_that_nothing_was_done(
    db: None, stripe: RunningFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault("reset_after", path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    with monkeypatch.context() as patch:
        patch.setattr(providers, "_client", lambda key, url: Tightlipped(key, url))
        with pytest.raises(ProviderUnavailable):
            refunds.send(request_id=request.pk)
    assert again(request).status == "unknown"
    assert send(request).status == "succeeded"
    assert len(at_provider(request.payment)) == 1


def lost_for_a_day(stripe: RunningFake, fault: str) -> RefundRequest:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault(fault, path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    Attempt.objects.filter(operation="refund").update(first_sent_at=clock.now() - timedelta(hours=23))
    stripe.forget_keys()
    return again(request)


def test_after_23_hours_a_trace_is_adopted_and_without_one_a_person_has_to_look(db: None, stripe: RunningFake) -> None:
    assert send(lost_for_a_day(stripe, "reset_after")).status == "succeeded"
    request = send(lost_for_a_day(stripe, "reset_before"))
    assert (request.status, made.approval_of(request).status) == ("needs_human", "approved")
    assert ("refund.outcome", "needs_human") in told(request.requested_by)
    assert not at_provider(request.payment)
    assert queries.waiting_count() == 1


def test_a_person_sends_it_under_a_new_key_or_gives_it_up_after_proof(db: None, stripe: RunningFake) -> None:
    person = finance.finance_person()
    request = send(lost_for_a_day(stripe, "reset_before"))
    with pytest.raises(Forbidden):
        refunds.resume(request=request, by=made.support_person(), reason="please")
    with pytest.raises(Invalid):
        refunds.give_up(request=request, by=person, reason=" ")
    refunds.resume(request=request, by=person, reason="not there", is_absent=True)
    assert send(request).status == "succeeded"
    assert Attempt.objects.filter(operation="refund").count() == 2
    other = send(lost_for_a_day(stripe, "reset_before"))
    refunds.give_up(request=other, by=person, reason="the customer was paid in cash")
    other = again(other)
    assert (other.status, other.failure, made.approval_of(other).status) == (
        "failed",
        "the customer was paid in cash",
        "failed",
    )
    assert queries.left(other.payment) == 100_00
    assert verification.run() == []


def test_under_a_new_key_too_nothing_is_sent_for_a_payment_that_does_not_bear_it(db: None, stripe: RunningFake) -> None:
    request = send(lost_for_a_day(stripe, "reset_before"))
    Payment.objects.filter(pk=request.payment_id).update(status="disputed")
    refunds.resume(request=request, by=finance.finance_person(), reason="not there", is_absent=True)
    calls = len(stripe.calls("/v1/refunds", method="POST"))
    request = send(request)
    assert (request.status, request.failure_code) == ("failed", "not_possible")
    assert len(stripe.calls("/v1/refunds", method="POST")) == calls
    assert verification.run() == []


def test_a_persons_word_that_it_is_absent_is_checked_at_the_provider(db: None, stripe: RunningFake) -> None:
    person = finance.finance_person()
    request = lost_for_a_day(stripe, "reset_after")
    RefundRequest.objects.filter(pk=request.pk).update(status="needs_human")
    request.refresh_from_db()
    for act in (
        lambda: refunds.resume(request=request, by=person, reason="I saw none", is_absent=True),
        lambda: refunds.give_up(request=request, by=person, reason="I saw none"),
    ):
        with pytest.raises(Conflict) as refusal:
            act()
        assert refusal.value.code == "not_absent"
    stripe.fault("error_before", method="GET", path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.give_up(request=request, by=person, reason="I saw none")
    refunds.resume(request=request, by=person, reason="ask again")
    assert send(request).status == "succeeded"
    assert len(at_provider(request.payment)) == 1


def test_lost_jobs_and_silent_refunds_are_found(db: None, stripe: RunningFake) -> None:
    made.approved(made.paid(stripe), 60_00)
    quiet = send(made.approved(made.paid(stripe, card=made.PENDING), 60_00))
    assert quiet.status == "processing"
    jobs.Job.objects.all().delete()
    soon, later = clock.now() + timedelta(minutes=5), clock.now() + timedelta(hours=2)
    assert refunds.recover(at=soon) == 1
    assert refunds.recover(at=later) == 2
    stripe.run_scheduled()
    jobs.run_due(kinds=["finance.send_refund"])
    assert set(RefundRequest.objects.values_list("status", flat=True)) == {"succeeded"}
    assert refunds.recover(at=later + timedelta(hours=2)) == 0
    assert verification.run() == []


# --- What the provider tells ---


def test_a_pending_refund_is_counted_when_it_has_succeeded(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe, card=made.PENDING)
    request = send(made.approved(payment, 60_00))
    made.tell(stripe)
    request = again(request)
    assert (request.status, request.answer, request.payment.refunded_minor) == ("processing", "pending", 0)
    assert told(payment.user) == []
    stripe.run_scheduled()
    made.tell(stripe)
    request = again(request)
    assert (request.status, request.payment.refunded_minor) == ("succeeded", 60_00)
    assert verification.run() == []


def test_an_event_that_overtakes_the_worker_is_adopted(db: None, stripe: RunningFake) -> None:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault("reset_after", path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    made.tell(stripe)
    request = again(request)
    assert (request.status, request.payment.refunded_minor) == ("succeeded", 60_00)
    assert send(request).status == "succeeded"
    assert len(stripe.calls("/v1/refunds", method="POST")) == 1
    assert verification.run() == []


def test_what_the_provider_did_of_a_closed_attempt_is_counted_and_shown(db: None, stripe: RunningFake) -> None:
    request = send(lost_for_a_day(stripe, "reset_before"))
    refunds.give_up(request=request, by=finance.finance_person(), reason="nothing there")
    attempt = Attempt.objects.get(operation="refund")
    providers.stripe().create_refund(
        payment_intent=request.payment.provider_payment_id,
        amount=60_00,
        attempt_id=str(attempt.pk),
        idempotency_key="late",
    )
    made.tell(stripe)
    request = again(request)
    assert (request.status, request.failure_code) == ("failed", "contradiction")
    assert request.payment.refunded_minor == 60_00
    assert queries.waiting_count() == 1
    assert told(request.requested_by)[-1] == ("refund.outcome", "needs_human")


def test_another_amount_at_the_provider_is_a_persons_matter(db: None, stripe: RunningFake) -> None:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault("reset_after", path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    stripe.change(at_provider(request.payment)[0].id, {"amount": 61_00})
    with translation.override("fr"):
        request = send(request)
    assert request.status == "needs_human"
    # Kept in English whoever the worker is; each reads it in their language.
    assert "another amount" in request.failure
    asker = request.requested_by
    assert asker.language == "en"
    notice = Notification.objects.filter(user=asker, event="refund.outcome").latest("id")
    assert "another amount" in notice.data["reason"]


def test_a_refund_that_cannot_be_booked_needs_a_person_and_goes_on_when_it_can(db: None, stripe: RunningFake) -> None:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.fault("reset_after", path="/v1/refunds")
    with pytest.raises(ProviderUnavailable):
        refunds.send(request_id=request.pk)
    Payment.objects.filter(pk=request.payment_id).update(status="disputed")
    request = send(request)
    assert request.status == "needs_human"
    assert "cannot be booked" in request.failure
    Payment.objects.filter(pk=request.payment_id).update(status="captured")
    refunds.resume(request=request, by=finance.finance_person(), reason="the dispute is over")
    assert send(request).status == "succeeded"
    assert verification.run() == []


def test_refunds_that_the_provider_does_not_know_are_not_undone(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    payments.record_refunded(payment=payment, cumulative_minor=10_00, currency="USD")
    with pytest.raises(refunds.Unexplained):
        refunds.take(payment_id=payment.pk)
    assert Payment.objects.get(pk=payment.pk).refunded_minor == 10_00


def test_an_answer_that_another_reading_overtook_is_read_anew(
    db: None, stripe: RunningFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read before the refund failed, applied after the failure was: the old answer must not count it again."""
    payment = made.paid(stripe, card=made.FAILING)
    request = send(made.approved(payment, 60_00))
    old = at_provider(payment)
    stripe.run_scheduled()
    made.tell(stripe)
    assert again(request).status == "failed"

    class Slow(StripeClient):
        reads = 0

        def list_refunds(self, payment_intent: str) -> list[ProviderRefund]:
            Slow.reads += 1
            if Slow.reads == 1:
                refunds_read = old
                with monkeypatch.context() as inner:
                    inner.setattr(providers, "_client", lambda key, url: StripeClient(key, url))
                    refunds.take(payment_id=payment.pk)
                return refunds_read
            return super().list_refunds(payment_intent)

    with monkeypatch.context() as patch:
        patch.setattr(providers, "_client", lambda key, url: Slow(key, url))
        refunds.take(payment_id=payment.pk)
    assert Slow.reads == 2
    assert Payment.objects.get(pk=payment.pk).refunded_minor == 0
    assert verification.run() == []


def test_what_is_open_is_found_by_its_own_index(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for rows in (queries.open_ones(), RefundRequest.objects.filter(queries.WAITING | queries.TROUBLED)):
        assert "refund_request_open" in rows.order_by("-id").explain()


def test_what_was_counted_while_it_is_pending_is_not_taken_back(db: None, stripe: RunningFake) -> None:
    payment = made.paid(stripe, card=made.PENDING)
    providers.stripe().create_refund(
        payment_intent=payment.provider_payment_id, amount=10_00, attempt_id="x", idempotency_key="dashboard"
    )
    payments.record_refunded(payment=payment, cumulative_minor=10_00, currency="USD")
    assert refunds.take(payment_id=payment.pk).refunded_minor == 10_00
    stripe.fail_refund(at_provider(payment)[0].id)
    assert refunds.take(payment_id=payment.pk).refunded_minor == 0
    assert verification.run() == []


@pytest.mark.parametrize(("state", "verb"), forbidden(REFUND))
def test_the_machine_refuses_every_other_verb(db: None, state: str, verb: str) -> None:
    with pytest.raises(IllegalTransition):
        advance(RefundRequest(status=state), verb, by=None)


def test_a_member_is_no_staff(db: None, stripe: RunningFake) -> None:
    with pytest.raises(Forbidden):
        made.asked(made.paid(stripe), 1_00, by=member())
