"""Featured sections and the slots that editors fill (E-033, S-117)."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from backoffice.catalogue.models.titles import CURRENCY, Title
from backoffice.core.models import Record


class TstzRange(Func):
    """The half-open span of time of a slot, as PostgreSQL compares it."""

    function = "TSTZRANGE"


class FeaturedSection(Record):
    """A shelf of the storefront. Empty audience lists mean everybody."""

    class Layout(models.TextChoices):
        HERO = "hero", _("One large picture")
        ROW = "row", _("A row")
        GRID = "grid", _("A grid")

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    heading_en = models.CharField(_("heading in English"), max_length=120)
    heading_fr = models.CharField(_("heading in French"), max_length=120, blank=True)
    heading_ht = models.CharField(_("heading in Haitian Creole"), max_length=120, blank=True)
    page = models.CharField(_("page"), max_length=40, default="home")
    layout = models.CharField(_("layout"), max_length=10, choices=Layout.choices, default=Layout.ROW)
    max_items = models.PositiveSmallIntegerField(_("items at most"), default=12)
    languages = ArrayField(
        models.CharField(max_length=8), default=list, blank=True, verbose_name=_("only for these languages")
    )
    regions = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, verbose_name=_("only in these countries")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("shown"), default=True)

    class Meta:
        verbose_name = _("featured section")
        verbose_name_plural = _("featured sections")
        ordering: ClassVar = ["page", "position", "slug"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(max_items__gte=1, max_items__lte=100), name="section_max_items"),
        ]

    def __str__(self) -> str:
        return self.heading

    @property
    def heading(self) -> str:
        """The heading in the active language, English where there is none."""
        return self.heading_in(translation.get_language())

    def heading_in(self, language: str | None) -> str:
        """The heading in `language`, English where there is none."""
        headings = {"fr": self.heading_fr, "ht": self.heading_ht}
        return headings.get((language or "en")[:2]) or self.heading_en


class SlotQuerySet(models.QuerySet["FeaturedSlot"]):
    """Slots by where they stand in time."""

    def live(self, at: datetime) -> Self:
        """Slots inside their window; a paid one only once its fee is in."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at, removed_at=None).exclude(
            kind=FeaturedSlot.Kind.PAID, fee_paid_at=None
        )

    def open(self, at: datetime) -> Self:
        """Slots that are live or still to come."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), removed_at=None)


class FeaturedSlot(Record):
    """One title in one section for one span of time. Past slots stay as history; fees in minor units."""

    class Kind(models.TextChoices):
        EDITORIAL = "editorial", _("Editorial")
        PAID = "paid", _("Paid")

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        LIVE = "live", _("Live")
        UNPAID = "unpaid", _("Waiting for its fee")
        ENDED = "ended", _("Ended")
        REMOVED = "removed", _("Removed")

    section = models.ForeignKey(FeaturedSection, models.PROTECT, related_name="slots", verbose_name=_("section"))
    title = models.ForeignKey(Title, models.PROTECT, related_name="slots", verbose_name=_("title"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.EDITORIAL)
    fee_minor = models.BigIntegerField(_("fee"), default=0)
    fee_currency = models.CharField(_("fee currency"), max_length=3, blank=True, validators=[CURRENCY])
    fee_paid_at = models.DateTimeField(_("fee paid"), null=True, blank=True)
    fee_reference = models.CharField(_("payment reference"), max_length=80, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    curated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("curated by"),
    )

    objects: ClassVar = SlotQuerySet.as_manager()

    class Meta:
        verbose_name = _("featured slot")
        verbose_name_plural = _("featured slots")
        ordering: ClassVar = ["section", "position", "starts_at"]
        indexes: ClassVar = [
            models.Index(fields=["section", "position"], condition=Q(removed_at=None), name="slot_in_section"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")), name="slot_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(fee_minor__gte=0, fee_minor__lte=999_999_990), name="slot_fee_in_bounds"
            ),
            models.CheckConstraint(
                condition=Q(kind="editorial", fee_minor=0, fee_paid_at=None) | Q(kind="paid", fee_minor__gt=0),
                name="slot_fee_only_when_paid",
            ),
            models.CheckConstraint(
                condition=Q(fee_minor=0) | Q(fee_currency__regex=r"^[A-Z]{3}$"), name="slot_fee_currency"
            ),
            ExclusionConstraint(
                name="slot_same_title_no_overlap",
                expressions=[
                    ("section", RangeOperators.EQUAL),
                    ("title", RangeOperators.EQUAL),
                    (TstzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(removed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[-8:]}"

    @property
    def is_sponsored(self) -> bool:
        """Whether the slot wears the "Sponsored" label (Q-037)."""
        return self.kind == self.Kind.PAID

    def state(self, at: datetime) -> str:
        """Where the slot stands at this moment; the clock moves it, so no column could stay true (S-117)."""
        if self.removed_at is not None:
            return self.State.REMOVED
        if self.ends_at is not None and self.ends_at <= at:
            return self.State.ENDED
        if self.starts_at > at:
            return self.State.SCHEDULED
        if self.kind == self.Kind.PAID and self.fee_paid_at is None:
            return self.State.UNPAID
        return self.State.LIVE
