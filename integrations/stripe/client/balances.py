"""The balance of the platform or a connected account, and every line that made it."""

from collections.abc import Iterator

from stripe import params as stripe_params

from integrations.stripe import parsing, types
from integrations.stripe.client.base import PAGE_SIZE, Base, failures, options


class BalanceCalls(Base):
    def retrieve_balance(self, *, account: str = "") -> types.Balance:
        """The platform's balance, or that of a connected account."""
        with failures():
            answer = self._v1.balance.retrieve(None, options(account=account))
        return parsing.balance(answer.to_dict())

    def list_balance_transactions(
        self,
        *,
        account: str = "",
        created_from: int | None = None,
        created_before: int | None = None,
        type: str = "",
        payout: str = "",
        limit: int = PAGE_SIZE,
        starting_after: str = "",
    ) -> types.Page[types.BalanceTransaction]:
        """One page, newest first; `created_from` inclusive, `created_before` exclusive (Unix seconds)."""
        params: stripe_params.BalanceTransactionListParams = {"limit": limit}
        created: stripe_params.BalanceTransactionListParamsCreated = {}
        if created_from is not None:
            created["gte"] = created_from
        if created_before is not None:
            created["lt"] = created_before
        if created:
            params["created"] = created
        if type:
            params["type"] = type
        if payout:
            params["payout"] = payout
        if starting_after:
            params["starting_after"] = starting_after
        with failures():
            answer = self._v1.balance_transactions.list(params, options(account=account))
        return types.Page(
            items=tuple(parsing.balance_transaction(row.to_dict()) for row in answer.data),
            has_more=answer.has_more,
        )

    def iter_balance_transactions(
        self,
        *,
        account: str = "",
        created_from: int | None = None,
        created_before: int | None = None,
        type: str = "",
    ) -> Iterator[types.BalanceTransaction]:
        """Every balance transaction of the span, newest first, one call per hundred."""
        cursor = ""
        while True:
            page = self.list_balance_transactions(
                account=account,
                created_from=created_from,
                created_before=created_before,
                type=type,
                starting_after=cursor,
            )
            yield from page.items
            if not page.has_more or not page.items:
                return
            cursor = page.items[-1].id
