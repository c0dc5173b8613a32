"""1,000 racing approvals on a real PostgreSQL: one approval, one set of entries and one job for each run."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.db import connection

from backoffice.accounts.models import User
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.core import clock
from backoffice.core.errors import DomainError
from backoffice.core.models import Job
from backoffice.finance.models import Entry, PayoutRun
from backoffice.finance.queries import balances
from backoffice.finance.services import payouts, verification
from integrations.stripe.fake.running import RunningFake
from tests.factories import finance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SESSIONS = 40
RUNS = 25


def storm(sessions: Sequence[Sequence[Callable[[], object]]]) -> Counter[str]:
    """One thread with a connection of its own per session, all let go at once, each carrying out its actions in turn.

    How often each outcome was met: "yes", or a refusal's code. A deadlock or any other error fails the test.
    """
    barrier = threading.Barrier(len(sessions))
    outcomes: list[str] = []
    broken: list[BaseException] = []

    def work(actions: Sequence[Callable[[], object]]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            for act in actions:
                try:
                    act()
                    outcomes.append("yes")
                except DomainError as refusal:
                    outcomes.append(refusal.code)
        except BaseException as error:
            broken.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(actions,)) for actions in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert not broken, broken
    assert not any(thread.is_alive() for thread in threads)
    return Counter(outcomes)


def approve_by_either_door(run: PayoutRun, by: User, number: int) -> Callable[[], object]:
    """The payout's own screen, or the list of everything that waits for approval."""
    if number % 3:
        return lambda: payouts.approve(run=run, by=by)
    return lambda: requests.approve(request=ApprovalRequest.objects.get(subject_id=str(run.pk)), by=by)


def test_a_thousand_racing_approvals_give_one_to_each_run() -> None:
    people = [finance.finance_person() for _number in range(SESSIONS)]
    creators = [finance.payable(50_00) for _number in range(RUNS)]
    runs = [finance.requested(creator, 50_00) for creator in creators]
    rng = random.Random(7)
    sessions = []
    for number, by in enumerate(people):
        # Neighbours meet at the same run most of the time; some come from the other end.
        order = rng.sample(runs, RUNS) if number % 4 == 0 else runs
        sessions.append([approve_by_either_door(run, by, place + number) for place, run in enumerate(order)])
    assert sum(len(actions) for actions in sessions) == 1_000

    outcomes = storm(sessions)

    assert outcomes.total() == 1_000
    assert outcomes["yes"] == RUNS
    assert Counter(PayoutRun.objects.values_list("status", flat=True)) == {"approved": RUNS}
    given = Approval.objects.values_list("request__subject_id", flat=True)
    assert Counter(given) == {str(run.pk): 1 for run in runs}
    assert Entry.objects.filter(kind="payout_approval").count() == RUNS
    assert Counter(Job.objects.filter(kind="finance.execute_run").values_list("key", flat=True)) == {
        str(run.pk): 1 for run in runs
    }
    assert {
        (balances.of(creator, "USD").available, balances.of(creator, "USD").in_transit) for creator in creators
    } == {(0, 50_00)}
    assert verification.run() == []


def test_a_thousand_racing_approvals_of_one_run_that_needs_two_give_exactly_two(stripe: RunningFake) -> None:
    maker, first, second = (finance.finance_person() for _number in range(3))
    creator = finance.payable(2_000_00)
    payee = creator.user
    payee.is_staff = True
    payee.save()
    payee.groups.set(maker.groups.all())
    run = payouts.submit(run=payouts.draft(method=finance.method(), by=maker), by=maker)
    people = [first, second, maker, payee]
    sessions = [
        [approve_by_either_door(run, people[number % 4], place + number // 4) for place in range(RUNS)]
        for number in range(SESSIONS)
    ]

    outcomes = storm(sessions)

    assert outcomes.total() == 1_000
    assert outcomes["yes"] == 2
    run.refresh_from_db()
    assert run.status == "approved"
    approvals = Approval.objects.filter(request__subject_id=str(run.pk))
    assert sorted(approvals.values_list("approver", flat=True)) == sorted([first.pk, second.pk])
    assert Entry.objects.filter(kind="payout_approval").count() == 1
    assert Job.objects.filter(kind="finance.execute_run").count() == 1
    assert balances.of(creator, "USD").in_transit == 2_000_00
    assert verification.run() == []


def test_whoever_decides_and_by_whichever_door_a_run_has_one_end_and_nobody_waits_for_ever() -> None:
    creators = [finance.payable(50_00) for _number in range(6)]
    runs = [finance.requested(creator, 50_00) for creator in creators]
    people = [finance.finance_person() for _number in range(5)]
    late = clock.now() + timedelta(days=40)

    def request_of(run: PayoutRun) -> ApprovalRequest:
        return ApprovalRequest.objects.get(subject_id=str(run.pk))

    def decisions(run: PayoutRun) -> list[Callable[[], object]]:
        item = run.items.get()
        return [
            lambda: payouts.approve(run=run, by=people[0]),
            lambda: requests.approve(request=request_of(run), by=people[1]),
            lambda: payouts.reject(run=run, by=people[2], reason="no"),
            lambda: requests.reject(request=request_of(run), by=people[3], reason="no"),
            lambda: payouts.cancel(run=run, by=run.requested_by),
            lambda: payouts.drop(item=item, by=people[4], reason="not now"),
        ]

    sessions = [[act] for run in runs for act in decisions(run)]
    storm([*sessions, [lambda: requests.expire_due(at=late)]])

    ends = {"approved": "approved", "rejected": ("rejected", "expired"), "cancelled": "withdrawn"}
    for creator, run in zip(creators, runs, strict=True):
        run.refresh_from_db()
        assert request_of(run).status in ends[run.status]
        in_transit = 50_00 if run.status == "approved" else 0
        balance = balances.of(creator, "USD")
        assert (balance.available, balance.in_transit) == (50_00 - in_transit, in_transit)
    assert verification.run() == []
