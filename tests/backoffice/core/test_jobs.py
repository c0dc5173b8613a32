import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from backoffice.core import clock, jobs
from backoffice.core.models import Job

calls: list[str] = []


@jobs.handler("test.note", max_attempts=3)
def _note(job: jobs.JobContext, *, text: str) -> None:
    job.progress(1, 2, "half")
    if text == "fail":
        raise ValueError("broken on purpose")
    if text == "later":
        raise jobs.Retry(60, "not yet")
    if text == "never":
        raise jobs.Dead("of no use")
    calls.append(text)


@pytest.fixture(autouse=True)
def _clean() -> None:
    calls.clear()


@pytest.mark.django_db
class TestRunning:
    def test_a_job_runs_once_and_tells_its_progress(self) -> None:
        job = jobs.enqueue("test.note", {"text": "hello"})
        assert jobs.run(job.id)
        assert not jobs.run(job.id)
        job.refresh_from_db()
        assert calls == ["hello"]
        assert (job.state, job.progress_current, job.progress_total) == ("done", 1, 2)

    def test_a_failing_job_is_tried_again_later_and_dies_after_its_last_try(self) -> None:
        job = jobs.enqueue("test.note", {"text": "fail"})
        for attempt in (1, 2, 3):
            Job.objects.filter(id=job.id).update(run_after=clock.now())
            jobs.run(job.id)
            job.refresh_from_db()
            assert job.attempts == attempt
            assert "broken on purpose" in job.last_error
        assert job.state == "dead"

    def test_a_handler_may_ask_for_a_later_time_or_give_up_at_once(self) -> None:
        later, never = jobs.enqueue("test.note", {"text": "later"}), jobs.enqueue("test.note", {"text": "never"})
        jobs.run(later.id)
        jobs.run(never.id)
        later.refresh_from_db()
        never.refresh_from_db()
        assert later.state == "due"
        assert later.run_after > clock.now() + timedelta(seconds=50)
        assert (never.state, never.attempts) == ("dead", 1)

    def test_a_job_whose_process_was_killed_is_taken_up_again(self) -> None:
        job = jobs.enqueue("test.note", {"text": "survivor"})
        assert jobs.claim(job.id) is not None  # and then nothing: the process is gone
        assert not jobs.run(job.id)
        Job.objects.filter(id=job.id).update(lease_until=clock.now() - timedelta(seconds=1))
        assert jobs.sweep() == 1
        assert jobs.run(job.id)
        assert calls == ["survivor"]

    def test_a_job_that_kills_its_process_every_time_ends_in_the_dead_letter_list(self) -> None:
        job = jobs.enqueue("test.note", {"text": "killer"})
        for _ in range(4):
            jobs.claim(job.id)
            Job.objects.filter(id=job.id).update(lease_until=clock.now() - timedelta(seconds=1))
        jobs.run(job.id)
        job.refresh_from_db()
        assert job.state == "dead"
        assert calls == []

    def test_a_key_is_unique_among_unfinished_jobs(self) -> None:
        first = jobs.enqueue("test.note", {"text": "a"}, key="k")
        assert jobs.enqueue("test.note", {"text": "b"}, key="k").id == first.id
        jobs.run(first.id)
        assert jobs.enqueue("test.note", {"text": "c"}, key="k").id != first.id

    def test_a_dead_job_can_be_retried_and_then_not_discarded(self) -> None:
        job = jobs.enqueue("test.note", {"text": "never"})
        jobs.run(job.id)
        assert jobs.retry(job)
        assert not jobs.discard(job)
        job.refresh_from_db()
        assert (job.state, job.attempts) == ("due", 0)

    def test_an_unknown_kind_is_a_mistake_of_the_caller(self) -> None:
        with pytest.raises(KeyError):
            jobs.enqueue("test.unknown", {})


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_leaves_no_job() -> None:
    with transaction.atomic():
        jobs.enqueue("test.note", {"text": "x"})
        transaction.set_rollback(True)
    assert Job.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_run_a_job_once() -> None:
    job = jobs.enqueue("test.note", {"text": "once"})
    barrier = threading.Barrier(20)

    def work() -> None:
        barrier.wait()
        jobs.run(job.id)
        connection.close()

    threads = [threading.Thread(target=work, name=f"race-{n}") for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["once"]
