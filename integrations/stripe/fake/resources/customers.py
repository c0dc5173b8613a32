"""Customers."""

from integrations.stripe.fake import params
from integrations.stripe.fake.call import Call, Handler, listing
from integrations.stripe.fake.store import Object


def create(call: Call) -> Object:
    params.only(call.params, "email", "name", "description", "phone", "metadata")
    customer: Object = {
        "id": call.engine.new_id("cus_", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": call.engine.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.text(call.params, "description"),
        "discount": None,
        "email": params.text(call.params, "email"),
        "invoice_prefix": call.engine.new_id("", 8).upper(),
        "livemode": False,
        "metadata": params.metadata(call.params),
        "name": params.text(call.params, "name"),
        "phone": params.text(call.params, "phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    call.engine.store.add(customer, account=call.account)
    call.emit("customer.created", customer)
    return customer


def retrieve(call: Call) -> Object:
    return call.fetch(call.id, "customer")


def index(call: Call) -> Object:
    return listing(call, "customer", equal={"email": params.text(call.params, "email")}, allowed=("email",))


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/customers", create),
    ("GET", "/v1/customers", index),
    ("GET", "/v1/customers/{}", retrieve),
]
