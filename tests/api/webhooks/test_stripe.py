"""Stripe's events come in signed, once, and are answered before anything is done about them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.api.webhooks.checks import stripe_webhooks_are_signed
from backoffice.core.models import Job
from backoffice.finance.models import EventOutcome, PaymentEvent
from backoffice.finance.services.events import APPLY
from integrations.stripe import webhooks
from integrations.stripe.fake.running import running_fake

SECRET = "whsec_of_this_test"


@pytest.fixture(autouse=True)
def endpoint(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    settings.STRIPE_LIVEMODE = False
    settings.STRIPE_CONNECT_WEBHOOK = True


def body(id: str = "evt_1", type: str = "balance.available", **more: Any) -> bytes:
    event = {
        "id": id,
        "object": "event",
        "type": type,
        "livemode": False,
        "created": int(time.time()),
        "data": {"object": {"id": "x", "object": "thing", "amount": 5}},
        **more,
    }
    return json.dumps(event).encode()


def post(payload: bytes, *, age: int = 0, secret: str = SECRET, header: str | None = None) -> HttpResponse:
    at = int(time.time()) - age
    signature = f"t={at},v1={webhooks.sign(payload, secret, at=at)}" if header is None else header
    return Client(enforce_csrf_checks=True).post(
        reverse("api_webhook_stripe"),
        payload,
        content_type="application/json",
        headers={"Stripe-Signature": signature} if signature else {},
    )


def nothing_is_stored() -> bool:
    return not PaymentEvent.objects.exists() and not EventOutcome.objects.exists() and not Job.objects.exists()


def test_the_address_is_the_published_one() -> None:
    assert reverse("api_webhook_stripe") == "/api/v1/webhooks/stripe"


@pytest.mark.django_db
def test_a_signed_event_is_stored_raw_and_left_to_a_job() -> None:
    payload = body(account="acct_1")
    answer = post(payload)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    event = PaymentEvent.objects.get()
    assert (event.provider, event.event_id, event.type, event.account) == (
        "stripe",
        "evt_1",
        "balance.available",
        "acct_1",
    )
    assert event.payload == json.loads(payload)
    job = Job.objects.get()
    assert (job.kind, job.payload) == (APPLY, {"event_id": str(event.pk)})
    assert EventOutcome.objects.get(event=event).processed_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sending", "reason"),
    [
        ({"secret": "whsec_other"}, "wrong_signature"),
        ({"age": -330}, "from_the_future"),
        ({"age": -3600}, "from_the_future"),
        ({"age": 305}, "too_old"),
        ({"age": 86_400}, "too_old"),
        ({"header": ""}, "malformed_header"),
        ({"header": "t=1"}, "malformed_header"),
    ],
)
def test_an_event_that_stripe_did_not_just_sign_leaves_no_row(sending: dict[str, Any], reason: str) -> None:
    answer = post(body(), **sending)
    assert (answer.status_code, answer.json()) == (400, {"received": False, "reason": reason})
    assert nothing_is_stored()


@pytest.mark.django_db
def test_an_edited_body_leaves_no_row() -> None:
    at = int(time.time())
    signature = f"t={at},v1={webhooks.sign(body(), SECRET, at=at)}"
    answer = post(body().replace(b'"amount": 5', b'"amount": 6'), header=signature)
    assert answer.status_code == 400
    assert nothing_is_stored()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{}", "malformed_payload"),
        (b"hello", "malformed_payload"),
        (body(livemode=True), "wrong_mode"),
    ],
)
def test_a_signed_body_that_is_not_for_this_endpoint_leaves_no_row(payload: bytes, reason: str) -> None:
    answer = post(payload)
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)
    assert nothing_is_stored()


@pytest.mark.django_db
def test_no_secret_means_no_event(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""
    answer = post(body(), secret="")
    assert (answer.status_code, answer.json()["reason"]) == (400, "secret_missing")
    assert nothing_is_stored()


@pytest.mark.django_db
def test_events_of_connected_accounts_are_refused_where_they_are_not_expected(settings: Any) -> None:
    settings.STRIPE_CONNECT_WEBHOOK = False
    assert post(body(account="acct_1")).json()["reason"] == "wrong_account"
    assert nothing_is_stored()
    assert post(body()).status_code == 200


@pytest.mark.django_db
def test_an_event_sent_again_is_acknowledged_and_stored_once() -> None:
    for _ in range(3):
        assert post(body()).status_code == 200
    assert PaymentEvent.objects.count() == EventOutcome.objects.count() == Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_copies_arriving_together_are_stored_once() -> None:
    def send(_: int) -> int:
        try:
            return post(body()).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(12))) == {200}
    assert PaymentEvent.objects.count() == EventOutcome.objects.count() == Job.objects.count() == 1


@pytest.mark.django_db
def test_a_kind_of_event_nobody_knows_is_stored_too() -> None:
    assert post(body(type="radar.early_fraud_warning.invented")).status_code == 200
    assert PaymentEvent.objects.get().type == "radar.early_fraud_warning.invented"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_only_posts_are_taken(method: str) -> None:
    assert getattr(Client(), method)(reverse("api_webhook_stripe")).status_code == 405


@pytest.mark.django_db
def test_what_the_loopback_stripe_sends_is_taken() -> None:
    with running_fake(webhook_secret=SECRET) as fake:
        event_id = fake.emit("balance.available", {"id": "x", "object": "balance"})["id"]
        payload, signature = fake.signed(event_id)
    assert post(payload, header=signature).status_code == 200
    assert PaymentEvent.objects.get().event_id == event_id


@pytest.mark.parametrize(
    ("key", "secret", "livemode", "ids"),
    [
        ("", "", False, []),
        ("sk_test_x", "whsec_x", False, []),
        ("sk_live_x", "whsec_x", True, []),
        ("rk_live_x", "whsec_x", True, []),
        ("sk_test_x", "", False, ["api.E001"]),
        ("sk_test_x", "  ", False, ["api.E001"]),
        ("sk_test_x", "whsec_x", True, ["api.E002"]),
        ("sk_live_x", "whsec_x", False, ["api.E002"]),
    ],
)
def test_the_process_refuses_to_start_half_configured(key: str, secret: str, livemode: bool, ids: list[str]) -> None:
    with override_settings(STRIPE_API_KEY=key, STRIPE_WEBHOOK_SECRET=secret, STRIPE_LIVEMODE=livemode):
        assert [message.id for message in stripe_webhooks_are_signed(None)] == ids
