"""Settings that staff change while the platform runs (E-078)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import AppendOnly, Record


class SettingVersion(Record, AppendOnly):
    """One value of one setting; the newest row counts, older ones are its history.

    ``previous`` is what was in force before. ``source`` is the reference of the request that was approved for it.
    """

    key = models.CharField(_("key"), max_length=80)
    value = models.JSONField(_("value"))
    previous = models.JSONField(_("value before"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("changed by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    source = models.CharField(_("request"), max_length=16, blank=True, default="")
    restored_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("went back to")
    )

    class Meta:
        verbose_name = _("setting version")
        verbose_name_plural = _("setting versions")
        indexes: ClassVar = [models.Index(fields=["key", "-created_at"], name="setting_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("changed_by")),
                name="setting_approved_by_another_person",
            )
        ]

    def __str__(self) -> str:
        return self.key
