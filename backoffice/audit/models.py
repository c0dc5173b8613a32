"""Who did what to what, when and why. Written once; a chain of hashes shows any later change (E-081)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import AppendOnly


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
