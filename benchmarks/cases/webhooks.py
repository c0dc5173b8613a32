"""A signed event of the payment provider taken in, beside a view that does nothing."""

import json
import time
from statistics import median
from uuid import uuid4

from django.conf import settings
from django.test import Client

from benchmarks.disk import wait_for_disk, words
from benchmarks.measuring import Result, Scale, in_turn, milliseconds, ratio
from benchmarks.seat import Seat
from integrations.stripe import webhooks

# As long as what the provider sends of a checkout session.
DETAILS = {f"field_{number}": "x" * 40 for number in range(40)}


def _body() -> bytes:
    event = {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "created": int(time.time()),
        "data": {"object": {"id": f"cs_{uuid4().hex}", "object": "checkout.session", **DETAILS}},
    }
    return json.dumps(event).encode()


def post(address: str, count: int, wait: bool) -> float:
    """Median seconds from the request to the answer, every event a new one, the signing not counted."""
    wait_for_disk(wait)
    client = Client()
    times = []
    for _number in range(count):
        body, at = _body(), int(time.time())
        signature = f"t={at},v1={webhooks.sign(body, settings.STRIPE_WEBHOOK_SECRET, at=at)}"
        headers = {"Stripe-Signature": signature}
        started = time.perf_counter()
        answer = client.post(address, body, content_type="application/json", headers=headers)
        times.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.content
    return median(times)


def measure(scale: Scale) -> list[Result]:
    """One after the other, through every middleware."""
    seat = Seat()
    results = []
    for wait in (False, True):
        mine, other = in_turn(
            scale.rounds,
            *(
                lambda address=address, wait=wait: seat.call(
                    "webhooks.post", address=address, count=scale.events, wait=wait
                )
                for address in ("/api/v1/webhooks/stripe", "/nothing")
            ),
        )
        results.append(
            Result(
                f"Webhook taken in{words(wait)}",
                milliseconds(mine),
                milliseconds(other),
                "a view that does nothing, behind the same middleware",
                ratio(mine, other),
                "lower is better",
                "" if wait else "5 at most",
                "signature checked, event, outcome and job written, job sent, answered: in requests that do nothing.",
            )
        )
    seat.close()
    return results
