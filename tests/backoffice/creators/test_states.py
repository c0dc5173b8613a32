"""The machines: every state, every verb."""

from typing import Any

import pytest

from backoffice.core.states import IllegalTransition, Machine, advance
from backoffice.creators import states
from backoffice.creators.models import Creator, CreatorApplication, TaxProfile, VerificationDocument
from tests.factories.accounts import member
from tests.factories.creators import creator, started, tax_profile
from tests.machines import forbidden

pytestmark = pytest.mark.django_db

MACHINES = {
    CreatorApplication: states.APPLICATION,
    Creator: states.VERIFICATION,
    VerificationDocument: states.DOCUMENT,
    TaxProfile: states.TAX_PROFILE,
}
APPLICATION_ROWS = {
    ("pending_submission", "submit", "submitted"),
    ("submitted", "claim", "in_review"),
    ("in_review", "release", "submitted"),
    ("in_review", "request_info", "additional_info_required"),
    ("additional_info_required", "answer", "submitted"),
    ("in_review", "approve", "approved"),
    ("in_review", "reject", "rejected"),
    ("approved", "activate", "activated"),
    ("pending_submission", "lapse", "rejected"),
    ("additional_info_required", "lapse", "rejected"),
    ("approved", "lapse", "rejected"),
    ("approved", "refuse", "rejected"),
}
NEEDED = {
    "rejected": {"decision_code": "other", "decision_reason": "x"},
    "additional_info_required": {"info_requested": "x"},
    "suspended": {"suspension_reason": "x"},
    "purged": {"storage_key": ""},
}


def test_the_application_table_has_the_seven_states_and_the_rows_of_the_specification() -> None:
    assert {(r.source, r.verb, r.target) for r in states.APPLICATION.rows} == APPLICATION_ROWS
    assert set(states.APPLICATION.states) == set(states.ApplicationStatus.values)
    assert len(states.ApplicationStatus.values) == 7


def test_verbs_of_staff_ask_for_a_permission_and_verbs_of_applicants_for_none() -> None:
    asked = {row.verb: row.permission for row in states.APPLICATION.rows}
    for verb in ("claim", "release", "request_info", "approve", "reject", "activate", "refuse"):
        assert asked[verb] == "applications.decide"
    for verb in ("submit", "answer", "lapse"):
        assert asked[verb] == ""


def _subject(model: type) -> Any:
    if model is CreatorApplication:
        return started()
    if model is VerificationDocument:
        return started().documents.get()
    if model is TaxProfile:
        return tax_profile()
    return creator(member())


def _in_state(model: type, machine: Machine, state: str) -> Any:
    subject = _subject(model)
    type(subject)._base_manager.filter(pk=subject.pk).update(**{machine.field: state, **_extra(model, state)})
    subject.refresh_from_db()
    return subject


def _extra(model: type, state: str) -> dict[str, Any]:
    if model is TaxProfile:
        return {"rejected": {"reason": "x"}, "purged": {"sealed_id": None, "last_four": ""}}.get(state, {})
    if model is Creator and state == "rejected":
        return {}
    if model is VerificationDocument and state == "rejected":
        return {}
    return NEEDED.get(state, {})


ALLOWED = [(model, row.source, row.verb, row.target) for model, machine in MACHINES.items() for row in machine.rows]
REFUSED = [(model, state, verb) for model, machine in MACHINES.items() for state, verb in forbidden(machine)]


@pytest.mark.parametrize(("model", "source", "verb", "target"), ALLOWED)
def test_an_allowed_verb_leads_to_its_state(model: type, source: str, verb: str, target: str) -> None:
    machine = MACHINES[model]
    subject = _in_state(model, machine, source)
    advance(subject, verb, by=None, changes=_extra(model, target))
    subject.refresh_from_db()
    assert getattr(subject, machine.field) == target


@pytest.mark.parametrize(("model", "state", "verb"), REFUSED)
def test_any_other_verb_is_refused_and_changes_nothing(model: type, state: str, verb: str) -> None:
    machine = MACHINES[model]
    subject = _in_state(model, machine, state)
    with pytest.raises(IllegalTransition):
        advance(subject, verb, by=None)
    subject.refresh_from_db()
    assert getattr(subject, machine.field) == state
