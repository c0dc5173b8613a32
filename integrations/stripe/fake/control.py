"""Steering the fake: what tests and the demo do to it by `/_fake/…` or through `RunningFake`."""

import dataclasses
import json
import random
import time
from collections.abc import Callable
from typing import Any

from integrations.stripe.fake import ledger
from integrations.stripe.fake.api import Answer, Api, Seen
from integrations.stripe.fake.delivery import Background, body_of, endpoint, signature
from integrations.stripe.fake.engine import Engine, public, to_json
from integrations.stripe.fake.faults import Fault
from integrations.stripe.fake.resources import checkout, payouts, refunds
from integrations.stripe.fake.resources import payments as taken
from integrations.stripe.fake.store import Object

PREFIX = "/_fake/"
WITHIN = 365 * 24 * 3600
CHANGEABLE = {
    "webhook_url",
    "webhook_secret",
    "connect_webhook_url",
    "connect_webhook_secret",
    "payout_delay",
    "refund_delay",
    "settlement_delay",
    "booking_delay",
}


class Control:
    """The levers themselves; amounts in minor units, delays in seconds."""

    def __init__(self, engine: Engine, api: Api, background: Background) -> None:
        self.engine = engine
        self.api = api
        self.background = background

    # Money and payments

    def topup(self, amount: int, currency: str = "usd", *, account: str = "") -> Object:
        """Adds money to the platform's available balance, or to a connected account's."""
        with self.engine.store.transaction():
            return ledger.book(
                self.engine,
                account=account,
                type="topup",
                amount=amount,
                currency=currency.lower(),
                source=self.engine.new_id("tu_"),
            )

    def pay(self, session: str, card: str = "4242424242424242", email: str = "") -> Object:
        """What pressing Pay on the hosted page does. Raises `checkout.Declined` or `checkout.NotOpen`."""
        return checkout.pay(self.engine, session, card=card, email=email)

    def take_over(self, payments: list[dict[str, Any]]) -> int:
        """Payments taken before this fake was there: id, amount, currency, created, metadata, and "refunded", the
        total given back of it. Nothing is announced and no balance changes. How many were not known.
        """
        count = 0
        with self.engine.store.transaction():
            for given in payments:
                refunded = int(given.pop("refunded", 0))
                if taken.take_over(self.engine, **given) is not None:
                    count += 1
                    if refunded:
                        refunds.take_over(self.engine, given["id"], refunded)
        return count

    def run_scheduled(self) -> int:
        """Does now all that was scheduled for later (payouts and refunds settle, charges get booked); how many."""
        count = 0
        while self.background.do_scheduled(ahead=WITHIN):
            count += 1
        return count

    def fail_payout(self, payout: str, code: str = "account_closed") -> None:
        """Lets the bank send a payout back, even one that was reported paid."""
        with self.engine.store.transaction():
            payouts.fail(self.engine, payout, code=code)
        self.engine.wake()

    def fail_refund(self, refund: str, reason: str = "expired_or_canceled_card") -> None:
        """Lets the card's bank send a refund back, even one that had succeeded."""
        with self.engine.store.transaction():
            refunds.fail(self.engine, refund, reason=reason)
        self.engine.wake()

    def change(self, id: str, fields: Object) -> Object:
        """Overwrites fields of an object, as if Stripe had decided so."""
        with self.engine.store.transaction():
            found = self.engine.store.get(id)
            if found is None:
                raise LookupError(id)
            found.update(fields)
            return self.engine.store.save(found)

    # Faults and calls

    def fault(
        self,
        kind: str,
        count: int = 1,
        *,
        method: str = "POST",
        path: str = "/v1/",
        seconds: float = 60.0,
    ) -> None:
        """Lets the next `count` matching calls go wrong; the kinds are in `faults.KINDS`."""
        self.api.faults.add(Fault(kind, count, method, path, seconds))

    def clear_faults(self) -> None:
        self.api.faults.clear()

    def calls(self, path: str = "/v1/", *, method: str = "") -> list[Seen]:
        """Calls received, oldest first, by path prefix and method."""
        return [
            seen for seen in list(self.api.seen) if seen.path.startswith(path) and (not method or seen.method == method)
        ]

    def clear_calls(self) -> None:
        self.api.seen.clear()

    def forget_keys(self) -> int:
        """Drops every stored idempotency answer, as Stripe does after a day."""
        return self.engine.store.run("DELETE FROM answer")

    # Webhooks

    def events(self, type: str = "") -> list[Object]:
        """Events so far, oldest first."""
        rows = self.engine.store.rows("SELECT body FROM object WHERE kind = 'event' ORDER BY seq")
        found = [json.loads(row["body"]) for row in rows]
        return [event for event in found if not type or event["type"] == type]

    def emit(self, type: str, subject: Object, *, account: str = "") -> Object:
        """An event of any type about any object."""
        with self.engine.store.transaction():
            event = self.engine.emit(type, subject, account=account)
        self.engine.wake()
        return event

    def signed(self, event: str, *, at: int | None = None) -> tuple[bytes, str]:
        """The body of an event and its Stripe-Signature header, to post by hand."""
        found = self.engine.store.get(event, kind="event")
        if found is None:
            raise LookupError(event)
        secret = endpoint(self.engine, found.get("account", ""))[1]
        body = body_of(found)
        return body, signature(body, secret, at=self.engine.now() if at is None else at)

    def deliveries(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self.engine.store.rows("SELECT * FROM delivery ORDER BY seq")]

    def hold(self) -> None:
        """Keeps webhooks back until `release`."""
        self.engine.is_holding = True

    def release(self, order: str = "sent", times: int = 1, seed: int = 0) -> int:
        """Sends what is due in order "sent", "reversed" or "shuffled", each `times` over; how many events."""
        with self.engine.store.transaction():
            waiting = self.engine.store.rows("SELECT seq, event FROM delivery WHERE state = 'due' ORDER BY seq")
            copies = [row["event"] for row in waiting] * times
            match order:
                case "sent":
                    pass
                case "reversed":
                    copies.reverse()
                case "shuffled":
                    random.Random(seed).shuffle(copies)  # noqa: S311
                case _:
                    raise ValueError(f"Unknown order: {order}")
            self.engine.store.run("DELETE FROM delivery WHERE state = 'due'")
            for event in copies:
                self._send_again(event)
        self.engine.is_holding = False
        self.engine.wake()
        return len(waiting)

    def redeliver(self, event: str, times: int = 1) -> None:
        """Sends an event again, as Stripe may."""
        if self.engine.store.get(event, kind="event") is None:
            raise LookupError(event)
        with self.engine.store.transaction():
            for _ in range(times):
                self._send_again(event)
        self.engine.wake()

    def wait_delivered(self, timeout: float = 10.0) -> bool:
        """True when nothing is left to deliver within `timeout` seconds (scheduled work does not count)."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.engine.store.rows("SELECT 1 FROM delivery WHERE state = 'due' LIMIT 1"):
                return True
            time.sleep(0.01)
        return False

    def configure(self, **changes: Any) -> None:
        """Changes where webhooks go and how long payouts, refunds, settlement and booking take."""
        unknown = set(changes) - CHANGEABLE
        if unknown:
            raise ValueError(f"Unknown setting: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(self.engine.settings, name, value)
        self.engine.wake()

    def _send_again(self, event: str) -> None:
        self.engine.store.run("INSERT INTO delivery (event, due) VALUES (?, ?)", event, time.time())

    # The same over HTTP

    def handle(self, method: str, path: str, body: str) -> Answer:
        """One `/_fake/` request; the body is a JSON object with the lever's arguments."""
        name = path.removeprefix(PREFIX)
        reading: dict[str, Callable[[], Any]] = {
            "calls": lambda: [dataclasses.asdict(seen) for seen in self.calls()],
            "deliveries": self.deliveries,
            "events": lambda: public(self.events()),
            "faults": lambda: [dataclasses.asdict(fault) for fault in self.api.faults],
        }
        acting: dict[str, Callable[..., Any]] = {
            "calls/clear": self.clear_calls,
            "configure": self.configure,
            "emit": self.emit,
            "fail_payout": self.fail_payout,
            "fail_refund": self.fail_refund,
            "fault": self.fault,
            "faults/clear": self.clear_faults,
            "forget_keys": self.forget_keys,
            "change": self.change,
            "hold": self.hold,
            "pay": self.pay,
            "redeliver": self.redeliver,
            "release": self.release,
            "run_scheduled": self.run_scheduled,
            "take_over": self.take_over,
            "topup": self.topup,
            "wait_delivered": self.wait_delivered,
        }
        try:
            if method == "GET" and name in reading:
                return Answer(200, to_json(reading[name]()))
            if method == "POST" and name in acting:
                given = json.loads(body or "{}")
                if not isinstance(given, dict):
                    raise ValueError("The body must be a JSON object.")
                return Answer(200, to_json({"result": public(acting[name](**given))}))
        except checkout.Declined as refusal:
            return Answer(402, to_json({"error": {"message": str(refusal)}}))
        except (checkout.NotOpen, LookupError, TypeError, ValueError) as error:
            return Answer(400, to_json({"error": {"message": f"{type(error).__name__}: {error}"}}))
        return Answer(404, to_json({"error": {"message": f"No lever called {name}."}}))
