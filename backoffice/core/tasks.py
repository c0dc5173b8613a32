"""The Celery side of the outbox: run one job, sweep what was not sent."""

from celery import shared_task

from backoffice.core import jobs


@shared_task(name=jobs.RUN_TASK, acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def run_job(job_id: str) -> None:
    """Runs the job with this id if it is still due."""
    jobs.run(job_id)


@shared_task(name="core.sweep_jobs", ignore_result=True)
def sweep_jobs() -> None:
    """Sends what is due and was not taken."""
    jobs.sweep()


@shared_task(name="core.enqueue_periodic", ignore_result=True)
def enqueue_periodic(kind: str) -> None:
    """Writes the row of a periodic job; one unfinished row per kind, so a slow run is not piled upon."""
    jobs.enqueue(kind, key="periodic")
