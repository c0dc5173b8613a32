"""What every resource of the fake shares: settings, store, ids, events and work for later."""

import json
import secrets
import string
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from integrations.stripe.fake.store import Object, Store

ALPHABET = string.ascii_letters + string.digits
API_VERSION = "2026-10-28.endive"


@dataclass
class Settings:
    """How the fake behaves; delays in seconds. Connect events share the endpoint unless given one."""

    api_key: str
    webhook_url: str = ""
    webhook_secret: str = ""
    connect_webhook_url: str = ""
    connect_webhook_secret: str = ""
    public_url: str = ""
    payout_delay: float = 5.0
    refund_delay: float = 5.0
    settlement_delay: int = 0
    booking_delay: float = 0.0
    retry_delays: tuple[float, ...] = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
    webhook_timeout: float = 10.0


@dataclass
class Engine:
    """The state of one fake. `wake` is called after each change so that deliveries start at once."""

    settings: Settings
    store: Store
    is_holding: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def now(self) -> int:
        return int(time.time())

    def new_id(self, prefix: str, length: int = 24) -> str:
        return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))

    def wake(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def emit(
        self,
        type: str,
        subject: Object,
        *,
        account: str = "",
        previous: Object | None = None,
        request: tuple[str, str] | None = None,
    ) -> Object:
        """Records an event with the object as it is now, due for delivery. Call inside a transaction."""
        data: dict[str, Any] = {"object": public(subject)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Object = {
            "id": self.new_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {
                "id": request[0] if request else None,
                "idempotency_key": request[1] if request else None,
            },
            "type": type,
        }
        if account:
            event["account"] = account
        self.store.add(event, account=account)
        self.store.run("INSERT INTO delivery (event, due) VALUES (?, ?)", event["id"], time.time())
        return event

    def later(self, delay: float, action: str, subject: str) -> None:
        """Runs the named action on the object after `delay` seconds, even across a restart."""
        self.store.run(
            "INSERT INTO schedule (due, action, subject) VALUES (?, ?, ?)",
            time.time() + delay,
            action,
            subject,
        )


def public(value: Any) -> Any:
    """A deep copy without the fake's private keys, which start with an underscore."""
    if isinstance(value, dict):
        return {key: public(child) for key, child in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public(child) for child in value]
    return value


def to_json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()
