"""Reading the queues. Nothing here counts a queue: whatever waits, a read touches no more than `AT_MOST` rows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Model, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from backoffice.core import clock, stored
from backoffice.queues.models import QueueHour, WorkItem

State = WorkItem.State

# Counts stop here; `shown` writes it as "999+".
AT_MOST = 1000
# Medians are of this many decisions at most, the newest of their time.
SAMPLE = 5000
HOURS = 24


def shown(number: int) -> str:
    """A count for people: "999+" where counting stopped."""
    return f"{AT_MOST - 1}+" if number >= AT_MOST else str(number)


def for_subject(queue: str, subject: Model) -> WorkItem | None:
    """The newest item of a subject in a queue, finished or not."""
    return (
        WorkItem.objects.filter(queue=queue, subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
        .select_related("holder", "done_by", "return_to", "escalated_by")
        .order_by("-created_at")
        .first()
    )


def held_by(user: Any, *, at: datetime | None = None) -> QuerySet[WorkItem]:
    """What this person holds under a running lease, first due first."""
    held = WorkItem.objects.filter(state=State.CLAIMED, holder=user, lease_until__gte=at or clock.now())
    return held.select_related("escalated_by").order_by("due_at")


def returns_to(user: Any) -> QuerySet[WorkItem]:
    """What came back to this person and waits to be taken up again."""
    return WorkItem.objects.filter(state=State.OPEN, return_to=user).select_related("escalated_by").order_by("due_at")


def recent_decisions(user: Any, *, queue: str = "") -> QuerySet[WorkItem]:
    """What this person finished, newest first."""
    items = WorkItem.objects.filter(state=State.DONE, done_by=user)
    return (items.filter(queue=queue) if queue else items).order_by("-done_at")


def escalated(queues: Sequence[str]) -> QuerySet[WorkItem]:
    """What was passed up and waits for a supervisor, as it will be handed out, with who passed it up and why."""
    return (
        WorkItem.objects.filter(queue__in=list(queues), state=State.OPEN, escalation_level__gt=0)
        .select_related("escalated_by", "return_to")
        .order_by("queue", "-priority", "due_at", "id")
    )


def waiting_of_group(queue: str, group: str) -> int:
    """How many items of a group are open, `AT_MOST` at most."""
    if not group:
        return 0
    return WorkItem.objects.filter(state=State.OPEN, queue=queue, group_key=group)[:AT_MOST].count()


def past_share(queues: Sequence[str], *, percent: int, at: datetime) -> QuerySet[WorkItem]:
    """Open, not yet escalated items that used up more than ``percent`` of the time they had until they are due.

    Pauses are nobody's time: they moved the due time when they ended, and count once whatever the share.
    """
    paused = ExpressionWrapper(F("paused_seconds") * Value(timedelta(seconds=1)), output_field=DurationField())
    theirs = ExpressionWrapper(F("due_at") - F("created_at") - paused, output_field=DurationField())
    # Who set a due time by hand may have left less than the pauses took.
    had = Greatest(theirs, Value(timedelta(), output_field=DurationField()))
    ends = ExpressionWrapper(F("created_at") + paused + had * (percent / 100), output_field=DateTimeField())
    found = WorkItem.objects.filter(queue__in=list(queues), state=State.OPEN, escalation_level=0, due_at__isnull=False)
    if percent >= 100:
        found = found.filter(due_at__lte=at)
    return found.annotate(ends=ends).filter(ends__lte=at).order_by("due_at")


# ------------------------------------------------------------------ counts

# A branch per state, each stopping by itself; the indexes are partial, so what is finished is never touched.
_CAPPED = "(SELECT count(*) FROM (SELECT 1 FROM queues_workitem i WHERE i.queue = q.code AND {which} LIMIT %(most)s) s)"
_OPEN = _CAPPED.format(which="i.state = 'open'")
_CLAIMED = _CAPPED.format(which="i.state = 'claimed'")
_PAUSED = _CAPPED.format(which="i.state = 'paused'")
_LATE = (
    _CAPPED.format(which="i.state = 'open' AND i.due_at < %(at)s")
    + " + "
    + _CAPPED.format(which="i.state = 'claimed' AND i.due_at < %(at)s")
)
_ESCALATED = _CAPPED.format(which="i.state = 'open' AND i.return_to_id IS NULL AND i.escalation_level > 0")
COUNTS = f"""
SELECT q.code, {_OPEN} AS open, {_CLAIMED} AS claimed, {_PAUSED} AS paused, {_LATE} AS overdue
  FROM unnest(%(queues)s::text[]) AS q(code)
