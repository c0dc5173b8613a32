"""What people are told (E-074)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record


class Notification(Record):
    """One message to one person on one channel."""

    class Channel(models.TextChoices):
        IN_APP = "in_app", _("In the product")
        EMAIL = "email", _("E-mail")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        DEAD = "dead", _("Could not be sent")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", verbose_name=_("person")
    )
    event = models.CharField(_("event"), max_length=100)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    language = models.CharField(_("language"), max_length=5, default="en")
    data = models.JSONField(_("data"), default=dict)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("text"), blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notification_of_person"),
            models.Index(fields=["state", "created_at"], name="notification_state"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {str(self.id)[-8:]}"
