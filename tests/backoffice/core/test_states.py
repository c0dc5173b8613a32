import pytest

from backoffice.core.models import Job
from backoffice.core.states import IllegalTransition, LostRace, Machine, advance
from tests.factories.accounts import staff

recorded: list[dict] = []


def _record(**facts: object) -> None:
    recorded.append(facts)


MACHINE = Machine(
    "job",
    field="state",
    record=_record,
    rows=[(Job.State.DUE, "start", Job.State.RUNNING, "jobs.edit"), (Job.State.RUNNING, "finish", Job.State.DONE, "")],
)


@pytest.fixture
def job(db: None) -> Job:
    recorded.clear()
    return Job.objects.create(kind="test")


def test_a_verb_moves_the_row_and_records_it_with_the_person_and_the_reason(job: Job) -> None:
    person = staff("admin")
    advance(job, "start", by=person, reason="because", changes={"progress_note": "on it"}, machine=MACHINE)
    job.refresh_from_db()
    assert (job.state, job.progress_note) == ("running", "on it")
    assert recorded[0]["transition"].verb == "start"
    assert (recorded[0]["by"], recorded[0]["reason"]) == (person, "because")


def test_a_verb_that_the_table_does_not_have_is_refused_and_nothing_is_recorded(job: Job) -> None:
    with pytest.raises(IllegalTransition):
        advance(job, "finish", by=None, machine=MACHINE)
    assert recorded == []


def test_the_second_of_two_people_loses_the_race(job: Job) -> None:
    same = Job.objects.get(pk=job.pk)
    advance(job, "start", by=None, machine=MACHINE)
    with pytest.raises(LostRace) as refusal:
        advance(same, "start", by=None, machine=MACHINE)
    assert "running" in str(refusal.value)
    assert len(recorded) == 1


def test_a_failing_record_takes_the_move_back(job: Job) -> None:
    def refuse(**facts: object) -> None:
        raise RuntimeError("no audit, no change")

    machine = Machine("job", field="state", record=refuse, rows=[("due", "start", "running", "")])
    with pytest.raises(RuntimeError):
        advance(job, "start", by=None, machine=machine)
    assert Job.objects.get(pk=job.pk).state == "due"


def test_the_same_verb_twice_from_one_state_is_a_mistake_in_the_table() -> None:
    with pytest.raises(ValueError, match="twice"):
        Machine("x", field="state", record=_record, rows=[("a", "go", "b", ""), ("a", "go", "c", "")])
