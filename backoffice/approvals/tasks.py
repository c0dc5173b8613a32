"""Periodic work of the approvals."""

from backoffice.approvals.services import requests
from backoffice.core import jobs


@jobs.handler("approvals.expire")
def expire(job: jobs.JobContext) -> None:
    """Ends requests that nobody decided in time."""
    requests.expire_due()
