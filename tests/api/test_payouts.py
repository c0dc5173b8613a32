"""A creator's balance, payout account and payouts (U-026, U-027)."""

from collections.abc import Iterator
from typing import Any

import pytest

from backoffice.finance.models import PayoutRun
from backoffice.finance.services import payouts
from integrations.stripe.fake.running import RunningFake, running_fake
from tests.factories import creators, finance
from tests.factories.accounts import api_client, member

pytestmark = pytest.mark.django_db
BANK = {
    "country": "US",
    "currency": "USD",
    "account_number": "000123456789",
    "routing_number": "110000000",
    "holder_name": "Ana Duarte",
}


@pytest.fixture
def stripe(settings: Any) -> Iterator[RunningFake]:
    """A payment provider."""
    with running_fake() as running:
        settings.STRIPE_API_KEY = running.api_key
        settings.STRIPE_BASE_URL = running.url
        yield running


def ask(creator: Any, amount: str, *, key: str = "k1", factor: bool = True, currency: str = "USD") -> Any:
    return api_client(creator.user, factor=factor).post(
        "/api/v1/creators/me/payouts",
        {"amount": {"amount": amount, "currency": currency}},
        format="json",
        headers={"Idempotency-Key": key},
    )


def test_a_creator_reads_every_part_of_the_balance() -> None:
    creator = finance.payable(80_00)
    assert ask(creator, "30.00").status_code == 201
    row = api_client(creator.user).get("/api/v1/creators/me/balance").json()["data"][0]
    assert row["next_payout_at"] is None
    amounts = {name: value["amount"] for name, value in row.items() if isinstance(value, dict)}
    assert amounts == {
        "pending": "0.00",
        "available": "80.00",
        "reserved": "30.00",
        "free": "50.00",
        "in_transit": "0.00",
        "owed": "0.00",
        "minimum": "10.00",
    }


def test_a_payout_is_asked_for_once_per_key_and_shows_fee_and_net() -> None:
    creator = finance.payable(80_00)
    first = ask(creator, "40.00")
    assert first.status_code == 201, first.json()
    data = first.json()["data"]
    assert (data["amount"]["amount"], data["fee"]["amount"], data["net"]["amount"]) == ("40.00", "0.35", "39.65")
    assert (data["state"], data["run_state"]) == ("reserved", "submitted")
    assert ask(creator, "40.00").json()["data"] == data
    assert ask(creator, "41.00").json()["error"]["code"] == "idempotency_key_reused"
    assert ask(creator, "20.00", key="k2").json()["error"]["code"] == "already_open"
    assert PayoutRun.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [
        ("9.99", 400, "below_minimum"),
        ("80.01", 400, "above_available"),
        ("-1.00", 400, None),
        ("1.001", 400, None),
        ("ten", 400, None),
    ],
)
def test_an_amount_that_cannot_be_paid_is_named(amount: str, status: int, code: str | None) -> None:
    answer = ask(finance.payable(80_00), amount)
    assert answer.status_code == status
    assert code in (None, answer.json()["error"]["code"])


def test_money_moves_only_with_a_fresh_code_a_key_and_for_creators() -> None:
    creator = finance.payable(80_00)
    assert ask(creator, "40.00", factor=False).json()["error"]["code"] == "mfa_required"
    assert ask(creator, "40.00", key="").status_code == 400
    assert api_client(member()).get("/api/v1/creators/me/payouts").status_code == 403
    assert api_client(creator.user).post("/api/v1/creators/me/payout-accounts", BANK).status_code == 403
    assert not PayoutRun.objects.exists()


def test_a_creator_without_an_account_or_in_another_currency_is_told_so() -> None:
    assert ask(creators.creator(), "40.00").json()["error"]["code"] == "no_account"
    assert ask(finance.payable(80_00), "40.00", currency="EUR").json()["error"]["code"] == "no_account"


def test_an_account_is_connected_shown_masked_and_changed(stripe: RunningFake) -> None:
    creator = creators.creator()
    client = api_client(creator.user, factor=True)
    made = client.post("/api/v1/creators/me/payout-accounts", BANK, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["data"]["status"] == "verified"
    assert made.json()["data"]["account"].endswith("6789")
    assert "000123456789" not in made.content.decode()
    changed = BANK | {"account_number": "000111111116"}
    answer = client.post("/api/v1/creators/me/payout-accounts", changed, format="json")
    assert answer.json()["data"]["id"] == made.json()["data"]["id"]
    assert answer.json()["data"]["account"].endswith("1116")
    shown = client.get("/api/v1/creators/me/payout-accounts").json()["data"]
    assert [row["account"] for row in shown] == [answer.json()["data"]["account"]]


def test_a_rejected_payout_shows_its_reason_to_its_creator_only() -> None:
    creator, other = finance.payable(80_00), finance.payable(80_00)
    ask(creator, "40.00")
    run = PayoutRun.objects.get()
    payouts.reject(run=run, by=finance.finance_person(), reason="The account's name differs.")
    shown = api_client(creator.user).get("/api/v1/creators/me/payouts").json()["data"]
    assert [(row["run_state"], row["reason"]) for row in shown] == [("rejected", "The account's name differs.")]
    assert api_client(other.user).get("/api/v1/creators/me/payouts").json()["data"] == []
