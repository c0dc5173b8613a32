"""Background work of the queues."""

from backoffice.core import jobs
from backoffice.queues.services import items, measuring


@jobs.handler("queues.tick")
def tick(job: jobs.JobContext) -> None:
    """Every minute: leases and returns that ran out end, and every queue is measured."""
    items.expire_leases()
    items.lapse_returns()
    measuring.measure()
