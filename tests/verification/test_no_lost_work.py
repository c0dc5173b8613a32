"""Worker and broker die in mid-work: nothing is lost, nothing counts twice."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import transaction

from backoffice.core import clock, jobs
from backoffice.core.models import Job
from tests.verification import handlers, running
from tests.verification.handlers import KIND

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

Counters = psycopg.Connection


@pytest.fixture
def counters(owner_connection: Counters) -> Counters:
    """The tables that the counting jobs write to, on a connection that reads them as they are now."""
    owner_connection.execute(handlers.TABLES)
    return owner_connection


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[running.Redis]:
    """A running Redis; without one on the machine the test is left out, unless it is meant to have one."""
    if running.redis_binary() is None:
        if os.environ.get("BACKLOT_REQUIRE_BROWSER"):
            pytest.fail("A Redis server is needed here and was not found.")
        pytest.skip("There is no Redis server on this machine.")
    server = running.Redis(tmp_path)
    yield server
    server.kill()


def ask_for(numbers: range) -> None:
    """One job per number; a quarter in, one stops before its commit and one after it."""
    quarter = numbers.start + len(numbers) // 4
    stops = {quarter: "before", quarter + 1: "after"}
    with transaction.atomic():
        for number in numbers:
            jobs.enqueue(KIND, {"number": number, "stop": stops.get(number, "")}, key=str(number))


def runs(counters: Counters) -> dict[int, int]:
    """How often each number has started."""
    return dict(counters.execute("SELECT number, count(*) FROM verification_run GROUP BY number").fetchall())


def effects(counters: Counters) -> tuple[int, int]:
    """Distinct effects, and what they add up to."""
    row = counters.execute(
        "SELECT (SELECT count(*) FROM verification_effect), (SELECT amount FROM verification_total)"
    ).fetchone()
    assert row is not None
    return row


def unfinished() -> int:
    return Job.objects.exclude(state=Job.State.DONE).count()


def later() -> None:
    """The leases of whoever was killed run out."""
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=clock.now() - timedelta(seconds=1))


def sweep() -> int:
    """The sweeper's round a while after everything was sent."""
    return jobs.sweep(at=clock.now() + jobs.RESEND_AFTER + timedelta(seconds=1))


def check_nothing_is_lost(
    counters: Counters, *, count: int, broker: str, directory: Path, lose_messages: Callable[[], None]
) -> None:
    """Kills the worker at two places of its work, empties the broker, and lets the sweeper bring everything back."""
    ask_for(range(count))
    stuck = {count // 4, count // 4 + 1}
    first = running.worker(broker, directory, "first")
    second = None
    try:
        # Both children hang at their places: the rest of the messages waits.
        running.eventually(
            lambda: stuck <= runs(counters).keys() and effects(counters)[0] == count - unfinished() + 1,
            f"the work of {first.log}",
        )
        first.kill()
        lose_messages()
        done = count - unfinished()
        assert 0 < done < count
        assert effects(counters) == (done + 1, done + 1), "what was committed stays, what was not is gone"

        later()
        second = running.worker(broker, directory, "second")
        assert sweep() == count - done
        # Sent twice: the second message of each finds its job taken or finished.
        sweep()
        running.eventually(lambda: unfinished() == 0, f"the rest of the work of {second.log}")
    finally:
        first.kill()
        if second is not None:
            second.kill()
    assert effects(counters) == (count, count)
    assert runs(counters) == {number: 2 if number in stuck else 1 for number in range(count)}


def test_no_job_is_lost_when_worker_and_redis_are_killed(
    counters: Counters, redis: running.Redis, tmp_path: Path
) -> None:
    def lose_messages() -> None:
        assert redis.client().dbsize() > 0
        redis.kill()
        redis.start()
        assert redis.client().dbsize() == 0

    with running.sending_to(redis.url):
        check_nothing_is_lost(counters, count=200, broker=redis.url, directory=tmp_path, lose_messages=lose_messages)


def test_no_job_is_lost_when_worker_and_files_of_the_broker_are_gone(counters: Counters, tmp_path: Path) -> None:
    folder, control = tmp_path / "broker", tmp_path / "broker-control"
    folder.mkdir()
    control.mkdir()

    def lose_messages() -> None:
        assert any(folder.iterdir())
        shutil.rmtree(folder)
        folder.mkdir()

    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(control)}
    with running.sending_to("filesystem://", **options):
        check_nothing_is_lost(
            counters, count=12, broker="filesystem://", directory=tmp_path, lose_messages=lose_messages
        )


def test_work_asked_for_while_redis_is_down_is_kept_and_done_when_it_is_back(
    counters: Counters, redis: running.Redis
) -> None:
    with running.sending_to(redis.url):
        redis.kill()
        with transaction.atomic():
            job = jobs.enqueue(KIND, {"number": 1})
        job.refresh_from_db()
        assert (job.state, job.sent_at) == ("due", None)
        redis.start()
        assert jobs.sweep() == 1
        assert redis.client().llen("default") == 1
    job.refresh_from_db()
    assert job.sent_at is not None