"""  # noqa: S608  constants
PULSE = f"""
SELECT q.code, {_OPEN} AS open, {_CLAIMED} AS claimed, {_PAUSED} AS paused, {_LATE} AS overdue,
       {_ESCALATED} AS escalated,
       (SELECT min(i.created_at) FROM queues_workitem i WHERE i.queue = q.code AND i.state = 'open') AS oldest,
       (SELECT max(i.created_at) FROM queues_workitem i WHERE i.queue = q.code AND i.state = 'open') AS newest,
       (SELECT max(i.claimed_at) FROM queues_workitem i WHERE i.queue = q.code AND i.state = 'claimed') AS taken,
       (SELECT max(i.done_at) FROM queues_workitem i WHERE i.queue = q.code AND i.state = 'done') AS decided,
       (SELECT max(i.paused_at) FROM queues_workitem i WHERE i.queue = q.code AND i.state = 'paused') AS stopped
  FROM unnest(%(queues)s::text[]) AS q(code)
"""  # noqa: S608  constants


def _rows(statement: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def counts(queues: Sequence[str], *, at: datetime | None = None) -> dict[str, dict[str, int]]:
    """Per queue how many items wait, are held, are paused and are past due, each `AT_MOST` at most; one statement."""
    given = {"queues": list(queues), "at": at or clock.now(), "most": AT_MOST}
    return {row.pop("code"): {name: min(n, AT_MOST) for name, n in row.items()} for row in _rows(COUNTS, given)}


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a queue stands at a moment. ``mark`` differs whenever anything came, went, was taken up or was put down."""

    open: int
    claimed: int
    paused: int
    overdue: int
    escalated: int
    oldest: datetime | None
    mark: str


def pulses(queues: Sequence[str], *, at: datetime | None = None) -> dict[str, Pulse]:
    """The pulse of each queue, in one statement whatever waits."""
    given = {"queues": list(queues), "at": at or clock.now(), "most": AT_MOST}
    found = {}
    for row in _rows(PULSE, given):
        code = row.pop("code")
        numbers = {name: min(row[name], AT_MOST) for name in ("open", "claimed", "paused", "overdue", "escalated")}
        moments = [row[name] for name in ("oldest", "newest", "taken", "decided", "stopped")]
        parts = [*(str(n) for n in numbers.values()), *(m.isoformat() if m else "" for m in moments)]
        found[code] = Pulse(**numbers, oldest=row["oldest"], mark=":".join(parts))
    return found


# ------------------------------------------------------------------ why an item stands where it stands


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason in the reader's language. ``score`` is what it adds to the priority; None only explains."""

    code: str
    text: str
    score: int | None


def explained(item: WorkItem, *, at: datetime | None = None) -> list[Reason]:
    """Why the item waits and how much each reason counts, the heaviest first; then its age and what happened to it."""
    at = at or clock.now()
    kept = [Reason(str(r.get("code", "")), _told(r), int(r.get("score", 0))) for r in item.reasons]
    kept.sort(key=lambda reason: -(reason.score or 0))
    known = sum(reason.score or 0 for reason in kept)
    if item.priority != known:
        kept.append(Reason("priority", _("Set by hand"), item.priority - known))
    kept.append(Reason("age", _("Waits for %(age)s") % {"age": timesince(item.created_at, at)}, None))
    if item.is_overdue() and item.due_at is not None:
        kept.append(Reason("late", _("Late by %(time)s") % {"time": timesince(item.due_at, at)}, None))
    if item.escalation_level:
        by = item.escalated_by.display_name if item.escalated_by is not None else _("the due time")
        why = _(item.escalation_reason) if item.escalated_by is None else item.escalation_reason
        kept.append(Reason("escalated", _("Passed on by %(who)s: %(why)s") % {"who": by, "why": why}, None))
    return kept


