"""What a client is told while something is switched off (C-005, G-005)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backoffice.accounts.models import User
from backoffice.accounts.services import users
from backoffice.configuration import switches, values
from backoffice.creators.models import CreatorApplication
from backoffice.finance.models import Payment
from backoffice.media.models import Upload
from integrations.stripe.fake.running import RunningFake, running_fake
from tests.factories import sales
from tests.factories.accounts import api_client, member, staff

pytestmark = pytest.mark.django_db
NEWCOMER: dict[str, Any] = {"email": "new@example.com", "password": "a long and fine one 77", "display_name": "New"}


def turn(key: str, *, on: bool) -> None:
    values.change(key=key, value=on, by=None, reason="test")


def refused(answer: Any, word: str) -> bool:
    """Whether the answer is the one of a switch that is off, with a sentence for people."""
    error = answer.json()["error"]
    return (answer.status_code, error["code"]) == (503, "switched_off") and word in error["message"]


@pytest.fixture
def stripe(settings: Any) -> Iterator[RunningFake]:
    with running_fake() as running:
        settings.STRIPE_API_KEY = running.api_key
        settings.STRIPE_BASE_URL = running.url
        yield running


def test_nobody_begins_to_pay_while_checkout_is_off(stripe: RunningFake) -> None:
    title, buyer = sales.published(), api_client(member())

    def buy() -> Any:
        back = {"return_url": "https://shop.example/done"}
        address = f"/api/v1/titles/{title.pk}/purchase"
        return buyer.post(address, back, format="json", headers={"Idempotency-Key": "k1"})

    turn(switches.CHECKOUT, on=False)
    assert refused(buy(), "Purchases are stopped")
    assert not Payment.objects.exists()
    assert not stripe.calls("/v1/checkout/sessions", method="POST")
    turn(switches.CHECKOUT, on=True)
    assert buy().status_code == 201
    turn(switches.CHECKOUT, on=False)
    assert refused(buy(), "Purchases are stopped"), "the page that was open is not given out again"


def test_no_upload_begins_while_uploads_are_off(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_STORAGE_BACKEND = "local"
    settings.STORAGE_DIR = tmp_path
    client = api_client(member())

    def announce() -> Any:
        file = {"filename": "a.mp4", "bytes": 5000, "content_type": "video/mp4", "purpose": "video"}
        return client.post("/api/v1/uploads", file, format="json")

    turn(switches.UPLOADS, on=False)
    assert refused(announce(), "Uploads are stopped")
    assert not Upload.objects.exists()
    turn(switches.UPLOADS, on=True)
    assert announce().status_code == 201


def test_nobody_registers_while_registration_is_off() -> None:
    def register() -> Any:
        return api_client().post("/api/v1/auth/register", NEWCOMER, format="json")

    turn(switches.REGISTRATION, on=False)
    assert refused(register(), "registrations are stopped")
    assert not User.objects.filter(email=NEWCOMER["email"]).exists()
    turn(switches.REGISTRATION, on=True)
    assert register().status_code == 201


def test_staff_may_still_make_accounts_while_registration_is_off() -> None:
    turn(switches.REGISTRATION, on=False)
    assert users.register(**NEWCOMER, by=staff("admin")).email == NEWCOMER["email"]


def test_nobody_applies_to_be_a_creator_while_registration_is_off() -> None:
    client = api_client(member())

    def apply() -> Any:
        return client.post("/api/v1/creators/apply", {}, format="json")

    turn(switches.REGISTRATION, on=False)
    assert refused(apply(), "registrations are stopped")
    assert not CreatorApplication.objects.exists()
    turn(switches.REGISTRATION, on=True)
    assert apply().status_code == 201
