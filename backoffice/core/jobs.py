"""Background work as rows: written with the change that asks for it, sent on commit, swept when a message is lost.

A handler may run twice (a crash between its work and the row's last update): handlers are idempotent.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from celery import current_app
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, transaction
from django.db.models import F, Q

from backoffice.core import clock
from backoffice.core.models import Job

log = structlog.get_logger(__name__)

RUN_TASK = "core.run_job"
BACKOFF_SECONDS = (5, 30, 120, 600, 3600)
# Long enough that a busy worker is not sent the same thing over and over.
RESEND_AFTER = timedelta(minutes=2)


class Retry(Exception):
    """Raised by a handler: not now. ``seconds`` until the next try (None: the usual backoff)."""

    def __init__(self, seconds: int | None = None, why: str = "") -> None:
        super().__init__(why)
        self.seconds = seconds


class Dead(Exception):
    """Raised by a handler: trying again is of no use; the job goes to the dead-letter list."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs a kind of job, on which queue, how often it is tried and for how long it may run (seconds)."""

    kind: str
    function: Callable[..., None]
    queue: str
    max_attempts: int
    timeout: int


HANDLERS: dict[str, Handler] = {}


def handler(
    kind: str, *, queue: str = "default", max_attempts: int = 5, timeout: int = 300
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declares the function that does jobs of this kind: ``f(job: JobContext, **payload)``."""

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        known = HANDLERS.get(kind)
        if known is not None and known.function.__module__ != function.__module__:
            raise ValueError(f"two handlers for {kind}")
        HANDLERS[kind] = Handler(kind, function, queue, max_attempts, timeout)
        return function

    return declare


class JobContext:
    """What a handler sees of its job."""

    def __init__(self, job: Job) -> None:
        self.id: UUID = job.id
        self.kind = job.kind
        self.attempt = job.attempts
        self.created_by_id = job.created_by_id
        self._token = job.lease_token

    def progress(self, current: int, total: int, note: str = "") -> None:
        """Tells how far the work is: ``current`` of ``total``, with a short note."""
        Job.objects.filter(id=self.id, lease_token=self._token).update(
            progress_current=current, progress_total=total, progress_note=note[:200], updated_at=clock.now()
        )

    @contextmanager
    def aside(self) -> Iterator[Callable[[int, int, str], None]]:
        """A `progress` for use inside a long transaction: it writes on a connection of its own, seen at once."""
        side = connections.create_connection(DEFAULT_DB_ALIAS)

        def tell(current: int, total: int, note: str = "") -> None:
            with side.cursor() as cursor:
                cursor.execute(
                    "UPDATE core_job SET progress_current = %s, progress_total = %s, progress_note = %s, "
                    "updated_at = %s WHERE id = %s AND lease_token = %s",
                    [current, total, note[:200], clock.now(), self.id, self._token],
                )

        try:
            yield tell
        finally:
            side.close()


def enqueue(
    kind: str,
    payload: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    run_after: datetime | None = None,
    by: Any = None,
) -> Job:
    """Writes the job's row in the caller's transaction and sends it on commit.

    ``key`` is unique among unfinished jobs of a kind: the existing job is returned instead of a second one.
    """
    rule = HANDLERS[kind]
    job = Job(
        kind=kind,
        payload=dict(payload or {}),
        queue=rule.queue,
        max_attempts=rule.max_attempts,
        key=key,
        run_after=run_after or clock.now(),
        created_by=by,
    )
    if key is not None:
        unfinished = Job.objects.filter(kind=kind, key=key, state__in=[Job.State.DUE, Job.State.RUNNING])
        try:
            with transaction.atomic():
                job.save(force_insert=True)
        except IntegrityError:
            existing = unfinished.first()
            if existing is None:  # it finished between the two statements
                job.save(force_insert=True)
            else:
                return existing
    else:
        job.save(force_insert=True)
    if job.run_after <= clock.now():
        transaction.on_commit(lambda: send(job), robust=True)
    return job


def send(job: Job) -> None:
    """Hands the job's id to the broker. A broker that is down costs nothing: the sweeper sends again."""
    rule = HANDLERS[job.kind]
    current_app.send_task(
        RUN_TASK,
        args=[str(job.id)],
        queue=job.queue,
        soft_time_limit=rule.timeout,
        time_limit=rule.timeout + 30,
        retry=False,
    )
    Job.objects.filter(id=job.id).update(sent_at=clock.now())


def claim(job_id: UUID | str, *, at: datetime | None = None) -> Job | None:
    """Takes the job if it is due, or if whoever held it is gone; None when there is nothing to take."""
    at = at or clock.now()
    free = Q(state=Job.State.DUE, run_after__lte=at) | Q(state=Job.State.RUNNING, lease_until__lt=at)
    job = Job.objects.filter(free, id=job_id).first()
    if job is None:
        return None
    rule = HANDLERS.get(job.kind)
    lease = timedelta(seconds=(rule.timeout if rule else 60) + 60)
    token = uuid4()
    taken = Job.objects.filter(free, id=job_id).update(
        state=Job.State.RUNNING,
        attempts=F("attempts") + 1,
        started_at=at,
        lease_until=at + lease,
        lease_token=token,
        updated_at=at,
    )
    return Job.objects.get(id=job_id) if taken else None


def run(job_id: UUID | str) -> bool:
    """Runs one job to its end in this process. True when it was this call that ran it."""
    job = claim(job_id)
    if job is None:
        return False
    rule = HANDLERS.get(job.kind)
    if rule is None:
        _finish(job, Job.State.DEAD, f"no handler for {job.kind}")
        return True
    if job.attempts > job.max_attempts:
        _finish(job, Job.State.DEAD, job.last_error or "the process that ran it was killed each time")
        return True
    try:
        rule.function(JobContext(job), **job.payload)
    except Dead as error:
        _finish(job, Job.State.DEAD, str(error))
    except Retry as error:
        _again(job, str(error), error.seconds)
    except Exception as error:
        log.exception("job failed", kind=job.kind, job=str(job.id), attempt=job.attempts)
        _again(job, f"{type(error).__name__}: {error}", None)
    else:
        _finish(job, Job.State.DONE, "")
    return True


def _finish(job: Job, state: str, error: str) -> None:
    Job.objects.filter(id=job.id, lease_token=job.lease_token).update(
        state=state, last_error=error[:4000], finished_at=clock.now(), lease_until=None, updated_at=clock.now()
    )


def _again(job: Job, error: str, seconds: int | None) -> None:
    if job.attempts >= job.max_attempts:
        _finish(job, Job.State.DEAD, error)
        return
    if seconds is None:
        seconds = BACKOFF_SECONDS[min(job.attempts, len(BACKOFF_SECONDS)) - 1]
    Job.objects.filter(id=job.id, lease_token=job.lease_token).update(
        state=Job.State.DUE,
        run_after=clock.now() + timedelta(seconds=seconds),
        last_error=error[:4000],
        lease_until=None,
        sent_at=None,
        updated_at=clock.now(),
    )


def sweep(*, at: datetime | None = None, limit: int = 500) -> int:
    """Sends what is due and was never sent, or was sent long ago and not taken; returns how many."""
    at = at or clock.now()
    waiting = Q(state=Job.State.DUE, run_after__lte=at) & (Q(sent_at=None) | Q(sent_at__lt=at - RESEND_AFTER))
    abandoned = Q(state=Job.State.RUNNING, lease_until__lt=at)
    jobs = list(Job.objects.filter(waiting | abandoned).order_by("run_after")[:limit])
    for job in jobs:
        if job.kind in HANDLERS:
            send(job)
        else:
            Job.objects.filter(id=job.id).update(state=Job.State.DEAD, last_error=f"no handler for {job.kind}")
    return len(jobs)


def run_due(*, limit: int = 100, kinds: list[str] | None = None) -> int:
    """Runs what is due in this process, oldest first, and what that work asks for; returns how many ran."""
    ran = 0
    while ran < limit:
        due = Job.objects.filter(state=Job.State.DUE, run_after__lte=clock.now())
        if kinds is not None:
            due = due.filter(kind__in=kinds)
        ids = list(due.order_by("run_after", "id").values_list("id", flat=True)[: limit - ran])
        if not ids:
            break
        ran += sum(run(job_id) for job_id in ids)
    return ran


def retry(job: Job, *, at: datetime | None = None) -> bool:
    """Puts a dead job back in line with fresh attempts. False when it is not dead any more."""
    at = at or clock.now()
    moved = Job.objects.filter(id=job.id, state=Job.State.DEAD).update(
        state=Job.State.DUE, attempts=0, run_after=at, sent_at=None, finished_at=None, updated_at=at
    )
    if moved:
        job.refresh_from_db()
        transaction.on_commit(lambda: send(job), robust=True)
    return bool(moved)


def discard(job: Job, *, at: datetime | None = None) -> bool:
    """Takes a dead job off the dead-letter list for good. False when it is not dead any more."""
    at = at or clock.now()
    return bool(Job.objects.filter(id=job.id, state=Job.State.DEAD).update(state=Job.State.DISCARDED, updated_at=at))


def counts() -> dict[str, int]:
    """How many jobs are in each unfinished or dead state, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM core_job WHERE state IN ('due', 'running', 'dead') GROUP BY state")
        return {"due": 0, "running": 0, "dead": 0, **dict(cursor.fetchall())}