def _told(reason: Mapping[str, Any]) -> str:
    """The kept source sentence in the reader's language, with its numbers written as there."""
    text, data = str(reason.get("text", "")), reason.get("data")
    if not data:
        return stored.shown(text)
    return _(text) % {name: number_format(value, force_grouping=True) for name, value in data.items()}


# ------------------------------------------------------------------ metrics


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and ninth decile of a time; None without a decision."""

    p50: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True)
class Person:
    """What one person decided since the day began."""

    name: str
    decided: int
    late: int
    median: timedelta | None
    last: datetime


@dataclass(frozen=True, slots=True)
class Metrics:
    """One queue for its supervisors: now, the last 24 hours, and today by person."""

    pulse: Pulse
    decided: int
    decided_late: int
    waiting: Spread
    deciding: Spread
    people: list[Person]
    hours: list[QueueHour]

    @property
    def measured(self) -> QueueHour | None:
        """The last full count, up to a minute old."""
        return self.hours[-1] if self.hours else None


SPREADS = """
SELECT count(*) AS decided, count(*) FILTER (WHERE late) AS late,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY waited) AS waited,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY worked) AS worked
  FROM (SELECT greatest(extract(epoch FROM i.claimed_at - i.created_at) - i.paused_seconds, 0)::float AS waited,
               extract(epoch FROM i.done_at - i.claimed_at)::float AS worked,
               coalesce(i.due_at < i.done_at, false) AS late
          FROM queues_workitem i
         WHERE i.state = 'done' AND i.queue = %(queue)s AND i.done_at >= %(since)s
         ORDER BY i.done_at DESC LIMIT %(most)s) recent
"""
PEOPLE = """
SELECT u.display_name AS name, count(*) AS decided, count(*) FILTER (WHERE late) AS late,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY worked) AS median, max(done_at) AS last
  FROM (SELECT i.done_by_id, i.done_at, extract(epoch FROM i.done_at - i.claimed_at)::float AS worked,
               coalesce(i.due_at < i.done_at, false) AS late
          FROM queues_workitem i
         WHERE i.state = 'done' AND i.queue = %(queue)s AND i.done_at >= %(today)s
         ORDER BY i.done_at DESC LIMIT %(most)s) recent
  JOIN {people} u ON u.id = recent.done_by_id
 GROUP BY u.id, u.display_name ORDER BY decided DESC, name LIMIT 100
"""


def metrics(queue: str, *, today: datetime, at: datetime | None = None) -> Metrics:
    """How a queue does; four statements whatever waits. ``today`` is when the reader's day began."""
    at = at or clock.now()
    most = {"queue": queue, "most": SAMPLE}
    (spread,) = _rows(SPREADS, {**most, "since": at - timedelta(hours=HOURS)})
    table = connection.ops.quote_name(WorkItem._meta.get_field("done_by").related_model._meta.db_table)  # type: ignore[union-attr]
    people = _rows(PEOPLE.format(people=table), {**most, "today": today})
    hours = QueueHour.objects.filter(queue=queue, hour__gt=at - timedelta(hours=HOURS)).order_by("hour")
    return Metrics(
        pulse=pulses([queue], at=at)[queue],
        decided=spread["decided"],
        decided_late=spread["late"],
        waiting=_spread(spread["waited"]),
        deciding=_spread(spread["worked"]),
        people=[
            Person(row["name"], row["decided"], row["late"], _seconds(row["median"]), row["last"]) for row in people
        ],
        hours=list(hours),
    )


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=round(value))


def _spread(values: Sequence[float | None] | None) -> Spread:
    p50, p90 = values or (None, None)
    return Spread(_seconds(p50), _seconds(p90))
