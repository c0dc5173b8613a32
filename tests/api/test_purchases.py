"""Buying and the library (U-030, U-031)."""

from collections.abc import Iterator
from typing import Any

import pytest

from backoffice.commerce.models import Purchase
from backoffice.core import clock
from integrations.stripe.fake.running import RunningFake, running_fake
from tests.factories import sales
from tests.factories.accounts import api_client, member

pytestmark = pytest.mark.django_db
BACK = {"return_url": "https://shop.example/done"}


@pytest.fixture
def stripe(settings: Any) -> Iterator[RunningFake]:
    """A payment provider."""
    with running_fake() as running:
        settings.STRIPE_API_KEY = running.api_key
        settings.STRIPE_BASE_URL = running.url
        yield running


def buy(user: Any, title: Any, key: str = "k1", **body: str) -> Any:
    return api_client(user).post(
        f"/api/v1/titles/{title.pk}/purchase", BACK | body, format="json", headers={"Idempotency-Key": key}
    )


def test_a_purchase_answers_with_the_page_where_it_is_paid(stripe: RunningFake) -> None:
    title = sales.published()
    answer = buy(member(), title)
    data = answer.json()["data"]
    assert answer.status_code == 201, answer.json()
    assert data["checkout_url"].startswith(stripe.url)
    assert data["purchase"]["status"] == "pending"
    assert data["purchase"]["price"] == {"amount": "9.99", "currency": "USD"}
    assert data["payment"]["provider"] == "stripe"


def test_the_same_key_gives_the_same_page_and_another_title_is_refused_under_it(stripe: RunningFake) -> None:
    buyer, title = member(), sales.published()
    first, again = buy(buyer, title).json()["data"], buy(buyer, title).json()["data"]
    assert again == first
    assert buy(buyer, sales.published()).status_code == 409
    assert Purchase.objects.filter(title=title).count() == 1


def test_a_purchase_needs_a_key_a_sign_in_and_a_title_on_sale(stripe: RunningFake) -> None:
    title = sales.published()
    assert buy(member(), title, key="").status_code == 400
    assert buy(None, title).status_code == 401
    assert buy(member(), title, return_url="ftp://shop.example").status_code == 400
    hidden = sales.published(visibility="private")
    assert buy(member(), hidden).json()["error"]["code"] == "not_for_sale"


def test_what_is_owned_is_in_the_library_and_cannot_be_bought_again() -> None:
    buyer, title = member(), sales.published()
    Purchase.objects.create(
        title=title, buyer=buyer, price_minor=999, currency="USD", status="paid", purchased_at=clock.now()
    )
    shelf = api_client(buyer).get("/api/v1/library").json()["data"]
    assert [row["title"]["id"] for row in shelf] == [str(title.pk)]
    assert api_client(member()).get("/api/v1/library").json()["data"] == []
    assert api_client().get("/api/v1/library").status_code == 401
    assert buy(buyer, title).json()["error"]["code"] == "already_owned"
