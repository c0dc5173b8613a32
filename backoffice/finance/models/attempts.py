"""The row that makes a call to a provider safe to repeat."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record
from backoffice.finance.states import AttemptStatus, Operation


class Attempt(Record):
    """One intention to move money at a provider, committed before the call (money.md, "Crash protocol").

    Its id goes into the call's metadata, its key makes a repeated call harmless for as long as the provider keeps it.
    A second attempt for the same subject and operation exists only after proof that the one before did nothing.
    """

    provider = models.CharField(_("provider"), max_length=30)
    operation = models.CharField(_("operation"), max_length=12, choices=Operation.choices)
    subject_type = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    number = models.PositiveIntegerField(_("number"), default=1)
    key = models.CharField(_("idempotency key"), max_length=200, unique=True)
    request_hash = models.CharField(max_length=64)
    request = models.JSONField(_("request"))
    first_sent_at = models.DateTimeField(_("first sent"))
    last_sent_at = models.DateTimeField(_("last sent"))
    sends = models.PositiveIntegerField(_("times sent"), default=1)
    status = models.CharField(_("status"), max_length=10, choices=AttemptStatus.choices, default=AttemptStatus.OPEN)
    provider_id = models.CharField(_("provider's id"), max_length=255, blank=True, default="")
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    error = models.TextField(_("error"), blank=True, default="")
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("provider call")
        verbose_name_plural = _("provider calls")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject_id", "operation", "number"], name="attempt_number_once_per_operation"
            ),
            models.UniqueConstraint(
                fields=["subject_id", "operation"],
                condition=Q(status__in=["open", "done"]),
                name="attempt_one_live_per_operation",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_id"],
                condition=~Q(provider_id=""),
                name="attempt_provider_id_once",
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | ~Q(provider_id=""), name="attempt_done_has_provider_id"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["first_sent_at"], condition=Q(status="open"), name="attempt_open"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {str(self.id)[-8:]}"
