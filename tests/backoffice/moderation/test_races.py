"""Two moderators at once, on two connections."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from backoffice.core.errors import DomainError
from backoffice.moderation.models import Decision
from backoffice.moderation.services import cases
from tests.factories import moderation as moderate
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Runs the calls at the same moment, each on its own connection; gives results or refusals."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        barrier.wait(60)
        try:
            results[index] = call()
        except DomainError as refusal:
            results[index] = refusal
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(index, call), name=f"race-{index}") for index, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_two_moderators_asking_for_the_next_get_different_cases() -> None:
    first, second = staff("content_moderator"), staff("content_moderator")
    for _ in range(2):
        moderate.case()
    got = together(lambda: cases.claim_next(by=first), lambda: cases.claim_next(by=second))
    assert len({case.pk for case in got}) == 2


def test_two_decisions_on_one_case_leave_one_decision() -> None:
    moderator = staff("content_moderator")
    moderate.case()
    case = cases.claim_next(by=moderator)
    assert case is not None
    held = moderate.decision_of(case, moderator)
    results = together(*[lambda: cases.approve(case, **held)] * 2)
    assert sorted(isinstance(result, DomainError) for result in results) == [False, True]
    assert Decision.objects.count() == 1


def test_undo_and_effect_at_once_leave_one_outcome() -> None:
    moderator = staff("content_moderator")
    moderate.case()
    case = cases.claim_next(by=moderator)
    assert case is not None
    decision = cases.approve(case, **moderate.decision_of(case, moderator))
    results = together(
        lambda: cases.undo(decision, by=moderator, at=decision.decided_at),
        lambda: cases.settle(decision, at=decision.effective_at),
    )
    case.refresh_from_db()
    undone = not isinstance(results[0], DomainError)
    assert case.status == ("in_review" if undone else "approved")
    assert Decision.objects.get().enforcement.effect == ("undone" if undone else "applied")
