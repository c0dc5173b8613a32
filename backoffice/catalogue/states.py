"""How a title moves: its moderation status and its processing status are two independent machines (Q-012)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine


class Moderation(models.TextChoices):
    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class Visibility(models.TextChoices):
    PUBLIC = "public", _("Public")
    PRIVATE = "private", _("Private")


class Processing(models.TextChoices):
    PROCESSING = "processing", _("Processing")
    READY = "ready", _("Ready")
    ERROR = "error", _("Failed")


# S-049 to S-054. "take_down" and "restore" are for what was once approved; a taken down title is only restored
# by staff, never resubmitted by its creator: `policies` tells the two kinds of rejected apart by `removed_at`.
MODERATION = Machine(
    "title",
    field="moderation_status",
    record=entries.record_transition,
    rows=[
        (Moderation.PENDING, "approve", Moderation.APPROVED, "titles.decide"),
        (Moderation.PENDING, "reject", Moderation.REJECTED, "titles.decide"),
        (Moderation.REJECTED, "resubmit", Moderation.PENDING, ""),
        (Moderation.APPROVED, "rereview", Moderation.PENDING, ""),
        (Moderation.APPROVED, "take_down", Moderation.REJECTED, "titles.decide"),
        (Moderation.REJECTED, "restore", Moderation.APPROVED, "titles.decide"),
    ],
)

# S-058 to S-061, seen from the title: its video is being prepared, playable, or broken.
PROCESSING = Machine(
    "title",
    field="processing_status",
    record=entries.record_transition,
    rows=[
        (Processing.PROCESSING, "finish_processing", Processing.READY, ""),
        (Processing.PROCESSING, "fail_processing", Processing.ERROR, ""),
        (Processing.ERROR, "retry_processing", Processing.PROCESSING, "titles.decide"),
        (Processing.READY, "replace_video", Processing.PROCESSING, ""),
        (Processing.ERROR, "replace_video", Processing.PROCESSING, ""),
    ],
)
