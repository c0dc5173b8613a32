"""The next work item, beside the bare SQL that hands out the oldest row."""

import time
from statistics import median
from uuid import uuid4

from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from benchmarks.disk import wait_for_disk, words
from benchmarks.measuring import Result, Scale, in_turn, milliseconds, ratio
from benchmarks.rows import multiply, settle
from benchmarks.seat import Seat

QUEUE = "moderation"
PERSON = "queue@bench.invalid"

LOCK = "SELECT id FROM queues_workitem WHERE queue = %s AND state = 'open' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
TAKE = f"""
UPDATE queues_workitem SET state = 'claimed', holder_id = %s, lease_token = %s, lease_until = now() + interval '5 min',
       claimed_at = now()
 WHERE id = ({LOCK}) RETURNING *
"""  # noqa: S608  a constant


def fill(count: int) -> None:
    """So many more open items, of all priorities and due times."""
    person = User.objects.filter(email=PERSON).first() or User.objects.create_user(
        PERSON, display_name="Queue", is_staff=True
    )
    first = items.enqueue(queue=QUEUE, subject=person, label="Film", due_at=clock.now())
    multiply(
        first,
        count - 1,
        id="uuidv7()",
        subject_id="gen_random_uuid()",
        priority="(random() * 100)::int",
        due_at="now() + random() * interval '3 days'",
    )
    settle("queues_workitem")


def give_back() -> None:
    """Everything open again, as it was."""
    WorkItem.objects.filter(state=WorkItem.State.CLAIMED).update(state=WorkItem.State.OPEN, **items.RELEASED)
    settle("queues_workitem")


def ours(count: int, wait: bool) -> float:
    """Median seconds of one hand-out."""
    wait_for_disk(wait)
    person = User.objects.get(email=PERSON)
    times = []
    for _number in range(count):
        started = time.perf_counter()
        item = items.claim_next(queues=[QUEUE], by=person)
        times.append(time.perf_counter() - started)
        assert item is not None
    give_back()
    return median(times)


def lock(count: int, wait: bool) -> float:
    """Median seconds of finding and locking the oldest row."""
    wait_for_disk(wait)
    times = []
    for _number in range(count):
        started = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK, [QUEUE])
            cursor.fetchone()
        times.append(time.perf_counter() - started)
    return median(times)


def take(count: int, wait: bool) -> float:
    """Median seconds of finding the oldest row and writing who holds it, in one statement."""
    wait_for_disk(wait)
    person = User.objects.get(email=PERSON)
    times = []
    for _number in range(count):
        started = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE, [person.pk, uuid4(), QUEUE])
            cursor.fetchone()
        times.append(time.perf_counter() - started)
    give_back()
    return median(times)


def measure(scale: Scale) -> list[Result]:
    """The hand-out at the scale's number of open items, and at ten times as many when asked for all."""
    seat = Seat()
    results: list[Result] = []
    filled = 0
    before: list[float] = []
    for count in (scale.items, scale.items * 10)[: 2 if scale.full else 1]:
        seat.call("queue.fill", count=count - filled)
        filled = count
        for wait in (False, True):
            mine, locked, taken = in_turn(
                scale.rounds,
                *(
                    lambda side=side, wait=wait: seat.call(f"queue.{side}", count=scale.claims, wait=wait)
                    for side in ("ours", "lock", "take")
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
                    "what priorities, returns, skips, leases and the written claim add to a lock that writes nothing.",
                ),
                Result(
                    f"{work}, against a claim",
                    milliseconds(mine),
                    milliseconds(taken),
                    "bare SQL: one statement that locks the oldest open row and writes the claim",
                    ratio(mine, taken),
                    "lower is better",
                    "" if wait else "2 at most",
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
                        f"the same at {scale.items:,}",
                        ratio(mine, before),
                        "1 is flat",
                        "1",
                        "how the hand-out grows when ten times as much waits.",
                    )
                )
            before = mine
    seat.close()
    return results
