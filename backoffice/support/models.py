"""Tickets, their append-only conversation, the table of due times and the reply templates (E-064 to
E-067)."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.ids import uuid7
from backoffice.core.models import AppendOnly, Record
from backoffice.support.states import (
    ACTIVE,
    FINISHED,
    MACHINE,
    RUNNING,
    WAITING,
    Status,
)

LANGUAGES = User.Language.choices


class IssueType(models.TextChoices):
    """What a ticket is about; it decides priority and due times (N-017 to N-021)."""

    PAYMENT = "payment", _("Payment issue")
    ACCOUNT = "account", _("Account access")
    CONTENT = "content", _("Content problem")
    GENERAL = "general", _("General question")
    FEATURE = "feature", _("Feature request")


class Priority(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")


class Channel(models.TextChoices):
    """How the ticket came in."""

    SITE = "site", _("Site")
    STAFF = "staff", _("Staff")
    SYSTEM = "system", _("System")


class Resolution(models.TextChoices):
    """How it ended (S-111 asks for one)."""

    SOLVED = "solved", _("Solved")
    ANSWERED = "answered", _("Question answered")
    REFUND_ASKED = "refund_asked", _("Handed over for a refund")
    NOT_REPRODUCED = "not_reproduced", _("Could not be reproduced")
    NOTED = "noted", _("Noted for the product team")
    NO_ANSWER = "no_answer", _("The customer did not answer")


class Dismissal(models.TextChoices):
    """Why a ticket was closed without being worked on (S-114)."""

    SPAM = "spam", _("Spam")
    DUPLICATE = "duplicate", _("Duplicate of another ticket")
    MERGED = "merged", _("Merged into another ticket")


class SlaPolicy(Record):
    """One row of the table of due times. Minutes; an empty field means that there is no such target."""

    issue_type = models.CharField(_("about"), max_length=20, choices=IssueType.choices, unique=True)
    priority = models.CharField(_("priority"), max_length=10, choices=Priority.choices)
    respond_within = models.PositiveIntegerField(_("answer within (minutes)"), validators=[MinValueValidator(1)])
    resolve_within = models.PositiveIntegerField(
        _("solve within (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
    )
    escalate_after = models.PositiveIntegerField(
        _("escalate after (minutes)"),
        null=True,
        blank=True,
        help_text=_("0 escalates at once."),
    )
    active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("due times")
        verbose_name_plural = _("due times")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(respond_within__gt=0), name="sla_respond_within_positive"),
            models.CheckConstraint(
                condition=Q(resolve_within__isnull=True) | Q(resolve_within__gte=models.F("respond_within")),
                name="sla_resolve_not_before_respond",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_issue_type_display())


class ResponseTemplate(Record):
    """A prepared reply in one language. Placeholders such as ``{customer_name}`` are checked when it is
    saved."""

    code = models.SlugField(_("code"), max_length=60, help_text=_("What an agent types after the slash."))
    language = models.CharField(_("language"), max_length=2, choices=LANGUAGES, default="en")
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("body"), max_length=10_000)
    category = models.CharField(_("about"), max_length=20, choices=IssueType.choices, blank=True)
    active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("reply template")
        verbose_name_plural = _("reply templates")
        ordering: ClassVar = ["code", "language"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "language"], name="response_template_code_language")
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.language})"


class Ticket(Record):
    """A question from a customer, with two clocks: the first answer and the solution.

    Due times are moments in UTC. ``version`` grows with every change, so that a screen can tell what it has
    not seen.
    """

    reference = models.CharField(_("reference"), max_length=20, unique=True, editable=False)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="tickets",
        verbose_name=_("customer"),
    )
    issue_type = models.CharField(_("about"), max_length=20, choices=IssueType.choices)
    priority = models.CharField(_("priority"), max_length=10, choices=Priority.choices)
    channel = models.CharField(_("came in by"), max_length=10, choices=Channel.choices, default=Channel.SITE)
    language = models.CharField(_("language"), max_length=2, choices=LANGUAGES, default="en")
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("message"))
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=Status.choices,
        default=Status.NEW,
        editable=False,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_tickets",
        verbose_name=_("agent"),
    )
    tags = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("tags"),
        default=list,
        blank=True,
    )
    first_response_due = models.DateTimeField(_("answer due"))
    first_responded_at = models.DateTimeField(_("first answered"), null=True, blank=True)
    response_warn_at = models.DateTimeField(null=True, blank=True, editable=False)
    response_breached_at = models.DateTimeField(_("answer late since"), null=True, blank=True)
    resolution_due = models.DateTimeField(_("solution due"), null=True, blank=True)
    resolution_warn_at = models.DateTimeField(null=True, blank=True, editable=False)
    resolution_breached_at = models.DateTimeField(_("solution late since"), null=True, blank=True)
    escalate_at = models.DateTimeField(_("escalates"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("escalated"), null=True, blank=True)
    escalation_level = models.PositiveSmallIntegerField(_("escalation level"), default=0)
    paused_since = models.DateTimeField(_("clock stands since"), null=True, blank=True)
    paused_seconds = models.PositiveBigIntegerField(_("seconds the clock stood"), default=0)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolution_code = models.CharField(_("outcome"), max_length=20, choices=Resolution.choices, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    dismissal = models.CharField(_("closed as"), max_length=20, choices=Dismissal.choices, blank=True)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        verbose_name=_("same as"),
    )
    csat = models.PositiveSmallIntegerField(
        _("rating"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )
    csat_comment = models.TextField(_("rating comment"), blank=True, max_length=2_000)
    csat_at = models.DateTimeField(_("rated"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    machine: ClassVar = MACHINE

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(csat__isnull=True) | Q(csat__gte=1, csat__lte=5),
                name="ticket_csat_one_to_five",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.PENDING_CUSTOMER, paused_since__isnull=False)
                | (~Q(status=Status.PENDING_CUSTOMER) & Q(paused_since__isnull=True)),
                name="ticket_clock_stands_only_while_pending",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.RESOLVED) | ~Q(resolution_code=""),
                name="ticket_resolved_has_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(dismissal__in=[Dismissal.DUPLICATE, Dismissal.MERGED]) | Q(merged_into__isnull=False),
                name="ticket_duplicate_names_the_other",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["assignee", "resolution_due"],
                condition=Q(status__in=ACTIVE),
                name="ticket_mine",
            ),
            models.Index(
                fields=["first_response_due"],
                condition=Q(status__in=RUNNING),
                name="ticket_due",
            ),
            models.Index(fields=["status", "created_at"], name="ticket_status"),
            models.Index(fields=["requester", "-created_at"], name="ticket_requester"),
            models.Index(
                fields=["escalate_at"],
                condition=Q(escalate_at__isnull=False),
                name="ticket_escalates",
            ),
            models.Index(
                fields=["resolved_at"],
                condition=Q(status=Status.RESOLVED),
                name="ticket_to_close",
            ),
            GinIndex(SearchVector("subject", config="simple"), name="ticket_subject_words"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    def response_open(self) -> bool:
        """Whether the first answer is still owed."""
        return self.first_responded_at is None and self.status in ACTIVE

    def next_due(self) -> datetime | None:
        """The nearest moment that this ticket must not miss, in UTC; None when there is none."""
        moments = [
            self.first_response_due if self.response_open() else None,
            self.resolution_due if self.is_active else None,
        ]
        return min((moment for moment in moments if moment), default=None)

    def is_breached(self, at: datetime | None = None) -> bool:
        """Whether a running clock has passed its due time."""
        due = self.next_due()
        return self.status in RUNNING and due is not None and due < (at or clock.now())

    def resolution_left(self, at: datetime) -> timedelta | None:
        """Time to the solution; it stands still while the customer is asked, and is negative when late."""
        if self.resolution_due is None:
            return None
        return self.resolution_due - (self.paused_since or self.resolved_at or at)


class TicketLink(Record):
    """What a ticket is about, kept as a fact: the kind, its key, and how it was called at that time."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        PAYMENT = "payment", _("Payment")
        TITLE = "title", _("Title")
        PAYOUT = "payout", _("Payout")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="links")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    subject_id = models.UUIDField(_("key"))
    label = models.CharField(_("name"), max_length=300)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket", "kind", "subject_id"], name="ticket_link_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.subject_id)[-8:]}"


class TicketMessage(AppendOnly):
    """One message. Written once: the database refuses a change."""

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Public")
        INTERNAL = "internal", _("Internal note")

    class Side(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        AGENT = "agent", _("Agent")
        SYSTEM = "system", _("System")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
    )
    side = models.CharField(_("side"), max_length=10, choices=Side.choices)
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility.choices)
    body = models.TextField(_("body"))
    template_code = models.CharField(_("template used"), max_length=60, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [models.Index(fields=["ticket", "at"], name="ticket_message_in_order")]

    def __str__(self) -> str:
        return f"{str(self.ticket_id)[-8:]} {self.side}"
