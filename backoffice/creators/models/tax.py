from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.creators import states
from backoffice.creators.models.creator import Creator


class TaxProfile(Record):
    """A creator's tax form; the tax id is ciphertext under the person's own key (E-021, X-019).

    A new form replaces the one before, which stays as history until its time is over (N-063).
    """

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="tax_profiles", editable=False)
    form = models.CharField(_("form"), max_length=8, choices=states.TaxForm)
    country = models.CharField(_("country of tax residence"), max_length=2)
    status = models.CharField(
        max_length=12, choices=states.TaxProfileStatus, default=states.TaxProfileStatus.SUBMITTED, editable=False
    )
    sealed_id = models.BinaryField(null=True, editable=False)
    key_version = models.PositiveIntegerField(default=1, editable=False)
    last_four = models.CharField(max_length=4, blank=True, editable=False)
    signed_name = models.CharField(_("signed as"), max_length=200)
    signed_at = models.DateTimeField(editable=False)
    valid_until = models.DateField(_("valid until"))
    # Hundredths of a percent, so that 7.5 % is 750; None until somebody has decided.
    withholding_rate = models.PositiveSmallIntegerField(_("withholding"), null=True, blank=True)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    judged_at = models.DateTimeField(null=True, blank=True, editable=False)
    reason = models.TextField(blank=True, max_length=2000, editable=False)
    expiry_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    purged_at = models.DateTimeField(null=True, blank=True, editable=False)

    machine: ClassVar[Machine] = states.TAX_PROFILE

    class Meta:
        verbose_name = _("tax form")
        verbose_name_plural = _("tax forms")
        ordering = ("-signed_at", "-id")
        indexes = (
            models.Index(fields=("status", "signed_at", "id"), name="tax_profile_status"),
            models.Index(fields=("valid_until",), condition=Q(status="verified"), name="tax_profile_expiry_due"),
            models.Index(fields=("ended_at",), condition=Q(sealed_id__isnull=False), name="tax_profile_purge_due"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("creator",),
                condition=Q(status__in=[str(s) for s in states.CURRENT_TAX]),
                name="tax_profile_one_current",
            ),
            models.CheckConstraint(
                name="tax_profile_purged_has_no_id",
                condition=~Q(status="purged") | Q(sealed_id__isnull=True, last_four=""),
            ),
            models.CheckConstraint(
                name="tax_profile_rejection_has_reason", condition=~Q(status="rejected") | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="tax_profile_withholding_is_a_share",
                condition=Q(withholding_rate__isnull=True) | Q(withholding_rate__lte=10_000),
            ),
        )

    def __str__(self) -> str:
        return f"tax profile {str(self.pk)[-8:]}"
