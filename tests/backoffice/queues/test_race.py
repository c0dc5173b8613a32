"""Fifty people at one queue, each on a connection of their own."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count

from backoffice.queues.models import WorkItem, lane_of
from backoffice.queues.services import items
from backoffice.queues.services.items import AtCapacity
from backoffice.queues.worker import Worker
from tests.factories.accounts import member

PEOPLE, ITEMS = 50, 10_000
LANE = lane_of("", ())
LANGUAGES = ("ht", "fr", "en", "")


def together(act: Callable[[int], None], many: int) -> None:
    """Calls ``act`` with 0, 1, 2 … at the same instant, each on a connection of its own."""
    failures: list[Exception] = []
    barrier = threading.Barrier(many)

    def run(number: int) -> None:
        try:
            barrier.wait(60)
            act(number)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,), name=f"person-{number}") for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert failures == []


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

    def pull(number: int) -> None:
        while (item := items.claim_next(queues=["q"], by=workers[number])) is not None:
            taken[number].append(item)

    together(pull, PEOPLE)
    given = [item for mine in taken for item in mine]
    assert len(given) == ITEMS
    assert len({item.pk for item in given}) == ITEMS
    assert len({item.lease_token for item in given}) == ITEMS
    assert not WorkItem.objects.exclude(state="claimed").exists()
    kept = dict(WorkItem.objects.values_list("holder").annotate(n=Count("id")))
    assert kept == {worker.user.pk: len(mine) for worker, mine in zip(workers, taken, strict=True) if mine}
    for worker, mine in zip(workers, taken, strict=True):
        assert worker.languages is None or {item.language for item in mine} <= worker.languages


@pytest.mark.django_db(transaction=True)
def test_one_person_at_twelve_windows_is_given_no_more_than_they_may_hold() -> None:
    WorkItem.objects.bulk_create(
        WorkItem(
            queue="q",
            subject_type="test",
            subject_id=str(uuid4()),
            label="thing",
            group_key=f"g{number % 2}",
            lane=LANE,
        )
        for number in range(100)
    )
    worker = Worker(member(), capacity=3)
    refused = []

    def pull(number: int) -> None:
        try:
            if number % 3:
                items.claim_next(queues=["q"], by=worker)
            else:
                items.claim_group(queue="q", group="g0", by=worker)
        except AtCapacity:
            refused.append(number)

    together(pull, 12)
    assert WorkItem.objects.filter(state="claimed", holder=worker.user).count() == 3
    assert refused
