"""Background work of the fake: signed webhooks with retries, and what was scheduled for later."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.resources import checkout, payments, payouts, refunds

ACTIONS: dict[str, Callable[[Engine, str], None]] = {
    "book_charge": payments.book_later,
    "expire_session": checkout.expire_when_due,
    "settle_payout": payouts.settle,
    "settle_refund": refunds.settle,
}
IDLE = 0.5


def body_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event, indent=2).encode()


def signature(body: bytes, secret: str, *, at: int) -> str:
    """The Stripe-Signature header for this body at the Unix second `at`."""
    digest = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def endpoint(engine: Engine, account: str) -> tuple[str, str]:
    """Address and secret for events of the platform ("") or of a connected account."""
    settings = engine.settings
    if account and settings.connect_webhook_url:
        return settings.connect_webhook_url, settings.connect_webhook_secret
    return settings.webhook_url, settings.webhook_secret


class Background:
    """Two threads: one sends webhooks in the order they fall due, one does what is scheduled."""

    def __init__(self, engine: Engine, stopping: threading.Event) -> None:
        self._engine = engine
        self._stopping = stopping
        self._threads = [
            threading.Thread(target=self._loop, args=(step,), name=f"stripe-{step.__name__}", daemon=True)
            for step in (self.deliver_next, self.do_scheduled)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self._engine.wake()
        for thread in self._threads:
            thread.join(timeout=15)

    def _loop(self, step: Callable[[], bool]) -> None:
        while not self._stopping.is_set():
            if not step():
                # Asked before the condition is held: who holds the store's lock may be waiting to wake us.
                pause = self._pause()
                with self._engine.changed:
                    self._engine.changed.wait(pause)

    def _pause(self) -> float:
        """Seconds until something falls due, at most half a second."""
        rows = self._engine.store.rows(
            "SELECT min(due) AS due FROM ("
            "SELECT due FROM delivery WHERE state = 'due' UNION ALL SELECT due FROM schedule)"
        )
        due = rows[0]["due"]
        return IDLE if due is None else min(IDLE, max(0.005, due - time.time()))

    def do_scheduled(self, *, ahead: float = 0.0) -> bool:
        """Does one thing that is due (or will be within `ahead` seconds); False when there is none."""
        store = self._engine.store
        with store.transaction():
            rows = store.rows(
                "SELECT seq, action, subject FROM schedule WHERE due <= ? ORDER BY due, seq LIMIT 1",
                time.time() + ahead,
            )
            if not rows:
                return False
            store.run("DELETE FROM schedule WHERE seq = ?", rows[0]["seq"])
            ACTIONS[rows[0]["action"]](self._engine, rows[0]["subject"])
        self._engine.wake()
        return True

    def deliver_next(self) -> bool:
        """Sends one webhook that is due; False when there is none."""
        engine = self._engine
        if engine.is_holding or not engine.settings.webhook_url:
            return False
        rows = engine.store.rows(
            "SELECT seq, event, attempts FROM delivery WHERE state = 'due' AND due <= ? ORDER BY due, seq LIMIT 1",
            time.time(),
        )
        if not rows:
            return False
        row = rows[0]
        failure = self._send(row["event"])
        if not failure:
            engine.store.run(
                "UPDATE delivery SET state = 'done', attempts = attempts + 1, error = '' WHERE seq = ?",
                row["seq"],
            )
            return True
        delays = engine.settings.retry_delays
        if row["attempts"] < len(delays):
            state, due = "due", time.time() + delays[row["attempts"]]
        else:
            state, due = "dead", time.time()
        engine.store.run(
            "UPDATE delivery SET state = ?, due = ?, attempts = attempts + 1, error = ? WHERE seq = ?",
            state,
            due,
            failure,
            row["seq"],
        )
        return True

    def _send(self, event_id: str) -> str:
        """ "" when the endpoint answered 2xx, else why not."""
        engine = self._engine
        event = engine.store.get(event_id, kind="event")
        if event is None:
            raise LookupError(event_id)
        url, secret = endpoint(engine, event.get("account", ""))
        parts = urlsplit(url)
        body = body_of(event)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=engine.settings.webhook_timeout)
        try:
            connection.request(
                "POST",
                parts.path + (f"?{parts.query}" if parts.query else ""),
                body,
                {
                    "Content-Type": "application/json; charset=utf-8",
                    "Stripe-Signature": signature(body, secret, at=engine.now()),
                    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                },
            )
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "" if 200 <= status < 300 else f"HTTP {status}"
