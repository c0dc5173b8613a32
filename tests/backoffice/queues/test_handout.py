"""Who is given what: duty, capacity, languages, skills, supervision, returns, groups."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from backoffice.audit.models import AuditEntry
from backoffice.core import clock
from backoffice.core.errors import Forbidden, Invalid
from backoffice.core.models import Job
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items, people
from backoffice.queues.worker import Worker
from tests.factories.accounts import staff
from tests.statements import count

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def item(**fields: Any) -> WorkItem:
    subject = fields.pop("subject", None) or Job.objects.create(kind="test")
    return items.enqueue(queue=fields.pop("queue", "q"), subject=subject, label="thing", **fields)


def subject_of(found: WorkItem) -> Job:
    return Job.objects.get(pk=found.subject_id)


def next_for(worker: Any, **fields: Any) -> WorkItem | None:
    return items.claim_next(queues=fields.pop("queues", ["q"]), by=worker, **fields)


def held(found: WorkItem | None) -> WorkItem:
    assert found is not None
    return found


def test_the_next_item_is_handed_out_in_one_statement_whatever_the_limits() -> None:
    for number in range(6):
        item(language="ht", skills=["cultural"] if number % 2 else [], priority=number)
    item()
    person = staff()
    worker = Worker(person, languages=frozenset({"ht"}), skills=frozenset({"cultural"}), capacity=9)
    next_for(worker)
    assert count(lambda: next_for(worker)) == 1


def test_nothing_is_handed_to_somebody_off_duty() -> None:
    item()
    person = staff()
    with pytest.raises(items.OffDuty):
        next_for(Worker(person, on_duty=False))
    with pytest.raises(items.OffDuty):
        items.claim_group(queue="q", group="g", by=Worker(person, on_duty=False))


def test_nobody_holds_more_than_they_may_and_a_lease_that_ran_out_counts_no_more() -> None:
    for _ in range(3):
        item()
    now, worker = clock.now(), Worker(staff(), capacity=2)
    assert next_for(worker, at=now)
    assert next_for(worker, at=now)
    with pytest.raises(items.AtCapacity, match="You hold 2 items and may hold 2"):
        next_for(worker, at=now)
    assert next_for(worker, at=now + timedelta(seconds=121))


def test_what_is_paused_takes_no_room() -> None:
    item(), item()
    person = staff()
    worker = Worker(person, capacity=1)
    first = held(next_for(worker))
    items.pause(first, token=first.lease_token or "", by=person, reason="x", return_to=person)
    assert next_for(worker)


@pytest.mark.parametrize(
    ("languages", "given"),
    [(None, ["fr", "ht", ""]), ({"ht"}, ["ht"]), ({"ht", ""}, ["ht", ""]), ({"en"}, [])],
)
def test_languages_limit_what_is_handed_out(languages: set[str] | None, given: list[str]) -> None:
    for priority, language in ((3, "fr-HT"), (2, "ht"), (1, "")):
        item(language=language, priority=priority)
    worker = Worker(staff(), languages=None if languages is None else frozenset(languages))
    found = []
    while one := next_for(worker):
        found.append(one.language[:2])
    assert found == given


def test_an_item_goes_only_to_people_with_all_the_skills_it_asks_for() -> None:
    both, plain = item(skills=["tax", "cultural"], priority=5), item()
    one_skill = Worker(staff(), skills=frozenset({"tax"}))
    assert next_for(one_skill) == plain
    assert next_for(one_skill) is None
    assert next_for(Worker(staff(), skills=frozenset({"tax", "cultural", "more"}))) == both


def test_the_most_urgent_comes_first_whatever_language_and_skills_it_has() -> None:
    order = [("ht", [], 9), ("", ["tax"], 8), ("en", [], 7), ("ht", ["tax"], 6), ("en", [], 5)]
    for language, skills, priority in sorted(order, key=str):
        item(language=language, skills=skills, priority=priority)
    worker = Worker(staff(), skills=frozenset({"tax"}))
    assert [held(next_for(worker)).priority for _ in order] == [9, 8, 7, 6, 5]


def test_queues_are_served_in_the_given_order_after_what_returned() -> None:
    person = staff()
    other = item(queue="b")
    first = item(queue="a", priority=-5)
    back = item(queue="b", return_to=person, priority=-9)
    queues = ["a", "b"]
    assert [next_for(person, queues=queues) for _ in range(4)] == [back, first, other, None]


class TestReturning:
    def paused(self, person: Any, at: Any) -> Job:
        found = item(at=at)
        mine = items.claim(found, by=person, at=at)
        items.pause(mine, token=mine.lease_token or "", by=person, reason="the applicant", return_to=person, at=at)
        return subject_of(found)

    def test_it_waits_for_that_person_and_then_is_anybodys(self) -> None:
        now, me, other = clock.now(), staff(), staff()
        items.resume(queue="q", subject=self.paused(me, now), at=now + HOUR)
        assert next_for(other, at=now + 24 * HOUR) is None
        assert next_for(other, at=now + 25 * HOUR) is not None

    def test_the_clean_up_ends_the_waiting_too(self) -> None:
        now, me = clock.now(), staff()
        items.resume(queue="q", subject=self.paused(me, now), at=now)
        assert items.lapse_returns(at=now + 23 * HOUR) == 0
        assert items.lapse_returns(at=now + 24 * HOUR) == 1
        assert WorkItem.objects.get().return_to is None

    def test_nothing_returns_to_somebody_who_is_away(self) -> None:
        now, me, other = clock.now(), staff(), staff()
        subject = self.paused(me, now)
        people.leave(user=me)
        items.resume(queue="q", subject=subject, at=now)
        assert next_for(other, at=now) is not None

    def test_what_waits_for_somebody_who_leaves_is_anybodys_at_once(self) -> None:
        now, me, other = clock.now(), staff(), staff()
        items.resume(queue="q", subject=self.paused(me, now), at=now)
        assert people.leave(user=me) == 1
        assert next_for(other, at=now) is not None

    def test_after_coming_back_things_return_again(self) -> None:
        now, me = clock.now(), staff()
        subject = self.paused(me, now)
        people.leave(user=me)
        people.come_back(user=me)
        items.resume(queue="q", subject=subject, at=now)
        assert WorkItem.objects.get().return_to == me

    def test_nothing_returns_to_a_closed_account(self) -> None:
        now, me = clock.now(), staff()
        subject = self.paused(me, now)
        me.is_active = False
        me.save()
        assert held(items.resume(queue="q", subject=subject, at=now)).return_to is None


class TestEscalation:
    def test_by_hand_it_goes_to_supervisors_only_with_who_and_why(self) -> None:
        found, person = item(), staff(display_name="Guerda")
        mine = items.claim(found, by=person)
        items.escalate(mine, token=mine.lease_token or "", by=person, reason=" Looks staged ")
        assert next_for(staff()) is None
        assert next_for(Worker(staff(), supervises=frozenset({"other"}))) is None
        with pytest.raises(Forbidden, match="passed on to a supervisor"):
            items.claim(found, by=Worker(staff()))
        up = held(next_for(Worker(staff(), supervises=frozenset({"q"}))))
        assert (up.escalation_level, up.escalated_by, up.escalation_reason) == (1, person, "Looks staged")
        entry = AuditEntry.objects.get(action="work_item.escalate")
        assert (entry.actor, entry.reason, entry.data["level"]) == (person, "Looks staged", 1)

    def test_it_is_not_given_back_to_who_passed_it_on(self) -> None:
        mine = held(next_for(person := staff())) if item() else None
        assert mine is not None
        items.escalate(mine, token=mine.lease_token or "", by=person, reason="x")
        assert next_for(Worker(person, supervises=frozenset({"q"}))) is None

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_it_takes_a_reason_of_some_length(self, reason: str) -> None:
        mine = items.claim(item(), by=(person := staff()))
        with pytest.raises(Invalid):
            items.escalate(mine, token=mine.lease_token or "", by=person, reason=reason)
        assert WorkItem.objects.get().escalation_level == 0

    def test_supervisors_are_given_it_before_everything_else(self) -> None:
        item(priority=100)
        low = item(priority=-100)
        items.escalate_subject(queue="q", subject=subject_of(low), by=None, reason="x")
        assert next_for(Worker(staff(), supervises=frozenset({"q"}))) == low

    def test_by_due_time_only_what_nobody_took_goes_up_once(self) -> None:
        now = clock.now()
        late, taken, paused, fresh = (item(at=now, due_at=now + 10 * HOUR) for _ in range(4))
        WorkItem.objects.filter(pk=fresh.pk).update(due_at=now + 100 * HOUR)
        person = staff()
        items.claim(taken, by=person, at=now + 30 * HOUR)
        resting = items.claim(paused, by=person, at=now)
        items.pause(resting, token=resting.lease_token or "", by=person, reason="x", at=now)
        assert items.escalate_due(queues=["q"], percent=300, at=now + 30 * HOUR - timedelta(seconds=1)) == 0
        assert items.escalate_due(queues=["q"], percent=300, at=now + 30 * HOUR) == 1
        assert items.escalate_due(queues=["q"], percent=300, at=now + 30 * HOUR) == 0
        assert items.escalate_due(queues=["q"], percent=0, at=now + 900 * HOUR) == 0
        late.refresh_from_db()
        assert (late.escalation_level, late.escalated_by, late.escalated_at) == (1, None, now + 30 * HOUR)

    def test_a_share_below_the_due_time_warns_supervisors_early(self) -> None:
        now = clock.now()
        item(at=now, due_at=now + 10 * HOUR)
        assert items.escalate_due(queues=["q"], percent=50, at=now + 4 * HOUR) == 0
        assert items.escalate_due(queues=["q"], percent=50, at=now + 5 * HOUR) == 1

    @pytest.mark.parametrize(("percent", "ends"), [(300, 50), (100, 30), (50, 25)])
    def test_a_pause_counts_once_whatever_the_share(self, percent: int, ends: int) -> None:
        now, person = clock.now(), staff()
        found = item(at=now, due_at=now + 10 * HOUR)
        mine = items.claim(found, by=person, at=now + HOUR)
        items.pause(mine, token=mine.lease_token or "", by=person, reason="x", return_to=person, at=now + HOUR)
        items.resume(queue="q", subject=subject_of(found), at=now + 21 * HOUR)
        found.refresh_from_db()
        assert found.due_at == now + 30 * HOUR
        asked = {"queues": ["q"], "percent": percent}
        assert items.escalate_due(**asked, at=now + ends * HOUR - timedelta(seconds=1)) == 0
        found.refresh_from_db()
        assert found.return_to == person
        assert items.escalate_due(**asked, at=now + ends * HOUR) == 1

    def test_a_due_time_that_was_set_before_the_pauses_ended_gives_no_time_back(self) -> None:
        now, person = clock.now(), staff()
        found = item(at=now)
        mine = items.claim(found, by=person, at=now)
        items.pause(mine, token=mine.lease_token or "", by=person, reason="x", at=now)
        items.resume(queue="q", subject=subject_of(found), at=now + 20 * HOUR)
        items.revise(queue="q", subject=subject_of(found), due_at=now + 10 * HOUR, at=now + 20 * HOUR)
        assert items.escalate_due(queues=["q"], percent=300, at=now + 20 * HOUR - timedelta(seconds=1)) == 0
        assert items.escalate_due(queues=["q"], percent=300, at=now + 20 * HOUR) == 1

    def test_handed_down_it_is_ordinary_again_for_one_person_first(self) -> None:
        found, person, boss = item(), staff(), staff()
        mine = items.claim(found, by=person)
        items.escalate(mine, token=mine.lease_token or "", by=person, reason="x")
        items.hand_down(queue="q", subject=subject_of(found), by=boss, to=person)
        assert next_for(staff()) is None
        assert next_for(person) == found
        assert items.hand_down(queue="q", subject=subject_of(found), by=boss) is None


class TestGroups:
    def test_all_open_items_of_a_group_are_claimed_up_to_the_capacity(self) -> None:
        ours = [item(group="g", priority=number) for number in range(4)]
        item(group="h"), item()
        person = staff()
        taken = items.claim_group(queue="q", group="g", by=Worker(person, capacity=3))
        assert taken == ours[:0:-1]
        assert all(one.holder == person and one.lease_token for one in taken)
        with pytest.raises(items.AtCapacity):
            items.claim_group(queue="q", group="g", by=Worker(person, capacity=3))

    def test_what_the_person_would_not_be_given_is_left_out(self) -> None:
        skipped, escalated, foreign, skilled = (
            item(group="g"),
            item(group="g"),
            item(group="g", language="fr"),
            item(group="g", skills=["tax"]),
        )
        mine = items.claim(skipped, by=(person := staff()))
        items.skip(mine, token=mine.lease_token or "", by=person)
        items.escalate_subject(queue="q", subject=subject_of(escalated), by=None, reason="x")
        assert items.claim_group(queue="q", group="g", by=Worker(person, languages=frozenset({"ht", ""}))) == []
        everything = Worker(staff(), skills=frozenset({"tax"}), supervises=frozenset({"q"}))
        assert {*items.claim_group(queue="q", group="g", by=everything)} == {skipped, escalated, foreign, skilled}

    def test_a_heartbeat_on_one_keeps_all_of_the_group_and_nothing_else(self) -> None:
        now, person = clock.now(), staff()
        item(group="g"), item(group="g")
        alone = items.claim(item(), by=person, at=now)
        first, second = items.claim_group(queue="q", group="g", by=person, at=now)
        items.heartbeat(first, token=first.lease_token or "", by=person, at=now + timedelta(seconds=100))
        later = now + timedelta(seconds=200)
        items.complete(second, token=second.lease_token or "", by=person, at=later)
        with pytest.raises(items.LeaseLost):
            items.complete(alone, token=alone.lease_token or "", by=person, at=later)


class TestUndo:
    def decided(self, person: Any, at: Any) -> WorkItem:
        mine = items.claim(item(), by=person, at=at)
        undo_until = at + timedelta(seconds=10)
        return items.complete(
            mine, token=mine.lease_token or "", by=person, outcome="approve", undo_until=undo_until, at=at
        )

    def test_within_its_time_the_item_is_in_the_same_hands_again(self) -> None:
        now, person = clock.now(), staff()
        done = self.decided(person, now)
        back = items.undo(done, by=person, at=now + timedelta(seconds=9))
        assert (back.state, back.holder, back.outcome, back.done_at) == ("claimed", person, "", None)
        items.complete(back, token=back.lease_token or "", by=person, at=now + timedelta(seconds=20))

    def test_afterwards_and_by_others_it_is_refused(self) -> None:
        now, person = clock.now(), staff()
        done = self.decided(person, now)
        with pytest.raises(items.NotUndoable, match="has taken effect"):
            items.undo(done, by=person, at=now + timedelta(seconds=10))
        with pytest.raises(items.NotUndoable, match="Only the person"):
            items.undo(done, by=staff(), at=now)
        open_one = item()
        with pytest.raises(items.NotUndoable):
            items.undo(open_one, by=person, at=now)


def rows_read() -> int:
    """Rows of the queue that this transaction has read so far, one way or another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'queues_workitem'"
        )
        return cursor.fetchone()[0]


def test_what_waits_in_other_lanes_is_not_read_to_find_ones_own() -> None:
    WorkItem.objects.bulk_create(
        WorkItem(queue="q", subject_type="t", subject_id=str(uuid4()), label="x", lane="en|", language="en")
        for _ in range(3000)
    )
    mine = item(language="ht")
    worker = Worker(staff(), languages=frozenset({"ht"}))
    with connection.cursor() as cursor:
        # As on a fresh connection: a plan kept from an empty queue lives no longer than the connection, a minute.
        cursor.execute("DISCARD PLANS")
    before = rows_read()
    assert next_for(worker) == mine
    assert next_for(worker) is None
    assert rows_read() - before < 50
