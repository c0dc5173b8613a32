"""Many people and workers at once, on a real PostgreSQL: one approval, one transfer, one balance."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from backoffice.approvals.models import Approval
from backoffice.commerce.services import purchases
from backoffice.core import clock
from backoffice.core.errors import DomainError
from backoffice.finance.models import Balance, Entry, Payment, PayoutItem, PayoutRun
from backoffice.finance.queries import balances
from backoffice.finance.services import accounts, earnings, events, ledger, payments, payouts, verification
from backoffice.finance.services.ledger import AccountKind, EntryKind
from backoffice.finance.services.providers import ProviderUnavailable
from integrations.stripe.fake.running import RunningFake
from tests.factories import creators, finance
from tests.factories.accounts import member
from tests.factories.sales import published, sale

pytestmark = pytest.mark.django_db(transaction=True)


def race(*actions: Callable[[], object]) -> tuple[list[object], list[Exception]]:
    """Starts all actions at the same moment; their results and the refusals. Anything else fails the test."""
    barrier = threading.Barrier(len(actions))
    results: list[object] = []
    refusals: list[Exception] = []
    broken: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=60)
            results.append(action())
        except DomainError as refusal:
            refusals.append(refusal)
        except BaseException as error:
            broken.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(action,), name=f"race-{number}") for number, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not broken, broken
    return results, refusals


def test_racing_approvals_give_one_approval_and_one_transfer_each(stripe: RunningFake) -> None:
    people = [finance.finance_person() for _number in range(3)]
    runs = [finance.requested(finance.payable(50_00, connected=True), 50_00) for _number in range(8)]
    results, refusals = race(*[lambda run=run, by=by: payouts.approve(run=run, by=by) for run in runs for by in people])
    assert (len(results), len(refusals)) == (8, 16)
    assert Approval.objects.count() == 8
    assert Entry.objects.filter(kind="payout_approval").count() == 8
    assert set(PayoutRun.objects.values_list("status", flat=True)) == {"approved"}

    for run in runs:
        payouts.execute(run=run)
    items = list(PayoutItem.objects.values_list("pk", flat=True))
    _results, refusals = race(
        *[lambda item=item: payouts.send_item(item_id=item) for item in items for _turn in range(3)]
    )
    # Who meets a key that another worker is using learns nothing and asks again later.
    assert all(isinstance(refusal, ProviderUnavailable) for refusal in refusals)
    for item in items:
        payouts.send_item(item_id=item)
    rows = stripe.engine.store.rows
    assert len(rows("SELECT 1 FROM object WHERE kind = 'transfer'")) == 8
    assert len(rows("SELECT 1 FROM object WHERE kind = 'payout'")) == 8
    assert set(PayoutItem.objects.values_list("status", flat=True)) == {"sent"}
    assert verification.run() == []


def test_two_people_above_the_threshold_approve_at_once_and_the_money_is_set_aside_once(stripe: RunningFake) -> None:
    creator = finance.payable(2_000_00)
    run = finance.requested(creator, 2_000_00)
    people = [finance.finance_person() for _number in range(4)]
    results, _refusals = race(*[lambda by=by: payouts.approve(run=run, by=by) for by in people])
    assert len(results) == 2
    assert balances.of(creator, "USD").in_transit == 2_000_00


def test_one_creator_asking_twenty_times_at_once_gets_one_payout() -> None:
    creator = finance.payable(100_00)
    account = finance.account_of(creator)
    results, refusals = race(
        *[
            lambda key=f"k{number}": payouts.request(
                creator=creator, amount_minor=100_00, account=account, by=creator.user, key=key
            )
            for number in range(20)
        ]
    )
    assert (len(results), len(refusals)) == (1, 19)
    assert {refusal.code for refusal in refusals if isinstance(refusal, DomainError)} == {"already_open"}


def test_approving_and_cancelling_at_once_leaves_one_outcome() -> None:
    creator = finance.payable(100_00)
    by = finance.finance_person()
    run = finance.requested(creator, 100_00)
    race(lambda: payouts.approve(run=run, by=by), lambda: payouts.cancel(run=run, by=creator.user))
    run.refresh_from_db()
    balance = balances.of(creator, "USD")
    expected = {"approved": (0, 100_00), "cancelled": (100_00, 0)}[run.status]
    assert (balance.available, balance.in_transit) == expected
    assert verification.run() == []


def test_entries_over_the_same_creators_never_deadlock_and_never_overdraw() -> None:
    first, second = creators.creator(), creators.creator()
    for creator in (first, second):
        finance.money_for(creator, 10_00)

    def move(source: object, target: object, number: int) -> object:
        return ledger.post(
            key=f"move-{number}",
            kind=EntryKind.ADJUSTMENT,
            source=first,
            by=None,
            effective_date=published_on,
            postings=[
                (accounts.creator(AccountKind.CREATOR_AVAILABLE, target, "USD"), 1_00),
                (accounts.creator(AccountKind.CREATOR_AVAILABLE, source, "USD"), -1_00),
            ],
        )

    published_on = published(first).created_at.date()
    pairs = [(first, second) if number % 2 else (second, first) for number in range(24)]
    race(*[lambda pair=pair, n=n: move(*pair, n) for n, pair in enumerate(pairs)])
    assert sum(Balance.objects.values_list("amount", flat=True)) == 20_00
    assert verification.run() == []


def test_one_key_posted_by_twenty_sessions_is_one_entry() -> None:
    creator = creators.creator()
    name = accounts.creator(AccountKind.CREATOR_AVAILABLE, creator, "USD")
    day = creator.created_at.date()

    def post() -> object:
        return ledger.post(
            key="the same",
            kind=EntryKind.ADJUSTMENT,
            source=creator,
            by=None,
            effective_date=day,
            postings=[(accounts.platform(AccountKind.PLATFORM_CASH, "USD"), -5_00), (name, 5_00)],
        ).pk

    results, _refusals = race(*[post for _number in range(20)])
    assert len(results) == 20
    assert len(set(results)) == 1
    assert balances.of(creator, "USD").available == 5_00


def test_one_event_received_by_ten_sessions_is_one_row() -> None:
    raw = {"id": "evt_1", "type": "nothing.known", "created": 1, "data": {"object": {"id": "x"}}}

    def receive() -> object:
        return events.receive(provider="stripe", event_id="evt_1", type="nothing.known", payload=raw).pk

    results, _refusals = race(*[receive for _number in range(10)])
    assert len(set(results)) == 1


def test_one_capture_told_by_ten_workers_is_posted_once() -> None:
    purchase = purchases.start(title=published(price_minor=50_00), by=member())
    payment = Payment.objects.create(
        user=purchase.buyer,
        purchase=purchase,
        creator=purchase.title.creator,
        provider="stripe",
        amount_minor=50_00,
        currency="USD",
    )

    def capture() -> object:
        return payments.record_captured(
            payment=payment, provider_payment_id="pi_1", amount_minor=50_00, currency="USD"
        ).status

    results, _refusals = race(*[capture for _number in range(10)])
    assert results == ["captured"] * 10
    assert Entry.objects.filter(kind="sale").count() == 1
    assert verification.run() == []


def test_releases_refunds_and_approvals_of_one_creator_never_deadlock() -> None:
    creator = finance.payable()
    for _number in range(4):
        finance.earned(creator, 100_00, days_ago=40)
    at = clock.now() - timedelta(days=20)
    for _number in range(4):
        sale(published(creator, price_minor=100_00), at=at)
    sold = list(Payment.objects.order_by("captured_at"))
    run = finance.requested(creator, 100_00)
    by = finance.finance_person()

    def refund(payment: Payment) -> object:
        return payments.record_refunded(payment=payment, cumulative_minor=100_00, currency="USD")

    race(
        lambda: payouts.approve(run=run, by=by),
        *[lambda payment=payment: refund(payment) for payment in (sold[0], sold[1], sold[4], sold[5])],
        *[lambda: earnings.release_due() for _number in range(4)],
    )
    earnings.release_due()
    balance = balances.of(creator, "USD")
    assert balance.available + balance.in_transit - balance.owed == 4 * 71_80
    assert verification.run() == []
