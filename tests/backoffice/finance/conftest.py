"""The loopback Stripe server that the real client talks to."""

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.stripe.fake.running import RunningFake, running_fake


@pytest.fixture
def stripe(settings: Any) -> Iterator[RunningFake]:
    """A provider with enough money to pay everybody; its webhooks are applied by hand."""
    with running_fake() as running:
        settings.STRIPE_API_KEY = running.api_key
        settings.STRIPE_BASE_URL = running.url
        running.topup(10_000_000, "usd")
        yield running
