"""The next work item, beside the bare SQL that hands out the oldest row; and reading a long queue."""

import threading
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.queues import queries
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items, measuring
from backoffice.queues.worker import Worker
from benchmarks.disk import wait_for_disk, words
from benchmarks.measuring import Result, Scale, in_turn, milliseconds, ratio
from benchmarks.rows import multiply, settle
from benchmarks.seat import Seat

QUEUE = "moderation"
PERSON = "queue@bench.invalid"
REVIEWERS = 50
SEATS = 2
CAPACITY = 10

LOCK = "SELECT id FROM queues_workitem WHERE queue = %s AND state = 'open' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
TAKE = f"""
UPDATE queues_workitem SET state = 'claimed', holder_id = %s, lease_token = %s, lease_until = now() + interval '5 min',
       claimed_at = now()
 WHERE id = ({LOCK}) RETURNING *
"""  # noqa: S608  a constant
# What somebody writes first: the page's counts, by counting.
COUNT = """
SELECT state, count(*), count(*) FILTER (WHERE due_at < now()), min(created_at)
  FROM queues_workitem WHERE queue = %s AND state IN ('open', 'claimed', 'paused') GROUP BY state
"""


def fill(count: int) -> None:
    """So many more open items, of all priorities, due times and four languages."""
    person = User.objects.filter(email=PERSON).first() or User.objects.create_user(
        PERSON, display_name="Queue", is_staff=True
    )
    for number in range(REVIEWERS):
        if not User.objects.filter(email=f"reviewer{number}@bench.invalid").exists():
            User.objects.create_user(f"reviewer{number}@bench.invalid", display_name=f"Reviewer {number}")
    first = items.enqueue(queue=QUEUE, subject=person, label="Film", due_at=clock.now(), language="ht")
    language = "(ARRAY['ht', 'fr', 'en', 'es'])[1 + mod(n, 4)]"
    multiply(
        first,
        count - 1,
        id="uuidv7()",
        subject_id="gen_random_uuid()",
        priority="(random() * 100)::int",
        due_at="now() + random() * interval '3 days'",
        language=language,
        lane=f"{language} || '|'",
    )
    settle("queues_workitem")


def give_back() -> None:
    """Everything open again, as it was."""
    WorkItem.objects.filter(state__in=[WorkItem.State.CLAIMED, WorkItem.State.DONE]).update(
        state=WorkItem.State.OPEN, **items.RELEASED
    )
    settle("queues_workitem")


def _claim(person: User) -> Any:
    """Ours: everything that the queue knows of a person and an item."""
    item = items.claim_next(queues=[QUEUE], by=Worker(person, capacity=CAPACITY))
    assert item is not None
    return item.pk


def _lock(person: User) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [QUEUE])
        return cursor.fetchone()[0]


def _take(person: User) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, [person.pk, uuid4(), QUEUE])
        return cursor.fetchone()[0]


SIDES: dict[str, Callable[[User], Any]] = {"ours": _claim, "lock": _lock, "take": _take}


def _run(side: str, person: User, count: int, times: list[float], given: list[str]) -> None:
    """Hand-outs one after the other; each is decided before the next, which does not count."""
    step = SIDES[side]
    for _number in range(count):
        started = time.perf_counter()
        pk = step(person)
        times.append(time.perf_counter() - started)
        if side != "lock":
            given.append(str(pk))
            WorkItem.objects.filter(pk=pk).update(state=WorkItem.State.DONE)


def one(side: str, count: int, wait: bool) -> float:
    """Median seconds of one hand-out to one person."""
    wait_for_disk(wait)
    times: list[float] = []
    _run(side, User.objects.get(email=PERSON), count, times, [])
    give_back()
    return median(times)


def many(side: str, people: list[int], count: int, wait: bool) -> tuple[list[float], list[str]]:
    """All times, and what was given, when these people pull at once, each on a connection of their own."""
    times: list[list[float]] = [[] for _ in people]
    given: list[list[str]] = [[] for _ in people]
    failures: list[BaseException] = []
    reviewers = list(User.objects.filter(email__in=[f"reviewer{n}@bench.invalid" for n in people]))
    barrier = threading.Barrier(len(people))

    def work(place: int) -> None:
        try:
            wait_for_disk(wait)
            barrier.wait(60)
            _run(side, reviewers[place], count, times[place], given[place])
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[place]) for place in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [t for row in times for t in row], [pk for row in given for pk in row]


def page(side: str, count: int) -> float:
    """Median seconds of reading what the supervisors' page shows of the queue."""
    today = clock.now().replace(hour=0, minute=0)
    times = []
    for _number in range(count):
        started = time.perf_counter()
        if side == "ours":
            queries.metrics(QUEUE, today=today)
        elif side == "poll":
            queries.pulses([QUEUE])
        else:
            with connection.cursor() as cursor:
                cursor.execute(COUNT, [QUEUE])
                cursor.fetchall()
        times.append(time.perf_counter() - started)
    return median(times)


