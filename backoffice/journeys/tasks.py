"""Background work of the imports and of what is taken out."""

from backoffice.audit.models import ExportRecord
from backoffice.core import jobs
from backoffice.core.errors import DomainError
from backoffice.journeys.models import ImportRun
from backoffice.journeys.services import evidence
from backoffice.journeys.services.imports import runs


@jobs.handler(runs.CHECK, timeout=900, max_attempts=3)
def check_import(job: jobs.JobContext, *, run_id: str) -> None:
    """The dry run of an uploaded file."""
    runs.check(run=ImportRun.objects.select_related("created_by").get(pk=run_id), tell=job.progress)


@jobs.handler("journeys.discard_imports", timeout=120)
def discard_imports(job: jobs.JobContext) -> None:
    """Throws away uploaded files that nobody confirmed."""
    runs.discard_due()


@jobs.handler(runs.APPLY, timeout=3600, max_attempts=3)
def apply_import(job: jobs.JobContext, *, run_id: str) -> None:
    """Writes a confirmed file."""
    with job.aside() as tell:
        runs.apply(run=ImportRun.objects.select_related("created_by").get(pk=run_id), tell=tell)


@jobs.handler(evidence.MAKE, queue="reports", timeout=1800, max_attempts=3)
def make_evidence(job: jobs.JobContext, *, export_id: str) -> None:
    """Writes the evidence bundle that somebody asked for."""
    try:
        evidence.make(made=ExportRecord.objects.select_related("user").get(pk=export_id), tell=job.progress)
    except DomainError as refusal:
        raise jobs.Dead(str(refusal)) from refusal


@jobs.handler("journeys.purge_exports", timeout=300)
def purge_exports(job: jobs.JobContext) -> None:
    """Destroys kept files whose time is over."""
    evidence.purge_due()
