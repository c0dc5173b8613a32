"""The hosted page: a person pays, is declined, or goes back, with nothing but a browser."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPMessage
from typing import IO

import pytest

from integrations.stripe import types
from integrations.stripe.client import StripeClient
from integrations.stripe.fake import page
from integrations.stripe.fake.running import RunningFake

type OpenSession = Callable[..., types.CheckoutSession]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


BROWSER = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())


def visit(url: str, **form: str) -> tuple[int, str, str]:
    """Status, text and where it leads."""
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with BROWSER.open(url, data) as answer:
            return answer.status, answer.read().decode(), ""
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode(), answer.headers.get("Location", "")


def test_the_page_shows_what_is_bought_and_its_price(open_session: OpenSession) -> None:
    status, text, _ = visit(open_session().url)
    assert status == 200
    for shown in ("The &lt;Long&gt; Road", "Film, 92 minutes", "USD 19.99", "Test mode", "buyer@example.com"):
        assert shown in text
    for label in ("Card number", "Expiry", "Security code"):
        assert label in text
    assert "<Long>" not in text


def test_paying_charges_once_and_leads_to_the_success_page(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    session = open_session()
    status, _, place = visit(session.url, action="pay", card_number="4242 4242 4242 4242", name="B. Uyer")
    assert (status, place) == (303, f"https://shop.example.com/thanks?session={session.id}")
    assert client.retrieve_checkout_session(session.id).is_paid
    assert [event["type"] for event in fake.events()] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    status, text, _ = visit(session.url, action="pay", card_number="4242424242424242")
    assert "complete" in text
    assert len(fake.events("charge.succeeded")) == 1


def test_a_declined_card_is_told_and_can_be_replaced(fake: RunningFake, open_session: OpenSession) -> None:
    session = open_session()
    status, text, _ = visit(session.url, action="pay", card_number="4000000000000002")
    assert status == 402
    assert "Your card was declined." in text
    assert [event["type"] for event in fake.events()] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
    ]
    assert visit(session.url, action="pay", card_number="5555555555554444")[0] == 303
    intents = {event["data"]["object"]["id"] for event in fake.events("payment_intent.succeeded")}
    assert intents == {event["data"]["object"]["id"] for event in fake.events("payment_intent.created")}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("card_number", "", "card number is invalid"),
        ("card_number", "4242424242424241", "card number is invalid"),
        ("card_number", "<b>", "card number is invalid"),
        ("expiry", "13/40", "expiration date is invalid"),
        ("expiry", "01/20", "in the past"),
        ("cvc", "1", "security code is incomplete"),
    ],
)
def test_a_form_filled_in_wrongly_charges_nothing(
    fake: RunningFake, open_session: OpenSession, field: str, value: str, problem: str
) -> None:
    given = {
        "action": "pay",
        "card_number": "4242424242424242",
        "expiry": "12/40",
        "cvc": "123",
        field: value,
    }
    status, text, _ = visit(open_session().url, **given)
    assert status == 402
    assert problem in text
    assert "<b>" not in text
    assert fake.events() == []


def test_a_real_looking_card_is_declined(open_session: OpenSession) -> None:
    assert "only test card numbers" in visit(open_session().url, action="pay", card_number="4111111111111111")[1]


def test_cancel_goes_back_and_charges_nothing(fake: RunningFake, open_session: OpenSession) -> None:
    session = open_session()
    status, _, place = visit(session.url, action="cancel")
    assert (status, place) == (303, "https://shop.example.com/titles/long-road")
    assert fake.events() == []


def test_closed_and_unknown_pages_say_so(client: StripeClient, fake: RunningFake, open_session: OpenSession) -> None:
    session = open_session()
    client.expire_checkout_session(session.id)
    assert "no longer open" in visit(session.url)[1]
    assert "no longer open" in visit(session.url, action="pay", card_number="4242424242424242")[1]
    assert visit(f"{fake.url}/c/pay/cs_test_none")[0] == 404


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1999, "usd", "USD 19.99"),
        (1_234_505, "eur", "EUR 12,345.05"),
        (1500, "jpy", "JPY 1,500"),
        (1234, "kwd", "KWD 1.234"),
    ],
)
def test_amounts_follow_the_currency(amount: int, currency: str, shown: str) -> None:
    assert page.amount_text(amount, currency) == shown
