"""What happened is told in words."""

import re
from pathlib import Path

import pytest

from backoffice.catalogue import states as catalogue
from backoffice.core.states import Machine
from backoffice.creators import states as creators
from backoffice.desk.actions import ACTIONS
from backoffice.finance import states as finance

ROOT = Path(__file__).resolve().parents[2]
# The nouns whose page has a timeline.
NOUNS = ("application", "creator", "payment", "payment_event", "payout_item", "payout_run", "title")


@pytest.mark.parametrize("states", [catalogue, creators, finance], ids=lambda module: module.__name__)
def test_every_transition_of_what_has_a_timeline_is_said_in_words(states: object) -> None:
    machines = [value for value in vars(states).values() if isinstance(value, Machine) and value.name in NOUNS]
    assert machines
    assert sorted({f"{m.name}.{verb}" for m in machines for verb in m.verbs} - set(ACTIONS)) == []


def test_every_other_recorded_action_of_these_is_said_in_words() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "backoffice").glob("**/*.py"))
    recorded = set(re.findall(r'action="(\w+\.\w+)"', source))
    assert len(recorded) > 40
    assert sorted(name for name in recorded if name.split(".")[0] in NOUNS and name not in ACTIONS) == []
