"""An event is believed only when Stripe signed it, now, for this endpoint."""

import json
import time

import pytest
import stripe

from integrations.stripe import webhooks
from integrations.stripe.fake.running import RunningFake

NOW = 1_800_000_000
SECRET = "whsec_one"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payout.paid",
    "account": "acct_1",
    "livemode": False,
    "created": NOW - 5,
    "data": {"object": {"id": "po_1", "object": "payout"}, "previous_attributes": {"status": "pending"}},
}


def body(**changes: object) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def header(payload: bytes, *, at: int = NOW, secret: str = SECRET) -> str:
    return f"t={at},v1={webhooks.sign(payload, secret, at=at)}"


def verify(payload: bytes, given: str, **changes: object) -> webhooks.Event:
    return webhooks.verify(payload, given, **{"secret": SECRET, "now": NOW, "livemode": False, **changes})


def test_a_good_event_is_read_whole() -> None:
    event = verify(body(), header(body()))
    assert (event.id, event.type, event.account, event.livemode) == ("evt_1", "payout.paid", "acct_1", False)
    assert event.object["id"] == "po_1"
    assert event.previous == {"status": "pending"}
    assert event.payload["id"] == "evt_1"


def test_our_signature_is_the_one_of_the_package() -> None:
    given = stripe.WebhookSignature.generate_signature_header(body().decode(), SECRET, timestamp=NOW)
    assert verify(body(), given).id == "evt_1"


def test_one_of_two_signatures_is_enough_while_a_secret_is_rolled() -> None:
    old = webhooks.sign(body(), "whsec_old", at=NOW)
    new = webhooks.sign(body(), SECRET, at=NOW)
    assert verify(body(), f"t={NOW},v1={old},v0=ignored,v1={new}").id == "evt_1"


@pytest.mark.parametrize("secret", ["", "  ", "\n"])
def test_an_empty_secret_is_refused_even_with_a_matching_signature(secret: str) -> None:
    with pytest.raises(webhooks.SecretMissing):
        verify(body(), header(body(), secret=secret), secret=secret)


@pytest.mark.parametrize("given", [header(body(), secret="whsec_other"), header(body(type="payout.failed"))])
def test_a_signature_of_another_secret_or_body_is_refused(given: str) -> None:
    with pytest.raises(webhooks.WrongSignature):
        verify(body(), given)


def test_an_edited_body_is_refused() -> None:
    given = header(body())
    with pytest.raises(webhooks.WrongSignature):
        verify(body().replace(b"po_1", b"po_2"), given)


def test_an_edited_time_is_refused() -> None:
    given = header(body(), at=NOW - 900).replace(str(NOW - 900), str(NOW))
    with pytest.raises(webhooks.WrongSignature):
        verify(body(), given)


@pytest.mark.parametrize("age", [-300, -1, 0, 1, 300])
def test_the_clock_may_differ_by_the_tolerance_both_ways(age: int) -> None:
    assert verify(body(), header(body(), at=NOW - age)).id == "evt_1"


def test_an_old_signature_is_refused() -> None:
    with pytest.raises(webhooks.TooOld):
        verify(body(), header(body(), at=NOW - 301))


def test_a_future_signature_is_refused() -> None:
    with pytest.raises(webhooks.FromTheFuture):
        verify(body(), header(body(), at=NOW + 301))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        f"t={NOW}",
        "v1=abc",
        f"t={NOW},t={NOW},v1=abc",
        "t=,v1=abc",
        "t=now,v1=abc",
        f"t=-{NOW},v1=abc",
        f"t=+{NOW},v1=abc",
        "t=١٢٣,v1=abc",
        f"t={'9' * 5000},v1=abc",
    ],
)
def test_a_header_that_cannot_be_read_is_refused(given: str) -> None:
    with pytest.raises(webhooks.MalformedHeader):
        verify(body(), given)


def test_a_signature_of_strange_characters_is_just_wrong() -> None:
    with pytest.raises(webhooks.WrongSignature):
        verify(body(), f"t={NOW},v1=é\udcff")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        body(object="charge"),
        body(id=""),
        body(id=7),
        body(type=None),
        body(livemode="false"),
        body(created=None),
        body(data={}),
        body(data={"object": "po_1"}),
        body(account=7),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(webhooks.MalformedPayload):
        verify(payload, header(payload))


@pytest.mark.parametrize("livemode", [True, False])
def test_an_event_of_the_other_mode_is_refused(livemode: bool) -> None:
    payload = body(livemode=not livemode)
    with pytest.raises(webhooks.WrongMode):
        verify(payload, header(payload), livemode=livemode)


@pytest.mark.parametrize("allowed", ["acct_1", {"acct_1", "acct_2"}, None])
def test_an_event_of_a_served_account_is_taken(allowed: object) -> None:
    assert verify(body(), header(body()), account=allowed).account == "acct_1"


@pytest.mark.parametrize("allowed", ["", "acct_2", set()])
def test_an_event_of_another_account_is_refused(allowed: object) -> None:
    with pytest.raises(webhooks.WrongAccount):
        verify(body(), header(body()), account=allowed)


def test_what_the_fake_signs_is_accepted_here_and_by_the_package(fake: RunningFake) -> None:
    event_id = fake.emit("payout.paid", {"id": "po_1", "object": "payout"}, account="acct_1")["id"]
    payload, given = fake.signed(event_id)
    event = webhooks.verify(payload, given, fake.webhook_secret, now=int(time.time()), livemode=False)
    assert (event.id, event.account) == (event_id, "acct_1")
    assert stripe.Webhook.construct_event(payload, given, fake.webhook_secret).id == event_id
