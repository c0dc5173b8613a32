"""Keys of rows: in the order in which they were made, and not to be guessed."""

import time
import uuid

import pytest

from backoffice.core.ids import uuid7


def test_what_is_made_later_sorts_later_within_a_millisecond_too() -> None:
    made = [uuid7() for _number in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_clock_that_is_set_back_does_not_change_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before = uuid7()
    earlier = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: earlier)
    assert before < uuid7() < uuid7()


def test_it_is_a_version_7_with_the_time_in_front_and_a_random_end() -> None:
    first, second = uuid7(), uuid7()
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert abs((first.int >> 80) - time.time_ns() // 1_000_000) < 60_000
    assert first.int & ((1 << 62) - 1) != second.int & ((1 << 62) - 1)
