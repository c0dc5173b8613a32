"""How a moderation case moves (S-064 to S-070).

A decision does not take effect at once: the case is `settling` until the undo window is over. `OPEN` are the states
in which a case still waits for somebody or something.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine


class Status(models.TextChoices):
    NEW = "new", _("New")
    QUEUED = "queued", _("Waiting")
    IN_REVIEW = "in_review", _("In review")
    SETTLING = "settling", _("Decided, can still be undone")
    ESCALATED = "escalated", _("Escalated")
    APPROVED = "approved", _("Approved")
    AUTO_APPROVED = "auto_approved", _("Approved by policy")
    REJECTED = "rejected", _("Rejected")


OPEN = (Status.NEW, Status.QUEUED, Status.IN_REVIEW, Status.SETTLING, Status.ESCALATED)
WAITING = (Status.QUEUED, Status.IN_REVIEW, Status.ESCALATED)

MACHINE = Machine(
    "case",
    field="status",
    record=entries.record_transition,
    rows=[
        (Status.NEW, "auto_approve", Status.AUTO_APPROVED, ""),
        (Status.NEW, "queue", Status.QUEUED, ""),
        (Status.QUEUED, "claim", Status.IN_REVIEW, "cases.decide"),
        # A lease that ran out leaves the case in review; the next person takes it over.
        (Status.IN_REVIEW, "claim", Status.IN_REVIEW, "cases.decide"),
        (Status.IN_REVIEW, "release", Status.QUEUED, "cases.decide"),
        (Status.IN_REVIEW, "decide", Status.SETTLING, "cases.decide"),
        (Status.SETTLING, "undo", Status.IN_REVIEW, "cases.decide"),
        (Status.SETTLING, "approve", Status.APPROVED, ""),
        (Status.SETTLING, "reject", Status.REJECTED, ""),
        # The title changed between decision and effect: the case is looked at again.
        (Status.SETTLING, "void", Status.QUEUED, ""),
        (Status.IN_REVIEW, "escalate", Status.ESCALATED, "cases.decide"),
        (Status.ESCALATED, "claim", Status.IN_REVIEW, "cases.decide"),
    ],
)
