"""Checkout sessions: made by the API, paid on the hosted page."""

from typing import Any
from urllib.parse import urlsplit

from integrations.stripe.fake import cards, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.errors import ApiError
from integrations.stripe.fake.params import Params
from integrations.stripe.fake.resources import payments
from integrations.stripe.fake.store import Object

DAY = 24 * 3600
SHORTEST = 30 * 60
MINIMUM = {"usd": 50, "eur": 50, "cad": 50, "aud": 50, "chf": 50, "gbp": 30, "jpy": 50}


class NotOpen(Exception):
    """The session is complete or expired; `session` says which."""

    def __init__(self, session: Object) -> None:
        super().__init__(session["status"])
        self.session = session


class Declined(Exception):
    """The card was not charged; the message is for the person paying."""


def create(call: Call) -> Object:
    given = call.params
    params.only(
        given,
        "cancel_url",
        "client_reference_id",
        "customer",
        "customer_email",
        "expires_at",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "payment_intent_data",
        "payment_method_types",
        "success_url",
    )
    mode = params.required(given, "mode")
    if mode != "payment":
        raise ApiError("This server takes single payments only.", param="mode")
    engine = call.engine
    items, currency = _line_items(engine, given)
    total = sum(item["amount_total"] for item in items)
    if total < MINIMUM.get(currency, 1):
        raise ApiError(
            "The total amount is below the smallest that can be charged.",
            code="amount_too_small",
            param="line_items[0][price_data][unit_amount]",
        )
    now = engine.now()
    expires_at = params.integer(given, "expires_at") if "expires_at" in given else now + DAY
    if not now + SHORTEST - 60 <= expires_at <= now + DAY + 60:
        raise ApiError("The expiry must be 30 minutes to 24 hours ahead.", param="expires_at")
    customer = params.text(given, "customer")
    email = params.text(given, "customer_email")
    if customer and email:
        raise ApiError("Give one of: customer, customer_email.", param="customer_email")
    if customer:
        email = call.fetch(customer, "customer", param="customer", status=400)["email"]
    intent_data = params.hashed(given, "payment_intent_data")
    params.only(intent_data, "metadata", "description", "transfer_group")
    session_id = engine.new_id("cs_test_", 58)
    session: Object = {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": _url(given, "cancel_url") if "cancel_url" in given else None,
        "client_reference_id": params.text(given, "client_reference_id"),
        "client_secret": None,
        "created": now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": customer,
        "customer_creation": None if customer else "if_required",
        "customer_details": None,
        "customer_email": None if customer else email,
        "expires_at": expires_at,
        "invoice": None,
        "livemode": False,
        "locale": params.text(given, "locale"),
        "metadata": params.metadata(given),
        "mode": mode,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": _url(given, "success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{engine.settings.public_url}/c/pay/{session_id}",
        "_email": email,
        "_line_items": items,
        "_intent_metadata": params.metadata(intent_data),
    }
    engine.later(expires_at - now, "expire_session", session_id)
    return engine.store.add(session)


def retrieve(call: Call) -> Object:
    call.fetch(call.id, "checkout.session")
    return current(call.engine, call.id)


def line_items(call: Call) -> Object:
    session = call.fetch(call.id, "checkout.session")
    return {"object": "list", "data": session["_line_items"], "has_more": False, "url": call.path}


def index(call: Call) -> Object:
    return listing(
        call,
        "checkout.session",
        equal={
            "payment_intent": params.text(call.params, "payment_intent"),
            "customer": params.text(call.params, "customer"),
            "status": params.text(call.params, "status"),
        },
        allowed=("payment_intent", "customer", "status"),
    )


def expire(call: Call) -> Object:
    params.only(call.params)
    call.fetch(call.id, "checkout.session")
    session = current(call.engine, call.id)
    if session["status"] != "open":
        raise ApiError("Only an open checkout session can be expired.", is_stored=True)
    return _expire(call.engine, session)


def current(engine: Engine, session_id: str) -> Object:
    """The session as it is now: its time may have run out. Raises LookupError when there is none."""
    session = engine.store.get(session_id, kind="checkout.session")
    if session is None:
        raise LookupError(session_id)
    if session["status"] == "open" and session["expires_at"] <= engine.now():
        return _expire(engine, session)
    return session


