from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.core.ids import reference
from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.creators import states
from backoffice.creators.models.creator import Creator
from backoffice.media.models import Asset


def new_reference() -> str:
    """A fresh public reference such as AP-7K2M9Q (S-001)."""
    return reference("AP")


class CreatorApplication(Record):
    """One attempt of a person to become a creator (E-014, F-004)."""

    class Verdict(models.TextChoices):
        """The verb that follows when the undo window is over."""

        APPROVE = "approve", _("Approve")
        REJECT = "reject", _("Reject")

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="creator_applications")
    creator = models.ForeignKey(
        Creator, models.PROTECT, null=True, blank=True, related_name="applications", editable=False
    )
    reapplication_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    status = models.CharField(
        max_length=24,
        choices=states.ApplicationStatus,
        default=states.ApplicationStatus.PENDING_SUBMISSION,
        editable=False,
    )

    stage_name = models.CharField(_("stage name"), max_length=200, blank=True)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    bio = models.TextField(_("about"), blank=True, max_length=4000)
    country = models.CharField(_("country"), max_length=2, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    categories = ArrayField(models.SlugField(max_length=80), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    cultural_affiliations = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    sample = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="+")
    sample_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    profile_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    terms_version = models.CharField(max_length=20, blank=True)
    terms_accepted_at = models.DateTimeField(null=True, blank=True)

    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_activity_at = models.DateTimeField(editable=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    info_requested = models.TextField(blank=True, editable=False)
    info_items = ArrayField(
        models.CharField(max_length=20, choices=states.InfoItem), default=list, blank=True, editable=False
    )
    info_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    answer = models.TextField(blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    decision_code = models.CharField(max_length=20, choices=states.RejectReason, blank=True, editable=False)
    decision_reason = models.TextField(blank=True, editable=False)

    # A decision that can still be undone; it takes effect, and the state changes, at `effective_at`.
    verdict = models.CharField(max_length=7, choices=Verdict, default="", db_default="", blank=True, editable=False)
    verdict_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
    )
    # When, which documents it verified, and for a rejection its code and text; nobody but staff sees them yet.
    verdict_note = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), editable=False)
    effective_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The reviewer's checks (E-014); documents, accounts and the assessment keep their own.
    identity_failed = models.BooleanField(_("ID check failed"), default=False, db_default=False)
    public_figure = models.CharField(max_length=12, choices=states.PublicFigure, default=states.PublicFigure.UNCHECKED)
    background_required = models.BooleanField(_("background check required"), default=False)
    background_passed = models.BooleanField(_("background check passed"), null=True, blank=True)

    machine: ClassVar[Machine] = states.APPLICATION

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("applicant",),
                condition=models.Q(status__in=[str(s) for s in states.OPEN]),
                name="application_one_open_per_person",
            ),
            models.CheckConstraint(
                name="application_rejection_has_reason",
                condition=~models.Q(status="rejected") | (~models.Q(decision_code="") & ~models.Q(decision_reason="")),
            ),
            models.CheckConstraint(
                name="application_info_request_has_text",
                condition=~models.Q(status="additional_info_required") | ~models.Q(info_requested=""),
            ),
        )
        indexes = (
            models.Index(fields=("status", "last_activity_at"), name="application_status_activity"),
            models.Index(fields=("reviewer", "status"), name="application_reviewer"),
            models.Index(fields=("-decided_at",), name="application_decided"),
            models.Index(
                fields=("effective_at",), condition=models.Q(effective_at__isnull=False), name="application_unsettled"
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def is_editable(self) -> bool:
        """Whether the applicant may still change the contents."""
        return self.status in states.EDITABLE

    def info_labels(self) -> list[str]:
        """What is asked for, in the language of whoever looks."""
        return [str(states.InfoItem(code).label) for code in self.info_items]


SCORE = (MinValueValidator(1), MaxValueValidator(5))


class QualityAssessment(Record):
    """Five parts judged on the sample: video, audio, appropriateness, language, culture (E-017)."""

    application = models.OneToOneField(CreatorApplication, models.CASCADE, related_name="assessment")
    video_quality = models.PositiveSmallIntegerField(_("video"), null=True, blank=True, validators=SCORE)
    audio_quality = models.PositiveSmallIntegerField(_("audio"), null=True, blank=True, validators=SCORE)
    content_rating = models.PositiveSmallIntegerField(_("content"), null=True, blank=True, validators=SCORE)
    cultural_authenticity = models.PositiveSmallIntegerField(
        _("cultural authenticity"), null=True, blank=True, validators=SCORE
    )
    appropriate = models.BooleanField(_("appropriate for the platform"), null=True, blank=True)
    languages_confirmed = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    notes = models.TextField(_("notes"), blank=True, max_length=4000)
    assessor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    assessed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = tuple(
            models.CheckConstraint(
                name=f"assessment_{name}_1_to_5",
                condition=models.Q(**{f"{name}__isnull": True}) | models.Q(**{f"{name}__range": (1, 5)}),
            )
            for name in ("video_quality", "audio_quality", "content_rating", "cultural_authenticity")
        )

    def __str__(self) -> str:
        return f"assessment {str(self.pk)[-8:]}"

    def missing_parts(self) -> list[str]:
        """Codes of the five parts that have no judgement yet."""
        parts = {
            "video": self.video_quality is not None,
            "audio": self.audio_quality is not None,
            "appropriateness": self.content_rating is not None and self.appropriate is not None,
            "language": bool(self.languages_confirmed),
            "culture": self.cultural_authenticity is not None,
        }
        return [code for code, done in parts.items() if not done]
