"""What becomes of a request for approval (S-125)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine


class Status(models.TextChoices):
    """Where a request stands."""

    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", _("Approved, under way")
    APPLIED = "applied", _("Applied")
    FAILED = "failed", _("Approved, but not possible")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")
    WITHDRAWN = "withdrawn", _("Withdrawn")


S = Status
# Somebody or something still has to act.
UNFINISHED = (S.PENDING, S.APPROVED)

MACHINE = Machine(
    "approval_request",
    field="status",
    record=entries.record_transition,
    # Who may give or refuse the yes depends on the kind: `kinds.Kind.permission`.
    rows=[
        (S.PENDING, "approve", S.APPROVED, ""),
        (S.PENDING, "reject", S.REJECTED, ""),
        (S.PENDING, "expire", S.EXPIRED, ""),
        (S.PENDING, "withdraw", S.WITHDRAWN, ""),
        # An edit: what was approved is not what would happen now.
        (S.PENDING, "revise", S.PENDING, ""),
        (S.APPROVED, "revise", S.PENDING, ""),
        (S.APPROVED, "withdraw", S.WITHDRAWN, ""),
        (S.APPROVED, "apply", S.APPLIED, ""),
        (S.APPROVED, "fail", S.FAILED, ""),
    ],
)
