"""The difference that money depends on: refused means nothing was done, unknown means look it up."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations.stripe import types
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import KeyReused, RateLimited, Refused, Unknown
from integrations.stripe.fake.running import RunningFake


def send(
    client: StripeClient, account: types.ConnectedAccount, attempt: str = "attempt-1", amount: int = 100
) -> types.Transfer:
    return client.create_transfer(
        amount=amount,
        currency="USD",
        destination=account.id,
        attempt_id=attempt,
        idempotency_key=f"key-{attempt}",
    )


@pytest.fixture(autouse=True)
def money(fake: RunningFake) -> None:
    fake.topup(1000)


@pytest.mark.parametrize("kind", ["timeout_before", "reset_before", "error_before"])
def test_a_call_that_broke_before_the_work_is_unknown_and_can_be_sent_again(
    fake: RunningFake, client: StripeClient, impatient: StripeClient, account: types.ConnectedAccount, kind: str
) -> None:
    fake.fault(kind, path="/v1/transfers", seconds=4)
    with pytest.raises(Unknown):
        send(impatient, account)
    assert client.find_transfer("attempt-1") is None
    assert send(client, account).attempt_id == "attempt-1"
    assert client.retrieve_balance().available == {"USD": 900}


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "error_after"])
def test_a_call_that_broke_after_the_work_is_unknown_and_can_be_found(
    fake: RunningFake, client: StripeClient, impatient: StripeClient, account: types.ConnectedAccount, kind: str
) -> None:
    fake.fault(kind, path="/v1/transfers", seconds=4)
    with pytest.raises(Unknown) as failure:
        send(impatient, account)
    assert not isinstance(failure.value, Refused)
    found = client.find_transfer("attempt-1")
    assert found is not None
    assert found.amount == 100
    assert client.retrieve_balance().available == {"USD": 900}


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after"])
def test_sending_again_with_the_key_after_a_lost_answer_pays_once(
    fake: RunningFake, client: StripeClient, impatient: StripeClient, account: types.ConnectedAccount, kind: str
) -> None:
    fake.fault(kind, path="/v1/transfers", seconds=4)
    with pytest.raises(Unknown):
        send(impatient, account)
    again = send(client, account)
    assert again == client.find_transfer("attempt-1")
    assert client.retrieve_balance().available == {"USD": 900}


def test_a_500_is_repeated_for_the_same_key_while_the_money_has_moved(
    fake: RunningFake, client: StripeClient, account: types.ConnectedAccount
) -> None:
    fake.fault("error_after", path="/v1/transfers")
    for _ in range(2):
        with pytest.raises(Unknown) as failure:
            send(client, account)
        assert failure.value.status == 500
    assert client.retrieve_balance().available == {"USD": 900}


def test_a_rate_limit_is_unknown_and_passes(
    fake: RunningFake, client: StripeClient, account: types.ConnectedAccount
) -> None:
    fake.fault("rate_limit", path="/v1/transfers")
    with pytest.raises(RateLimited) as failure:
        send(client, account)
    assert failure.value.status == 429
    assert send(client, account).amount == 100


def test_nobody_listening_is_unknown() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unknown) as failure:
        StripeClient("sk_test_x", f"http://127.0.0.1:{port}").retrieve_balance()
    assert failure.value.status is None


def test_an_answer_that_is_not_json_is_unknown() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")

        server = threading.Thread(target=answer)
        server.start()
        with pytest.raises(Unknown):
            StripeClient("sk_test_x", f"http://127.0.0.1:{listener.getsockname()[1]}").retrieve_balance()
        server.join()


def test_the_same_key_and_request_give_the_first_answer(
    fake: RunningFake, client: StripeClient, account: types.ConnectedAccount
) -> None:
    assert send(client, account) == send(client, account)
    assert client.retrieve_balance().available == {"USD": 900}
    assert len(fake.calls("/v1/transfers", method="POST")) == 2


def test_the_same_key_with_another_request_is_unknown_since_the_first_may_have_paid(
    client: StripeClient, account: types.ConnectedAccount
) -> None:
    send(client, account, amount=100)
    with pytest.raises(KeyReused):
        send(client, account, amount=101)
    assert client.retrieve_balance().available == {"USD": 900}


def test_a_refusal_for_lack_of_money_is_remembered_for_its_key(
    fake: RunningFake, client: StripeClient, account: types.ConnectedAccount
) -> None:
    with pytest.raises(Refused):
        send(client, account, amount=5000)
    fake.topup(10_000)
    with pytest.raises(Refused):
        send(client, account, amount=5000)
    assert send(client, account, attempt="attempt-2", amount=5000).amount == 5000


def test_failed_validation_is_not_remembered(client: StripeClient, account: types.ConnectedAccount) -> None:
    with pytest.raises(Refused):
        send(client, account, amount=0)
    assert send(client, account, amount=100).amount == 100


def test_a_key_in_use_is_unknown(fake: RunningFake, client: StripeClient, account: types.ConnectedAccount) -> None:
    fake.fault("slow", path="/v1/transfers", seconds=2)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, client, account)
        while list(fake.api.faults):
            time.sleep(0.01)
        # The first call is being worked on.
        with pytest.raises(Unknown) as failure:
            send(client, account)
        assert first.result().amount == 100
    assert failure.value.status == 409
    assert client.retrieve_balance().available == {"USD": 900}


def test_forty_racing_calls_with_one_key_pay_once(client: StripeClient, account: types.ConnectedAccount) -> None:
    def attempt(_: int) -> str:
        try:
            return send(client, account).id
        except Unknown:
            return ""

    with ThreadPoolExecutor(8) as pool:
        ids = {id for id in pool.map(attempt, range(40)) if id}
    assert len(ids) == 1
    assert client.retrieve_balance().available == {"USD": 900}


def test_racing_calls_never_overdraw_the_balance(client: StripeClient, account: types.ConnectedAccount) -> None:
    def attempt(number: int) -> bool:
        try:
            return bool(send(client, account, attempt=f"race-{number}"))
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        paid = sum(pool.map(attempt, range(20)))
    assert paid == 10
    assert client.retrieve_balance().available == {"USD": 0}


def test_a_key_forgotten_after_a_day_would_pay_again_so_the_attempt_is_looked_up_first(
    fake: RunningFake, client: StripeClient, account: types.ConnectedAccount
) -> None:
    send(client, account)
    fake.forget_keys()
    assert client.find_transfer("attempt-1") is not None
    send(client, account)
    assert client.retrieve_balance().available == {"USD": 800}


@pytest.mark.parametrize("kind", ["reset_after", "error_after"])
def test_payouts_and_refunds_can_be_found_after_a_lost_answer_too(
    fake: RunningFake,
    client: StripeClient,
    account: types.ConnectedAccount,
    open_session: Callable[..., types.CheckoutSession],
    kind: str,
) -> None:
    fake.topup(500, account=account.id)
    intent = fake.pay(open_session().id)["payment_intent"]
    fake.fault(kind, count=2)
    with pytest.raises(Unknown):
        client.create_payout(account=account.id, amount=500, currency="USD", attempt_id="p", idempotency_key="p")
    with pytest.raises(Unknown):
        client.create_refund(payment_intent=intent, amount=5, attempt_id="r", idempotency_key="r")
    assert client.find_payout("p", account=account.id) is not None
    assert client.find_refund("r", payment_intent=intent) is not None
