"""Paying creators: a transfer to their account, then a payout to their bank."""

from collections.abc import Mapping

from stripe import params as stripe_params

from integrations.stripe import parsing, types
from integrations.stripe.client.base import PAGE_SIZE, Base, failures, options
from integrations.stripe.parsing import ATTEMPT_KEY


class PayoutCalls(Base):
    def create_transfer(
        self,
        *,
        amount: int,
        currency: str,
        destination: str,
        attempt_id: str,
        idempotency_key: str,
        description: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> types.Transfer:
        """Moves money from the platform's balance to a connected account's balance.

        The attempt's id goes into the metadata and the transfer group, by which `find_transfer` lists.
        """
        params: stripe_params.TransferCreateParams = {
            "amount": amount,
            "currency": currency.lower(),
            "destination": destination,
            "transfer_group": attempt_id,
            "metadata": {**(metadata or {}), ATTEMPT_KEY: attempt_id},
        }
        if description:
            params["description"] = description
        with failures():
            answer = self._v1.transfers.create(params, options(idempotency_key))
        return parsing.transfer(answer.to_dict())

    def retrieve_transfer(self, transfer_id: str) -> types.Transfer:
        with failures():
            answer = self._v1.transfers.retrieve(transfer_id)
        return parsing.transfer(answer.to_dict())

    def find_transfer(self, attempt_id: str) -> types.Transfer | None:
        """The transfer made for this attempt, or None: then Stripe has none.

        Lists by transfer group, which is consistent at once; Stripe has no search over transfers.
        """
        params: stripe_params.TransferListParams = {"transfer_group": attempt_id, "limit": PAGE_SIZE}
        with failures():
            for row in self._v1.transfers.list(params).auto_paging_iter():
                found = parsing.transfer(row.to_dict())
                if found.attempt_id == attempt_id:
                    return found
        return None

    def create_payout(
        self,
        *,
        account: str,
        amount: int,
        currency: str,
        attempt_id: str,
        idempotency_key: str,
        destination: str = "",
        description: str = "",
        statement_descriptor: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> types.Payout:
        """Sends money from a connected account's balance to its bank; `destination` pins the bank account."""
        params: stripe_params.PayoutCreateParams = {
            "amount": amount,
            "currency": currency.lower(),
            "metadata": {**(metadata or {}), ATTEMPT_KEY: attempt_id},
        }
        if destination:
            params["destination"] = destination
        if description:
            params["description"] = description
        if statement_descriptor:
            params["statement_descriptor"] = statement_descriptor
        with failures():
            answer = self._v1.payouts.create(params, options(idempotency_key, account=account))
        return parsing.payout(answer.to_dict(), account=account)

    def retrieve_payout(self, payout_id: str, *, account: str) -> types.Payout:
        with failures():
            answer = self._v1.payouts.retrieve(payout_id, None, options(account=account))
        return parsing.payout(answer.to_dict(), account=account)

    def find_payout(self, attempt_id: str, *, account: str, since: int | None = None) -> types.Payout | None:
        """The account's payout that carries the attempt's id, or None: then Stripe has none.

        `since` (Unix seconds) bounds how far back the account's payouts are read.
        """
        params: stripe_params.PayoutListParams = {"limit": PAGE_SIZE}
        if since is not None:
            params["created"] = {"gte": since}
        with failures():
            for row in self._v1.payouts.list(params, options(account=account)).auto_paging_iter():
                found = parsing.payout(row.to_dict(), account=account)
                if found.attempt_id == attempt_id:
                    return found
        return None
