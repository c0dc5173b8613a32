"""Background work of creators: each handler calls one service and may run twice."""

from backoffice.core import jobs
from backoffice.creators.services import applications, creators, documents


@jobs.handler("creators.return_abandoned")
def return_abandoned(job: jobs.JobContext) -> None:
    """Every minute: applications whose lease ran out go back to the queue (S-004)."""
    applications.return_abandoned()


@jobs.handler("creators.activate_ready")
def activate_ready(job: jobs.JobContext) -> None:
    """Every five minutes: approved creators whose facts are all there go live (S-009)."""
    applications.activate_ready()


@jobs.handler("creators.lapse_applications")
def lapse_applications(job: jobs.JobContext) -> None:
    """Daily: applications left alone for too long are closed (S-011)."""
    applications.lapse_due()


@jobs.handler("creators.expire_documents")
def expire_documents(job: jobs.JobContext) -> None:
    """Daily: documents past their date expire, and their creators are asked for new ones (S-020)."""
    creators.expire_documents()


@jobs.handler("creators.purge_documents")
def purge_documents(job: jobs.JobContext) -> None:
    """Daily: documents past their purge date are destroyed (S-021)."""
    documents.purge_due()


@jobs.handler("creators.end_suspensions")
def end_suspensions(job: jobs.JobContext) -> None:
    """Hourly: suspensions with an end date end (S-015)."""
    creators.end_suspensions()


@jobs.handler("creators.hold_overdue")
def hold_overdue(job: jobs.JobContext) -> None:
    """Daily: payouts of overdue re-verifications are held (S-017)."""
    creators.hold_overdue()