def measured() -> float:
    """Seconds of the minute's full count."""
    started = time.perf_counter()
    measuring.measure()
    return time.perf_counter() - started


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def _crowd(seats: list[Seat], side: str, claims: int, wait: bool) -> float:
    """The 95th percentile over all reviewers; stops when anything was given twice."""
    share = REVIEWERS // len(seats)
    for number, seat in enumerate(seats):
        people = list(range(number * share, (number + 1) * share))
        seat.tell("queue.many", side=side, people=people, count=claims, wait=wait)
    times: list[float] = []
    given: list[str] = []
    for seat in seats:
        took, got = seat.hear()
        times += took
        given += got
    assert len(given) == len(set(given)), "an item was given twice"
    seats[0].call("queue.give_back")
    return _p95(times)


def measure(scale: Scale) -> list[Result]:
    """One person and fifty at the scale's number of open items, after one person at a tenth of it."""
    seats = [Seat() for _ in range(SEATS)]
    seat = seats[0]
    results: list[Result] = []
    filled = 0
    before: list[float] = []
    for count in (scale.items // 10, scale.items):
        seat.call("queue.fill", count=count - filled)
        filled = count
        for wait in (False, True):
            mine, locked, taken = in_turn(
                scale.rounds,
                *(
                    lambda side=side, wait=wait: seat.call("queue.one", side=side, count=scale.claims, wait=wait)
                    for side in SIDES
                ),
            )
            work = f"Next work item, {count:,} open{words(wait)}"
            results += [
                Result(
                    f"{work}, against a lock",
                    milliseconds(mine),
                    milliseconds(locked),
                    "bare SQL: lock the oldest open row",
                    ratio(mine, locked),
                    "lower is better",
                    "",
                    "what priorities, languages, skills, capacity, returns, skips, leases and the written claim add to "
                    "a lock that writes nothing.",
                ),
                Result(
                    f"{work}, against a claim",
                    milliseconds(mine),
                    milliseconds(taken),
                    "bare SQL: one statement that locks the oldest open row and writes the claim",
                    ratio(mine, taken),
                    "lower is better",
                    "2 at most",
                    "the same with a claim that is written on both sides; the difference is what the queue knows more.",
                ),
            ]
            if wait:
                continue
            if before:
                results.append(
                    Result(
                        "Next work item, ten times the items",
                        milliseconds(mine),
                        milliseconds(before),
                        f"the same at {scale.items // 10:,}",
                        ratio(mine, before),
                        "1 is flat",
                        "1",
                        "how the hand-out grows when ten times as much waits.",
                    )
                )
            before = mine
    results += _crowds(seats, scale)
    results += _pages(seat, scale)
    for each in seats:
        each.close()
    return results


def _crowds(seats: list[Seat], scale: Scale) -> list[Result]:
    """Fifty reviewers pulling at once: the 95th percentile of one hand-out."""
    claims = max(scale.claims // 5, 5)
    mine, locked, taken = in_turn(
        scale.rounds, *(lambda side=side: _crowd(seats, side, claims, wait=True) for side in SIDES)
    )
    work = f"Next work item, {scale.items:,} open, {REVIEWERS} reviewers at once, p95, every commit on disk"
    meaning = (
        f"{REVIEWERS} people on {REVIEWERS} connections in {SEATS} processes pull {claims} items each; no item is "
        "given twice (the run stops otherwise). "
    )
    return [
        Result(
            f"{work}, against a lock",
            milliseconds(mine),
            milliseconds(locked),
            "bare SQL: lock the oldest open row",
            ratio(mine, locked),
            "lower is better",
            "",
            meaning + "The other side locks and writes nothing.",
        ),
        Result(
            f"{work}, against a claim",
            milliseconds(mine),
            milliseconds(taken),
            "bare SQL: one statement that locks the oldest open row and writes the claim",
            ratio(mine, taken),
            "lower is better",
            "2 at most",
            meaning + "Both sides write the claim.",
        ),
    ]


def _pages(seat: Seat, scale: Scale) -> list[Result]:
    """Reading the queue: the supervisors' page, the poll of an open list, and the count that both avoid."""
    seat.call("queue.measured")
    ours, poll, counted = in_turn(
        scale.rounds,
        *(lambda side=side: seat.call("queue.page", side=side, count=5) for side in ("ours", "poll", "count")),
    )
    against = "counting the unfinished items by state"
    return [
        Result(
            f"Figures of a queue for its supervisors, {scale.items:,} open",
            milliseconds(ours),
            milliseconds(counted),
            against,
            ratio(ours, counted),
            "lower is better",
            "",
            "state, oldest, median and 90th percentile of waiting and deciding, people of today, hours of a day: four "
            "statements, none of which counts the queue.",
        ),
        Result(
            f"Poll of an open list, {scale.items:,} open",
            milliseconds(poll),
            milliseconds(counted),
            against,
            ratio(poll, counted),
            "lower is better",
            "",
            "what every open list and badge asks every ten seconds, in one statement.",
        ),
    ]
