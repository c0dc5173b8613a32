"""kill -9 at every step between provider and database: the creator is paid exactly once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backoffice.core import clock
from backoffice.finance.models import Attempt, Entry, PayoutItem
from backoffice.finance.services import payouts, verification
from integrations.stripe.fake.running import RunningFake
from tests.factories import finance

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("sending_process.py")
SILENCE = 60.0


def start(item: PayoutItem, stripe: RunningFake) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "STRIPE_API_KEY": stripe.api_key,
        "STRIPE_BASE_URL": stripe.url,
    }
    return subprocess.Popen([sys.executable, str(SCRIPT), "payout", str(item.pk)], cwd=ROOT, env=environment)


def wait_until(condition: Callable[[], Any], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the worker did not get there"
        time.sleep(0.02)


def kill(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(timeout=10) == -signal.SIGKILL


def made(stripe: RunningFake, kind: str) -> int:
    return len(stripe.engine.store.rows("SELECT 1 FROM object WHERE kind = ?", kind))


def asked(stripe: RunningFake, path: str) -> bool:
    return bool(stripe.calls(path, method="POST"))


def has_open(operation: str) -> bool:
    return Attempt.objects.filter(operation=operation, status="open").exists()


@pytest.fixture
def item(transactional_db: None, stripe: RunningFake) -> PayoutItem:
    creator = finance.payable(80_00, connected=True)
    run = payouts.execute(run=finance.approved(creator, 80_00))
    return run.items.get()


def check_paid_once(item: PayoutItem, stripe: RunningFake) -> None:
    """Another process takes over: one transfer, one payout, the books agree with the provider."""
    stripe.clear_faults()
    payouts.send_item(item_id=item.pk)
    item.refresh_from_db()
    assert item.status == "sent"
    assert (made(stripe, "transfer"), made(stripe, "payout")) == (1, 1)
    assert Entry.objects.filter(kind="payout_transfer").count() == 1
    assert set(Attempt.objects.values_list("status", flat=True)) == {"done"}
    assert verification.run() == []


@pytest.mark.parametrize(
    ("fault", "path", "operation", "kind", "already"),
    [
        ("timeout_before", "/v1/transfers", "transfer", "transfer", 0),
        ("timeout_after", "/v1/transfers", "transfer", "transfer", 1),
        ("timeout_before", "/v1/payouts", "payout", "payout", 0),
        ("timeout_after", "/v1/payouts", "payout", "payout", 1),
    ],
)
def test_killed_while_the_provider_is_working(
    item: PayoutItem, stripe: RunningFake, fault: str, path: str, operation: str, kind: str, already: int
) -> None:
    stripe.fault(fault, path=path, seconds=SILENCE)
    worker = start(item, stripe)
    wait_until(lambda: has_open(operation) and asked(stripe, path) and made(stripe, kind) == already)
    kill(worker)
    assert has_open(operation)
    check_paid_once(item, stripe)


@pytest.mark.parametrize(
    ("path", "operation", "kind"),
    [("/v1/transfers", "transfer", "transfer"), ("/v1/payouts", "payout", "payout")],
)
def test_killed_with_the_answer_in_hand_and_the_commit_outstanding(
    item: PayoutItem, stripe: RunningFake, path: str, operation: str, kind: str
) -> None:
    """The worker has the provider's answer and waits for a row that the test holds locked; there it dies."""
    stripe.fault("slow", path=path, seconds=3)
    worker = start(item, stripe)
    wait_until(lambda: has_open(operation))
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address) as holder:
        holder.execute("SELECT 1 FROM finance_payoutrun WHERE id = %s FOR UPDATE", [item.run_id])
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%%finance_payoutrun%%'"
        )
        with psycopg.connect(address, autocommit=True) as watcher:
            wait_until(lambda: watcher.execute(waiting).fetchone() == (1,))
        assert made(stripe, kind) == 1
        kill(worker)
    assert has_open(operation)
    check_paid_once(item, stripe)


def test_killed_again_and_again(item: PayoutItem, stripe: RunningFake) -> None:
    """Three deaths in a row, then a worker that lives."""
    for fault, path in (
        ("timeout_before", "/v1/transfers"),
        ("timeout_after", "/v1/transfers"),
        ("timeout_after", "/v1/payouts"),
    ):
        stripe.clear_faults()
        stripe.clear_calls()
        stripe.fault(fault, path=path, seconds=SILENCE)
        worker = start(item, stripe)
        wait_until(lambda path=path: asked(stripe, path))
        kill(worker)
    check_paid_once(item, stripe)


def test_two_workers_on_the_same_payout_pay_once(item: PayoutItem, stripe: RunningFake) -> None:
    stripe.fault("slow", path="/v1/transfers", seconds=1)
    first, second = start(item, stripe), start(item, stripe)
    first.wait(timeout=90)
    second.wait(timeout=90)
    payouts.send_item(item_id=item.pk, at=clock.now())
    assert (made(stripe, "transfer"), made(stripe, "payout")) == (1, 1)
    item.refresh_from_db()
    assert item.status == "sent"
    assert verification.run() == []
