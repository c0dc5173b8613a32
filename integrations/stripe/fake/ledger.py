"""Balances of the platform ("") and of connected accounts, kept as balance transactions."""

from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.store import Object

REPORTING = {
    "charge": "charge",
    "payment": "charge",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "topup": "topup",
    "transfer": "transfer",
}
FEE_PER_MILLE = 29
FEE_FIXED = 30


def card_fee(amount: int) -> int:
    """2.9 % + 30 minor units, half a unit rounded up."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def book(
    engine: Engine,
    *,
    account: str,
    type: str,
    amount: int,
    currency: str,
    source: str,
    fee: int = 0,
    delay: int = 0,
    description: str | None = None,
) -> Object:
    """One balance transaction of signed `amount`, available after `delay` seconds."""
    now = engine.now()
    available_on = now + delay
    line: Object = {
        "id": engine.new_id("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Processing fees",
                "type": "stripe_fee",
            }
        ]
        if fee
        else [],
        "net": amount - fee,
        "reporting_category": REPORTING[type],
        "source": source,
        "status": "pending" if delay else "available",
        "type": type,
    }
    engine.store.add(line, account=account)
    engine.store.run(
        "INSERT INTO movement (account, currency, available_on, net) VALUES (?, ?, ?, ?)",
        account,
        currency,
        available_on,
        amount - fee,
    )
    return line


def settle_status(engine: Engine, line: Object) -> Object:
    """The balance transaction as it reads now: what was pending becomes available by time alone."""
    if line["status"] == "pending" and line["available_on"] <= engine.now():
        line["status"] = "available"
    return line


def available(engine: Engine, account: str, currency: str) -> int:
    rows = engine.store.rows(
        "SELECT coalesce(sum(net), 0) AS total FROM movement WHERE account = ? AND currency = ? AND available_on <= ?",
        account,
        currency,
        engine.now(),
    )
    return int(rows[0]["total"])


def total(engine: Engine, account: str, currency: str) -> int:
    """Available and pending together."""
    rows = engine.store.rows(
        "SELECT coalesce(sum(net), 0) AS total FROM movement WHERE account = ? AND currency = ?",
        account,
        currency,
    )
    return int(rows[0]["total"])


def balance(engine: Engine, account: str, *, default_currency: str) -> Object:
    now = engine.now()
    sums = engine.store.rows(
        "SELECT currency, sum(CASE WHEN available_on <= ? THEN net ELSE 0 END) AS available,"
        " sum(CASE WHEN available_on > ? THEN net ELSE 0 END) AS pending"
        " FROM movement WHERE account = ? GROUP BY currency ORDER BY currency",
        now,
        now,
        account,
    )
    amounts = {row["currency"]: (row["available"], row["pending"]) for row in sums} or {default_currency: (0, 0)}
    return {
        "object": "balance",
        "available": [_part(currency, pair[0]) for currency, pair in amounts.items()],
        "livemode": False,
        "pending": [_part(currency, pair[1]) for currency, pair in amounts.items()],
    }


def _part(currency: str, amount: int) -> Object:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
