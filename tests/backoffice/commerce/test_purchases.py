"""Purchases: one active per title and buyer, at the price of the moment (S-095)."""

import pytest
from django.db import IntegrityError, transaction

from backoffice.audit import queries as audit
from backoffice.commerce import queries
from backoffice.commerce.models import Purchase
from backoffice.commerce.policies import NotForSale
from backoffice.commerce.services import purchases
from backoffice.commerce.services.purchases import AlreadyOwned
from backoffice.commerce.states import PURCHASE
from backoffice.core import clock
from backoffice.core.states import IllegalTransition, advance
from tests import statements
from tests.factories import sales
from tests.factories.accounts import member
from tests.machines import forbidden

pytestmark = pytest.mark.django_db


def test_a_purchase_takes_the_price_of_its_title_and_waits_for_payment() -> None:
    title = sales.published(price_minor=7_49)
    purchase = purchases.start(title=title, by=member())
    assert (purchase.status, purchase.price_minor, purchase.currency) == ("pending", 7_49, "USD")
    assert audit.for_subject(purchase)[0].action == "purchase.start"


def test_starting_twice_finds_the_first() -> None:
    title, buyer = sales.published(), member()
    first = purchases.start(title=title, by=buyer)
    assert purchases.start(title=title, by=buyer).pk == first.pk


def test_a_purchase_that_waits_takes_the_new_price() -> None:
    title, buyer = sales.published(price_minor=5_00), member()
    purchases.start(title=title, by=buyer)
    title.price_minor = 8_00
    title.save()
    purchase = purchases.start(title=title, by=buyer)
    assert purchase.price_minor == 8_00
    assert audit.for_subject(purchase)[0].action == "purchase.reprice"


def test_what_is_paid_is_owned_and_in_the_library_until_it_is_refunded() -> None:
    title, buyer = sales.published(), member()
    purchase = purchases.start(title=title, by=buyer)
    assert not queries.owns(buyer, title)
    purchases.mark_paid(purchase=purchase)
    assert queries.owns(buyer, title)
    assert [row.title for row in queries.library(buyer)] == [title]
    with pytest.raises(AlreadyOwned):
        purchases.start(title=title, by=buyer)
    purchases.mark_refunded(purchase=purchase)
    assert not queries.owns(buyer, title)
    assert not queries.library(buyer).exists()
    assert purchases.start(title=title, by=buyer).pk != purchase.pk


@pytest.mark.parametrize(
    "fields",
    [
        {"access_model": "free", "price_minor": 0},
        {"visibility": "private"},
        {"moderation_status": "pending"},
        {"moderation_status": "rejected", "removed_at": clock.now()},
        {"processing_status": "processing"},
        {"geo_allow": ["HT"]},
    ],
)
def test_what_is_not_on_sale_is_not_sold(fields: dict[str, object]) -> None:
    title, buyer = sales.published(**fields), member()
    with pytest.raises(NotForSale):
        purchases.start(title=title, by=buyer, country="FR")
    assert not Purchase.objects.exists()


def test_the_database_refuses_a_second_active_purchase() -> None:
    title, buyer = sales.published(), member()
    purchases.start(title=title, by=buyer)
    with pytest.raises(IntegrityError, match="purchase_one_active"), transaction.atomic():
        Purchase.objects.create(title=title, buyer=buyer, price_minor=1, currency="USD")


def test_the_library_takes_one_statement_however_large() -> None:
    buyer = member()
    for _turn in range(3):
        purchases.mark_paid(purchase=purchases.start(title=sales.published(), by=buyer))
    read = [lambda: [(row.title.title, str(row.title.creator)) for row in queries.library(buyer)]]
    assert statements.count(read[0]) == 1


@pytest.mark.parametrize(("state", "verb"), forbidden(PURCHASE))
def test_the_machine_refuses_every_other_verb(state: str, verb: str) -> None:
    with pytest.raises(IllegalTransition):
        advance(Purchase(status=state), verb, by=None)
