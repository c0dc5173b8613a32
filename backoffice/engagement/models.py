"""Two append-only tables: what viewers did, and each decision to let somebody watch."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.catalogue.models import Title
from backoffice.core.models import AppendOnly, Record
from backoffice.creators.models import Creator


class EngagementEvent(AppendOnly, Record):
    """One thing a viewer did (E-030). Holds a keyed hash of the address, never the address."""

    class Type(models.TextChoices):
        VIEW = "view", _("Page seen")
        PLAY = "play", _("Playback started")
        COMPLETE = "complete", _("Watched to the end")
        SHARE = "share", _("Shared")

    event_type = models.CharField(_("event"), max_length=20, choices=Type.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("viewer"),
    )
    title = models.ForeignKey(Title, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("title"))
    creator = models.ForeignKey(
        Creator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("creator")
    )
    occurred_at = models.DateTimeField(_("when"))
    country = models.CharField(_("country"), max_length=2, blank=True)
    ip_hash = models.CharField(_("address hash"), max_length=64, blank=True)
    session_id = models.CharField(_("session"), max_length=64, blank=True)
    client = models.CharField(_("client"), max_length=20, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)

    class Meta:
        verbose_name = _("engagement event")
        verbose_name_plural = _("engagement events")
        indexes: ClassVar = [
            models.Index(fields=["title", "event_type", "occurred_at"], name="event_title_type"),
            models.Index(fields=["creator", "event_type", "occurred_at"], name="event_creator_type"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {str(self.id)[-8:]}"


class PlaybackGrant(AppendOnly, Record):
    """The evidence of one answer to "may I watch this?", granted or not (E-032, F-010)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("viewer"))
    title = models.ForeignKey(Title, models.PROTECT, related_name="+", verbose_name=_("title"))
    granted = models.BooleanField(_("granted"))
    reason = models.CharField(_("reason"), max_length=40)
    expires_at = models.DateTimeField(_("link valid until"), null=True, blank=True)
    client = models.CharField(_("client"), max_length=20, blank=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("playback grant")
        verbose_name_plural = _("playback grants")
        indexes: ClassVar = [
            models.Index(fields=["title", "-at"], name="grant_title"),
            models.Index(fields=["user", "-at"], name="grant_user"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(granted=True, expires_at__isnull=False)
                | models.Q(granted=False, expires_at__isnull=True),
                name="grant_expiry_when_granted",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reason} {str(self.id)[-8:]}"
