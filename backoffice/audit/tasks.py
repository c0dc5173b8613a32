"""Periodic work of the audit trail."""

from backoffice.audit import chain
from backoffice.core import jobs


@jobs.handler("audit.seal", timeout=600)
def seal(job: jobs.JobContext) -> None:
    """Links what was written since the last time."""
    chain.seal()
