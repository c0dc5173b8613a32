"""One API request on its way through a resource, and how lists are answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from integrations.stripe.fake import params
from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.errors import ApiError, missing
from integrations.stripe.fake.params import Params
from integrations.stripe.fake.store import Object

NOUNS = {
    "balance_transaction": "balance transaction",
    "checkout.session": "checkout.session",
    "payment_intent": "payment_intent",
}


@dataclass
class Call:
    """`account` is the connected account of the Stripe-Account header, "" for the platform itself."""

    engine: Engine
    method: str
    path: str
    params: Params
    account: str
    request_id: str
    idempotency_key: str
    ids: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        return self.ids[0]

    def fetch(self, id: str, kind: str, *, param: str = "id", status: int = 404, account: str | None = None) -> Object:
        """The object of the calling account, or Stripe's "No such …"."""
        found = self.engine.store.get(id, kind=kind, account=self.account if account is None else account)
        if found is None:
            raise missing(NOUNS.get(kind, kind), id, param=param, status=status)
        return found

    def emit(self, type: str, subject: Object, *, account: str | None = None, previous: Object | None = None) -> None:
        self.engine.emit(
            type,
            subject,
            account=self.account if account is None else account,
            previous=previous,
            request=(self.request_id, self.idempotency_key),
        )


type Handler = Callable[[Call], Object]


def listing(
    call: Call,
    kind: str,
    *,
    equal: Mapping[str, str | None] | None = None,
    one_of: Mapping[str, list[str]] | None = None,
    allowed: tuple[str, ...] = (),
) -> Object:
    """A page of the calling account's objects: `limit`, `starting_after`, `ending_before`, `created`."""
    params.only(call.params, "limit", "starting_after", "ending_before", "created", *allowed)
    limit = params.integer(call.params, "limit") if "limit" in call.params else 10
    if not 1 <= limit <= 100:
        raise ApiError("The limit must be from 1 to 100.", code="parameter_invalid_integer", param="limit")
    cursors: dict[str, int | None] = {"starting_after": None, "ending_before": None}
    for name in cursors:
        cursor = params.text(call.params, name)
        if cursor is not None:
            call.fetch(cursor, kind, param=name, status=400)
            cursors[name] = call.engine.store.sequence(cursor)
    data, has_more = call.engine.store.page(
        kind,
        account=call.account,
        limit=limit,
        equal=equal,
        one_of=one_of,
        created=_created(call.params),
        after=cursors["starting_after"],
        before=cursors["ending_before"],
    )
    return {"object": "list", "data": data, "has_more": has_more, "url": call.path}


def _created(given: Params) -> dict[str, int]:
    value = given.get("created")
    if value is None:
        return {}
    if isinstance(value, str):
        moment = params.integer(given, "created")
        return {"gte": moment, "lte": moment}
    if not isinstance(value, dict):
        raise ApiError("Invalid object", param="created")
    params.only(value, "gt", "gte", "lt", "lte")
    return {name: params.integer(value, name) for name in value}
