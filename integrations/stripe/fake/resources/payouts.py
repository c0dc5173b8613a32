"""Payouts from an account's balance to its bank: pending at first, then paid or failed after a delay."""

from integrations.stripe.fake import banks, ledger, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.errors import ApiError, insufficient, missing
from integrations.stripe.fake.resources import accounts
from integrations.stripe.fake.store import Object

MESSAGES = dict(banks.FAILURES.values())


def create(call: Call) -> Object:
    given = call.params
    params.only(
        given,
        "amount",
        "currency",
        "description",
        "destination",
        "metadata",
        "method",
        "statement_descriptor",
    )
    amount = params.amount(given)
    currency = params.currency(given)
    metadata = params.metadata(given)
    bank = _bank(call, currency)
    if ledger.available(call.engine, call.account, currency) < amount:
        raise insufficient("The available balance of this account does not cover this payout.")
    engine = call.engine
    payout_id = engine.new_id("po_")
    line = ledger.book(engine, account=call.account, type="payout", amount=-amount, currency=currency, source=payout_id)
    payout: Object = {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": engine.now() + max(1, round(engine.settings.payout_delay)),
        "automatic": False,
        "balance_transaction": line["id"],
        "created": engine.now(),
        "currency": currency,
        "description": params.text(given, "description"),
        "destination": bank["id"] if bank else None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": metadata,
        "method": params.text(given, "method") or "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.text(given, "statement_descriptor"),
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
    engine.store.add(payout, account=call.account)
    call.emit("payout.created", payout)
    engine.later(engine.settings.payout_delay, "settle_payout", payout_id)
    return payout


def retrieve(call: Call) -> Object:
    return call.fetch(call.id, "payout")


def index(call: Call) -> Object:
    return listing(
        call,
        "payout",
        equal={
            "status": params.text(call.params, "status"),
            "destination": params.text(call.params, "destination"),
        },
        allowed=("status", "destination"),
    )


def settle(engine: Engine, payout_id: str) -> None:
    """What the bank says in the end: paid, or failed when the account number is one that fails."""
    account_id = engine.store.account_of(payout_id)
    payout = engine.store.get(payout_id, kind="payout")
    if payout is None or payout["status"] not in ("pending", "in_transit"):
        return
    account = engine.store.get(account_id, kind="account") if account_id else None
    bank = accounts.find_bank(account, payout["destination"] or "") if account else None
    if bank is not None and bank["_failure"]:
        fail(engine, payout_id, code=bank["_failure"][0])
        return
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": engine.new_id("", 15).upper()}
    engine.store.save(payout)
    engine.emit("payout.paid", payout, account=account_id, previous={"status": "pending"})


def fail(engine: Engine, payout_id: str, *, code: str) -> None:
    """Sends the money back. A payout that was reported paid can still fail, as with real banks."""
    account_id = engine.store.account_of(payout_id)
    payout = engine.store.get(payout_id, kind="payout")
    if payout is None or payout["status"] in ("failed", "canceled"):
        return
    line = ledger.book(
        engine,
        account=account_id,
        type="payout_failure",
        amount=payout["amount"],
        currency=payout["currency"],
        source=payout_id,
    )
    before = payout["status"]
    payout.update(
        status="failed",
        failure_code=code,
        failure_message=MESSAGES.get(code, "The bank could not process this payout."),
        failure_balance_transaction=line["id"],
    )
    engine.store.save(payout)
    engine.emit("payout.failed", payout, account=account_id, previous={"status": before})
    account = engine.store.get(account_id, kind="account") if account_id else None
    bank = accounts.find_bank(account, payout["destination"] or "") if account else None
    if account is not None and bank is not None:
        # Stripe sends nothing more to a bank account that failed.
        bank["status"] = "errored"
        accounts.refresh(account)
        engine.store.save(account)
        engine.emit("account.external_account.updated", bank, account=account_id)
        engine.emit("account.updated", account, account=account_id)


def _bank(call: Call, currency: str) -> Object | None:
    """The bank account to pay to; the platform's own payouts need none here."""
    if not call.account:
        return None
    account = call.engine.store.get(call.account, kind="account")
    if account is None:
        raise missing("account", call.account)
    wanted = params.text(call.params, "destination")
    bank = accounts.find_bank(account, wanted) if wanted else accounts.default_bank(account, currency)
    if bank is None and wanted:
        raise ApiError(f"No such external account: '{wanted}'", code="resource_missing", param="destination")
    if bank is None or bank["currency"] != currency:
        raise ApiError(f"The account has no bank account in {currency}.", param="currency", is_stored=True)
    if not account["payouts_enabled"] or bank["status"] == "errored":
        raise ApiError("Payouts are not possible on this account.", code="payouts_not_allowed", is_stored=True)
    return bank


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/payouts", create),
    ("GET", "/v1/payouts", index),
    ("GET", "/v1/payouts/{}", retrieve),
]
