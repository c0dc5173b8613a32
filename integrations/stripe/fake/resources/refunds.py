"""Refunds of card charges; the processing fee stays with Stripe."""

from integrations.stripe.fake import ledger, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.errors import ApiError, insufficient, missing
from integrations.stripe.fake.store import Object

REASONS = {"duplicate", "fraudulent", "requested_by_customer"}


def create(call: Call) -> Object:
    given = call.params
    params.only(given, "amount", "charge", "metadata", "payment_intent", "reason")
    metadata = params.metadata(given)
    reason = params.text(given, "reason")
    if reason is not None and reason not in REASONS:
        raise ApiError(f"Invalid reason: {reason}", param="reason")
    charge = _charge(call)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            is_stored=True,
        )
    amount = params.amount(given) if "amount" in given else left
    if amount > left:
        raise ApiError("The refund is greater than what is left of the charge.", param="amount", is_stored=True)
    engine = call.engine
    if ledger.total(engine, "", charge["currency"]) < amount:
        raise insufficient("The balance of the platform does not cover this refund.")
    refund_id = engine.new_id("re_")
    line = ledger.book(engine, account="", type="refund", amount=-amount, currency=charge["currency"], source=refund_id)
    refund: Object = {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": line["id"],
        "charge": charge["id"],
        "created": engine.now(),
        "currency": charge["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    engine.store.add(refund)
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    engine.store.save(charge)
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge, previous=before)
    return refund


def _charge(call: Call) -> Object:
    intent_id = params.text(call.params, "payment_intent")
    charge_id = params.text(call.params, "charge")
    if intent_id:
        intent = call.fetch(intent_id, "payment_intent", param="payment_intent", status=400)
        if intent["status"] != "succeeded":
            raise ApiError(
                "The payment has no successful charge to refund.",
                code="payment_intent_unexpected_state",
                is_stored=True,
            )
        charge_id = intent["latest_charge"]
    if not charge_id:
        raise ApiError("Give one of: charge, payment_intent.", code="parameter_missing", param="payment_intent")
    found = call.engine.store.get(charge_id, kind="charge", account="")
    if found is None:
        raise missing("charge", charge_id, param="charge", status=400)
    return found


def retrieve(call: Call) -> Object:
    return call.fetch(call.id, "refund")


def index(call: Call) -> Object:
    return listing(
        call,
        "refund",
        equal={
            "payment_intent": params.text(call.params, "payment_intent"),
            "charge": params.text(call.params, "charge"),
        },
        allowed=("payment_intent", "charge"),
    )


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/refunds", create),
    ("GET", "/v1/refunds", index),
    ("GET", "/v1/refunds/{}", retrieve),
]
