"""`python -m integrations.stripe.fake`: serves until SIGINT or SIGTERM."""

import argparse
import ipaddress
import os
import signal
import sys
import threading
from types import FrameType

from integrations.stripe.fake.engine import Settings
from integrations.stripe.fake.running import API_KEY
from integrations.stripe.fake.server import FakeServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="integrations.stripe.fake", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--state", default=":memory:", help="SQLite file that keeps everything across restarts")
    parser.add_argument("--api-key", default=os.environ.get("STRIPE_API_KEY") or API_KEY)
    parser.add_argument("--public-url", default="", help="how browsers reach this server, if not by host and port")
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default=os.environ.get("STRIPE_WEBHOOK_SECRET", ""))
    parser.add_argument("--connect-webhook-url", default="", help="for events of connected accounts, if another")
    parser.add_argument("--connect-webhook-secret", default="")
    parser.add_argument("--payout-delay", type=float, default=5.0, help="seconds until a payout is paid or fails")
    parser.add_argument("--refund-delay", type=float, default=5.0, help="seconds until a pending refund ends")
    parser.add_argument("--settlement-delay", type=int, default=0, help="seconds until card money is available")
    parser.add_argument("--booking-delay", type=float, default=0.0, help="seconds until a charge's fee is known")
    given = parser.parse_args()
    if not ipaddress.ip_address(given.host).is_loopback:
        parser.error("--host must be a loopback address: anybody who reaches this server can steer it")
    if given.webhook_url and not given.webhook_secret:
        parser.error("--webhook-secret is needed with --webhook-url")
    server = FakeServer(
        given.host,
        given.port,
        Settings(
            api_key=given.api_key,
            webhook_url=given.webhook_url,
            webhook_secret=given.webhook_secret,
            connect_webhook_url=given.connect_webhook_url,
            connect_webhook_secret=given.connect_webhook_secret,
            public_url=given.public_url.rstrip("/"),
            payout_delay=given.payout_delay,
            refund_delay=given.refund_delay,
            settlement_delay=given.settlement_delay,
            booking_delay=given.booking_delay,
        ),
        given.state,
    )
    finished = threading.Event()

    def finish(number: int, frame: FrameType | None) -> None:
        finished.set()

    signal.signal(signal.SIGINT, finish)
    signal.signal(signal.SIGTERM, finish)
    server.start()
    sys.stdout.write(f"Stripe fake at {server.url}\n")
    sys.stdout.flush()
    finished.wait()
    server.stop()


if __name__ == "__main__":
    main()
