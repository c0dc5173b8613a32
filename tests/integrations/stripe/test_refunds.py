"""Refunds that do not end at once, and what the provider tells of them."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Unknown
from integrations.stripe.fake.running import RunningFake
from integrations.stripe.types import Refund

type OpenSession = Callable[..., Any]

PENDING, FAILING = "4000000000007726", "4000000000005126"


def refund(client: StripeClient, intent: str, amount: int = 100, attempt: str = "r1") -> Refund:
    return client.create_refund(payment_intent=intent, amount=amount, attempt_id=attempt, idempotency_key=attempt)


@pytest.fixture
def intent_of(fake: RunningFake, open_session: OpenSession) -> Any:
    fake.topup(100_000)
    return lambda card="4242424242424242": fake.pay(open_session().id, card=card)["payment_intent"]


def test_a_pending_refund_succeeds_later(client: StripeClient, fake: RunningFake, intent_of: Any) -> None:
    intent = intent_of(PENDING)
    assert refund(client, intent).status == "pending"
    fake.run_scheduled()
    (found,) = client.list_refunds(intent)
    assert found.status == "succeeded"
    assert [event["data"]["previous_attributes"] for event in fake.events("refund.updated")] == [{"status": "pending"}]
    assert not fake.events("refund.failed")


def test_a_refund_that_fails_gives_the_money_back_and_can_be_made_again(
    client: StripeClient, fake: RunningFake, intent_of: Any
) -> None:
    intent = intent_of(FAILING)
    before = client.retrieve_balance().available["USD"]
    made = refund(client, intent, 700)
    assert made.status == "succeeded"
    fake.run_scheduled()
    fake.run_scheduled()
    failed = client.retrieve_refund(made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert client.retrieve_balance().available["USD"] == before
    charge = client.retrieve_payment_intent(intent).charge
    assert charge is not None
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert [len(fake.events(kind)) for kind in ("refund.failed", "charge.refund.updated")] == [1, 1]
    assert client.list_balance_transactions(type="refund_failure").items[0].amount == 700
    assert refund(client, intent, 700, "r2").status == "succeeded"


def test_any_refund_can_be_sent_back_once(client: StripeClient, fake: RunningFake, intent_of: Any) -> None:
    intent = intent_of()
    made = refund(client, intent)
    for _turn in range(2):
        fake.fail_refund(made.id, reason="lost_or_stolen_card")
    assert [found.failure_reason for found in client.list_refunds(intent)] == ["lost_or_stolen_card"]
    assert len(fake.events("refund.failed")) == 1


@pytest.mark.parametrize(
    ("fault", "made"),
    [("reset_before", 0), ("reset_after", 1), ("error_before", 0), ("error_after", 1), ("rate_limit", 0)],
)
def test_a_lost_answer_leaves_a_refund_that_is_found_by_its_attempt(
    client: StripeClient, fake: RunningFake, intent_of: Any, fault: str, made: int
) -> None:
    intent = intent_of()
    fake.fault(fault, path="/v1/refunds")
    with pytest.raises(Unknown):
        refund(client, intent)
    assert (client.find_refund("r1", payment_intent=intent) is not None) == bool(made)
    if not fault.startswith("error_after"):
        assert refund(client, intent).attempt_id == "r1"
        assert len(client.list_refunds(intent)) == 1


def test_payments_of_before_can_be_taken_over_and_refunded(client: StripeClient, fake: RunningFake) -> None:
    fake.topup(10_000)
    row = {"id": "pi_old_1", "amount": 1000, "currency": "usd", "created": 1_700_000_000, "metadata": {"payment": "x"}}
    assert fake.take_over([{**row, "refunded": 300}]) == 1
    assert fake.take_over([{**row, "refunded": 300}]) == 0
    charge = client.retrieve_payment_intent("pi_old_1").charge
    assert charge is not None
    assert (charge.amount, charge.amount_refunded, charge.created) == (1000, 300, 1_700_000_000)
    assert refund(client, "pi_old_1", 700).status == "succeeded"
    assert [found.amount for found in client.list_refunds("pi_old_1")] == [700, 300]
    assert {event["type"] for event in fake.events()} == {"refund.created", "charge.refunded"}
