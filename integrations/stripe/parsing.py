"""From Stripe's JSON objects, in API answers and inside events alike, to the values of `types.py`."""

from collections.abc import Mapping
from typing import Any

from integrations.stripe import types

ATTEMPT_KEY = "attempt_id"
"""The metadata key that carries our own id of a payment attempt."""

Json = Mapping[str, Any]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _id(value: Any) -> str:
    """The id of a reference, expanded or not; "" for none."""
    if isinstance(value, Mapping):
        return _text(value.get("id"))
    return _text(value)


def _currency(data: Json, key: str = "currency") -> str:
    return _text(data.get(key)).upper()


def _metadata(data: Json) -> dict[str, str]:
    return {str(key): str(value) for key, value in (data.get("metadata") or {}).items()}


def customer(data: Json) -> types.Customer:
    return types.Customer(
        id=data["id"],
        email=_text(data.get("email")),
        name=_text(data.get("name")),
        metadata=_metadata(data),
    )


def checkout_session(data: Json) -> types.CheckoutSession:
    details = data.get("customer_details") or {}
    return types.CheckoutSession(
        id=data["id"],
        url=_text(data.get("url")),
        status=_text(data.get("status")),
        payment_status=_text(data.get("payment_status")),
        amount_total=data.get("amount_total") or 0,
        currency=_currency(data),
        payment_intent=_id(data.get("payment_intent")),
        customer=_id(data.get("customer")),
        customer_email=_text(details.get("email") or data.get("customer_email")),
        client_reference_id=_text(data.get("client_reference_id")),
        metadata=_metadata(data),
        created=data["created"],
        expires_at=data["expires_at"],
    )


def balance_transaction(data: Json) -> types.BalanceTransaction:
    return types.BalanceTransaction(
        id=data["id"],
        type=data["type"],
        reporting_category=_text(data.get("reporting_category")),
        amount=data["amount"],
        fee=data["fee"],
        net=data["net"],
        currency=_currency(data),
        source=_id(data.get("source")),
        status=_text(data.get("status")),
        description=_text(data.get("description")),
        exchange_rate=_text(data.get("exchange_rate")),
        created=data["created"],
        available_on=data["available_on"],
    )


def charge(data: Json) -> types.Charge:
    booked = data.get("balance_transaction")
    card = (data.get("payment_method_details") or {}).get("card") or {}
    return types.Charge(
        id=data["id"],
        amount=data["amount"],
        amount_refunded=data["amount_refunded"],
        currency=_currency(data),
        status=data["status"],
        paid=data["paid"],
        refunded=data["refunded"],
        payment_intent=_id(data.get("payment_intent")),
        balance_transaction=balance_transaction(booked) if isinstance(booked, Mapping) else None,
        failure_code=_text(data.get("failure_code")),
        failure_message=_text(data.get("failure_message")),
        card_brand=_text(card.get("brand")),
        card_last4=_text(card.get("last4")),
        receipt_url=_text(data.get("receipt_url")),
        metadata=_metadata(data),
        created=data["created"],
    )


def payment_intent(data: Json) -> types.PaymentIntent:
    latest = data.get("latest_charge")
    failure = data.get("last_payment_error") or {}
    return types.PaymentIntent(
        id=data["id"],
        amount=data["amount"],
        amount_received=data["amount_received"],
        currency=_currency(data),
        status=data["status"],
        customer=_id(data.get("customer")),
        charge=charge(latest) if isinstance(latest, Mapping) else None,
        error_code=_text(failure.get("code")),
        decline_code=_text(failure.get("decline_code")),
        metadata=_metadata(data),
        created=data["created"],
    )


def balance(data: Json) -> types.Balance:
    def by_currency(part: str) -> dict[str, int]:
        return {_currency(row): row["amount"] for row in data.get(part) or ()}

    return types.Balance(available=by_currency("available"), pending=by_currency("pending"))


def bank_account(data: Json) -> types.BankAccount:
    return types.BankAccount(
        id=data["id"],
        bank_name=_text(data.get("bank_name")),
        last4=data["last4"],
        country=data["country"],
        currency=_currency(data),
        status=data["status"],
        is_default=bool(data.get("default_for_currency")),
    )


def connected_account(data: Json) -> types.ConnectedAccount:
    requirements = data.get("requirements") or {}
    external = (data.get("external_accounts") or {}).get("data") or ()
    return types.ConnectedAccount(
        id=data["id"],
        email=_text(data.get("email")),
        country=_text(data.get("country")),
        default_currency=_currency(data, "default_currency"),
        details_submitted=bool(data.get("details_submitted")),
        payouts_enabled=bool(data.get("payouts_enabled")),
        transfers_active=(data.get("capabilities") or {}).get("transfers") == "active",
        requirements=tuple(requirements.get("currently_due") or ()),
        disabled_reason=_text(requirements.get("disabled_reason")),
        bank_accounts=tuple(bank_account(row) for row in external if row.get("object") == "bank_account"),
        metadata=_metadata(data),
    )


def transfer(data: Json) -> types.Transfer:
    metadata = _metadata(data)
    return types.Transfer(
        id=data["id"],
        amount=data["amount"],
        amount_reversed=data["amount_reversed"],
        currency=_currency(data),
        destination=_id(data.get("destination")),
        destination_payment=_id(data.get("destination_payment")),
        balance_transaction=_id(data.get("balance_transaction")),
        transfer_group=_text(data.get("transfer_group")),
        attempt_id=metadata.get(ATTEMPT_KEY, ""),
        reversed=data["reversed"],
        metadata=metadata,
        created=data["created"],
    )


def payout(data: Json, *, account: str) -> types.Payout:
    """`account` is the connected account that the payout leaves; the object itself does not name it."""
    metadata = _metadata(data)
    return types.Payout(
        id=data["id"],
        account=account,
        amount=data["amount"],
        currency=_currency(data),
        status=data["status"],
        method=_text(data.get("method")),
        destination=_id(data.get("destination")),
        balance_transaction=_id(data.get("balance_transaction")),
        failure_code=_text(data.get("failure_code")),
        failure_message=_text(data.get("failure_message")),
        trace_id=_text((data.get("trace_id") or {}).get("value")),
        attempt_id=metadata.get(ATTEMPT_KEY, ""),
        metadata=metadata,
        created=data["created"],
        arrival_date=data["arrival_date"],
    )


def refund(data: Json) -> types.Refund:
    metadata = _metadata(data)
    return types.Refund(
        id=data["id"],
        amount=data["amount"],
        currency=_currency(data),
        status=_text(data.get("status")),
        charge=_id(data.get("charge")),
        payment_intent=_id(data.get("payment_intent")),
        balance_transaction=_id(data.get("balance_transaction")),
        failure_reason=_text(data.get("failure_reason")),
        attempt_id=metadata.get(ATTEMPT_KEY, ""),
        metadata=metadata,
        created=data["created"],
    )


def event(data: Json) -> types.Event:
    content = data["data"]
    return types.Event(
        id=data["id"],
        type=data["type"],
        account=_text(data.get("account")),
        livemode=data["livemode"],
        created=data["created"],
        object=content["object"],
        previous=content.get("previous_attributes") or {},
        payload=data,
    )
