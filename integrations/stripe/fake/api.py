"""The `/v1/` API: authentication, the Stripe-Account header, idempotency keys, faults, routing, expansion."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from integrations.stripe.fake import params
from integrations.stripe.fake.call import Call, Handler
from integrations.stripe.fake.engine import Engine, public, to_json
from integrations.stripe.fake.errors import ApiError
from integrations.stripe.fake.faults import Fault, Faults
from integrations.stripe.fake.resources import (
    accounts,
    balance,
    checkout,
    customers,
    events,
    payments,
    payouts,
    refunds,
    transfers,
)
from integrations.stripe.fake.store import Object

RESOURCES = (customers, checkout, payments, refunds, balance, accounts, transfers, payouts, events)
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = [
    (method, re.compile("^" + pattern.replace("{}", "([A-Za-z0-9_]+)") + "$"), handler)
    for resource in RESOURCES
    for method, pattern, handler in resource.ROUTES
]
KEY_LIFETIME = 24 * 3600
KEY_LENGTH = 255
EXPAND_DEPTH = 4


@dataclass
class Answer:
    """What goes back: after `delay` seconds either this, or nothing (`drop` is "close" or "reset")."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: str = ""


@dataclass(frozen=True)
class Seen:
    """A call that arrived, for tests to look at. `status` 0 means that it got no answer."""

    method: str
    path: str
    params: dict[str, Any]
    account: str
    idempotency_key: str
    status: int


