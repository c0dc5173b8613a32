"""From approval to going live, and what a creator offers: training, agreements, badges, offers, availability."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.models import AppendOnly, Record
from backoffice.core.states import Machine
from backoffice.creators import states
from backoffice.creators.models.creator import Creator


class TrainingModuleQuerySet(models.QuerySet["TrainingModule"]):
    def still_open(self, creator: Creator) -> TrainingModuleQuerySet:
        """The required modules that a creator has not completed (S-009), in their order."""
        done = TrainingProgress.objects.filter(creator=creator, status=states.TrainingStatus.COMPLETED)
        return self.filter(is_active=True, required=True).exclude(pk__in=done.values("module"))


class TrainingModule(Record):
    """One lesson for new creators (E-018). Its text is a page of the public site; here is what activation asks."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    # In the platform's first language, for staff lists; creators read the page's own title.
    title = models.CharField(_("title"), max_length=200)
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    required = models.BooleanField(_("required"), default=True)
    is_active = models.BooleanField(_("published"), default=True, editable=False)

    objects = TrainingModuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("training module")
        verbose_name_plural = _("training modules")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.code


class TrainingProgress(Record):
    """How far a creator is with one module (S-128); without a row it is not started."""

    creator = models.ForeignKey(Creator, models.CASCADE, related_name="training")
    module = models.ForeignKey(TrainingModule, models.PROTECT, related_name="progress")
    status = models.CharField(
        max_length=12, choices=states.TrainingStatus, default=states.TrainingStatus.NOT_STARTED, editable=False
    )
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)

    machine: ClassVar[Machine] = states.TRAINING

    class Meta:
        verbose_name = _("training progress")
        verbose_name_plural = _("training progress")
        constraints = (models.UniqueConstraint(fields=("creator", "module"), name="training_once_per_module"),)

    def __str__(self) -> str:
        return f"training {str(self.pk)[-8:]}"


class CreatorAgreement(Record, AppendOnly):
    """One signature under one version of the creator agreement (E-023)."""

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="agreements")
    version = models.CharField(_("version"), max_length=20)
    language = models.CharField(_("language"), max_length=5)
    signed_at = models.DateTimeField(_("signed"))
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("creator agreement")
        verbose_name_plural = _("creator agreements")
        ordering = ("-signed_at",)
        constraints = (models.UniqueConstraint(fields=("creator", "version"), name="agreement_once_per_version"),)

    def __str__(self) -> str:
        return f"agreement {str(self.pk)[-8:]}"


class OnboardingStep(Record):
    """One thing that staff help a new creator with, ticked off (F-005)."""

    creator = models.ForeignKey(Creator, models.CASCADE, related_name="onboarding_steps")
    code = models.CharField(max_length=24, choices=states.OnboardingHelp)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    done_at = models.DateTimeField()

    class Meta:
        verbose_name = _("onboarding step")
        verbose_name_plural = _("onboarding steps")
        constraints = (models.UniqueConstraint(fields=("creator", "code"), name="onboarding_step_once"),)

    def __str__(self) -> str:
        return self.code


class BadgeGrant(Record):
    """A badge beside a creator's name (E-013). Gives no rights; taken back, it stays on record."""

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="badges")
    badge = models.CharField(_("badge"), max_length=24, choices=states.Badge)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("given by")
    )
    granted_at = models.DateTimeField(_("given"))
    reason = models.TextField(_("reason"), blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    class Meta:
        verbose_name = _("badge")
        verbose_name_plural = _("badges")
        ordering = ("granted_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("creator", "badge"), condition=models.Q(revoked_at=None), name="badge_once_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return self.badge


class ServiceOffering(Record):
    """A personal video that a creator sells: for which occasions, how long, how soon, for how much (E-019).

    Amounts are minor units of ``currency``.
    """

    creator = models.ForeignKey(Creator, models.CASCADE, related_name="offerings")
    occasions = ArrayField(models.CharField(max_length=16, choices=states.Occasion), verbose_name=_("occasions"))
    length_seconds = models.PositiveSmallIntegerField(_("length"), choices=states.OfferLength)
    delivery_hours = models.PositiveSmallIntegerField(_("delivered within"), choices=states.DeliverySpeed)
    price_minor = models.BigIntegerField(_("price"))
    extra_recipient_minor = models.BigIntegerField(_("each further recipient"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    special_requests = ArrayField(
        models.CharField(max_length=8, choices=states.SpecialRequest), default=list, blank=True
    )
    corporate = models.BooleanField(_("for companies"), default=False)
    active = models.BooleanField(_("on offer"), default=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ("corporate", "length_seconds", "delivery_hours")
        constraints = (
            models.UniqueConstraint(
                fields=("creator", "length_seconds", "delivery_hours", "corporate"), name="offering_once_per_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(price_minor__gt=0, extra_recipient_minor__gte=0), name="offering_amounts"
            ),
            models.CheckConstraint(condition=models.Q(occasions__len__gte=1), name="offering_has_occasion"),
        )
        indexes = (
            models.Index(
                fields=("length_seconds", "currency", "price_minor"),
                condition=models.Q(active=True),
                name="offering_prices",
            ),
        )

    def __str__(self) -> str:
        return f"offer {str(self.pk)[-8:]}"


class TsTzRange(models.Func):
    """A half-open span of time."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class AvailabilityBlock(Record):
    """A span of time in which a creator takes orders, or does not (E-020)."""

    creator = models.ForeignKey(Creator, models.CASCADE, related_name="availability")
    kind = models.CharField(_("kind"), max_length=10, choices=states.BlockKind)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    capacity = models.PositiveSmallIntegerField(_("orders"), null=True, blank=True)
    premium_price_minor = models.BigIntegerField(_("price in this time"), null=True, blank=True)

    class Meta:
        verbose_name = _("availability block")
        verbose_name_plural = _("availability blocks")
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="block_span"),
            models.CheckConstraint(
                condition=models.Q(premium_price_minor=None) | models.Q(premium_price_minor__gt=0), name="block_price"
            ),
            ExclusionConstraint(
                name="block_no_overlap",
                expressions=[
                    ("creator", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {str(self.pk)[-8:]}"
