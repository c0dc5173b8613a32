"""Fifty people at one queue, each on a connection of their own."""

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count

from backoffice.queues.models import WorkItem, lane_of
from backoffice.queues.services import items
from backoffice.queues.worker import Worker
from tests.factories.accounts import member

PEOPLE, ITEMS = 50, 10_000
LANGUAGES = ("ht", "fr", "en", "")


@pytest.mark.django_db(transaction=True)
def test_fifty_people_claim_ten_thousand_items_none_twice_and_none_lost() -> None:
    WorkItem.objects.bulk_create(
        WorkItem(
            queue="q",
            subject_type="test",
            subject_id=str(uuid4()),
            label="thing",
            priority=number % 7,
            language=LANGUAGES[number % 4],
            lane=lane_of(LANGUAGES[number % 4], ()),
        )
        for number in range(ITEMS)
    )
    # Half of them read everything, half of them two languages: every item has somebody.
    workers = [Worker(member(), languages=None if number % 2 else frozenset(("ht", "fr"))) for number in range(PEOPLE)]
    taken: list[list[WorkItem]] = [[] for _ in workers]
    failures: list[Exception] = []
    barrier = threading.Barrier(PEOPLE)

    def pull(worker: Worker, mine: list[WorkItem]) -> None:
        try:
            barrier.wait(60)
            while (item := items.claim_next(queues=["q"], by=worker)) is not None:
                mine.append(item)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=pull, args=pair, name=f"person-{number}")
        for number, pair in enumerate(zip(workers, taken, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert failures == []
    given = [item for mine in taken for item in mine]
    assert len(given) == ITEMS
    assert len({item.pk for item in given}) == ITEMS
    assert len({item.lease_token for item in given}) == ITEMS
    assert not WorkItem.objects.exclude(state="claimed").exists()
    kept = dict(WorkItem.objects.values_list("holder").annotate(n=Count("id")))
    assert kept == {worker.user.pk: len(mine) for worker, mine in zip(workers, taken, strict=True) if mine}
    for worker, mine in zip(workers, taken, strict=True):
        assert worker.languages is None or {item.language for item in mine} <= worker.languages
