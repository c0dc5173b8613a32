import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core.ids import reference
from backoffice.core.models import Record


def new_reference() -> str:
    """A fresh public reference such as LH-7K2M9Q."""
    return reference("LH")


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    def active(self, at: dt.datetime) -> "LegalHoldQuerySet":
        """Holds that keep data at that moment."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=at), lifted_at__isnull=True)


class LegalHold(Record):
    """Keeps everything of one person from purge and erasure while it stands (E-084, X-037).

    One person may be held several times, for several matters; what is held once is held.
    """

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="legal_holds", editable=False)
    reason = models.TextField(_("reason"), max_length=2000)
    authority = models.CharField(_("reference of the authority"), max_length=200, blank=True)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    placed_at = models.DateTimeField(editable=False)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    lift_reason = models.TextField(max_length=2000, blank=True, editable=False)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ("-placed_at", "-id")
        indexes = (
            models.Index(fields=("person",), condition=Q(lifted_at__isnull=True), name="legal_hold_person"),
            models.Index(fields=("-placed_at", "-id"), name="legal_hold_newest"),
        )
        constraints = (
            models.CheckConstraint(name="legal_hold_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="legal_hold_lifted_whole",
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
            ),
            models.CheckConstraint(
                name="legal_hold_ends_later", condition=Q(until__isnull=True) | Q(until__gt=models.F("placed_at"))
            ),
        )

    def __str__(self) -> str:
        return self.reference

    def is_active(self, at: dt.datetime) -> bool:
        """Whether it keeps data at that moment; the same rule as `objects.active`."""
        return self.lifted_at is None and (self.until is None or self.until > at)