class Api:
    def __init__(self, engine: Engine, stopping: threading.Event) -> None:
        self.engine = engine
        self.faults = Faults()
        self.seen: deque[Seen] = deque(maxlen=10_000)
        self._stopping = stopping
        self._lock = threading.Lock()
        self._in_progress: set[tuple[str, str]] = set()

    def authorised(self, header: str) -> bool:
        """Whether the Authorization header carries the secret key, as bearer token or as basic user name."""
        scheme, _, value = header.partition(" ")
        given = value.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except ValueError:
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode(), self.engine.settings.api_key.encode())

    def handle(self, method: str, path: str, query: str, body: str, headers: Mapping[str, str]) -> Answer:
        """One request. Header names in lower case."""
        request_id = self.engine.new_id("req_", 14)
        key = headers.get("idempotency-key", "")
        account = headers.get("stripe-account", "")
        call = Call(self.engine, method, path, {}, account, request_id, key)
        try:
            self._authenticate(headers)
            call.params = params.decode(
                parse_qsl(body if method == "POST" else query, keep_blank_values=True, max_num_fields=2000)
            )
            self._check_account(account)
            handler, call.ids = self._route(method, path)
            fault = self.faults.take(method, path)
            answer = self._struck(call, handler, fault) if fault else self._keyed(call, handler)
        except ApiError as error:
            answer = Answer(error.status, to_json(error.body()))
        except ValueError as error:
            answer = Answer(400, to_json(ApiError(f"The request cannot be read: {error}").body()))
        answer.headers.setdefault("Request-Id", request_id)
        answer.headers["Stripe-Version"] = headers.get("stripe-version", "")
        if key:
            answer.headers["Idempotency-Key"] = key
        self.seen.append(Seen(method, path, call.params, account, key, 0 if answer.drop else answer.status))
        self.engine.wake()
        return answer

    def _authenticate(self, headers: Mapping[str, str]) -> None:
        header = headers.get("authorization", "")
        if not header:
            raise ApiError("You did not provide an API key.", status=401)
        if not self.authorised(header):
            raise ApiError("Invalid API Key provided.", status=401, code="api_key_invalid")

    def _check_account(self, account: str) -> None:
        if account and self.engine.store.get(account, kind="account") is None:
            raise ApiError(
                f"The provided key does not have access to account '{account}' (or it does not exist).",
                status=403,
                code="account_invalid",
            )

    def _route(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
        for verb, pattern, handler in ROUTES:
            matched = pattern.match(path) if verb == method else None
            if matched:
                return handler, matched.groups()
        raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404)

    def _struck(self, call: Call, handler: Handler, fault: Fault) -> Answer:
        """The call with a fault: before the work nothing is remembered, after it everything is."""
        broken = ApiError("Something went wrong on Stripe's end.", status=500, type="api_error")
        match fault.kind:
            case "timeout_before":
                return Answer(0, b"", delay=fault.seconds, drop="close")
            case "reset_before":
                return Answer(0, b"", drop="reset")
            case "error_before":
                raise broken
            case "rate_limit":
                raise ApiError("Too many requests.", status=429, code="rate_limit", type="invalid_request_error")
            case "slow":
                return self._keyed(call, handler, wait=fault.seconds)
            case "error_after":
                return self._keyed(call, handler, instead=broken)
            case "timeout_after":
                self._keyed(call, handler)
                return Answer(0, b"", delay=fault.seconds, drop="close")
            case _:
                self._keyed(call, handler)
                return Answer(0, b"", drop="reset")

    def _keyed(self, call: Call, handler: Handler, *, wait: float = 0.0, instead: ApiError | None = None) -> Answer:
        """Carries the call out once per idempotency key and repeats the first answer after that."""
        if call.method != "POST" or not call.idempotency_key:
            return self._carry_out(call, handler, wait=wait, instead=instead)
        if len(call.idempotency_key) > KEY_LENGTH:
            raise ApiError("The idempotency key is too long.", type="idempotency_error")
        slot = (call.account, call.idempotency_key)
        with self._lock:
            if slot in self._in_progress:
                raise ApiError(
                    "Another request with this idempotency key is in progress.",
                    status=409,
                    type="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._in_progress.add(slot)
        try:
            return self._stored(call) or self._carry_out(call, handler, wait=wait, instead=instead)
        finally:
            with self._lock:
                self._in_progress.discard(slot)

    def _stored(self, call: Call) -> Answer | None:
        rows = self.engine.store.rows(
            "SELECT * FROM answer WHERE account = ? AND key = ? AND created > ?",
            call.account,
            call.idempotency_key,
            time.time() - KEY_LIFETIME,
        )
        if not rows:
            return None
        if rows[0]["fingerprint"] != _fingerprint(call):
            raise ApiError(
                "Keys for idempotent requests can only be used again with the same parameters and endpoint.",
                type="idempotency_error",
            )
        return Answer(
            rows[0]["status"],
            rows[0]["body"].encode(),
            headers={"Idempotent-Replayed": "true", "Original-Request": rows[0]["request_id"]},
        )

    def _carry_out(self, call: Call, handler: Handler, *, wait: float, instead: ApiError | None) -> Answer:
        if wait:
            self._stopping.wait(wait)
        store = self.engine.store
        try:
            with store.transaction():
                result = handler(call)
                self._expand(call, result)
                answer = Answer(200, to_json(public(result)))
                if instead is not None:
                    answer = Answer(instead.status, to_json(instead.body()))
                self._remember(call, answer)
        except ApiError as error:
            answer = Answer(error.status, to_json(error.body()))
            if error.is_stored:
                with store.transaction():
                    self._remember(call, answer)
        return answer

    def _remember(self, call: Call, answer: Answer) -> None:
        if call.method != "POST" or not call.idempotency_key:
            return
        self.engine.store.run(
            "INSERT OR REPLACE INTO answer (account, key, fingerprint, status, body, request_id, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            call.account,
            call.idempotency_key,
            _fingerprint(call),
            answer.status,
            answer.body.decode(),
            call.request_id,
            time.time(),
        )

    def _expand(self, call: Call, result: Object) -> None:
        wanted = call.params.get("expand") or []
        if not isinstance(wanted, list) or not all(isinstance(path, str) for path in wanted):
            raise ApiError("Invalid array", param="expand")
        for path in wanted:
            steps = path.split(".")
            if len(steps) > EXPAND_DEPTH + 1:
                raise ApiError("You cannot expand deeper than four levels.", param="expand")
            self._expand_step(result, steps, path)

    def _expand_step(self, node: Any, steps: list[str], path: str) -> None:
        if isinstance(node, list):
            for row in node:
                self._expand_step(row, steps, path)
            return
        if not steps or not isinstance(node, dict):
            return
        name = steps[0]
        if f"_{name}" in node:
            rows = node[f"_{name}"]
            node[name] = {"object": "list", "data": rows, "has_more": False, "url": f"/v1/{name}"}
        if name not in node:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand[0]")
        if isinstance(node[name], str):
            found = self.engine.store.get(node[name])
            if found is None:
                raise ApiError(f"This property cannot be expanded ({path}).", param="expand[0]")
            node[name] = found
        self._expand_step(node[name], steps[1:], path)


def _fingerprint(call: Call) -> str:
    told = json.dumps([call.method, call.path, call.params], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
