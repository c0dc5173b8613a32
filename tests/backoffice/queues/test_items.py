import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from backoffice.core import clock
from backoffice.core.models import Job
from backoffice.queues import queries
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from tests.factories.accounts import staff
from tests.statements import count


def _item(**fields) -> WorkItem:
    subject = fields.pop("subject", None) or Job.objects.create(kind="test")
    return items.enqueue(queue=fields.pop("queue", "q"), subject=subject, label="thing", **fields)


@pytest.mark.django_db
class TestHandOut:
    def test_the_highest_priority_then_the_first_due_comes_first(self) -> None:
        now = clock.now()
        late = _item(due_at=now + timedelta(hours=5))
        soon = _item(due_at=now + timedelta(hours=1))
        urgent = _item(reasons=[{"code": "vip", "text": "Large audience", "score": 10}])
        person = staff()
        assert [items.claim_next(queues=["q"], by=person).pk for _ in range(3)] == [urgent.pk, soon.pk, late.pk]
        assert items.claim_next(queues=["q"], by=person) is None

    def test_a_subject_is_in_a_queue_once(self) -> None:
        subject = Job.objects.create(kind="test")
        assert _item(subject=subject).pk == _item(subject=subject).pk

    def test_skipping_hides_the_item_from_the_skipper_only(self) -> None:
        item, me, other = _item(), staff(), staff()
        claimed = items.claim_next(queues=["q"], by=me)
        items.skip(claimed, token=claimed.lease_token, by=me)
        assert items.claim_next(queues=["q"], by=me) is None
        assert items.claim_next(queues=["q"], by=other).pk == item.pk

    def test_a_lease_that_ran_out_holds_nothing(self) -> None:
        _item()
        me, other = staff(), staff(display_name="Guerda")
        mine = items.claim_next(queues=["q"], by=me)
        later = clock.now() + timedelta(seconds=200)
        theirs = items.claim_next(queues=["q"], by=other, at=later)
        assert theirs.pk == mine.pk
        with pytest.raises(items.LeaseLost, match="Guerda is working on this"):
            items.complete(mine, token=mine.lease_token, by=me, at=later)

    def test_a_heartbeat_keeps_the_lease(self) -> None:
        _item()
        me = staff()
        mine = items.claim_next(queues=["q"], by=me)
        for step in range(1, 5):
            items.heartbeat(mine, token=mine.lease_token, by=me, at=clock.now() + timedelta(seconds=100 * step))
        assert items.claim_next(queues=["q"], by=staff(), at=clock.now() + timedelta(seconds=450)) is None

    def test_the_second_person_is_told_who_decided(self) -> None:
        item, me, other = _item(), staff(display_name="Mirlande"), staff()
        mine = items.claim(item, by=me)
        items.complete(mine, token=mine.lease_token, by=me, outcome="approved")
        with pytest.raises(items.NotFree, match="Mirlande has already decided this"):
            items.claim(item, by=other)

    def test_a_second_window_of_the_same_person_takes_over(self) -> None:
        item, me = _item(), staff()
        first, second = items.claim(item, by=me), items.claim(item, by=me)
        with pytest.raises(items.LeaseLost, match="another window"):
            items.complete(first, token=first.lease_token, by=me)
        items.complete(second, token=second.lease_token, by=me)

    def test_a_pause_stops_the_clock_and_returns_to_the_same_person(self) -> None:
        now = clock.now()
        subject = Job.objects.create(kind="test")
        _item(subject=subject, due_at=now + timedelta(hours=10))
        me, other = staff(), staff()
        mine = items.claim_next(queues=["q"], by=me, at=now)
        items.pause(mine, token=mine.lease_token, by=me, reason="the applicant", return_to=me, at=now)
        assert items.claim_next(queues=["q"], by=me) is None
        back = items.resume(queue="q", subject=subject, at=now + timedelta(hours=4))
        assert back is not None
        assert back.due_at == now + timedelta(hours=14)
        assert items.claim_next(queues=["q"], by=other, at=now + timedelta(hours=4)) is None
        assert items.claim_next(queues=["q"], by=me, at=now + timedelta(hours=4)) is not None

    def test_cancelling_takes_it_from_whoever_holds_it(self) -> None:
        subject = Job.objects.create(kind="test")
        _item(subject=subject)
        me = staff()
        mine = items.claim_next(queues=["q"], by=me)
        assert items.cancel(queue="q", subject=subject) == 1
        with pytest.raises(items.LeaseLost):
            items.complete(mine, token=uuid4(), by=me)

    def test_counts_take_one_statement_however_many_items_there_are(self) -> None:
        for _ in range(5):
            _item(due_at=clock.now() - timedelta(hours=1))
        assert count(lambda: queries.counts(["q", "other"])) == 1
        assert queries.counts(["q", "other"])["q"]["overdue"] == 5
        assert queries.counts(["q", "other"])["other"]["open"] == 0


@pytest.mark.django_db(transaction=True)
def test_twenty_people_pulling_at_once_never_get_the_same_item() -> None:
    for _ in range(60):
        _item()
    people = [staff() for _ in range(20)]
    taken: list[str] = []
    failures: list[Exception] = []
    barrier = threading.Barrier(20)

    def pull(person) -> None:
        try:
            barrier.wait()
            while True:
                item = items.claim_next(queues=["q"], by=person)
                if item is None:
                    return
                items.complete(item, token=item.lease_token, by=person)
                taken.append(str(item.pk))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=pull, args=[person], name=f"race-{n}") for n, person in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    # SKIP LOCKED may end a pull early while the last rows are locked; nothing may be given twice.
    assert len(taken) == len(set(taken))
    left = WorkItem.objects.filter(state="open").count()
    assert len(taken) + left == 60
