"""The fake keeps to Stripe's own shapes: the real package reads what it says and misses nothing required."""

import base64
import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe
from stripe import checkout

from integrations.stripe import types
from integrations.stripe.client import StripeClient
from integrations.stripe.fake.engine import API_VERSION
from integrations.stripe.fake.faults import KINDS
from integrations.stripe.fake.running import RunningFake
from tests.integrations.stripe.conftest import BANK, CLOSED_BANK

type OpenSession = Callable[..., types.CheckoutSession]


def annotation(hint: Any) -> str:
    return str(getattr(hint, "__forward_arg__", hint))


def complaints(value: Any, where: str) -> list[str]:
    """Fields that the package does not know, or requires and does not get."""
    if isinstance(value, list):
        return [text for row in value for text in complaints(row, where)]
    if not isinstance(value, stripe.StripeObject):
        return []
    hints = {
        name: annotation(hint)
        for base in type(value).__mro__
        for name, hint in vars(base).get("__annotations__", {}).items()
        if not name.startswith("_") and name != "OBJECT_NAME"
    }
    data = value.to_dict(recursive=False)
    if isinstance(value, stripe.ListObject):
        data.pop("object")
        data.pop("total_count", None)
    found: list[str] = []
    if hints:
        found += [f"{where}.{name} is unknown to the package" for name in data if name not in hints]
        found += [
            f"{where}.{name} is required"
            for name, hint in hints.items()
            if "Optional" not in hint and "ClassVar" not in hint and "None" not in hint
            if data.get(name) is None
        ]
    for name, child in data.items():
        found += complaints(child, f"{where}.{name}")
    return found


@pytest.fixture
def raw(fake: RunningFake) -> Any:
    return stripe.StripeClient(fake.api_key, base_addresses={"api": fake.url}, max_network_retries=0).v1


def test_every_object_is_what_the_package_expects(
    client: StripeClient,
    fake: RunningFake,
    raw: Any,
    account: types.ConnectedAccount,
    open_session: OpenSession,
) -> None:
    fake.topup(100_000)
    customer = client.create_customer(email="a@example.com", idempotency_key="a")
    session = open_session()
    intent = fake.pay(session.id)["payment_intent"]
    waiting = open_session(key="purchase-2")
    transfer = client.create_transfer(
        amount=500, currency="USD", destination=account.id, attempt_id="t", idempotency_key="t"
    )
    payout = client.create_payout(account=account.id, amount=300, currency="USD", attempt_id="p", idempotency_key="p")
    refund = client.create_refund(payment_intent=intent, amount=100, attempt_id="r", idempotency_key="r")
    fake.run_scheduled()
    of_account = {"stripe_account": account.id}
    cases: list[tuple[type, Any]] = [
        (stripe.Customer, raw.customers.retrieve(customer.id)),
        (checkout.Session, raw.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})),
        (checkout.Session, raw.checkout.sessions.retrieve(waiting.id)),
        (
            stripe.PaymentIntent,
            raw.payment_intents.retrieve(intent, {"expand": ["latest_charge.balance_transaction"]}),
        ),
        (stripe.Balance, raw.balance.retrieve()),
        (stripe.Account, raw.accounts.retrieve(account.id)),
        (
            stripe.BankAccount,
            raw.accounts.external_accounts.retrieve(account.id, account.bank_accounts[0].id),
        ),
        (stripe.Transfer, raw.transfers.retrieve(transfer.id, {"expand": ["balance_transaction"]})),
        (stripe.Charge, raw.charges.retrieve(transfer.destination_payment, None, of_account)),
        (stripe.Payout, raw.payouts.retrieve(payout.id, {"expand": ["balance_transaction"]}, of_account)),
        (stripe.Refund, raw.refunds.retrieve(refund.id, {"expand": ["charge"]})),
        (stripe.BalanceTransaction, raw.balance_transactions.list().data[0]),
        (stripe.LineItem, raw.checkout.sessions.line_items.list(session.id).data[0]),
    ]
    for kind, answer in cases:
        assert type(answer) is kind
        assert complaints(answer, kind.__name__) == []
    events = [*raw.events.list({"limit": 100}).data, *raw.events.list({"limit": 100}, of_account).data]
    assert {event.type for event in events} >= {
        "charge.refunded",
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "payout.paid",
        "transfer.created",
    }
    for event in events:
        assert type(event) is stripe.Event
        assert complaints(event, event.type) == []


