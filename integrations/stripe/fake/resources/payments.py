"""Payment intents and the charges that they make. Only the hosted page creates them."""

from collections.abc import Mapping
from typing import Any

from integrations.stripe.fake import cards, ledger, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.store import Object


def new_charge(
    engine: Engine,
    *,
    amount: int,
    currency: str,
    metadata: Mapping[str, str],
    prefix: str = "ch_",
    source_transfer: str | None = None,
    payment_intent: str | None = None,
    customer: str | None = None,
    email: str | None = None,
    name: str | None = None,
    card: str = "",
    outcome: cards.Outcome | None = None,
) -> Object:
    """A charge that is not in the store yet. With `card` it is a card charge with that outcome."""
    is_failed = outcome is not None and bool(outcome.code)
    details: dict[str, Any] = {"type": "stripe_account", "stripe_account": {}}
    if card:
        details = {
            "type": "card",
            "card": {
                "brand": cards.brand(card),
                "checks": {
                    "address_line1_check": None,
                    "address_postal_code_check": None,
                    "cvc_check": "pass",
                },
                "country": "US",
                "exp_month": 12,
                "exp_year": 2034,
                "funding": "credit",
                "last4": card[-4:],
                "network": cards.brand(card),
            },
        }
    id = engine.new_id(prefix)
    return {
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": 0 if is_failed else amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": None,
            "email": email,
            "name": name,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "BACKLOT",
        "captured": not is_failed,
        "created": engine.now(),
        "currency": currency,
        "customer": customer,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": outcome.code if outcome and is_failed else None,
        "failure_message": outcome.message if outcome and is_failed else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(metadata),
        "on_behalf_of": None,
        "outcome": {
            "network_status": "declined_by_network" if is_failed else "approved_by_network",
            "reason": outcome.decline_code if outcome and is_failed else None,
            "risk_level": "normal",
            "seller_message": "The bank declined the payment." if is_failed else "Payment complete.",
            "type": "issuer_declined" if is_failed else "authorized",
        },
        "paid": not is_failed,
        "payment_intent": payment_intent,
        "payment_method": engine.new_id("pm_") if card else None,
        "payment_method_details": details,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"{engine.settings.public_url}/receipts/{id}" if card and not is_failed else None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": source_transfer,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "failed" if is_failed else "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def new_payment_intent(
    engine: Engine, *, amount: int, currency: str, customer: str | None, metadata: Mapping[str, str]
) -> Object:
    id = engine.new_id("pi_")
    return {
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id}_secret_{engine.new_id('', 25)}",
        "confirmation_method": "automatic",
        "created": engine.now(),
        "currency": currency,
        "customer": customer,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": dict(metadata),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def capture(
    engine: Engine, intent: Object, *, card: str, outcome: cards.Outcome, email: str | None, name: str | None
) -> Object:
    """Charges the card: books the money and its fee, or records why not. Saves and announces both objects."""
    charge = new_charge(
        engine,
        amount=intent["amount"],
        currency=intent["currency"],
        metadata=intent["metadata"],
        payment_intent=intent["id"],
        customer=intent["customer"],
        email=email,
        name=name,
        card=card,
        outcome=outcome,
    )
    intent["latest_charge"] = charge["id"]
    if outcome.code:
        intent["status"] = "requires_payment_method"
        intent["last_payment_error"] = {
            "charge": charge["id"],
            "code": outcome.code,
            "decline_code": outcome.decline_code,
            "message": outcome.message,
            "type": "card_error",
        }
        engine.store.add(charge)
        engine.store.save(intent)
        engine.emit("charge.failed", charge)
        engine.emit("payment_intent.payment_failed", intent)
        return charge
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        payment_method=charge["payment_method"],
        last_payment_error=None,
    )
    charge["_at_once"] = outcome.at_once
    charge["_refund"] = outcome.refund
    engine.store.add(charge)
    if engine.settings.booking_delay > 0:
        # With asynchronous capture Stripe books the money, and knows its fee, a little later.
        engine.later(engine.settings.booking_delay, "book_charge", charge["id"])
    else:
        _book(engine, charge)
    engine.store.save(intent)
    engine.emit("charge.succeeded", charge)
    engine.emit("payment_intent.succeeded", intent)
    return charge


def take_over(
    engine: Engine, *, id: str, amount: int, currency: str, created: int, metadata: Mapping[str, str]
) -> Object | None:
    """A payment that was taken before this fake was there: charged, not announced, no line in the balance.

    None when there is a payment of this id.
    """
    if engine.store.get(id) is not None:
        return None
    intent = new_payment_intent(engine, amount=amount, currency=currency, customer=None, metadata=metadata)
    charge = new_charge(
        engine,
        amount=amount,
        currency=currency,
        metadata=metadata,
        payment_intent=id,
        card="4242424242424242",
        outcome=cards.outcome("4242424242424242"),
    )
    charge["created"] = created
    intent.update(
        id=id,
        created=created,
        client_secret=f"{id}_secret_{engine.new_id('', 25)}",
        status="succeeded",
        amount_received=amount,
        latest_charge=charge["id"],
        payment_method=charge["payment_method"],
    )
    engine.store.add(charge)
    return engine.store.add(intent)


def book_later(engine: Engine, charge_id: str) -> None:
    charge = engine.store.get(charge_id, kind="charge")
    if charge is None or charge["balance_transaction"] is not None:
        return
    _book(engine, charge)
    engine.emit("charge.updated", charge, previous={"balance_transaction": None})


def _book(engine: Engine, charge: Object) -> None:
    line = ledger.book(
        engine,
        account="",
        type="charge",
        amount=charge["amount"],
        currency=charge["currency"],
        source=charge["id"],
        fee=ledger.card_fee(charge["amount"]),
        delay=0 if charge["_at_once"] else engine.settings.settlement_delay,
    )
    charge["balance_transaction"] = line["id"]
    engine.store.save(charge)


def retrieve_intent(call: Call) -> Object:
    return call.fetch(call.id, "payment_intent")


def list_intents(call: Call) -> Object:
    return listing(
        call,
        "payment_intent",
        equal={"customer": params.text(call.params, "customer")},
        allowed=("customer",),
    )


def retrieve_charge(call: Call) -> Object:
    return call.fetch(call.id, "charge")


def list_charges(call: Call) -> Object:
    return listing(
        call,
        "charge",
        equal={
            "payment_intent": params.text(call.params, "payment_intent"),
            "customer": params.text(call.params, "customer"),
        },
        allowed=("payment_intent", "customer"),
    )


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/payment_intents", list_intents),
    ("GET", "/v1/payment_intents/{}", retrieve_intent),
    ("GET", "/v1/charges", list_charges),
    ("GET", "/v1/charges/{}", retrieve_charge),
]
