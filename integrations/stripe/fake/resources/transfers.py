"""Transfers from the platform's balance to connected accounts."""

from integrations.stripe.fake import ledger, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.errors import ApiError, insufficient
from integrations.stripe.fake.resources.payments import new_charge
from integrations.stripe.fake.store import Object


def create(call: Call) -> Object:
    given = call.params
    params.only(given, "amount", "currency", "destination", "description", "metadata", "transfer_group")
    amount = params.amount(given)
    currency = params.currency(given)
    destination = str(params.required(given, "destination"))
    metadata = params.metadata(given)
    account = call.engine.store.get(destination, kind="account")
    if account is None:
        raise ApiError(f"No such destination: '{destination}'", code="resource_missing", param="destination")
    if account["capabilities"].get("transfers") != "active":
        raise ApiError(
            "The destination account needs the transfers capability.",
            code="insufficient_capabilities_for_transfer",
            is_stored=True,
        )
    if ledger.available(call.engine, "", currency) < amount:
        raise insufficient("The available balance of the platform does not cover this transfer.")
    engine = call.engine
    transfer_id = engine.new_id("tr_")
    sent = ledger.book(engine, account="", type="transfer", amount=-amount, currency=currency, source=transfer_id)
    payment = new_charge(
        engine,
        prefix="py_",
        amount=amount,
        currency=currency,
        metadata={},
        source_transfer=transfer_id,
    )
    received = ledger.book(
        engine, account=destination, type="payment", amount=amount, currency=currency, source=payment["id"]
    )
    payment["balance_transaction"] = received["id"]
    engine.store.add(payment, account=destination)
    transfer: Object = {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": sent["id"],
        "created": engine.now(),
        "currency": currency,
        "description": params.text(given, "description"),
        "destination": destination,
        "destination_payment": payment["id"],
        "livemode": False,
        "metadata": metadata,
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/transfers/{transfer_id}/reversals",
        },
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": params.text(given, "transfer_group") or f"group_{transfer_id}",
    }
    engine.store.add(transfer)
    call.emit("transfer.created", transfer)
    call.emit("payment.created", payment, account=destination)
    return transfer


def retrieve(call: Call) -> Object:
    return call.fetch(call.id, "transfer")


def index(call: Call) -> Object:
    return listing(
        call,
        "transfer",
        equal={
            "transfer_group": params.text(call.params, "transfer_group"),
            "destination": params.text(call.params, "destination"),
        },
        allowed=("transfer_group", "destination"),
    )


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/transfers", create),
    ("GET", "/v1/transfers", index),
    ("GET", "/v1/transfers/{}", retrieve),
]
