"""Cases, the policies that decisions name, decisions, and what came of each decision.

Item state, decision and enforcement are three records: `Case` moves, `Decision` and `Enforcement` are written once.
"""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from backoffice.catalogue.models import Title
from backoffice.core.ids import reference
from backoffice.core.models import AppendOnly, Record
from backoffice.core.states import Machine
from backoffice.moderation.states import MACHINE, OPEN, WAITING, Status


def case_reference() -> str:
    """A new reference such as ``MC-7K2M9QBD``."""
    return reference("MC")


class PolicyRule(Record):
    """One rule of the content policy, in every language (E-062). A changed rule is a new version."""

    class Severity(models.TextChoices):
        LOW = "low", _("Low")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("High")

    code = models.SlugField(_("code"), max_length=40)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    digit = models.PositiveSmallIntegerField(_("key"), default=0, help_text=_("Its key on the review bench, 0 to 9."))
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    name_en = models.CharField(_("name in English"), max_length=120)
    name_fr = models.CharField(_("name in French"), max_length=120)
    name_ht = models.CharField(_("name in Haitian Creole"), max_length=120)
    message_en = models.TextField(_("message in English"))
    message_fr = models.TextField(_("message in French"))
    message_ht = models.TextField(_("message in Haitian Creole"))
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        verbose_name = _("policy rule")
        verbose_name_plural = _("policy rules")
        ordering: ClassVar = ["digit", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="policy_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(is_active=True), name="policy_one_in_force"),
            models.UniqueConstraint(fields=["digit"], condition=Q(is_active=True), name="policy_one_per_key"),
            models.CheckConstraint(condition=Q(digit__lte=9), name="policy_digit"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The rule's name in the active language."""
        return self.name_in(translation.get_language())

    def name_in(self, language: str | None) -> str:
        """The rule's name in `language`, English where there is none."""
        return str(getattr(self, f"name_{(language or 'en')[:2]}", "") or self.name_en)

    def message_in(self, language: str | None) -> str:
        """What a creator who reads `language` is told, English where there is none."""
        return str(getattr(self, f"message_{(language or 'en')[:2]}", "") or self.message_en)


class CaseQuerySet(models.QuerySet["Case"]):
    """Cases by who they wait for."""

    def open(self) -> Self:
        """Cases without a final state."""
        return self.filter(status__in=OPEN)

    def overdue(self, at: datetime) -> Self:
        """Cases that wait for a person past their due time."""
        return self.filter(status__in=WAITING, due_at__lte=at)


class Case(Record):
    """One question about one title: may it be shown? (E-057)."""

    class Source(models.TextChoices):
        FIRST_UPLOAD = "first_upload", _("First upload")
        UPLOAD = "upload", _("Upload")
        RESUBMISSION = "resubmission", _("Resubmitted")
        CHANGE = "change", _("Changed after approval")

    reference = models.CharField(_("reference"), max_length=20, unique=True, default=case_reference, editable=False)
    title = models.ForeignKey(Title, models.PROTECT, related_name="cases", verbose_name=_("title"))
    source = models.CharField(_("why"), max_length=20, choices=Source.choices)
    status = models.CharField(_("state"), max_length=20, choices=Status.choices, default=Status.NEW)
    language = models.CharField(_("language"), max_length=8)
    flags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("flags"))
    cultural_review = models.BooleanField(_("cultural review"), default=False)
    priority = models.IntegerField(_("priority"), default=0)
    reasons = models.JSONField(_("why this priority"), default=list)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"))
    breached_at = models.DateTimeField(_("overdue since"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )

    objects: ClassVar = CaseQuerySet.as_manager()
    machine: ClassVar[Machine] = MACHINE

    class Meta:
        verbose_name = _("moderation case")
        verbose_name_plural = _("moderation cases")
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(status__in=WAITING), name="case_due"),
            models.Index(fields=["status", "-id"], name="case_status"),
            models.Index(fields=["title", "-id"], name="case_title"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["title"], condition=Q(status__in=OPEN), name="case_one_open_per_title"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="case_status_known"),
            models.CheckConstraint(
                condition=~Q(status="in_review") | Q(assignee__isnull=False),
                name="case_in_review_has_reviewer",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_open(self) -> bool:
        """Whether the case still waits for somebody or something."""
        return self.status in OPEN

    def is_overdue(self, at: datetime) -> bool:
        """Whether the case waits for a person past its due time (N-022)."""
        return self.status in WAITING and self.due_at <= at


class Decision(AppendOnly, Record):
    """What somebody decided on a case, written once. `by` is empty where a policy setting decided."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Approved")
        REJECT = "reject", _("Rejected")
        ESCALATE = "escalate", _("Escalated")

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions", verbose_name=_("case"))
    verdict = models.CharField(_("decision"), max_length=10, choices=Verdict.choices)
    policy = models.ForeignKey(
        PolicyRule, models.PROTECT, null=True, blank=True, related_name="decisions", verbose_name=_("policy")
    )
    reason = models.TextField(_("note for staff"), blank=True)
    message = models.TextField(_("message to the creator"), blank=True)
    message_language = models.CharField(_("language of the message"), max_length=8, blank=True)
    timecodes = ArrayField(models.PositiveIntegerField(), default=list, blank=True, verbose_name=_("seconds marked"))
    title_revision = models.PositiveIntegerField(_("revision of the title"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    decided_at = models.DateTimeField(_("decided"))
    effective_at = models.DateTimeField(_("takes effect"))

    class Meta:
        verbose_name = _("moderation decision")
        verbose_name_plural = _("moderation decisions")
        ordering: ClassVar = ["-decided_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["by", "-decided_at", "-id"], name="decision_by"),
            models.Index(fields=["policy"], name="decision_policy"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(verdict="reject") | (Q(policy__isnull=False) & ~Q(message="")),
                name="decision_reject_says_why",
            ),
            models.CheckConstraint(
                condition=Q(effective_at__gte=models.F("decided_at")), name="decision_effective_after"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {str(self.id)[-8:]}"


class Enforcement(AppendOnly, Record):
    """What came of a decision: applied, undone or void. One row per decision, so it cannot be both."""

    class Effect(models.TextChoices):
        APPLIED = "applied", _("Applied")
        UNDONE = "undone", _("Undone")
        VOID = "void", _("Void: the title had changed")

    decision = models.OneToOneField(Decision, models.PROTECT, related_name="enforcement", verbose_name=_("decision"))
    effect = models.CharField(_("effect"), max_length=10, choices=Effect.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("enforcement")
        verbose_name_plural = _("enforcements")

    def __str__(self) -> str:
        return f"{self.effect} {str(self.id)[-8:]}"
