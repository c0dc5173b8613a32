"""Work that waits for a person. Knows no business noun: a subject is a kind and a key."""

from typing import ClassVar

from django.conf import settings
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
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    priority = models.IntegerField(_("priority"), default=0)
    reasons = models.JSONField(_("reasons"), default=list)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("held by")
    )
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    return_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("returns to")
    )
    pause_reason = models.CharField(_("waits for"), max_length=200, blank=True)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    paused_seconds = models.PositiveIntegerField(_("seconds paused"), default=0)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("done by")
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=60, blank=True)

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
            # The order of the hand-out; one index per queue's open part.
            models.Index(
                fields=["queue", "-priority", "due_at", "id"], condition=Q(state="open"), name="work_item_next"
            ),
            models.Index(fields=["queue", "lease_until"], condition=Q(state="claimed"), name="work_item_leases"),
            models.Index(fields=["holder"], condition=Q(state="claimed"), name="work_item_held"),
            models.Index(
                fields=["return_to"], condition=Q(state="open", return_to__isnull=False), name="work_item_returns"
            ),
            models.Index(fields=["subject_type", "subject_id"], name="work_item_subject"),
            models.Index(fields=["done_by", "-done_at"], condition=Q(state="done"), name="work_item_done"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {str(self.id)[-8:]}"

    def is_overdue(self) -> bool:
        """Whether the due time has passed while the clock runs."""
        return self.due_at is not None and self.state != self.State.PAUSED and self.due_at < clock.now()


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
