from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from backoffice.core.ids import reference
from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.creators import states
from backoffice.media.models import Asset


def new_reference() -> str:
    """A fresh public reference such as CR-7K2M9Q."""
    return reference("CR")


class CreatorQuerySet(models.QuerySet["Creator"]):
    def live(self) -> CreatorQuerySet:
        """Creators the public may see: activated, not rejected, not suspended (S-014)."""
        return self.filter(is_active=True, verification_status__in=states.LIVE)


class Creator(Record):
    """A person who may publish and earn; made when an application is approved (E-011)."""

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="creator")
    stage_name = models.CharField(_("stage name"), max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    bio = models.TextField(_("about"), blank=True, max_length=4000)
    avatar = models.ForeignKey(Asset, models.SET_NULL, null=True, blank=True, related_name="+")
    # Category slugs: the categories themselves live in the catalogue, a floor above.
    categories = ArrayField(models.SlugField(max_length=80), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    cultural_affiliations = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    tier = models.CharField(max_length=12, choices=states.Tier, default=states.Tier.STANDARD)

    verification_status = models.CharField(
        max_length=12,
        choices=states.VerificationStatus,
        default=states.VerificationStatus.PENDING,
        editable=False,
    )
    is_active = models.BooleanField(default=False, editable=False)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When somebody last looked at who this is; a year later they look again (S-017).
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    reverify_by = models.DateTimeField(null=True, blank=True, editable=False)
    # An ID that came before this does not answer the request (S-017).
    reverify_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # From here a refused creator waits before applying again (S-016).
    refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_until = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = models.TextField(blank=True, editable=False)

    payout_schedule = models.CharField(
        max_length=12, choices=states.PayoutSchedule, default=states.PayoutSchedule.MONTHLY
    )
    payout_hold = models.BooleanField(default=False, editable=False)
    payout_hold_reason = models.TextField(blank=True, editable=False)
    payout_hold_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Facts pushed down by finance: the rows themselves live a few floors up.
    tax_form_status = models.CharField(
        max_length=12, choices=states.TaxFormStatus, default=states.TaxFormStatus.MISSING, editable=False
    )
    payout_account_ready = models.BooleanField(default=False, editable=False)
    agreement_version = models.CharField(max_length=20, blank=True, editable=False)
    agreement_signed_at = models.DateTimeField(null=True, blank=True, editable=False)
    onboarding_reminded_at = models.DateTimeField(null=True, blank=True, editable=False)

    # When orders for personal videos are taken (S-124).
    availability_mode = models.CharField(
        max_length=16, choices=states.AvailabilityMode, default=states.AvailabilityMode.ALWAYS
    )
    vacation_until = models.DateField(null=True, blank=True)
    daily_capacity = models.PositiveSmallIntegerField(null=True, blank=True)
    weekly_capacity = models.PositiveSmallIntegerField(null=True, blank=True)
    response_hours = models.PositiveSmallIntegerField(default=72)

    objects = CreatorQuerySet.as_manager()
    machine: ClassVar[Machine] = states.VERIFICATION

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("verification_status", "is_active"), name="creator_status"),
            models.Index(fields=("stage_name", "id"), name="creator_by_name"),
            models.Index(
                fields=("verified_at",),
                condition=models.Q(verification_status="verified"),
                name="creator_review_due",
            ),
            # Part of a name, any case: the staff directory and the public search.
            GinIndex(OpClass(Upper("stage_name"), "gin_trgm_ops"), name="creator_name_search"),
        )
        constraints = (
            models.CheckConstraint(
                name="creator_vacation_has_end",
                condition=~models.Q(availability_mode="vacation") | models.Q(vacation_until__isnull=False),
            ),
            models.CheckConstraint(
                name="creator_suspension_has_reason",
                condition=~models.Q(verification_status="suspended") | ~models.Q(suspension_reason=""),
            ),
            models.CheckConstraint(
                name="creator_hold_has_reason",
                condition=models.Q(payout_hold=False) | ~models.Q(payout_hold_reason=""),
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def is_live(self) -> bool:
        """Whether the public sees this creator; the same rule as `objects.live()`."""
        return self.is_active and self.verification_status in states.LIVE

    def reverification_overdue(self, at: dt.datetime) -> bool:
        """Whether the deadline of a re-verification has passed (S-017)."""
        return (
            self.verification_status == states.VerificationStatus.PENDING
            and self.reverify_by is not None
            and self.reverify_by <= at
        )
