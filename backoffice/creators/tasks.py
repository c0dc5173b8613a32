"""Background work of creators: each handler calls one service and may run twice."""

from backoffice.core import jobs
from backoffice.creators.models import CreatorApplication
from backoffice.creators.services import applications, creators, documents, renewals, tax, training
from integrations.antivirus.types import ScannerUnavailable

SCAN_AGAIN_SECONDS = 60


@jobs.handler("creators.return_abandoned")
def return_abandoned(job: jobs.JobContext) -> None:
    """Every minute: applications whose lease ran out go back to the queue (S-004), late ones to the supervisors."""
    applications.return_abandoned()
    applications.escalate_due()
    applications.settle_due()


@jobs.handler(applications.SETTLE)
def settle(job: jobs.JobContext, *, application_id: str) -> None:
    """The undo window of a decision is over."""
    applications.settle(application=CreatorApplication.objects.get(pk=application_id))


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
    """Hourly: documents past their purge date are destroyed (S-021)."""
    documents.purge_due()


@jobs.handler("creators.end_suspensions")
def end_suspensions(job: jobs.JobContext) -> None:
    """Hourly: suspensions with an end date end (S-015)."""
    creators.end_suspensions()


@jobs.handler("creators.hold_overdue")
def hold_overdue(job: jobs.JobContext) -> None:
    """Daily: payouts of overdue re-verifications are held (S-017)."""
    creators.hold_overdue()


@jobs.handler(documents.SCAN, max_attempts=6)
def scan_document(job: jobs.JobContext, *, document_id: str) -> None:
    """One document through the virus scanner; without a verdict it is tried again, and by `scan_documents` for good."""
    try:
        documents.scan(document_id=document_id)
    except ScannerUnavailable as error:
        raise jobs.Retry(SCAN_AGAIN_SECONDS, str(error)) from error


@jobs.handler("creators.scan_documents")
def scan_documents(job: jobs.JobContext) -> None:
    """Every five minutes: documents that still wait for the virus scan are handed to it again (X-054)."""
    documents.scan_waiting()


@jobs.handler("creators.tell_expiring")
def tell_expiring(job: jobs.JobContext) -> None:
    """Hourly: owners of documents and tax forms that end soon are told, each once (S-020, V-018)."""
    documents.tell_expiring()
    tax.tell_expiring()


@jobs.handler("creators.review_due")
def review_due(job: jobs.JobContext) -> None:
    """Hourly: creators verified a year ago, or with an ID that ends soon, come up for review (S-017)."""
    renewals.put_due()


@jobs.handler("creators.expire_tax_profiles")
def expire_tax_profiles(job: jobs.JobContext) -> None:
    """Hourly: tax forms past their date expire, and old tax ids are destroyed (E-021, N-063)."""
    tax.expire_due()
    tax.purge_due()


@jobs.handler("creators.remind_onboarding")
def remind_onboarding(job: jobs.JobContext) -> None:
    """Daily: approved creators hear what is missing before they go live (V-014)."""
    training.remind_due()
