"""Refunds of card charges; the processing fee stays with Stripe.

Most succeed at once. Those of two test cards end later: one as succeeded, one as failed, with the money back.
"""

from integrations.stripe.fake import ledger, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.engine import Engine
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
    course = charge.get("_refund", "")
    line = ledger.book(engine, account="", type="refund", amount=-amount, currency=charge["currency"], source=refund_id)
    refund = _new(
        engine,
        charge,
        id=refund_id,
        amount=amount,
        balance_transaction=line["id"],
        metadata=metadata,
        reason=reason,
        status="pending" if course == "pending" else "succeeded",
    )
    engine.store.add(refund)
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    _count(engine, charge, amount)
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge, previous=before)
    if course:
        engine.later(engine.settings.refund_delay, "settle_refund", refund_id)
    return refund


def _new(
    engine: Engine,
    charge: Object,
    *,
    id: str,
    amount: int,
    balance_transaction: str | None,
    metadata: Object,
    reason: str | None,
    status: str,
) -> Object:
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": balance_transaction,
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
        "status": status,
        "transfer_reversal": None,
    }


def _count(engine: Engine, charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    engine.store.save(charge)


def take_over(engine: Engine, intent_id: str, amount: int) -> None:
    """What was given back of a payment before this fake was there: not announced, no line in the balance."""
    intent = engine.store.get(intent_id, kind="payment_intent")
    charge = engine.store.get(intent["latest_charge"], kind="charge") if intent is not None else None
    if charge is None:
        raise LookupError(intent_id)
    refund = _new(
        engine,
        charge,
        id=engine.new_id("re_"),
        amount=amount,
        balance_transaction=None,
        metadata={},
        reason=None,
        status="succeeded",
    )
    engine.store.add(refund)
    _count(engine, charge, amount)


def settle(engine: Engine, refund_id: str) -> None:
    """How a refund ends that did not end at once."""
    refund = engine.store.get(refund_id, kind="refund")
    if refund is None:
        return
    charge = engine.store.get(refund["charge"], kind="charge")
    if charge is not None and charge.get("_refund") == "fails":
        fail(engine, refund_id, reason="expired_or_canceled_card")
    elif refund["status"] == "pending":
        refund["status"] = "succeeded"
        engine.store.save(refund)
        _tell(engine, refund, before="pending")


def fail(engine: Engine, refund_id: str, *, reason: str) -> None:
    """The money comes back to the platform's balance. A refund that had succeeded can still fail."""
    refund = engine.store.get(refund_id, kind="refund")
    if refund is None or refund["status"] in ("failed", "canceled"):
        return
    line = ledger.book(
        engine,
        account="",
        type="refund_failure",
        amount=refund["amount"],
        currency=refund["currency"],
        source=refund_id,
    )
    before = refund["status"]
    refund.update(status="failed", failure_reason=reason, failure_balance_transaction=line["id"])
    engine.store.save(refund)
    charge = engine.store.get(refund["charge"], kind="charge")
    if charge is not None:
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        engine.store.save(charge)
    _tell(engine, refund, before=before)
    engine.emit("refund.failed", refund)


def _tell(engine: Engine, refund: Object, *, before: str) -> None:
    for type in ("refund.updated", "charge.refund.updated"):
        engine.emit(type, refund, previous={"status": before})


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
