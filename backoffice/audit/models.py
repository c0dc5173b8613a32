"""Who did what to what, when and why. Written once; a chain of hashes shows any later change (E-081)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.ids import reference
from backoffice.core.models import AppendOnly, Job, Record


def export_reference() -> str:
    """A fresh reference such as EX-7K2M9QBD."""
    return reference("EX")


class AuditEntry(AppendOnly):
    """One action. The numbers leave gaps when a transaction is rolled back; the chain's positions do not."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), default=clock.now)
    action = models.CharField(_("action"), max_length=80)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("actor")
    )
    actor_roles = models.JSONField(_("roles at the time"), default=list)
    subject_type = models.CharField(_("kind of object"), max_length=80, blank=True)
    subject_id = models.CharField(_("object"), max_length=64, blank=True)
    subject_label = models.CharField(_("label"), max_length=200, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    data = models.JSONField(_("data"), default=dict)
    ip = models.CharField(_("address"), max_length=45, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="audit_subject"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["-at"], name="audit_at"),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="audit_request"),
            # An object by the reference that people know, such as PO-7K2M9QBD.
            models.Index(
                Upper("subject_label"), models.F("id").desc(), condition=~Q(subject_label=""), name="audit_label"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"


class ChainLink(AppendOnly):
    """The entry's place in the chain. Links are added by one writer at a time, soon after the entry's commit.

    Chaining inside every transaction would make all of them wait for one lock, and wait in different orders.
    """

    position = models.BigIntegerField(_("position"), primary_key=True)
    entry = models.OneToOneField(AuditEntry, models.PROTECT, related_name="link", verbose_name=_("entry"))
    previous_hash = models.CharField(_("hash before"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)
    sealed_at = models.DateTimeField(_("sealed at"), default=clock.now)

    class Meta:
        verbose_name = _("chain link")
        verbose_name_plural = _("chain links")

    def __str__(self) -> str:
        return f"#{self.position}"


class ExportRecord(Record):
    """One file that left the desk: who took which rows, how many, and why (E-088).

    ``rows`` is empty until the file is complete. A file that is kept (an evidence bundle) is made by ``job``, lies in
    private storage under ``storage_key`` and is destroyed after ``expires_at``; any other was streamed and kept by
    nobody. Whom or what the file is about is a fact, not a key: this floor knows no nouns.
    """

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        ZIP = "zip", "ZIP"

    reference = models.CharField(_("reference"), max_length=16, unique=True, default=export_reference, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    dataset = models.CharField(_("what"), max_length=40)
    filters = models.JSONField(_("filter"), default=dict)
    format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    reason = models.TextField(_("reason"))
    ticket = models.CharField(_("ticket"), max_length=20, blank=True)
    subject_type = models.CharField(_("kind of object"), max_length=80, blank=True)
    subject_id = models.CharField(_("object"), max_length=64, blank=True)
    subject_label = models.CharField(_("label"), max_length=200, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job"))
    storage_key = models.CharField(max_length=200, blank=True, editable=False)
    bytes = models.PositiveBigIntegerField(_("bytes"), null=True, blank=True)
    digest = models.CharField(_("SHA-256 of the file"), max_length=64, blank=True)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True)
    purged_at = models.DateTimeField(_("destroyed"), null=True, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="export_user"),
            models.Index(fields=["dataset", "-id"], name="export_dataset"),
            models.Index(
                fields=["expires_at"], condition=~Q(storage_key="") & Q(purged_at=None), name="export_to_purge"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="export_has_reason"),
            models.CheckConstraint(
                condition=Q(storage_key="") | Q(expires_at__isnull=False), name="export_kept_file_expires"
            ),
        ]

    def __str__(self) -> str:
        return self.reference
