"""Periodic work of support."""

from backoffice.core import jobs
from backoffice.support.services import clocks


@jobs.handler("support.escalate_due", timeout=120)
def escalate_due(job: jobs.JobContext) -> None:
    """Escalates tickets whose time has come."""
    clocks.escalate_due()


@jobs.handler("support.watch_clocks", timeout=120)
def watch_clocks(job: jobs.JobContext) -> None:
    """Tells of due times that are near or missed."""
    clocks.watch()


@jobs.handler("support.close_resolved", timeout=120)
def close_resolved(job: jobs.JobContext) -> None:
    """Closes resolved tickets whose reopen window is over."""
    clocks.close_due()
