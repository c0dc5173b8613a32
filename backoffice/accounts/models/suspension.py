"""A member's account that is closed by staff: why, by whom, and how it was opened again (W-027, P-006)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import Record


class Suspension(Record):
    """A member's account closed from a moment on; open again when it has an end. One runs at a time.

    A suspension answers what the person did and is a matter of operations too; a deactivation ends the account.
    """

    class Kind(models.TextChoices):
        SUSPENSION = "suspension", _("Suspended")
        DEACTIVATION = "deactivation", _("Deactivated")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="suspensions", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    reason = models.TextField(_("reason"))
    started_at = models.DateTimeField(_("since"), default=clock.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )
    end_reason = models.TextField(_("why it ended"), blank=True, default="")

    class Meta:
        verbose_name = _("suspension of a member")
        verbose_name_plural = _("suspensions of members")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at=None), name="suspension_one_at_a_time"),
            models.CheckConstraint(condition=~Q(reason=""), name="suspension_has_reason"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None, end_reason="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="suspension_end_is_whole",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "-id"], name="suspension_of_person")]

    def __str__(self) -> str:
        return f"suspension {str(self.id)[-8:]}"