def expire_when_due(engine: Engine, session_id: str) -> None:
    """The scheduled end of a session that nobody paid."""
    current(engine, session_id)


def pay(engine: Engine, session_id: str, *, card: str, email: str = "", name: str = "") -> Object:
    """Pays an open session with a card that passed the form's own checks, and returns the session."""
    number = cards.digits(card)
    outcome = cards.outcome(number)
    with engine.store.transaction():
        session = current(engine, session_id)
        if session["status"] != "open":
            raise NotOpen(session)
        payer = email or session["_email"]
        if session["payment_intent"]:
            found = engine.store.get(session["payment_intent"], kind="payment_intent")
            if found is None:
                raise LookupError(session["payment_intent"])
            intent = found
        else:
            intent = payments.new_payment_intent(
                engine,
                amount=session["amount_total"],
                currency=session["currency"],
                customer=session["customer"],
                metadata=session["_intent_metadata"],
            )
            engine.store.add(intent)
            engine.emit("payment_intent.created", intent)
            session["payment_intent"] = intent["id"]
        payments.capture(engine, intent, card=number, outcome=outcome, email=payer or None, name=name or None)
        if not outcome.code:
            session.update(
                status="complete",
                payment_status="paid",
                url=None,
                customer_details={
                    "address": None,
                    "business_name": None,
                    "email": payer or None,
                    "individual_name": None,
                    "name": name or None,
                    "phone": None,
                    "tax_exempt": "none",
                    "tax_ids": [],
                },
            )
            engine.emit("checkout.session.completed", session)
        engine.store.save(session)
    engine.wake()
    if outcome.code:
        raise Declined(outcome.message)
    return session


def _expire(engine: Engine, session: Object) -> Object:
    session.update(status="expired", url=None)
    with engine.store.transaction():
        engine.store.save(session)
        engine.emit("checkout.session.expired", session)
    engine.wake()
    return session


def _line_items(engine: Engine, given: Params) -> tuple[list[Object], str]:
    rows = params.required(given, "line_items")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ApiError("Invalid array", param="line_items")
    items: list[Object] = []
    currencies: set[str] = set()
    for number, row in enumerate(rows):
        params.only(row, "price_data", "quantity")
        price = params.hashed(row, "price_data")
        where = f"line_items[{number}][price_data]"
        params.only(price, "currency", "unit_amount", "product_data")
        product = params.hashed(price, "product_data")
        params.only(product, "name", "description", "metadata", "images")
        name = params.required(product, "name")
        unit = params.amount(price, "unit_amount", parent=where)
        currency = params.currency(price)
        quantity = params.integer(row, "quantity") if "quantity" in row else 1
        if quantity < 1:
            raise ApiError("The quantity must be at least 1.", param=f"line_items[{number}][quantity]")
        currencies.add(currency)
        items.append(
            {
                "id": engine.new_id("li_"),
                "object": "item",
                "amount_discount": 0,
                "amount_subtotal": unit * quantity,
                "amount_tax": 0,
                "amount_total": unit * quantity,
                "currency": currency,
                "description": name,
                "price": _price(engine, unit, currency),
                "quantity": quantity,
                "_about": params.text(product, "description"),
            }
        )
    if len(currencies) != 1:
        raise ApiError("All line items must have one currency.", param="line_items")
    return items, currencies.pop()


def _price(engine: Engine, unit: int, currency: str) -> dict[str, Any]:
    return {
        "id": engine.new_id("price_"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": engine.now(),
        "currency": currency,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": engine.new_id("prod_", 14),
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit,
        "unit_amount_decimal": str(unit),
    }


def _url(given: Params, name: str) -> str:
    value = str(params.required(given, name))
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ApiError("Not a valid URL", code="url_invalid", param=name)
    return value


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions", index),
    ("GET", "/v1/checkout/sessions/{}", retrieve),
    ("GET", "/v1/checkout/sessions/{}/line_items", line_items),
    ("POST", "/v1/checkout/sessions/{}/expire", expire),
]
