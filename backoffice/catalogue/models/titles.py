"""A title: one thing that a creator offers to watch, and the files that belong to it."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from backoffice.catalogue.models.taxonomy import Category, Tag
from backoffice.catalogue.states import MODERATION, PROCESSING, Moderation, Processing, Visibility
from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.creators.models import Creator
from backoffice.creators.states import LIVE
from backoffice.media.models import Asset

CURRENCY = RegexValidator(r"^[A-Z]{3}$", _("Three capital letters, such as USD."))

# What the table itself can say about being public; the creator's standing, the region and the unlock time are
# judged when read.
ON_SHOW = Q(
    moderation_status=Moderation.APPROVED,
    processing_status=Processing.READY,
    visibility=Visibility.PUBLIC,
    removed_at=None,
)


class TitleQuerySet(models.QuerySet["Title"]):
    """The reads that are rules."""

    def listed(self, *, country: str | None = None) -> Self:
        """Titles that the public may know of: the published rule of section 4.5 without its unlock time.

        `country` is the caller's two-letter code; without one, only titles open everywhere to anybody are hidden
        by an allow-list, since nobody can say the caller is on it.
        """
        standing = Q(creator=None) | Q(creator__is_active=True, creator__verification_status__in=LIVE)
        allowed = Q(geo_allow=[])
        if country:
            allowed |= Q(geo_allow__contains=[country])
        found = self.filter(ON_SHOW).filter(standing).filter(allowed)
        return found.exclude(geo_deny__contains=[country]) if country else found

    def published(self, at: datetime, *, country: str | None = None) -> Self:
        """Titles that are public at this moment (section 4.5)."""
        return self.listed(country=country).unlocked(at)

    def unlocked(self, at: datetime) -> Self:
        """Titles whose time gate is open at this moment (S-056)."""
        return self.filter(Q(unlock_at=None) | Q(unlock_at__lte=at))

    def in_review(self) -> Self:
        """Submitted titles that wait for a decision and have a playable video."""
        return self.filter(
            moderation_status=Moderation.PENDING,
            processing_status=Processing.READY,
            submitted_at__isnull=False,
        )


class Title(Record):
    """One film, video, locker item or showcase (E-024). Amounts in minor units of `currency`."""

    class Kind(models.TextChoices):
        MOVIE = "movie", _("Film")
        VIDEO = "video", _("Video")
        LOCKER_ITEM = "locker_item", _("Locker item")
        SHOWCASE = "showcase", _("Showcase")
        LIVE_RECORDING = "live_recording", _("Live recording")

    class Access(models.TextChoices):
        FREE = "free", _("Free")
        PURCHASE = "purchase", _("Purchase")
        PLAN = "plan", _("Plan")
        CREATOR_SUBSCRIPTION = "creator_subscription", _("Creator subscription")

    creator = models.ForeignKey(
        Creator, models.PROTECT, null=True, blank=True, related_name="titles", verbose_name=_("creator")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.VIDEO)
    title = models.CharField(_("title"), max_length=255)
    slug = models.SlugField(_("slug"), max_length=280, unique=True)
    description = models.TextField(_("description"), blank=True, max_length=10_000)
    language = models.CharField(_("language"), max_length=8, default="en")
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="titles", verbose_name=_("category")
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="titles", verbose_name=_("tags"))
    age_rating = models.CharField(_("age rating"), max_length=8, blank=True)

    access_model = models.CharField(_("access"), max_length=20, choices=Access.choices, default=Access.FREE)
    price_minor = models.BigIntegerField(_("price"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default="USD", validators=[CURRENCY])
    # The rank, not the plan: plans live above the catalogue.
    required_plan_rank = models.PositiveSmallIntegerField(_("plan rank required"), null=True, blank=True)

    moderation_status = models.CharField(
        _("moderation"), max_length=10, choices=Moderation.choices, default=Moderation.PENDING
    )
    processing_status = models.CharField(
        _("processing"), max_length=10, choices=Processing.choices, default=Processing.PROCESSING
    )
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    unlock_at = models.DateTimeField(_("unlocks at"), null=True, blank=True)
    geo_allow = ArrayField(models.CharField(max_length=2), default=list, blank=True, verbose_name=_("only in"))
    geo_deny = ArrayField(models.CharField(max_length=2), default=list, blank=True, verbose_name=_("not in"))

    video = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("video"))
    poster = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("poster"))
    duration_ms = models.PositiveBigIntegerField(_("duration in milliseconds"), null=True, blank=True)

    # Counts what a reviewer must see again; a decision names the revision that it was made on.
    revision = models.PositiveIntegerField(_("revision"), default=1)
    reviewed_revision = models.PositiveIntegerField(_("last revision decided"), default=0)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    removed_at = models.DateTimeField(_("taken down"), null=True, blank=True)

    objects: ClassVar = TitleQuerySet.as_manager()
    machine: ClassVar[Machine] = MODERATION
    processing_machine: ClassVar[Machine] = PROCESSING

    class Meta:
        verbose_name = _("title")
        verbose_name_plural = _("titles")
        indexes: ClassVar = [
            # Without a pending list: after a large import a search would have to read all of it.
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="title_name_trigrams", fastupdate=False),
            models.Index(fields=["-published_at", "-id"], condition=ON_SHOW, name="title_on_show"),
            models.Index(fields=["category", "-published_at", "-id"], condition=ON_SHOW, name="title_on_show_category"),
            models.Index(fields=["creator", "-published_at", "-id"], condition=ON_SHOW, name="title_on_show_creator"),
            models.Index(fields=["creator", "-id"], name="title_creator"),
            models.Index(fields=["moderation_status", "-id"], name="title_moderation"),
            models.Index(fields=["-id"], condition=~Q(processing_status="ready"), name="title_not_ready"),
            models.Index(fields=["-id"], condition=Q(visibility="private"), name="title_private"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(moderation_status__in=Moderation.values), name="title_moderation_known"),
            models.CheckConstraint(condition=Q(processing_status__in=Processing.values), name="title_processing_known"),
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="title_visibility_known"),
            # N-013 counts in whole units; the service knows the currency's exponent, the table its widest form.
            models.CheckConstraint(
                condition=Q(price_minor__gte=0, price_minor__lte=999_999_990), name="title_price_in_bounds"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="title_currency_code"),
            models.CheckConstraint(
                condition=~Q(access_model="purchase") | Q(price_minor__gt=0), name="title_purchase_has_price"
            ),
            models.CheckConstraint(
                condition=Q(access_model="purchase") | Q(price_minor=0), name="title_price_only_on_purchase"
            ),
            models.CheckConstraint(
                condition=Q(access_model="plan", required_plan_rank__isnull=False)
                | (~Q(access_model="plan") & Q(required_plan_rank__isnull=True)),
                name="title_plan_rank_with_plan",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(moderation_status="rejected"),
                name="title_removed_is_rejected",
            ),
            models.CheckConstraint(
                condition=~Q(processing_status="ready") | Q(video__isnull=False), name="title_ready_has_video"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_paid(self) -> bool:
        """Whether watching earns money, so that proof of rights is asked for (E-026)."""
        return self.access_model != self.Access.FREE

    def is_unlocked(self, at: datetime) -> bool:
        """Whether the time gate is open at this moment (Q-011)."""
        return self.unlock_at is None or self.unlock_at <= at

    def is_listed(self, *, country: str | None = None) -> bool:
        """The rule of `TitleQuerySet.listed` for one title in hand."""
        return (
            self.moderation_status == Moderation.APPROVED
            and self.processing_status == Processing.READY
            and self.visibility == Visibility.PUBLIC
            and self.removed_at is None
            and (self.creator is None or self.creator.is_live)
            and self.is_open_in(country)
        )

    def is_published(self, at: datetime, *, country: str | None = None) -> bool:
        """The rule of `TitleQuerySet.published` for one title in hand."""
        return self.is_listed(country=country) and self.is_unlocked(at)

    def is_open_in(self, country: str | None) -> bool:
        """Whether the title's regions let somebody in `country` see it."""
        if self.geo_allow and country not in self.geo_allow:
            return False
        return not country or country not in self.geo_deny


class TitleFile(Record):
    """A further file of a title: proof of rights, subtitles, an audio track (F-012, E-026)."""

    class Role(models.TextChoices):
        PROOF = "proof", _("Proof of rights")
        SUBTITLES = "subtitles", _("Subtitles")
        AUDIO = "audio", _("Audio track")

    title = models.ForeignKey(Title, models.CASCADE, related_name="files", verbose_name=_("title"))
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="+", verbose_name=_("file"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    language = models.CharField(_("language"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("file of a title")
        verbose_name_plural = _("files of titles")
        ordering: ClassVar = ["role", "created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["title", "asset"], name="title_file_once"),
            models.CheckConstraint(condition=Q(role__in=["proof", "subtitles", "audio"]), name="title_file_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {str(self.id)[-8:]}"
