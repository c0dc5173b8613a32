"""Many people, workers and events at once about the refunds of one payment, on a real PostgreSQL."""

import pytest

from backoffice.approvals.services import requests
from backoffice.core import jobs
from backoffice.finance.models import Entry, Payment, Refund, RefundRequest
from backoffice.finance.queries import refunds as queries
from backoffice.finance.services import providers, refunds, verification
from backoffice.finance.services.providers import ProviderUnavailable
from integrations.stripe.fake.running import RunningFake
from tests.backoffice.finance.test_races import race
from tests.factories import finance
from tests.factories import refunds as made

pytestmark = pytest.mark.django_db(transaction=True)


def at_provider(payment: Payment) -> int:
    found = providers.stripe().list_refunds(payment.provider_payment_id)
    return sum(refund.amount for refund in found if refund.status == "succeeded")


def test_people_who_ask_at_the_same_moment_never_get_more_than_was_paid(stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    people = [finance.finance_person() for _number in range(6)]
    results, refusals = race(*[lambda by=by: made.asked(payment, 40_00, by=by) for by in people])
    assert (len(results), len(refusals)) == (2, 4)
    assert queries.left(Payment.objects.get(pk=payment.pk)) == 20_00
    # Alone, one person's limit holds for all of them together.
    assert sum(row.amount_minor for row in RefundRequest.objects.filter(is_single_handed=True)) <= 100_00
    jobs.run_due(kinds=["finance.send_refund"])
    assert at_provider(payment) == Payment.objects.get(pk=payment.pk).refunded_minor == 80_00
    assert verification.run() == []


def test_one_refund_approved_and_rejected_at_once_has_one_answer(stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    request = made.asked(payment, 60_00)
    approval = made.approval_of(request)
    people = [finance.finance_person() for _number in range(4)]
    results, refusals = race(
        lambda: requests.approve(request=approval, by=people[0]),
        lambda: requests.approve(request=approval, by=people[1]),
        lambda: requests.reject(request=approval, by=people[2], reason="no"),
        lambda: requests.withdraw(request=approval, by=request.requested_by),
    )
    assert (len(results), len(refusals)) == (1, 3)
    jobs.run_due(kinds=["finance.send_refund"])
    request.refresh_from_db()
    assert (request.status == "succeeded") == (at_provider(payment) == 60_00)
    assert verification.run() == []


def test_workers_and_events_at_once_send_once_and_count_once(stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    requests_ = [made.approved(payment, amount) for amount in (20_00, 30_00, 50_00)]
    _results, refusals = race(
        *[lambda row=row: refunds.send(request_id=row.pk) for row in requests_ for _turn in range(2)],
        *[lambda: refunds.take(payment_id=payment.pk) for _turn in range(2)],
    )
    # Who meets a key in use, or a reading that was overtaken, asks again later.
    assert all(isinstance(refusal, ProviderUnavailable) for refusal in refusals), refusals
    for row in requests_:
        refunds.send(request_id=row.pk)
    made.tell(stripe)
    payment = Payment.objects.get(pk=payment.pk)
    assert set(RefundRequest.objects.values_list("status", flat=True)) == {"succeeded"}
    assert at_provider(payment) == payment.refunded_minor == 100_00
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 100_00
    assert len(providers.stripe().list_refunds(payment.provider_payment_id)) == 3
    assert verification.run() == []


def test_readings_at_once_while_refunds_come_back_end_where_the_provider_is(stripe: RunningFake) -> None:
    payment = made.paid(stripe)
    rows = [refunds.send(request_id=made.approved(payment, amount).pk) for amount in (10_00, 20_00, 30_00)]

    def fail_and_read(row: RefundRequest) -> None:
        stripe.fail_refund(row.provider_refund_id)
        refunds.take(payment_id=payment.pk)

    _results, refusals = race(
        *[lambda row=row: fail_and_read(row) for row in rows[:2]],
        *[lambda: refunds.take(payment_id=payment.pk) for _turn in range(3)],
    )
    assert all(isinstance(refusal, ProviderUnavailable) for refusal in refusals), refusals
    made.tell(stripe)
    payment = Payment.objects.get(pk=payment.pk)
    assert at_provider(payment) == payment.refunded_minor == 30_00
    assert sorted(RefundRequest.objects.values_list("status", flat=True)) == ["failed", "failed", "succeeded"]
    assert Entry.objects.filter(kind="reversal").count() == Refund.objects.exclude(reversal=None).count()
    assert verification.run() == []
