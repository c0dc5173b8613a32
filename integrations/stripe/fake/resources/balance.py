"""The balance of the platform or a connected account, and its transactions."""

from integrations.stripe.fake import ledger, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.store import Object


def retrieve_balance(call: Call) -> Object:
    params.only(call.params)
    account = call.engine.store.get(call.account, kind="account") if call.account else None
    default_currency = account["default_currency"] if account else "usd"
    return ledger.balance(call.engine, call.account, default_currency=default_currency)


def retrieve(call: Call) -> Object:
    return ledger.settle_status(call.engine, call.fetch(call.id, "balance_transaction"))


def index(call: Call) -> Object:
    payout = params.text(call.params, "payout")
    page = listing(
        call,
        "balance_transaction",
        equal={
            "type": params.text(call.params, "type"),
            "currency": params.text(call.params, "currency"),
            "source": params.text(call.params, "source") or payout,
        },
        allowed=("type", "currency", "source", "payout"),
    )
    page["data"] = [ledger.settle_status(call.engine, line) for line in page["data"]]
    return page


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/balance", retrieve_balance),
    ("GET", "/v1/balance_transactions", index),
    ("GET", "/v1/balance_transactions/{}", retrieve),
]
