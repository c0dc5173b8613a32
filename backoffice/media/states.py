"""The states of an upload, of a file's processing and of one processing step, as tables."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine

RETRY = "titles.decide"


class UploadState(models.TextChoices):
    """An upload in parts, straight to storage."""

    STARTED = "started", _("Started")
    COMPLETED = "completed", _("Completed")
    EXPIRED = "expired", _("Expired")
    ABORTED = "aborted", _("Aborted")


class Processing(models.TextChoices):
    """Where a file stands (E-025)."""

    UPLOADING = "uploading", _("Uploading")
    PROCESSING = "processing", _("Processing")
    READY = "ready", _("Ready")
    ERROR = "error", _("Failed")
    QUARANTINED = "quarantined", _("Quarantined")


class StepState(models.TextChoices):
    """One line of the checklist (F-013)."""

    PENDING = "pending", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    NOT_CONFIGURED = "not_configured", _("Not configured")


# Nothing more happens by itself in these.
FAILED = (Processing.ERROR, Processing.QUARANTINED)
PROCESSED = (Processing.READY, Processing.ERROR, Processing.QUARANTINED)
# A step in one of these is not run again.
FINISHED_STEPS = (StepState.DONE, StepState.NOT_CONFIGURED)

UPLOAD = Machine(
    "upload",
    field="state",
    record=entries.record_transition,
    rows=[
        (UploadState.STARTED, "complete", UploadState.COMPLETED, ""),
        (UploadState.STARTED, "abort", UploadState.ABORTED, ""),
        (UploadState.STARTED, "expire", UploadState.EXPIRED, ""),
    ],
)

PROCESSING = Machine(
    "asset",
    field="processing_status",
    record=entries.record_transition,
    rows=[
        (Processing.UPLOADING, "begin", Processing.PROCESSING, ""),  # S-058
        (Processing.PROCESSING, "finish", Processing.READY, ""),  # S-059
        (Processing.PROCESSING, "fail", Processing.ERROR, ""),  # S-060
        (Processing.ERROR, "retry", Processing.PROCESSING, RETRY),  # S-061; the owner may, too
        (Processing.UPLOADING, "quarantine", Processing.QUARANTINED, ""),  # S-062
        (Processing.PROCESSING, "quarantine", Processing.QUARANTINED, ""),  # S-062
    ],
)
