"""Events, of the platform or of the account named in the header."""

from integrations.stripe.fake import params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.store import Object


def retrieve(call: Call) -> Object:
    return call.fetch(call.id, "event")


def index(call: Call) -> Object:
    types = call.params.get("types") or []
    return listing(
        call,
        "event",
        equal={"type": params.text(call.params, "type")},
        one_of={"type": types if isinstance(types, list) else [str(types)]},
        allowed=("type", "types"),
    )


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/events", index),
    ("GET", "/v1/events/{}", retrieve),
]
