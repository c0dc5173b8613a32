"""What people see of the queues: counts, pulses, reasons, metrics."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import translation

from backoffice.core import clock
from backoffice.core.models import Job
from backoffice.queues import queries
from backoffice.queues.models import QueueHour, WorkItem
from backoffice.queues.services import items, measuring
from tests.factories.accounts import staff
from tests.statements import count

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def item(**fields: Any) -> WorkItem:
    return items.enqueue(queue="q", subject=Job.objects.create(kind="test"), label="thing", **fields)


def decide(person: Any, *, waits: timedelta, takes: timedelta, until: Any, due_in: timedelta | None = None) -> None:
    arrived = until - waits - takes
    found = item(at=arrived, due_at=arrived + due_in if due_in else None)
    mine = items.claim(found, by=person, at=until - takes)
    WorkItem.objects.filter(pk=mine.pk).update(lease_until=until)
    items.complete(mine, token=mine.lease_token or "", by=person, at=until)


def test_counting_stops_where_nobody_reads_on() -> None:
    WorkItem.objects.bulk_create(
        WorkItem(queue="q", subject_type="t", subject_id=str(uuid4()), label="x") for _ in range(queries.AT_MOST + 5)
    )
    assert queries.counts(["q"])["q"]["open"] == queries.AT_MOST
    assert [queries.shown(n) for n in (0, 999, 1000)] == ["0", "999", "999+"]


def test_the_pulse_is_one_statement_and_its_mark_moves_with_everything_that_happens() -> None:
    now, person = clock.now(), staff()
    marks = []

    def look() -> None:
        marks.append(queries.pulses(["q", "other"])["q"].mark)

    assert count(look) == 1
    found = item(at=now)
    look()
    mine = items.claim(found, by=person, at=now)
    look()
    items.release(mine, token=mine.lease_token or "", by=person, at=now)
    look()
    mine = items.claim(found, by=person, at=now + timedelta(seconds=1))
    look()
    items.pause(mine, token=mine.lease_token or "", by=person, reason="x", at=now)
    look()
    items.resume(queue="q", subject=Job.objects.get(), at=now)
    look()
    items.escalate_subject(queue="q", subject=Job.objects.get(), by=None, reason="x")
    look()
    assert all(before != after for before, after in itertools.pairwise(marks))
    assert queries.pulses(["q"])["q"].mark == marks[-1]


def test_every_reason_is_told_with_its_score_then_age_delay_and_who_passed_it_on() -> None:
    now, person = clock.now(), staff(display_name="Guerda")
    found = item(
        reasons=[{"code": "a", "text": "New application", "score": 10}, {"code": "b", "text": "Big", "score": 30}],
        priority=5,
        due_at=now - HOUR,
        at=now - 5 * HOUR,
    )
    mine = items.claim(found, by=person, at=now)
    up = items.escalate(mine, token=mine.lease_token or "", by=person, reason="Known singer?", at=now)
    told = [(reason.code, reason.text, reason.score) for reason in queries.explained(up, at=now)]
    assert told == [
        ("b", "Big", 30),
        ("a", "New application", 10),
        ("priority", "Set by hand", 5),
        ("age", "Waits for 5\xa0hours", None),
        ("late", "Late by 1\xa0hour", None),
        ("escalated", "Passed on by Guerda: Known singer?", None),
    ]
    assert sum(score or 0 for _code, _text, score in told) == up.priority
    with translation.override("fr"):
        assert queries.explained(up, at=now)[1].text == translation.gettext("New application")


def test_a_reason_with_numbers_is_told_in_the_readers_language() -> None:
    text = "%(count)s followers on the accounts named"
    found = item(reasons=[{"code": "audience", "text": text, "data": {"count": 12000}, "score": 10}])
    assert queries.explained(found)[0].text == "12,000 followers on the accounts named"
    for language in ("fr", "ht"):
        with translation.override(language):
            assert queries.explained(found)[0].text == translation.gettext(text) % {"count": "12\xa0000"}


class TestMetrics:
    def test_they_are_four_statements_whatever_waits(self) -> None:
        now = clock.now()
        item()
        assert count(lambda: queries.metrics("q", today=now - HOUR)) == 4
        for _ in range(30):
            item()
        decide(staff(), waits=HOUR, takes=HOUR, until=now)
        assert count(lambda: queries.metrics("q", today=now - HOUR)) == 4

    def test_an_empty_queue_has_no_times(self) -> None:
        found = queries.metrics("q", today=clock.now())
        assert (found.decided, found.waiting, found.people, found.hours) == (
            0,
            queries.Spread(None, None),
            [],
            [],
        )
        assert found.pulse.oldest is None

    def test_median_and_ninth_decile_of_waiting_and_deciding_in_the_last_day(self) -> None:
        now, person = clock.now(), staff()
        for number in range(1, 11):
            decide(person, waits=number * HOUR, takes=timedelta(minutes=number), until=now - timedelta(minutes=5))
        decide(person, waits=500 * HOUR, takes=HOUR, until=now - 25 * HOUR)
        found = queries.metrics("q", today=now - HOUR, at=now)
        assert found.decided == 10
        assert found.waiting == queries.Spread(5.5 * HOUR, 9.1 * HOUR)
        assert found.deciding == queries.Spread(timedelta(seconds=330), timedelta(seconds=546))

    def test_time_spent_paused_is_no_waiting(self) -> None:
        now, person = clock.now(), staff()
        mine = items.claim(item(at=now - 10 * HOUR), by=person, at=now - 9 * HOUR)
        items.pause(mine, token=mine.lease_token or "", by=person, reason="x", at=now - 9 * HOUR)
        items.resume(queue="q", subject=Job.objects.get(), at=now - HOUR)
        mine = items.claim(WorkItem.objects.get(), by=person, at=now)
        items.complete(mine, token=mine.lease_token or "", by=person, at=now)
        assert queries.metrics("q", today=now - HOUR, at=now).waiting.p50 == 2 * HOUR

    def test_people_are_counted_since_the_day_began_with_what_was_late(self) -> None:
        now = clock.now()
        quick, slow = staff(display_name="Anne"), staff(display_name="Bob")
        for _ in range(2):
            decide(quick, waits=HOUR, takes=timedelta(minutes=1), until=now, due_in=3 * HOUR)
        decide(slow, waits=2 * HOUR, takes=timedelta(minutes=9), until=now, due_in=HOUR)
        decide(slow, waits=HOUR, takes=HOUR, until=now - 5 * HOUR)
        found = queries.metrics("q", today=now - 4 * HOUR, at=now)
        assert [(p.name, p.decided, p.late, p.median) for p in found.people] == [
            ("Anne", 2, 0, timedelta(minutes=1)),
            ("Bob", 1, 1, timedelta(minutes=9)),
        ]
        assert found.decided_late == 1

    def test_every_minute_the_hour_is_measured_and_the_page_reads_what_was_kept(self) -> None:
        now = clock.now().replace(minute=30)
        late, paused = item(at=now, due_at=now - HOUR), item(at=now - 3 * HOUR)
        person = staff()
        decide(person, waits=HOUR, takes=timedelta(minutes=1), until=now, due_in=timedelta(minutes=1))
        mine = items.claim(paused, by=person, at=now)
        items.pause(mine, token=mine.lease_token or "", by=person, reason="x", at=now)
        items.escalate_subject(queue="q", subject=Job.objects.get(pk=late.subject_id), by=None, reason="x", at=now)
        assert measuring.measure(at=now) == 1
        measuring.measure(at=now + timedelta(minutes=1))
        hour = QueueHour.objects.get()
        measured = (hour.open, hour.claimed, hour.paused, hour.overdue, hour.escalated, hour.arrived, hour.decided)
        assert measured == (1, 0, 1, 1, 1, 1, 1)
        assert (hour.decided_late, hour.measured_at) == (1, now + timedelta(minutes=1))
        assert queries.metrics("q", today=now, at=now).measured == hour

    def test_an_hour_that_is_over_is_finished_with_what_came_in_its_last_minutes(self) -> None:
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        item(at=hour + timedelta(minutes=10))
        measuring.measure(at=hour + timedelta(minutes=30))
        item(at=hour + timedelta(minutes=59))
        measuring.measure(at=hour + HOUR + timedelta(minutes=1))
        assert QueueHour.objects.get(hour=hour).arrived == 2
        assert QueueHour.objects.get(hour=hour + HOUR).arrived == 0
