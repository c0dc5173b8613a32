from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record
from backoffice.creators.models.creator import Creator


class Sanction(Record):
    """What the platform did to a creator who broke its rules, and how it ended (E-061, S-014, S-076)."""

    class Kind(models.TextChoices):
        SUSPENSION = "suspension", _("Suspension")

    class Ended(models.TextChoices):
        LIFTED = "lifted", _("Lifted")
        EXPIRED = "expired", _("Expired")

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="sanctions")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.SUSPENSION)
    reason = models.TextField(_("reason"))
    # Empty: the system, on a critical alert.
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    issued_at = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_as = models.CharField(max_length=8, choices=Ended, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    end_reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("sanction")
        verbose_name_plural = _("sanctions")
        ordering = ("-issued_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("creator", "kind"), condition=models.Q(ended_at=None), name="sanction_one_running"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="sanction_has_reason"),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | ~models.Q(ended_as=""), name="sanction_end_is_named"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.pk)[-8:]}"
