"""The fake inside a test: real HTTP on a free port, gone at the end of the block."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations.stripe.fake.control import Control
from integrations.stripe.fake.engine import Settings
from integrations.stripe.fake.server import FakeServer

API_KEY = "sk_test_backlot"
WEBHOOK_SECRET = "whsec_backlot_test"  # noqa: S105


class RunningFake(Control):
    """A fake that is being served at `url`; every lever of `Control` is a method."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__(server.engine, server.api, server.background)
        self.url = server.url
        self.api_key = server.engine.settings.api_key
        self.webhook_secret = server.engine.settings.webhook_secret


@contextmanager
def running_fake(
    *,
    state: str | Path = ":memory:",
    port: int = 0,
    api_key: str = API_KEY,
    webhook_url: str = "",
    webhook_secret: str = WEBHOOK_SECRET,
    payout_delay: float = 3600.0,
    refund_delay: float = 3600.0,
    **settings: Any,
) -> Iterator[RunningFake]:
    """Serves a fake on 127.0.0.1. Payouts and open refunds wait for `run_scheduled()` unless given short delays.

    Without `webhook_url` events are recorded and can be posted by hand with `signed(event_id)`.
    """
    server = FakeServer(
        "127.0.0.1",
        port,
        Settings(
            api_key=api_key,
            webhook_url=webhook_url,
            webhook_secret=webhook_secret,
            payout_delay=payout_delay,
            refund_delay=refund_delay,
            **settings,
        ),
        str(state),
    )
    server.start()
    try:
        yield RunningFake(server)
    finally:
        server.stop()
