"""Base rows and the outbox row of background work."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.ids import uuid7


class Record(models.Model):
    """A row with a time-ordered key and the times of its making and last change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class AppendOnly(models.Model):
    """A row that is written once. The table's trigger refuses too; this makes the mistake visible early."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are written once and never changed")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{type(self).__name__} rows are never deleted")


class Job(Record):
    """One piece of background work. The row is the work; the broker's message only says "look"."""

    class State(models.TextChoices):
        DUE = "due", _("Due")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        DEAD = "dead", _("Dead")
        DISCARDED = "discarded", _("Discarded")

    kind = models.CharField(_("kind"), max_length=100)
    payload = models.JSONField(_("payload"), default=dict)
    queue = models.CharField(_("queue"), max_length=20, default="default")
    key = models.CharField(_("key"), max_length=200, null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DUE)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveIntegerField(_("attempts at most"), default=5)
    run_after = models.DateTimeField(_("not before"), default=clock.now)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    progress_current = models.PositiveBigIntegerField(_("done so far"), default=0)
    progress_total = models.PositiveBigIntegerField(_("out of"), default=0)
    progress_note = models.CharField(_("note"), max_length=200, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes: ClassVar = [
            models.Index(fields=["run_after"], condition=Q(state="due"), name="job_due"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_running"),
            models.Index(fields=["-finished_at"], condition=Q(state="dead"), name="job_dead"),
            models.Index(fields=["kind", "state"], name="job_kind_state"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(state__in=["due", "running"]), name="job_one_unfinished_per_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[-8:]}"
