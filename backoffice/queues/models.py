"""Work that waits for a person. Knows no business noun: a subject is a kind and a key."""

from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import Record


class WorkItem(Record):
    """One thing to decide. Held under a lease; a lease that ran out holds nothing."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLAIMED = "claimed", _("Claimed")
        PAUSED = "paused", _("Waiting for somebody else")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    queue = models.CharField(_("queue"), max_length=30)
    subject_type = models.CharField(_("kind of object"), max_length=80)
    subject_id = models.CharField(_("object"), max_length=64)
    label = models.CharField(_("label"), max_length=200)
    language = models.CharField(_("language"), max_length=5, blank=True)
    skills = ArrayField(
        models.CharField(max_length=40), verbose_name=_("skills asked for"), default=list, db_default=[], blank=True
    )
    # Language and skills in one word: whoever may work in a lane may take every item of it (`lane_of`).
    lane = models.CharField(max_length=300, default="|", db_default="|", editable=False)
    # Items of one creator, or of whatever else they have in common.
    group_key = models.CharField(_("group"), max_length=64, default="", db_default="", blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    priority = models.IntegerField(_("priority"), default=0)
    reasons = models.JSONField(_("reasons"), default=list)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("held by"),
    )
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    return_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("returns to"),
    )
    # Afterwards anybody gets it.
    return_until = models.DateTimeField(_("returns until"), null=True, blank=True)
    escalation_level = models.PositiveSmallIntegerField(_("escalation level"), default=0, db_default=0)
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)
    # None: by its due time.
    escalated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("escalated by"),
    )
    escalation_reason = models.CharField(_("why escalated"), max_length=500, default="", db_default="", blank=True)
    pause_reason = models.CharField(_("waits for"), max_length=200, blank=True)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    paused_seconds = models.PositiveIntegerField(_("seconds paused"), default=0)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("done by"),
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=60, blank=True)
    # Until then whoever decided can take the decision back.
    undo_until = models.DateTimeField(_("undo until"), null=True, blank=True)

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["queue", "subject_type", "subject_id"],
                condition=Q(state__in=["open", "claimed", "paused"]),
                name="work_item_one_unfinished_per_subject",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(holder__isnull=False, lease_token__isnull=False),
                name="work_item_claimed_has_holder",
            ),
        ]
        indexes: ClassVar = [
            # The hand-out reads the first entry of each lane; what returns or was escalated stands elsewhere.
            models.Index(
                fields=["queue", "lane", "-priority", "due_at", "id"],
                condition=Q(state="open", return_to__isnull=True, escalation_level=0),
                name="work_item_handout",
            ),
            models.Index(
                fields=["queue", "-priority", "due_at", "id"],
                condition=Q(state="open", return_to__isnull=True, escalation_level__gt=0),
                name="work_item_escalated",
            ),
            models.Index(
                fields=["return_to"], condition=Q(state="open", return_to__isnull=False), name="work_item_returns"
            ),
            models.Index(
                fields=["return_until"],
                condition=Q(state="open", return_until__isnull=False),
                name="work_item_return_until",
            ),
            models.Index(fields=["queue", "group_key"], condition=Q(state="open"), name="work_item_group"),
            # How many wait, since when, how many are late: without counting the queue.
            models.Index(fields=["queue", "due_at"], condition=Q(state="open"), name="work_item_due"),
            models.Index(fields=["queue", "created_at"], condition=Q(state="open"), name="work_item_age"),
            # Arrivals of an hour; costs an update nothing.
            BrinIndex(fields=["created_at"], name="work_item_arrived", pages_per_range=32),
            models.Index(fields=["queue", "paused_at"], condition=Q(state="paused"), name="work_item_paused"),
            models.Index(fields=["queue", "lease_until"], condition=Q(state="claimed"), name="work_item_leases"),
            models.Index(fields=["holder"], condition=Q(state="claimed"), name="work_item_held"),
            models.Index(fields=["subject_type", "subject_id"], name="work_item_subject"),
            models.Index(fields=["done_by", "-done_at"], condition=Q(state="done"), name="work_item_done"),
            models.Index(fields=["queue", "-done_at"], condition=Q(state="done"), name="work_item_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {str(self.id)[-8:]}"

    def is_overdue(self) -> bool:
        """Whether the due time has passed while the clock runs."""
        return self.due_at is not None and self.state != self.State.PAUSED and self.due_at < clock.now()


def lane_of(language: str, skills: Iterable[str]) -> str:
    """The lane of an item: its language by two letters, then the skills it asks for, in order."""
    return f"{language[:2]}|{','.join(sorted(set(skills)))}"


class Skip(Record):
    """A person who does not want to see an item; it stays with everybody else."""

    item = models.ForeignKey(WorkItem, models.CASCADE, related_name="skips", verbose_name=_("work item"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))

    class Meta:
        verbose_name = _("skip")
        verbose_name_plural = _("skips")
        constraints: ClassVar = [models.UniqueConstraint(fields=["item", "user"], name="skip_once")]

    def __str__(self) -> str:
        return f"skip {str(self.id)[-8:]}"


class Absence(Record):
    """Somebody who is away: nothing waits for them. Whoever keeps the rota writes it here."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")

    def __str__(self) -> str:
        return f"absence {str(self.id)[-8:]}"


class QueueHour(Record):
    """What one queue went through in one hour, kept so that no page counts a queue."""

    queue = models.CharField(_("queue"), max_length=30)
    hour = models.DateTimeField(_("hour"))
    measured_at = models.DateTimeField(_("measured at"))
    open = models.PositiveIntegerField(_("open"), default=0)
    claimed = models.PositiveIntegerField(_("claimed"), default=0)
    paused = models.PositiveIntegerField(_("paused"), default=0)
    overdue = models.PositiveIntegerField(_("overdue"), default=0)
    escalated = models.PositiveIntegerField(_("escalated"), default=0)
    arrived = models.PositiveIntegerField(_("arrived"), default=0)
    decided = models.PositiveIntegerField(_("decided"), default=0)
    decided_late = models.PositiveIntegerField(_("decided late"), default=0)

    class Meta:
        verbose_name = _("hour of a queue")
        verbose_name_plural = _("hours of queues")
        constraints: ClassVar = [models.UniqueConstraint(fields=["queue", "hour"], name="queue_hour_once")]

    def __str__(self) -> str:
        return f"{self.queue} {self.hour:%Y-%m-%d %H}h"
