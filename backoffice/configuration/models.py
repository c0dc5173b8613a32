"""Settings that staff change while the platform runs (E-078)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import AppendOnly, Record


class SettingVersion(Record, AppendOnly):
    """One value of one setting; the newest row counts, older ones are its history."""

    key = models.CharField(_("key"), max_length=80)
    value = models.JSONField(_("value"))
    reason = models.TextField(_("reason"), blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("setting version")
        verbose_name_plural = _("setting versions")
        indexes: ClassVar = [models.Index(fields=["key", "-created_at"], name="setting_newest")]

    def __str__(self) -> str:
        return self.key
