"""Requests that somebody else has to approve (E-082). Knows no business noun: a subject is a kind and a key."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.approvals import states
from backoffice.core.ids import reference
from backoffice.core.models import AppendOnly, Record
from backoffice.core.states import Machine


def new_reference() -> str:
    """A fresh public reference such as AR-7K2M9QBD."""
    return reference("AR")


class ApprovalRequest(Record):
    """One thing that one person asks for and others approve.

    ``payload`` is what will be done, in the words of its kind; ``before`` is what is in force now. ``revision`` rises
    with every edit, and approvals count for the revision that they were given for. ``needed`` is how many people
    besides the requester have to say yes; 0 is none.
    """

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    subject_type = models.CharField(_("kind of object"), max_length=80, blank=True, default="")
    subject_id = models.CharField(_("object"), max_length=120, blank=True, default="")
    # For lists and mails: never a person's data.
    label = models.CharField(_("what"), max_length=200)
    payload = models.JSONField(_("what will be done"), default=dict)
    before = models.JSONField(_("what is in force"), null=True, blank=True)
    # Of what the payload refers to, where that can change by itself; compared by the kind.
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    needed = models.PositiveSmallIntegerField(_("approvals needed"), default=1)
    status = models.CharField(
        _("status"), max_length=10, choices=states.Status.choices, default=states.Status.PENDING, editable=False
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    reason = models.TextField(_("reason"), blank=True, default="")
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    # Whoever ended it: the last yes, the no, or the withdrawal; empty when time or the system did.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.TextField(_("reason of the decision"), blank=True, default="")
    failure = models.TextField(_("why it was not possible"), blank=True, default="")

    machine: ClassVar[Machine] = states.MACHINE

    class Meta:
        verbose_name = _("request for approval")
        verbose_name_plural = _("requests for approval")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            # What the approvals' composite foreign key points to: an approval repeats who asked.
            models.UniqueConstraint(fields=["id", "requested_by"], name="approval_request_requester"),
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id"],
                condition=Q(status__in=["pending", "approved"]) & ~Q(subject_id=""),
                name="approval_request_one_unfinished",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(decision_reason=""), name="approval_rejection_has_reason"
            ),
            models.CheckConstraint(condition=~Q(status="failed") | ~Q(failure=""), name="approval_failure_has_reason"),
            models.CheckConstraint(condition=Q(needed__lte=9), name="approval_needed_in_bounds"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-id"], condition=Q(status="pending"), name="approval_pending"),
            models.Index(fields=["expires_at"], condition=Q(status="pending"), name="approval_due"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="approval_subject"),
            models.Index(fields=["requested_by", "-id"], name="approval_mine"),
            models.Index(fields=["status", "-id"], name="approval_status"),
        ]

    def __str__(self) -> str:
        return self.reference


class Approval(Record, AppendOnly):
    """One person's yes to a request as it stood at one revision.

    The database refuses the requester's own yes: the row repeats who asked (composite foreign key) and checks it.
    """

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="approvals")
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("approved by")
    )
    revision = models.PositiveIntegerField(_("revision"))
    approved_at = models.DateTimeField(_("approved"))

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(approver=F("requester")), name="approved_by_another_person"),
            models.UniqueConstraint(fields=["request", "revision", "approver"], name="approved_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"approval {str(self.pk)[-8:]}"
