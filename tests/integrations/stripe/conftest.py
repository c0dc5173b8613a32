"""The real client talking HTTP to the loopback server."""

from collections.abc import Callable, Iterator

import pytest

from integrations.stripe import types
from integrations.stripe.client import StripeClient
from integrations.stripe.fake.running import RunningFake, running_fake

BANK = types.BankDetails("US", "USD", "000123456789", "110000000", "Ana Duarte")
CLOSED_BANK = types.BankDetails("US", "USD", "000111111113", "110000000", "Ana Duarte")


@pytest.fixture
def fake() -> Iterator[RunningFake]:
    with running_fake() as running:
        yield running


@pytest.fixture
def client(fake: RunningFake) -> StripeClient:
    return StripeClient(fake.api_key, fake.url)


@pytest.fixture
def impatient(fake: RunningFake) -> StripeClient:
    """Gives up after a second: long enough for the server to have done its work."""
    return StripeClient(fake.api_key, fake.url, read_timeout=1)


@pytest.fixture
def account(client: StripeClient) -> types.ConnectedAccount:
    return client.create_account(
        country="US", currency="USD", email="ana@example.com", bank=BANK, idempotency_key="account-ana"
    )


@pytest.fixture
def open_session(client: StripeClient) -> Callable[..., types.CheckoutSession]:
    def make(amount: int = 1999, currency: str = "USD", key: str = "purchase-1") -> types.CheckoutSession:
        return client.create_checkout_session(
            amount=amount,
            currency=currency,
            name="The <Long> Road",
            description="Film, 92 minutes",
            success_url="https://shop.example.com/thanks?session={CHECKOUT_SESSION_ID}",
            cancel_url="https://shop.example.com/titles/long-road",
            client_reference_id="PU-1",
            metadata={"purchase": "PU-1"},
            customer_email="buyer@example.com",
            idempotency_key=key,
        )

    return make
