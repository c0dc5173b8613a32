"""Background work on files."""

from backoffice.core import jobs
from backoffice.media.services import assets, processing, uploads

# Longer than the longest single run of the provider.
TIMEOUT_SECONDS = 4 * 3600
BUSY_SECONDS = 60


@jobs.handler(assets.PROCESS, queue="media", max_attempts=5, timeout=TIMEOUT_SECONDS)
def process_asset(job: jobs.JobContext, *, asset_id: str) -> None:
    """Take a file through its steps; a second run goes on where the first was killed."""
    try:
        processing.process(asset_id, on_progress=job.progress)
    except processing.Busy as busy:
        raise jobs.Retry(BUSY_SECONDS, "another process works on this file") from busy


@jobs.handler("media.recover", queue="default")
def recover(job: jobs.JobContext) -> None:
    """Take up files whose process was killed."""
    processing.recover()


@jobs.handler("media.expire_uploads", queue="default")
def expire_uploads(job: jobs.JobContext) -> None:
    """End uploads that nobody finished."""
    uploads.expire_due()
