"""What the platform asks of Stripe, through real HTTP."""

from collections.abc import Callable

import pytest

from integrations.stripe import types
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Refused, Unauthorised
from integrations.stripe.fake.resources import checkout
from integrations.stripe.fake.running import RunningFake
from tests.integrations.stripe.conftest import BANK, CLOSED_BANK

type OpenSession = Callable[..., types.CheckoutSession]


def transfer(client: StripeClient, account: types.ConnectedAccount, amount: int, attempt: str) -> types.Transfer:
    return client.create_transfer(
        amount=amount, currency="USD", destination=account.id, attempt_id=attempt, idempotency_key=attempt
    )


def payout(client: StripeClient, account: types.ConnectedAccount, amount: int, attempt: str) -> types.Payout:
    return client.create_payout(
        account=account.id, amount=amount, currency="USD", attempt_id=attempt, idempotency_key=attempt
    )


def test_a_key_is_required() -> None:
    with pytest.raises(ValueError, match="key"):
        StripeClient("")


def test_a_customer_keeps_name_address_and_labels(client: StripeClient) -> None:
    customer = client.create_customer(
        email="ana@example.com", name="Ana", metadata={"user": "U-1"}, idempotency_key="u1"
    )
    assert customer.id.startswith("cus_")
    assert (customer.email, customer.name, customer.metadata) == ("ana@example.com", "Ana", {"user": "U-1"})


def test_a_session_starts_open_and_unpaid(open_session: OpenSession, fake: RunningFake) -> None:
    session = open_session()
    assert (session.status, session.payment_status, session.is_paid) == ("open", "unpaid", False)
    assert (session.amount_total, session.currency) == (1999, "USD")
    assert session.url == f"{fake.url}/c/pay/{session.id}"
    assert (session.client_reference_id, session.metadata) == ("PU-1", {"purchase": "PU-1"})


