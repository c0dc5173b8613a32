from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.creators import states
from backoffice.creators.models.application import CreatorApplication


class DocumentKey(Record):
    """The data key of one person's documents and tax ids, wrapped by a master key.

    Destroying the row's key material makes every document of that person unreadable,
    copies in backups of the file store included. While contents are encrypted anew there are two keys:
    `wrapped` of `version`, and `next_wrapped` of the version after it.
    """

    subject = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="document_key", editable=False
    )
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    wrapped = models.BinaryField(null=True, editable=False)
    next_wrapped = models.BinaryField(null=True, editable=False)
    master = models.CharField(max_length=16, editable=False)
    renewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    destroyed_at = models.DateTimeField(null=True, blank=True, editable=False)
    destroyed_because = models.CharField(max_length=8, choices=states.KeyEnd, blank=True, db_default="", editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="document_key_next_beside_present",
                condition=models.Q(next_wrapped__isnull=True) | models.Q(wrapped__isnull=False),
            ),
            models.CheckConstraint(
                name="document_key_kept_or_destroyed",
                condition=models.Q(wrapped__isnull=False, destroyed_at__isnull=True)
                | models.Q(wrapped__isnull=True, destroyed_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"key {str(self.pk)[-8:]}"


class KeyRotation(Record):
    """One run of the key rotation; an unfinished one is gone on with by the next call."""

    class Kind(models.TextChoices):
        REWRAP = "rewrap", _("Keys wrapped under the newest master key")
        REENCRYPT = "reencrypt", _("Contents encrypted under new keys")

    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    master = models.CharField(max_length=16, editable=False)
    started_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    keys = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("kind",), condition=models.Q(finished_at__isnull=True), name="key_rotation_one_unfinished"
            ),
        )

    def __str__(self) -> str:
        return f"rotation {str(self.pk)[-8:]}"


class VerificationDocument(Record):
    """An identity document; the file itself is ciphertext in private storage (E-015)."""

    application = models.ForeignKey(CreatorApplication, models.PROTECT, related_name="documents", editable=False)
    subject = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    document_type = models.CharField(max_length=24, choices=states.DocumentType, editable=False)
    status = models.CharField(
        max_length=12,
        choices=states.DocumentStatus,
        default=states.DocumentStatus.PENDING,
        editable=False,
    )
    storage_key = models.CharField(max_length=120, blank=True, editable=False)
    key_version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    # Why the virus scan has not come to an end, or what it found.
    scan_detail = models.CharField(max_length=300, blank=True, db_default="", editable=False)
    scanned_at = models.DateTimeField(null=True, blank=True, editable=False)
    content_type = models.CharField(max_length=40, editable=False)
    bytes = models.PositiveBigIntegerField(editable=False)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    opened_at = models.DateTimeField(null=True, blank=True, editable=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    reviewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    reason = models.TextField(blank=True, editable=False)
    document_expires_on = models.DateField(null=True, blank=True)
    purge_after = models.DateTimeField(null=True, blank=True, editable=False)
    purged_at = models.DateTimeField(null=True, blank=True, editable=False)
    expiry_told_at = models.DateTimeField(null=True, blank=True, editable=False)

    machine: ClassVar[Machine] = states.DOCUMENT

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            models.Index(
                fields=("purge_after",),
                condition=models.Q(purged_at__isnull=True),
                name="document_purge_due",
            ),
            models.Index(
                fields=("document_expires_on",),
                condition=models.Q(status="verified"),
                name="document_expiry_due",
            ),
            models.Index(
                fields=("created_at",),
                condition=models.Q(status="scanning"),
                name="document_scan_due",
            ),
            models.Index(fields=("subject", "key_version"), name="document_subject_key"),
        )
        constraints = (
            models.CheckConstraint(
                name="document_purged_has_no_file",
                condition=~models.Q(status="purged") | models.Q(storage_key=""),
            ),
        )

    def __str__(self) -> str:
        return f"document {str(self.pk)[-8:]}"
