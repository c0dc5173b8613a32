"""Webhooks leave signed, are tried again, survive a restart, and come doubled or out of order when told."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integrations.stripe import webhooks
from integrations.stripe.client import StripeClient
from integrations.stripe.fake.running import running_fake
from tests.integrations.stripe.conftest import BANK
from tests.integrations.stripe.receiver import Receiver, receiving

ROOT = Path(__file__).resolve().parents[3]


def types_of(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for body, _ in receiver.got]


def ids_of(receiver: Receiver) -> list[str]:
    return [json.loads(body)["id"] for body, _ in receiver.got]


def test_events_arrive_signed_and_in_order() -> None:
    with receiving() as receiver, running_fake(webhook_url=receiver.url) as fake:
        client = StripeClient(fake.api_key, fake.url)
        account = client.create_account(
            country="US", currency="USD", email="a@example.com", bank=BANK, idempotency_key="a"
        )
        fake.topup(1000, account=account.id)
        client.create_payout(account=account.id, amount=1000, currency="USD", attempt_id="p", idempotency_key="p")
        fake.run_scheduled()
        assert fake.wait_delivered()
        assert types_of(receiver) == ["account.updated", "payout.created", "payout.paid"]
        for body, header in receiver.got:
            event = webhooks.verify(
                body, header, fake.webhook_secret, now=int(time.time()), livemode=False, account=account.id
            )
            assert event.account == account.id


def test_a_payout_is_paid_by_itself_after_its_delay() -> None:
    with receiving() as receiver, running_fake(webhook_url=receiver.url, payout_delay=0.1) as fake:
        client = StripeClient(fake.api_key, fake.url)
        account = client.create_account(
            country="US", currency="USD", email="a@example.com", bank=BANK, idempotency_key="a"
        )
        fake.topup(1000, account=account.id)
        client.create_payout(account=account.id, amount=1000, currency="USD", attempt_id="p", idempotency_key="p")
        assert receiver.wait(3)
        assert types_of(receiver)[-1] == "payout.paid"


def test_a_failed_delivery_is_tried_again_with_a_new_signature() -> None:
    with (
        receiving(500, 302, 404) as receiver,
        running_fake(webhook_url=receiver.url, retry_delays=(0.02, 0.02, 0.02)) as fake,
    ):
        event = fake.emit("test.event", {"id": "x", "object": "thing"})["id"]
        assert receiver.wait(4)
        assert fake.wait_delivered()
        assert ids_of(receiver) == [event] * 4
        assert [(row["state"], row["attempts"]) for row in fake.deliveries()] == [("done", 4)]


def test_a_delivery_that_never_succeeds_is_given_up_with_its_reason() -> None:
    with (
        receiving(*[500] * 9) as receiver,
        running_fake(webhook_url=receiver.url, retry_delays=(0.01,)) as fake,
    ):
        fake.emit("test.event", {"id": "x", "object": "thing"})
        assert fake.wait_delivered()
        assert [(row["state"], row["error"]) for row in fake.deliveries()] == [("dead", "HTTP 500")]


@pytest.mark.parametrize("order", ["sent", "reversed", "shuffled"])
def test_held_events_are_released_in_the_order_asked_for_and_doubled(order: str) -> None:
    with receiving() as receiver, running_fake(webhook_url=receiver.url) as fake:
        fake.hold()
        sent = [fake.emit("test.event", {"id": str(number), "object": "thing"})["id"] for number in range(6)]
        time.sleep(0.1)
        assert receiver.got == []
        assert fake.release(order, times=2, seed=4) == 6
        assert receiver.wait(12)
        assert fake.wait_delivered()
        expected = {"sent": sent * 2, "reversed": (sent * 2)[::-1]}.get(order)
        if expected:
            assert ids_of(receiver) == expected
        else:
            assert sorted(ids_of(receiver)) == sorted(sent * 2)
            assert ids_of(receiver) != sent * 2


def test_an_event_can_be_delivered_again() -> None:
    with receiving() as receiver, running_fake(webhook_url=receiver.url) as fake:
        event = fake.emit("test.event", {"id": "x", "object": "thing"})["id"]
        fake.redeliver(event, times=2)
        assert receiver.wait(3)
        assert ids_of(receiver) == [event] * 3
        with pytest.raises(LookupError):
            fake.redeliver("evt_none")


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "stripe.db"
    with running_fake(state=state) as fake:
        client = StripeClient(fake.api_key, fake.url)
        fake.topup(1000)
        account = client.create_account(
            country="US", currency="USD", email="a@example.com", bank=BANK, idempotency_key="a"
        )
        sent = client.create_transfer(
            amount=400, currency="USD", destination=account.id, attempt_id="t", idempotency_key="t"
        )
        made = client.create_payout(account=account.id, amount=400, currency="USD", attempt_id="p", idempotency_key="p")
    with receiving() as receiver, running_fake(state=state, webhook_url=receiver.url) as fake:
        client = StripeClient(fake.api_key, fake.url)
        assert client.retrieve_balance().available == {"USD": 600}
        again = client.create_transfer(
            amount=400, currency="USD", destination=account.id, attempt_id="t", idempotency_key="t"
        )
        assert again == sent
        fake.run_scheduled()
        assert client.retrieve_payout(made.id, account=account.id).status == "paid"
        assert receiver.wait(5)
        assert types_of(receiver) == [
            "account.updated",
            "transfer.created",
            "payment.created",
            "payout.created",
            "payout.paid",
        ]


def start(state: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "integrations.stripe.fake", "--port", "0", "--state", str(state), *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "STRIPE_API_KEY": "sk_test_process"},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def test_as_a_process_it_outlives_being_killed(tmp_path: Path) -> None:
    state = tmp_path / "stripe.db"
    process, url = start(state)
    client = StripeClient("sk_test_process", url)
    made = client.create_customer(email="a@example.com", idempotency_key="a")
    process.kill()
    process.wait()
    process, url = start(state)
    try:
        again = StripeClient("sk_test_process", url).create_customer(email="a@example.com", idempotency_key="a")
        assert again == made
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("wrong", [["--host", "0.0.0.0"], ["--webhook-url", "http://127.0.0.1:1/"]])
def test_as_a_process_it_refuses_to_be_open_to_others_or_unsigned(wrong: list[str]) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "integrations.stripe.fake", "--port", "0", "--webhook-secret", "", *wrong],
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 2
