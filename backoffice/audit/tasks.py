"""Periodic work of the audit trail."""

from backoffice.audit import anchors, chain, verification
from backoffice.core import jobs


@jobs.handler("audit.seal", timeout=600)
def seal(job: jobs.JobContext) -> None:
    """Links what was written since the last time."""
    chain.seal()


@jobs.handler("audit.anchor", timeout=600)
def anchor(job: jobs.JobContext) -> None:
    """Writes the chain's head to the day's file outside the database."""
    chain.seal()
    anchors.write()


@jobs.handler("audit.verify", timeout=3600, max_attempts=1)
def verify(job: jobs.JobContext) -> None:
    """Recomputes the chain and compares it with the anchors; what is wrong ends on the dead-letter list."""
    result = verification.run()
    if result.findings:
        first = "; ".join(str(finding) for finding in result.findings[:5])
        raise jobs.Dead(f"{len(result.findings)} finding(s): {first}")
