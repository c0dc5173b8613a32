"""Events, to re-read what a webhook told."""

from stripe import params as stripe_params

from integrations.stripe import parsing, types
from integrations.stripe.client.base import PAGE_SIZE, Base, failures, options


class EventCalls(Base):
    def retrieve_event(self, event_id: str, *, account: str = "") -> types.Event:
        with failures():
            answer = self._v1.events.retrieve(event_id, None, options(account=account))
        return parsing.event(answer.to_dict())

    def list_events(
        self,
        *,
        account: str = "",
        type: str = "",
        created_from: int | None = None,
        limit: int = PAGE_SIZE,
        starting_after: str = "",
    ) -> types.Page[types.Event]:
        """One page of events, newest first. Stripe keeps them for 30 days."""
        params: stripe_params.EventListParams = {"limit": limit}
        if type:
            params["type"] = type
        if created_from is not None:
            params["created"] = {"gte": created_from}
        if starting_after:
            params["starting_after"] = starting_after
        with failures():
            answer = self._v1.events.list(params, options(account=account))
        return types.Page(items=tuple(parsing.event(row.to_dict()) for row in answer.data), has_more=answer.has_more)
