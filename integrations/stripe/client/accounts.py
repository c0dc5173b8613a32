"""Creators' connected accounts and the banks that they are paid at."""

from collections.abc import Mapping
from typing import Any, cast

from integrations.stripe import parsing, types
from integrations.stripe.client.base import Base, failures, options


class AccountCalls(Base):
    def create_account(
        self,
        *,
        country: str,
        currency: str,
        email: str,
        idempotency_key: str,
        bank: types.BankDetails | None = None,
        business_type: str = "individual",
        terms_accepted_at: int | None = None,
        terms_accepted_ip: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> types.ConnectedAccount:
        """A creator's account that the platform runs: it gets transfers and is paid out only when told to."""
        params: dict[str, Any] = {
            "country": country,
            "default_currency": currency.lower(),
            "email": email,
            "business_type": business_type,
            "controller": {
                "stripe_dashboard": {"type": "none"},
                "requirement_collection": "application",
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
            "metadata": dict(metadata or {}),
        }
        if bank is not None:
            params["external_account"] = _bank_params(bank)
        if terms_accepted_at is not None:
            params["tos_acceptance"] = {"date": terms_accepted_at, "ip": terms_accepted_ip}
        with failures():
            answer = self._v1.accounts.create(cast(Any, params), options(idempotency_key))
        return parsing.connected_account(answer.to_dict())

    def retrieve_account(self, account_id: str) -> types.ConnectedAccount:
        with failures():
            answer = self._v1.accounts.retrieve(account_id)
        return parsing.connected_account(answer.to_dict())

    def add_bank_account(
        self, account_id: str, *, bank: types.BankDetails, idempotency_key: str, make_default: bool = True
    ) -> types.BankAccount:
        """Adds a bank to pay out to; as default it takes its currency's payouts from now on."""
        params: dict[str, Any] = {
            "external_account": _bank_params(bank),
            "default_for_currency": make_default,
        }
        with failures():
            answer = self._v1.accounts.external_accounts.create(account_id, cast(Any, params), options(idempotency_key))
        return parsing.bank_account(answer.to_dict())


def _bank_params(bank: types.BankDetails) -> dict[str, str]:
    params = {
        "object": "bank_account",
        "country": bank.country,
        "currency": bank.currency.lower(),
        "account_number": bank.account_number,
    }
    if bank.routing_number:
        params["routing_number"] = bank.routing_number
    if bank.holder_name:
        params["account_holder_name"] = bank.holder_name
    return params
