"""Refunds that staff ask for (E-045). The posting of what the provider gave back is `payments.Refund`."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.approvals.models import ApprovalRequest
from backoffice.core.ids import reference
from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.finance import states
from backoffice.finance.models.payments import Payment, Refund


def new_reference() -> str:
    """A fresh public reference such as RF-7K2M9QBD."""
    return reference("RF")


class RefundReason(models.TextChoices):
    """Why a customer gets money back. What of it the provider is told: `policies.refunds.PROVIDER_REASONS`."""

    REQUESTED = "requested", _("The customer changed their mind")
    DUPLICATE = "duplicate", _("Paid twice")
    NOT_AS_DESCRIBED = "not_as_described", _("Not as described")
    NOT_PLAYABLE = "not_playable", _("The title could not be played")
    TAKEN_DOWN = "taken_down", _("The title was taken down")
    UNAUTHORISED = "unauthorised", _("The customer did not pay this themselves")
    GOODWILL = "goodwill", _("Goodwill")
    OTHER = "other", _("Another reason")


class RefundRequest(Record):
    """One refund of one payment that a person of the staff asked for (S-094). Minor units of ``currency``.

    ``approval`` is the request for the second person; ``refund`` the posting that counts this refund, empty while it is
    not counted. ``ticket`` is the reference of a support ticket, kept as text. ``answer`` is the provider's word for
    the refund's state when it was last read.
    """

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="refund_requests", verbose_name=_("payment"), editable=False
    )
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=20, choices=RefundReason.choices)
    note = models.TextField(_("note"), blank=True, default="")
    ticket = models.CharField(_("ticket"), max_length=20, blank=True, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    approval = models.OneToOneField(
        ApprovalRequest, models.PROTECT, null=True, blank=True, related_name="refund_request", editable=False
    )
    # Nobody else had to agree: counts against `refund.auto_limit`.
    is_single_handed = models.BooleanField(default=False, editable=False)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=states.RefundStatus.choices,
        default=states.RefundStatus.REQUESTED,
        editable=False,
    )
    provider_refund_id = models.CharField(_("provider's refund"), max_length=255, blank=True, default="")
    answer = models.CharField(max_length=30, blank=True, default="")
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, blank=True, related_name="requests", verbose_name=_("posting")
    )
    failure_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    failure = models.TextField(_("error"), blank=True, default="")
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    succeeded_at = models.DateTimeField(_("refunded"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    machine: ClassVar[Machine] = states.REFUND

    class Meta:
        verbose_name = _("refund request")
        verbose_name_plural = _("refund requests")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_request_amount_positive"),
            models.CheckConstraint(
                condition=Q(status__in=states.RefundStatus.values), name="refund_request_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="succeeded")
                | (Q(refund__isnull=False, succeeded_at__isnull=False) & ~Q(provider_refund_id="")),
                name="refund_request_succeeded_is_counted",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "processing", "unknown", "needs_human", "succeeded"])
                | Q(approval__isnull=False),
                name="refund_request_approved",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["failed", "needs_human"]) | ~Q(failure=""), name="refund_request_says_why"
            ),
            models.UniqueConstraint(
                fields=["provider_refund_id"],
                condition=~Q(provider_refund_id=""),
                name="refund_request_provider_id_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["payment", "-id"], name="refund_request_payment"),
            models.Index(fields=["status", "-id"], name="refund_request_status"),
            models.Index(fields=["ticket"], condition=~Q(ticket=""), name="refund_request_ticket"),
            # What waits for somebody or something, and what contradicts the provider: a few of many.
            models.Index(
                fields=["-id"],
                condition=Q(status__in=[str(s) for s in states.LIVE_REFUNDS]) | Q(failure_code="contradiction"),
                name="refund_request_open",
            ),
            models.Index(
                fields=["updated_at"],
                condition=Q(status__in=["approved", "processing", "unknown"]),
                name="refund_request_under_way",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