def test_a_paid_session_leads_to_the_charge_and_its_real_fee(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    session = open_session()
    fake.pay(session.id)
    paid = client.retrieve_checkout_session(session.id)
    assert (paid.status, paid.is_paid, paid.url) == ("complete", True, "")
    assert paid.customer_email == "buyer@example.com"
    payment = client.retrieve_payment_intent(paid.payment_intent)
    assert (payment.status, payment.amount_received, payment.metadata) == (
        "succeeded",
        1999,
        {"purchase": "PU-1"},
    )
    assert payment.fee == 88  # 2.9 % of 19.99 is 57.971 cents, plus 30
    assert payment.charge is not None
    assert payment.charge.balance_transaction is not None
    assert payment.charge.balance_transaction.net == 1911
    assert client.retrieve_charge(payment.charge.id) == payment.charge
    assert payment.charge.card_last4 == "4242"


def test_the_fee_is_none_until_stripe_has_booked_the_charge(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    fake.configure(booking_delay=3600)
    session = open_session()
    intent_id = fake.pay(session.id)["payment_intent"]
    assert client.retrieve_payment_intent(intent_id).fee is None
    assert fake.run_scheduled() >= 1
    assert client.retrieve_payment_intent(intent_id).fee == 88
    assert [event["data"]["previous_attributes"] for event in fake.events("charge.updated")] == [
        {"balance_transaction": None}
    ]


def test_a_declined_card_leaves_the_session_open_and_says_why(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    session = open_session()
    with pytest.raises(checkout.Declined):
        fake.pay(session.id, card="4000000000009995")
    again = client.retrieve_checkout_session(session.id)
    assert (again.status, again.is_paid) == ("open", False)
    payment = client.retrieve_payment_intent(again.payment_intent)
    assert (payment.status, payment.error_code, payment.decline_code) == (
        "requires_payment_method",
        "card_declined",
        "insufficient_funds",
    )
    fake.pay(session.id)
    assert client.retrieve_payment_intent(again.payment_intent).status == "succeeded"


def test_an_expired_session_takes_no_payment(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    session = open_session()
    assert client.expire_checkout_session(session.id).status == "expired"
    with pytest.raises(checkout.NotOpen):
        fake.pay(session.id)
    with pytest.raises(Refused):
        client.expire_checkout_session(session.id)
    assert len(fake.events("checkout.session.expired")) == 1


def test_a_session_nobody_pays_expires_by_itself(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    session = open_session()
    fake.change(session.id, {"expires_at": 1})
    assert client.retrieve_checkout_session(session.id).status == "expired"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "USD", "parameter_invalid_integer"),
        (-5, "USD", "parameter_invalid_integer"),
        (49, "USD", "amount_too_small"),
        (100_000_000, "USD", "amount_too_large"),
    ],
)
def test_an_impossible_price_is_refused_with_its_code(
    open_session: OpenSession, amount: int, currency: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        open_session(amount, currency)
    assert refusal.value.code == code
    assert refusal.value.status == 400
    assert refusal.value.param


def test_what_does_not_exist_is_refused_as_missing(client: StripeClient, account: types.ConnectedAccount) -> None:
    for ask in (
        lambda: client.retrieve_checkout_session("cs_test_none"),
        lambda: client.retrieve_payment_intent("pi_none"),
        lambda: client.retrieve_transfer("tr_none"),
        lambda: client.retrieve_payout("po_none", account=account.id),
        lambda: client.retrieve_refund("re_none"),
        lambda: client.retrieve_event("evt_none"),
    ):
        with pytest.raises(Refused) as refusal:
            ask()
        assert refusal.value.is_missing
        assert refusal.value.status == 404


def test_a_wrong_key_says_nothing_about_the_money(fake: RunningFake) -> None:
    with pytest.raises(Unauthorised) as failure:
        StripeClient("sk_test_wrong", fake.url).retrieve_balance()
    assert failure.value.status == 401


def test_a_foreign_account_says_nothing_about_the_money(client: StripeClient) -> None:
    with pytest.raises(Unauthorised) as failure:
        client.retrieve_balance(account="acct_foreign")
    assert (failure.value.status, failure.value.code) == (403, "account_invalid")


def test_an_account_with_a_bank_can_be_paid_out(client: StripeClient, account: types.ConnectedAccount) -> None:
    assert client.retrieve_account(account.id) == account
    assert (account.transfers_active, account.payouts_enabled, account.requirements) == (True, True, ())
    assert [(bank.last4, bank.is_default) for bank in account.bank_accounts] == [("6789", True)]


def test_an_account_without_a_bank_waits_for_one(client: StripeClient) -> None:
    account = client.create_account(country="FR", currency="EUR", email="b@example.com", idempotency_key="b")
    assert (account.payouts_enabled, account.requirements) == (False, ("external_account",))
    iban = types.BankDetails("FR", "EUR", "FR1420041010050500013M02606")
    added = client.add_bank_account(account.id, bank=iban, idempotency_key="b-bank")
    after = client.retrieve_account(account.id)
    assert after.payouts_enabled
    assert after.bank_accounts == (added,)


def test_a_new_default_bank_replaces_the_old_one(client: StripeClient, account: types.ConnectedAccount) -> None:
    other = types.BankDetails("US", "USD", "000999999991", "110000000")
    client.add_bank_account(account.id, bank=other, idempotency_key="second")
    banks = client.retrieve_account(account.id).bank_accounts
    assert [(bank.last4, bank.is_default) for bank in banks] == [("6789", False), ("9991", True)]


@pytest.mark.parametrize(
    ("bank", "code"),
    [
        (types.BankDetails("US", "USD", "12", "110000000"), "account_number_invalid"),
        (types.BankDetails("US", "USD", "000123456789", "1"), "routing_number_invalid"),
    ],
)
def test_bank_details_that_cannot_be_right_are_refused(
    client: StripeClient, account: types.ConnectedAccount, bank: types.BankDetails, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        client.add_bank_account(account.id, bank=bank, idempotency_key="bad")
    assert refusal.value.code == code


def test_a_country_without_stripe_is_refused(client: StripeClient) -> None:
    with pytest.raises(Refused) as refusal:
        client.create_account(country="HT", currency="USD", email="j@example.com", idempotency_key="ht")
    assert refusal.value.code == "country_unsupported"


def test_a_transfer_moves_money_between_the_balances(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(10_000)
    made = transfer(client, account, 2500, "attempt-1")
    assert (made.amount, made.currency, made.destination) == (2500, "USD", account.id)
    assert (made.attempt_id, made.transfer_group) == ("attempt-1", "attempt-1")
    assert client.retrieve_balance().available == {"USD": 7500}
    assert client.retrieve_balance(account=account.id).available == {"USD": 2500}
    assert [event["data"]["object"]["id"] for event in fake.events("transfer.created")] == [made.id]


def test_a_transfer_beyond_the_balance_is_refused_and_nothing_moves(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(2499)
    with pytest.raises(Refused) as refusal:
        transfer(client, account, 2500, "attempt-1")
    assert refusal.value.is_insufficient_funds
    assert client.find_transfer("attempt-1") is None
    assert client.retrieve_balance().available == {"USD": 2499}


def test_money_that_is_not_settled_yet_cannot_be_transferred(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount, open_session: OpenSession
) -> None:
    fake.configure(settlement_delay=3600)
    fake.pay(open_session().id)
    balance = client.retrieve_balance()
    assert (balance.available, balance.pending) == ({"USD": 0}, {"USD": 1911})
    with pytest.raises(Refused) as refusal:
        transfer(client, account, 1000, "attempt-1")
    assert refusal.value.is_insufficient_funds


def test_a_transfer_to_an_account_that_may_not_receive_is_refused(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(10_000)
    fake.change(account.id, {"capabilities": {"transfers": "inactive"}})
    with pytest.raises(Refused) as refusal:
        transfer(client, account, 100, "attempt-1")
    assert refusal.value.code == "insufficient_capabilities_for_transfer"


def test_a_transfer_is_found_by_its_attempt_and_by_no_other(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(10_000)
    first = transfer(client, account, 100, "attempt-1")
    transfer(client, account, 100, "attempt-2")
    assert client.find_transfer("attempt-1") == first
    assert client.find_transfer("attempt-3") is None
    assert client.retrieve_transfer(first.id) == first


def test_a_payout_is_pending_then_paid_with_a_bank_reference(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(5000, account=account.id)
    made = payout(client, account, 5000, "attempt-1")
    assert (made.status, made.trace_id, made.account) == ("pending", "", account.id)
    assert made.destination == account.bank_accounts[0].id
    assert client.retrieve_balance(account=account.id).available == {"USD": 0}
    fake.run_scheduled()
    paid = client.retrieve_payout(made.id, account=account.id)
    assert paid.status == "paid"
    assert paid.trace_id
    assert [(event["account"], event["data"]["object"]["id"]) for event in fake.events("payout.paid")] == [
        (account.id, made.id)
    ]


def test_a_payout_to_a_closed_bank_fails_and_the_money_comes_back(client: StripeClient, fake: RunningFake) -> None:
    account = client.create_account(
        country="US", currency="USD", email="c@example.com", bank=CLOSED_BANK, idempotency_key="closed"
    )
    fake.topup(5000, account=account.id)
    made = payout(client, account, 5000, "attempt-1")
    fake.run_scheduled()
    failed = client.retrieve_payout(made.id, account=account.id)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert failed.failure_message
    assert client.retrieve_balance(account=account.id).available == {"USD": 5000}
    assert not client.retrieve_account(account.id).payouts_enabled
    with pytest.raises(Refused) as refusal:
        payout(client, account, 5000, "attempt-2")
    assert refusal.value.code == "payouts_not_allowed"


def test_a_paid_payout_can_still_fail_later(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(5000, account=account.id)
    made = payout(client, account, 5000, "attempt-1")
    fake.run_scheduled()
    fake.fail_payout(made.id, "no_account")
    assert client.retrieve_payout(made.id, account=account.id).status == "failed"
    assert fake.events("payout.failed")[0]["data"]["previous_attributes"] == {"status": "paid"}


def test_a_payout_beyond_the_balance_is_refused(client: StripeClient, account: types.ConnectedAccount) -> None:
    with pytest.raises(Refused) as refusal:
        payout(client, account, 1, "attempt-1")
    assert refusal.value.is_insufficient_funds


def test_a_payout_goes_to_the_pinned_bank_only(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(5000, account=account.id)
    pinned = account.bank_accounts[0].id
    client.add_bank_account(
        account.id, bank=types.BankDetails("US", "USD", "000999999991", "110000000"), idempotency_key="second"
    )
    made = client.create_payout(
        account=account.id, amount=10, currency="USD", destination=pinned, attempt_id="a", idempotency_key="a"
    )
    assert made.destination == pinned
    with pytest.raises(Refused):
        client.create_payout(
            account=account.id,
            amount=10,
            currency="USD",
            destination="ba_x",
            attempt_id="b",
            idempotency_key="b",
        )


def test_a_payout_is_found_by_its_attempt_across_pages(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(1000, account=account.id)
    first = payout(client, account, 1, "attempt-1")
    for number in range(100):
        payout(client, account, 1, f"later-{number}")
    assert client.find_payout("attempt-1", account=account.id) == first
    assert client.find_payout("attempt-1", account=account.id, since=first.created + 3600) is None
    assert client.find_payout("attempt-x", account=account.id) is None


def test_payouts_of_one_account_are_not_seen_from_another(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount
) -> None:
    fake.topup(100, account=account.id)
    made = payout(client, account, 100, "attempt-1")
    other = client.create_account(
        country="US", currency="USD", email="d@example.com", bank=BANK, idempotency_key="other"
    )
    assert client.find_payout("attempt-1", account=other.id) is None
    with pytest.raises(Refused) as refusal:
        client.retrieve_payout(made.id, account=other.id)
    assert refusal.value.is_missing


def test_a_refund_gives_back_part_by_part_and_no_more(
    client: StripeClient, fake: RunningFake, open_session: OpenSession
) -> None:
    fake.topup(10_000)
    intent = fake.pay(open_session().id)["payment_intent"]

    def refund(amount: int, attempt: str) -> types.Refund:
        return client.create_refund(
            payment_intent=intent,
            amount=amount,
            attempt_id=attempt,
            reason="requested_by_customer",
            idempotency_key=attempt,
        )

    first = refund(999, "r1")
    assert (first.amount, first.currency, first.status, first.attempt_id) == (999, "USD", "succeeded", "r1")
    with pytest.raises(Refused):
        refund(1001, "r2")
    refund(1000, "r3")
    with pytest.raises(Refused) as refusal:
        refund(1, "r4")
    assert refusal.value.code == "charge_already_refunded"
    assert client.retrieve_refund(first.id) == first
    assert client.find_refund("r1", payment_intent=intent) == first
    assert client.find_refund("r2", payment_intent=intent) is None
    charge = client.retrieve_payment_intent(intent).charge
    assert charge is not None
    assert (charge.amount_refunded, charge.refunded) == (1999, True)
    assert [event["data"]["object"]["amount_refunded"] for event in fake.events("charge.refunded")] == [
        999,
        1999,
    ]


def test_balance_transactions_page_through_everything_once(client: StripeClient, fake: RunningFake) -> None:
    for amount in range(1, 26):
        fake.topup(amount)
    first = client.list_balance_transactions(limit=10)
    assert [line.amount for line in first.items] == list(range(25, 15, -1))
    assert first.has_more
    last = client.list_balance_transactions(limit=10, starting_after=first.items[-1].id)
    assert [line.amount for line in last.items] == list(range(15, 5, -1))
    rest = client.list_balance_transactions(limit=10, starting_after=last.items[-1].id)
    assert (len(rest.items), rest.has_more) == (5, False)
    assert sum(line.net for line in client.iter_balance_transactions()) == sum(range(1, 26))


def test_balance_transactions_sum_to_the_balance(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount, open_session: OpenSession
) -> None:
    fake.pay(open_session().id)
    transfer(client, account, 700, "attempt-1")
    lines = list(client.iter_balance_transactions())
    assert [(line.type, line.amount, line.fee) for line in lines] == [
        ("transfer", -700, 0),
        ("charge", 1999, 88),
    ]
    assert sum(line.net for line in lines) == client.retrieve_balance().available["USD"]
    assert [line.type for line in client.iter_balance_transactions(type="charge")] == ["charge"]
    received = client.list_balance_transactions(account=account.id).items
    assert [(line.type, line.net) for line in received] == [("payment", 700)]


def test_balance_transactions_are_bounded_by_time(client: StripeClient, fake: RunningFake) -> None:
    made = fake.topup(100)["created"]
    assert len(client.list_balance_transactions(created_from=made, created_before=made + 1).items) == 1
    assert client.list_balance_transactions(created_before=made).items == ()
    assert client.list_balance_transactions(created_from=made + 1).items == ()


def test_paging_from_a_cursor_that_is_not_there_is_refused(client: StripeClient) -> None:
    with pytest.raises(Refused) as refusal:
        client.list_balance_transactions(starting_after="txn_none")
    assert refusal.value.param == "starting_after"


def test_events_can_be_read_again(
    client: StripeClient, fake: RunningFake, account: types.ConnectedAccount, open_session: OpenSession
) -> None:
    session = open_session()
    fake.pay(session.id)
    page = client.list_events(type="checkout.session.completed")
    assert [event.object["id"] for event in page.items] == [session.id]
    assert client.retrieve_event(page.items[0].id) == page.items[0]
    assert page.items[0].account == ""
    assert [event.type for event in client.list_events(account=account.id).items] == ["account.updated"]
