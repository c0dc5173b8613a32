"""One item in the hands of three people who do anything in any order, beside a model of a few lines."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from backoffice.core import clock
from backoffice.core.errors import DomainError
from backoffice.core.models import Job
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from backoffice.queues.worker import Worker
from tests.factories.accounts import member

PERSON = st.integers(0, 2)
BOSS = 2
SECOND = timedelta(seconds=1)
LEASE = 120 * SECOND
WINDOW = 10 * SECOND
WAIT = timedelta(hours=24)


class OneItem(RuleBasedStateMachine):
    """What the model holds is what the database must show after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.people = [member() for _ in range(3)]
        self.now = clock.now()
        self.subject = Job.objects.create(kind="test")
        self.item = items.enqueue(queue="q", subject=self.subject, label="x", at=self.now)
        self.state = "open"
        self.holder: int | None = None
        self.tokens: list[tuple[int, UUID]] = []
        self.until = self.now
        self.back: int | None = None
        self.back_until = self.now
        self.level = 0
        self.skipped: set[int] = set()
        self.decider: int | None = None
        self.undo_until = self.now

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    # ---------------------------------------------------------------- the model

    def worker(self, who: int) -> Worker:
        return Worker(self.people[who], supervises=frozenset({"q"} if who == BOSS else ()))

    def running(self) -> bool:
        return self.state == "claimed" and self.until >= self.now

    def takeable(self) -> bool:
        return self.state == "open" or (self.state == "claimed" and self.until < self.now)

    def took(self, who: int, item: WorkItem) -> None:
        assert item.lease_token is not None
        self.state, self.holder, self.until = "claimed", who, self.now + LEASE
        self.tokens.append((who, item.lease_token))

    def holds(self, who: int, token: UUID | None) -> bool:
        return self.running() and self.holder == who and bool(self.tokens) and self.tokens[-1] == (who, token)

    def put_down(self) -> None:
        self.state, self.holder = "open", None

    def lapse(self) -> None:
        """What every hand-out ends on its way."""
        if self.state == "claimed" and self.until < self.now:
            self.put_down()
        if self.state == "open" and self.back is not None and self.back_until <= self.now:
            self.back = None

    def attempt(self, possible: bool, act: Any) -> Any:
        """Runs it; it must succeed exactly when the model says so."""
        if possible:
            return act()
        with pytest.raises(DomainError):
            act()
        return None

    # ---------------------------------------------------------------- the rules

    @rule(seconds=st.sampled_from([1, 9, 10, 60, 119, 120, 121, 3600, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(who=PERSON)
    def next_one(self, who: int) -> None:
        item = items.claim_next(queues=["q"], by=self.worker(who), at=self.now)
        self.lapse()
        given = (
            self.state == "open"
            and who not in self.skipped
            and (self.back == who or (self.back is None and (self.level == 0 or who == BOSS)))
        )
        assert (item is not None) == given
        if item is not None:
            self.took(who, item)

    @rule(who=PERSON)
    def by_hand(self, who: int) -> None:
        mine = self.state == "claimed" and self.holder == who
        possible = (self.takeable() or mine) and (self.level == 0 or who == BOSS)
        item = self.attempt(possible, lambda: items.claim(self.item, by=self.worker(who), at=self.now))
        if possible:
            self.took(who, item)

    @rule(
        who=PERSON,
        verb=st.sampled_from(["heartbeat", "release", "skip", "pause", "pause_mine", "complete", "escalate"]),
        token=st.sampled_from(["last", "first", "foreign"]),
    )
    def with_a_token(self, who: int, verb: str, token: str) -> None:
        shown = {"last": self.tokens[-1:], "first": self.tokens[:1], "foreign": []}[token]
        key = shown[0][1] if shown else uuid4()
        given: dict[str, Any] = {"token": key, "by": self.people[who], "at": self.now}
        if verb.startswith("pause"):
            given |= {"reason": "x", "return_to": self.people[who] if verb == "pause_mine" else None}
        if verb == "complete":
            given["undo_until"] = self.now + WINDOW
        if verb == "escalate":
            given["reason"] = "x"
        act = getattr(items, verb.split("_")[0])
        possible = self.holds(who, key)
        self.attempt(possible, lambda: act(self.item, **given))
        if not possible:
            return
        if verb == "heartbeat":
            self.until = self.now + LEASE
        elif verb in ("release", "skip"):
            self.put_down()
            self.back = None
        elif verb.startswith("pause"):
            self.state, self.holder = "paused", None
            self.back = who if verb == "pause_mine" else None
        elif verb == "complete":
            self.state, self.decider, self.undo_until = "done", who, self.now + WINDOW
        else:
            self.put_down()
            self.back = None
            self.level += 1
        if verb in ("skip", "escalate"):
            self.skipped.add(who)

    @rule()
    def answered(self) -> None:
        item = items.resume(queue="q", subject=self.subject, at=self.now)
        assert (item is not None) == (self.state == "paused")
        if item is not None:
            self.state, self.back_until = "open", self.now + WAIT

    @rule(who=PERSON)
    def taken_back(self, who: int) -> None:
        possible = self.state == "done" and self.decider == who and self.now < self.undo_until
        item = self.attempt(possible, lambda: items.undo(self.item, by=self.people[who], at=self.now))
        if possible:
            self.took(who, item)

    @rule(to=st.sampled_from([None, 0, 1, 2]))
    def handed_down(self, to: int | None) -> None:
        person = None if to is None else self.people[to]
        boss = self.people[BOSS]
        item = items.hand_down(queue="q", subject=self.subject, by=boss, to=person, at=self.now)
        possible = self.level > 0 and self.state != "done"
        assert (item is not None) == possible
        if possible:
            self.level = 0
            self.skipped.discard(to if to is not None else -1)
            if self.state == "open":
                self.back, self.back_until = to, self.now + WAIT

    @rule()
    def cleaned_up(self) -> None:
        items.expire_leases(at=self.now)
        items.lapse_returns(at=self.now)
        self.lapse()

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def the_database_shows_the_model(self) -> None:
        item = WorkItem.objects.get(pk=self.item.pk)
        assert item.state == self.state
        assert item.escalation_level == self.level
        assert (item.lease_token is not None) == (self.state == "claimed")
        if self.state == "claimed":
            assert self.holder is not None
            assert item.holder_id == self.people[self.holder].pk
            assert item.lease_until == self.until
        if self.state in ("open", "paused"):
            assert item.holder_id is None
            assert item.return_to_id == (None if self.back is None else self.people[self.back].pk)
        if self.state == "done":
            assert self.decider is not None
            assert item.done_by_id == self.people[self.decider].pk


@pytest.mark.django_db
def test_an_item_follows_its_model_through_anything() -> None:
    run_state_machine_as_test(
        OneItem,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
