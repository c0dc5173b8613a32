"""Background work of notifications."""

from backoffice.core import jobs
from backoffice.notifications import services


@jobs.handler(services.SEND, queue="mail", max_attempts=5, timeout=60)
def send(job: jobs.JobContext, *, notification_id: str) -> None:
    """Sends one mail."""
    services.deliver(notification_id)