def test_a_declined_charge_and_a_failed_payout_are_what_the_package_expects(
    client: StripeClient, fake: RunningFake, raw: Any, open_session: OpenSession
) -> None:
    with pytest.raises(Exception, match="declined"):
        fake.pay(open_session().id, card="4000000000000002")
    account = client.create_account(
        country="US", currency="USD", email="c@example.com", bank=CLOSED_BANK, idempotency_key="c"
    )
    fake.topup(100, account=account.id)
    payout = client.create_payout(account=account.id, amount=100, currency="USD", attempt_id="p", idempotency_key="p")
    fake.run_scheduled()
    answers = [
        raw.payment_intents.list({"expand": ["data.latest_charge"]}).data[0],
        raw.payouts.retrieve(payout.id, {"expand": ["failure_balance_transaction"]}, {"stripe_account": account.id}),
        raw.accounts.retrieve(account.id),
    ]
    for answer in answers:
        assert complaints(answer, type(answer).__name__) == []


def test_a_refund_that_failed_is_what_the_package_expects(
    client: StripeClient, fake: RunningFake, raw: Any, open_session: OpenSession
) -> None:
    fake.topup(1000)
    intent = fake.pay(open_session().id, card="4000000000005126")["payment_intent"]
    refund = client.create_refund(payment_intent=intent, amount=100, attempt_id="r", idempotency_key="r")
    fake.run_scheduled()
    answer = raw.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert answer.failure_balance_transaction.reporting_category == "refund_failure"
    assert complaints(answer, "Refund") == []
    told = {event.type: event for event in raw.events.list({"limit": 100}).data}
    for kind in ("refund.updated", "refund.failed", "charge.refund.updated"):
        assert complaints(told[kind], kind) == []


def test_the_fake_speaks_the_version_of_the_installed_package() -> None:
    assert stripe.api_version in (None, API_VERSION)
    assert stripe._api_version._ApiVersion.CURRENT == API_VERSION


def test_the_package_pages_by_itself(fake: RunningFake, raw: Any) -> None:
    for amount in range(1, 24):
        fake.topup(amount)
    assert [row.amount for row in raw.balance_transactions.list({"limit": 5}).auto_paging_iter()] == list(
        range(23, 0, -1)
    )
    last = raw.balance_transactions.list({"limit": 100}).data[-1].id
    before = raw.balance_transactions.list({"ending_before": last, "limit": 3})
    assert [row.amount for row in before.data] == [4, 3, 2]


def request(
    fake: RunningFake, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=10)
    given = {"Authorization": f"Bearer {fake.api_key}"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {name: value for name, value in given.items() if value})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, dict(answer.headers), json.loads(text)


