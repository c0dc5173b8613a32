"""Connected accounts and the bank accounts that they are paid out to."""

import re

from integrations.stripe.fake import banks, params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.errors import ApiError, missing
from integrations.stripe.fake.params import Params
from integrations.stripe.fake.store import Object

NUMBER = re.compile(r"^(?:[0-9]{4,17}|[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30})$")


def create(call: Call) -> Object:
    given = call.params
    params.only(
        given,
        "business_profile",
        "business_type",
        "capabilities",
        "controller",
        "country",
        "default_currency",
        "email",
        "external_account",
        "individual",
        "metadata",
        "settings",
        "tos_acceptance",
        "type",
    )
    country = (params.text(given, "country") or "US").upper()
    if country in banks.UNSUPPORTED_COUNTRIES:
        raise ApiError(f"{country} is not supported.", code="country_unsupported", param="country")
    currency = params.currency(given, "default_currency") if "default_currency" in given else "usd"
    transfers = params.hashed(params.hashed(given, "capabilities"), "transfers").get("requested") == "true"
    schedule = params.hashed(params.hashed(params.hashed(given, "settings"), "payouts"), "schedule")
    controller = params.hashed(given, "controller")
    terms = params.hashed(given, "tos_acceptance")
    account: Object = {
        "id": call.engine.new_id("acct_", 16),
        "object": "account",
        "business_profile": params.hashed(given, "business_profile") or None,
        "business_type": params.text(given, "business_type"),
        "capabilities": {"transfers": "active"} if transfers else {},
        "charges_enabled": False,
        "controller": {
            "fees": {"payer": _nested(controller, "fees", "payer", "account")},
            "is_controller": True,
            "losses": {"payments": _nested(controller, "losses", "payments", "stripe")},
            "requirement_collection": params.text(controller, "requirement_collection") or "stripe",
            "stripe_dashboard": {"type": _nested(controller, "stripe_dashboard", "type", "full")},
            "type": "application",
        },
        "country": country,
        "created": call.engine.now(),
        "default_currency": currency,
        "details_submitted": True,
        "email": params.text(given, "email"),
        "external_accounts": {"object": "list", "data": [], "has_more": False, "url": ""},
        "metadata": params.metadata(given),
        "payouts_enabled": False,
        "requirements": {},
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {"statement_descriptor_prefix": None},
            "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": None},
            "payouts": {
                "debit_negative_balances": False,
                "schedule": {"delay_days": 2, "interval": schedule.get("interval", "daily")},
                "statement_descriptor": None,
            },
        },
        "tos_acceptance": {"date": params.integer(terms, "date") if "date" in terms else None},
        "type": params.text(given, "type") or "none",
    }
    account["external_accounts"]["url"] = f"/v1/accounts/{account['id']}/external_accounts"
    if given.get("external_account"):
        _attach(call.engine, account, params.hashed(given, "external_account"), make_default=True)
    refresh(account)
    call.engine.store.add(account)
    call.emit("account.updated", account, account=account["id"])
    return account


def retrieve(call: Call) -> Object:
    found = call.engine.store.get(call.id, kind="account")
    if found is None:
        raise ApiError(
            f"The provided key does not have access to account '{call.id}' (or that account does not exist).",
            status=403,
            code="account_invalid",
        )
    return found


def index(call: Call) -> Object:
    return listing(call, "account")


def add_bank(call: Call) -> Object:
    params.only(call.params, "external_account", "default_for_currency", "metadata")
    account = call.fetch(call.id, "account")
    bank = _attach(
        call.engine,
        account,
        params.hashed(call.params, "external_account"),
        make_default=params.boolean(call.params, "default_for_currency"),
    )
    refresh(account)
    call.engine.store.save(account)
    call.emit("account.external_account.created", bank, account=account["id"])
    call.emit("account.updated", account, account=account["id"])
    return bank


def list_banks(call: Call) -> Object:
    banks_of: Object = call.fetch(call.id, "account")["external_accounts"]
    return banks_of


def retrieve_bank(call: Call) -> Object:
    found = find_bank(call.fetch(call.ids[0], "account"), call.ids[1])
    if found is None:
        raise missing("external account", call.ids[1])
    return found


def find_bank(account: Object, id: str) -> Object | None:
    return next((bank for bank in account["external_accounts"]["data"] if bank["id"] == id), None)


def default_bank(account: Object, currency: str) -> Object | None:
    choices = [bank for bank in account["external_accounts"]["data"] if bank["currency"] == currency]
    return next((bank for bank in choices if bank["default_for_currency"]), None)


def refresh(account: Object) -> None:
    """Whether payouts are possible follows from the bank accounts: one must be there that has not failed."""
    usable = any(bank["status"] != "errored" for bank in account["external_accounts"]["data"])
    account["payouts_enabled"] = usable
    account["requirements"] = {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": [] if usable else ["external_account"],
        "disabled_reason": None if usable else "requirements.past_due",
        "errors": [],
        "eventually_due": [] if usable else ["external_account"],
        "past_due": [] if usable else ["external_account"],
        "pending_verification": [],
    }


def _nested(given: Params, name: str, key: str, default: str) -> str:
    return params.text(params.hashed(given, name), key) or default


def _attach(engine: Engine, account: Object, given: Params, *, make_default: bool) -> Object:
    params.only(
        given,
        "object",
        "account_holder_name",
        "account_holder_type",
        "account_number",
        "country",
        "currency",
        "routing_number",
    )
    number = str(params.required(given, "account_number")).replace(" ", "").upper()
    if not NUMBER.match(number):
        raise ApiError("The bank account number is not valid.", code="account_number_invalid", param="external_account")
    country = str(params.required(given, "country")).upper()
    routing = params.text(given, "routing_number")
    if country == "US" and not re.fullmatch(r"[0-9]{9}", routing or ""):
        raise ApiError(
            "The routing number must have nine digits.",
            code="routing_number_invalid",
            param="external_account",
        )
    currency = params.currency(given)
    same = [bank for bank in account["external_accounts"]["data"] if bank["currency"] == currency]
    is_default = make_default or not same
    if is_default:
        for bank in same:
            bank["default_for_currency"] = False
    bank = {
        "id": engine.new_id("ba_"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": params.text(given, "account_holder_name"),
        "account_holder_type": params.text(given, "account_holder_type"),
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": currency,
        "default_for_currency": is_default,
        "fingerprint": engine.new_id("", 16),
        "last4": number[-4:],
        "metadata": {},
        "routing_number": routing,
        "status": "new",
        # Only a number that makes payouts fail is remembered, as the reason.
        "_failure": list(banks.FAILURES[number]) if number in banks.FAILURES else None,
    }
    account["external_accounts"]["data"].append(bank)
    return bank


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/accounts", create),
    ("GET", "/v1/accounts", index),
    ("GET", "/v1/accounts/{}", retrieve),
    ("POST", "/v1/accounts/{}/external_accounts", add_bank),
    ("GET", "/v1/accounts/{}/external_accounts", list_banks),
    ("GET", "/v1/accounts/{}/external_accounts/{}", retrieve_bank),
]
