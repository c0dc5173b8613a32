"""kill -9 at every step between provider and database: the customer gets the money back exactly once."""

import os
import subprocess
import sys

import psycopg
import pytest

from backoffice.finance.models import Attempt, Entry, Payment, RefundRequest
from backoffice.finance.services import providers, refunds, verification
from integrations.stripe.fake.running import RunningFake
from tests.backoffice.finance.test_kill import ROOT, SCRIPT, SILENCE, has_open, kill, wait_until
from tests.factories import refunds as made

PATH = "/v1/refunds"


def start(request: RefundRequest, stripe: RunningFake) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "STRIPE_API_KEY": stripe.api_key,
        "STRIPE_BASE_URL": stripe.url,
    }
    return subprocess.Popen([sys.executable, str(SCRIPT), "refund", str(request.pk)], cwd=ROOT, env=environment)


def asked(stripe: RunningFake, method: str) -> bool:
    return bool(stripe.calls(PATH, method=method))


def amount_at_provider(request: RefundRequest) -> int:
    payment = Payment.objects.get(pk=request.payment_id)
    return sum(refund.amount for refund in providers.stripe().list_refunds(payment.provider_payment_id))


@pytest.fixture
def request_(transactional_db: None, stripe: RunningFake) -> RefundRequest:
    request = made.approved(made.paid(stripe), 60_00)
    stripe.clear_calls()
    return request


def check_refunded_once(request: RefundRequest, stripe: RunningFake) -> None:
    """Another process takes over: the provider's sum is the ledger's sum, once."""
    stripe.clear_faults()
    refunds.send(request_id=request.pk)
    made.tell(stripe)
    request = RefundRequest.objects.select_related("payment").get(pk=request.pk)
    assert request.status == "succeeded"
    assert amount_at_provider(request) == request.payment.refunded_minor == 60_00
    assert Entry.objects.filter(kind="refund").count() == 1
    assert Attempt.objects.get(operation="refund").status == "done"
    assert verification.run() == []


@pytest.mark.parametrize(("fault", "already"), [("timeout_before", 0), ("timeout_after", 60_00)])
def test_killed_while_the_provider_is_working(
    request_: RefundRequest, stripe: RunningFake, fault: str, already: int
) -> None:
    stripe.fault(fault, path=PATH, seconds=SILENCE)
    worker = start(request_, stripe)
    wait_until(lambda: has_open("refund") and asked(stripe, "POST") and amount_at_provider(request_) == already)
    kill(worker)
    assert has_open("refund")
    check_refunded_once(request_, stripe)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_killed_with_the_answer_in_hand_and_the_commit_outstanding(
    request_: RefundRequest, stripe: RunningFake, method: str
) -> None:
    """The worker has the provider's answer, to the call or to the reading after it, and waits for a row that the test
    holds locked; there it dies.
    """
    stripe.fault("slow", method=method, path=PATH, seconds=3)
    worker = start(request_, stripe)
    if method == "POST":
        wait_until(lambda: has_open("refund"))
    else:
        wait_until(lambda: Attempt.objects.filter(operation="refund", status="done").exists())
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address) as holder:
        holder.execute("SELECT 1 FROM finance_payment WHERE id = %s FOR UPDATE", [request_.payment_id])
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%%finance_payment%%'"
        )
        with psycopg.connect(address, autocommit=True) as watcher:
            wait_until(lambda: watcher.execute(waiting).fetchone() == (1,))
        kill(worker)
    assert has_open("refund") == (method == "POST")
    assert Payment.objects.get(pk=request_.payment_id).refunded_minor == 0
    check_refunded_once(request_, stripe)


def test_killed_while_the_refunds_are_read_after_the_call(request_: RefundRequest, stripe: RunningFake) -> None:
    stripe.fault("timeout_before", method="GET", path=PATH, seconds=SILENCE)
    worker = start(request_, stripe)
    wait_until(lambda: asked(stripe, "GET") or Attempt.objects.filter(operation="refund", status="done").exists())
    kill(worker)
    check_refunded_once(request_, stripe)


def test_killed_again_and_again_with_the_event_in_between(request_: RefundRequest, stripe: RunningFake) -> None:
    for fault in ("timeout_before", "timeout_after", "timeout_before"):
        stripe.clear_faults()
        stripe.clear_calls()
        stripe.fault(fault, path=PATH, seconds=SILENCE)
        stripe.fault("slow", method="GET", path=PATH, seconds=0.3)
        worker = start(request_, stripe)
        try:
            wait_until(lambda: asked(stripe, "POST") or worker.poll() is not None)  # noqa: B023
        finally:
            worker.kill()
            worker.wait(timeout=10)
    stripe.clear_faults()
    made.tell(stripe)
    check_refunded_once(request_, stripe)


def test_two_workers_and_the_webhook_at_once_refund_once(request_: RefundRequest, stripe: RunningFake) -> None:
    stripe.fault("slow", path=PATH, seconds=1)
    first, second = start(request_, stripe), start(request_, stripe)
    first.wait(timeout=90)
    second.wait(timeout=90)
    check_refunded_once(request_, stripe)