def test_the_secret_key_is_needed_and_may_come_as_user_name(fake: RunningFake) -> None:
    basic = base64.b64encode(f"{fake.api_key}:".encode()).decode()
    assert request(fake, "GET", "/v1/balance", Authorization=f"Basic {basic}")[0] == 200
    for wrong in ("", "Bearer sk_test_other", "Basic !!!", "Digest x", "Bearer é"):
        status, _, body = request(fake, "GET", "/v1/balance", Authorization=wrong.encode().decode("latin-1"))
        assert status == 401
        assert body["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "param"),
    [
        ("GET", "/v1/nothing", "", 404, None, None),
        ("GET", "/v1/transfers/tr_none", "", 404, "resource_missing", "id"),
        ("POST", "/v1/transfers", "", 400, "parameter_missing", "amount"),
        ("POST", "/v1/transfers", "amount=x", 400, "parameter_invalid_integer", "amount"),
        (
            "POST",
            "/v1/transfers",
            "amount=1&currency=usd&destination=acct_x",
            400,
            "resource_missing",
            "destination",
        ),
        ("POST", "/v1/transfers", "amount=1&colour=red", 400, "parameter_unknown", "colour"),
        ("POST", "/v1/transfers", "amount[=1", 400, None, "amount["),
        ("POST", "/v1/transfers", "amount=1&amount[x]=1", 400, None, "amount[x]"),
        ("POST", "/v1/customers", f"metadata[a]={'x' * 501}", 400, None, "metadata[a]"),
        ("GET", "/v1/transfers?limit=101", "", 400, "parameter_invalid_integer", "limit"),
        ("GET", "/v1/balance?expand[]=colour", "", 400, None, "expand[0]"),
    ],
)
def test_errors_have_the_shape_of_stripes(
    fake: RunningFake, method: str, path: str, body: str, status: int, code: str | None, param: str | None
) -> None:
    got, headers, answer = request(fake, method, path, body)
    assert got == status
    assert headers["Request-Id"].startswith("req_")
    error = answer["error"]
    assert (error["type"], error.get("code"), error.get("param")) == ("invalid_request_error", code, param)
    assert error["message"]


def test_a_replayed_answer_says_so(fake: RunningFake) -> None:
    first = request(fake, "POST", "/v1/customers", "email=a@example.com", Idempotency_Key="k")
    again = request(fake, "POST", "/v1/customers", "email=a@example.com", Idempotency_Key="k")
    assert again[2] == first[2]
    assert again[1]["Idempotent-Replayed"] == "true"
    assert again[1]["Original-Request"] == first[1]["Request-Id"]
    status, _, answer = request(fake, "POST", "/v1/customers", "email=b@example.com", Idempotency_Key="k")
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")
    assert request(fake, "POST", "/v1/customers", "email=b@example.com", Idempotency_Key="k" * 256)[0] == 400


def test_the_levers_work_over_http_with_the_key_only(fake: RunningFake, open_session: OpenSession) -> None:
    def lever(name: str, **given: Any) -> tuple[int, Any]:
        status, _, answer = request(fake, "POST", f"/_fake/{name}", json.dumps(given))
        return status, answer.get("result")

    assert request(fake, "GET", "/_fake/events", Authorization="")[0] == 401
    assert lever("topup", amount=500)[1]["net"] == 500
    assert lever("pay", session=open_session().id)[1]["payment_status"] == "paid"
    assert lever("pay", session=open_session(key="two").id, card="4000000000000002")[0] == 402
    assert lever("fault", kind="error_before", path="/v1/customers") == (200, None)
    assert request(fake, "POST", "/v1/customers")[0] == 500
    assert [seen["status"] for seen in request(fake, "GET", "/_fake/calls")[2]][-1] == 500
    assert lever("configure", payout_delay=0.5) == (200, None)
    assert fake.engine.settings.payout_delay == 0.5
    for wrong in (
        lever("fault", kind="flood"),
        lever("configure", api_key="x"),
        lever("topup"),
        lever("redeliver", event="evt_none"),
    ):
        assert wrong[0] == 400
    assert lever("nothing")[0] == 404
    assert {event["type"] for event in request(fake, "GET", "/_fake/events")[2]} >= {"charge.succeeded"}


def test_every_kind_of_fault_is_explained() -> None:
    assert all(KINDS.values())


def test_transfers_that_arrive_at_once_are_each_made_once(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(1_000_000)

    def send(number: int) -> str:
        return client.create_transfer(
            amount=1,
            currency="USD",
            destination=account.id,
            attempt_id=f"s{number}",
            idempotency_key=f"s{number}",
        ).id

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(send, range(300)))
    assert len(ids) == 300
    assert client.create_account(country="US", currency="USD", email="z@example.com", bank=BANK, idempotency_key="z").id
