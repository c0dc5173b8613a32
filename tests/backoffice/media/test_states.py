"""The tables of uploads and files: every verb in every state."""

import pytest

from backoffice.core.states import IllegalTransition, Machine, advance
from backoffice.media.models import Asset, Upload
from backoffice.media.states import PROCESSING, UPLOAD
from tests import machines

ALLOWED_PROCESSING = {
    ("uploading", "begin", "processing"),
    ("processing", "finish", "ready"),
    ("processing", "fail", "error"),
    ("error", "retry", "processing"),
    ("uploading", "quarantine", "quarantined"),
    ("processing", "quarantine", "quarantined"),
}


def test_processing_moves_as_the_specification_says() -> None:
    assert {(row.source, row.verb, row.target) for row in PROCESSING.rows} == ALLOWED_PROCESSING


@pytest.mark.parametrize(
    ("machine", "state", "verb"),
    [(machine, *pair) for machine in (PROCESSING, UPLOAD) for pair in machines.forbidden(machine)],
)
def test_every_other_move_is_refused(machine: Machine, state: str, verb: str) -> None:
    obj = Asset(processing_status=state) if machine is PROCESSING else Upload(state=state)

    with pytest.raises(IllegalTransition):
        advance(obj, verb, by=None)


def test_nothing_leads_out_of_ready_or_quarantine() -> None:
    assert PROCESSING.verbs_from("ready") == []
    assert PROCESSING.verbs_from("quarantined") == []
