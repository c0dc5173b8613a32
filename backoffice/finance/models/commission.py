"""Fee rules and the fees of each sale (E-047, N-001 to N-004)."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from backoffice.approvals.models import ApprovalRequest
from backoffice.catalogue.models import Category
from backoffice.core.models import AppendOnly, Record
from backoffice.creators.models import Creator


class TsTzRange(Func):
    """A half-open span of time."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Component(models.TextChoices):
    """What a fee is for."""

    COMMISSION = "commission", _("Platform commission")
    PROCESSING = "processing", _("Payment processing")
    CONVERSION = "conversion", _("Currency conversion")


class Scope(models.TextChoices):
    """What a rule is narrowed to."""

    DEFAULT = "default", _("Everything")
    TIER = "tier", _("Creator tier")
    CREATOR = "creator", _("One creator")
    CATEGORY = "category", _("Category")
    PRODUCT = "product", _("Kind of product")
    COUNTRY = "country", _("Creator's country")


class Bearer(models.TextChoices):
    """Who pays the fee out of the sale."""

    CREATOR = "creator", _("Creator")
    PLATFORM = "platform", _("Platform")


class RuleVersion(Record):
    """One immutable version of a fee rule. Only its end may be set, once; a change is a new version.

    A rule that was called off before its start ends in the moment in which it would have started: no time is in it, so
    no sale finds it.

    ``percent_bp`` is in basis points (2500 is 25 %); the fixed part, minimum and maximum are minor units of
    ``currency``. ``scope_value`` is the tier, country or product kind, or the id of the creator or category.
    """

    component = models.CharField(_("component"), max_length=12, choices=Component.choices)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices, default=Scope.DEFAULT)
    scope_value = models.CharField(_("narrowed to"), max_length=40, blank=True, default="")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, blank=True, related_name="fee_rules")
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="+")
    agreement = models.CharField(_("signed agreement"), max_length=60, blank=True, default="")
    promotion_code = models.CharField(_("promotion code"), max_length=40, blank=True, default="")
    # Empty: sales in any currency. A rule with a fixed part names the currency of that part.
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    percent_bp = models.PositiveIntegerField(_("percent (basis points)"), default=0)
    fixed_minor = models.BigIntegerField(_("fixed part"), default=0)
    min_minor = models.BigIntegerField(_("at least"), null=True, blank=True)
    max_minor = models.BigIntegerField(_("at most"), null=True, blank=True)
    bearer = models.CharField(_("paid by"), max_length=10, choices=Bearer.choices, default=Bearer.CREATOR)
    priority = models.IntegerField(_("priority"), default=0)
    valid_from = models.DateTimeField(_("from"))
    valid_to = models.DateTimeField(_("until"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    # The request that two people or more put it in force by; empty for reference data and what was there before.
    approval = models.ForeignKey(
        ApprovalRequest, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved request")
    )

    class Meta:
        verbose_name = _("fee rule")
        verbose_name_plural = _("fee rules")
        ordering: ClassVar = ["component", "scope", "-valid_from"]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="rule_no_overlap",
                expressions=[
                    ("component", RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    ("scope_value", RangeOperators.EQUAL),
                    ("agreement", RangeOperators.EQUAL),
                    ("promotion_code", RangeOperators.EQUAL),
                    ("currency", RangeOperators.EQUAL),
                    ("priority", RangeOperators.EQUAL),
                    (TsTzRange("valid_from", "valid_to", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(percent_bp__lte=10_000), name="rule_percent_in_bounds"),
            models.CheckConstraint(condition=Q(fixed_minor__gte=0), name="rule_fixed_not_negative"),
            models.CheckConstraint(
                condition=Q(fixed_minor=0, min_minor=None, max_minor=None) | ~Q(currency=""),
                name="rule_amounts_have_currency",
            ),
            models.CheckConstraint(
                condition=Q(currency="") | Q(currency__regex=r"^[A-Z]{3}$"), name="rule_currency_code"
            ),
            models.CheckConstraint(condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="rule_span"),
            models.CheckConstraint(
                condition=Q(scope="default", scope_value="", creator=None, category=None)
                | (Q(scope="creator", creator__isnull=False, category=None) & ~Q(scope_value=""))
                | (Q(scope="category", creator=None, category__isnull=False) & ~Q(scope_value=""))
                | (Q(scope__in=["tier", "product", "country"], creator=None, category=None) & ~Q(scope_value="")),
                name="rule_scope_has_value",
            ),
            models.CheckConstraint(condition=Q(agreement="") | Q(scope="creator"), name="rule_agreement_of_creator"),
            models.CheckConstraint(
                condition=Q(component__in=Component.values, bearer__in=Bearer.values),
                name="rule_choices_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.scope} {str(self.pk)[-8:]}"

    @property
    def is_cancelled(self) -> bool:
        """Whether it was called off before it started."""
        return self.valid_to == self.valid_from


class CommissionLine(Record, AppendOnly):
    """One fee of one sale as it was worked out, frozen: base, rate and amount, and why this rule (trace)."""

    payment = models.ForeignKey("finance.Payment", models.PROTECT, related_name="commission_lines")
    rule = models.ForeignKey(RuleVersion, models.PROTECT, null=True, blank=True, related_name="lines")
    component = models.CharField(_("component"), max_length=12, choices=Component.choices)
    bearer = models.CharField(_("paid by"), max_length=10, choices=Bearer.choices)
    base_minor = models.BigIntegerField(_("base"))
    percent_bp = models.PositiveIntegerField(_("percent (basis points)"))
    fixed_minor = models.BigIntegerField(_("fixed part"))
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    trace = models.JSONField(_("why"))

    class Meta:
        verbose_name = _("fee of a sale")
        verbose_name_plural = _("fees of sales")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payment", "component"], name="commission_line_once_per_component")
        ]

    def __str__(self) -> str:
        return f"{self.component} {str(self.pk)[-8:]}"
