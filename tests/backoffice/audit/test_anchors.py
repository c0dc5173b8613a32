"""What a person with the database owner's keys does to the chain is named with the help of the anchors."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from backoffice.audit import anchors, chain, entries, verification
from backoffice.audit.models import AuditEntry, ChainLink
from backoffice.core import clock, jobs
from backoffice.core.models import Job
from backoffice.settings.keys import random_key


@pytest.fixture(autouse=True)
def place(settings, tmp_path: Path) -> Path:
    settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"
    settings.AUDIT_ANCHOR_KEYS = [random_key()]
    return tmp_path / "anchors"


def write(count: int = 3) -> list[AuditEntry]:
    with transaction.atomic():
        return [entries.record(action="thing.do", by=None, reason=f"reason {n}") for n in range(count)]


def sealed(count: int = 3) -> list[AuditEntry]:
    written = write(count)
    chain.seal()
    return written


def named(findings: list[chain.Finding]) -> set[tuple[str, int | None]]:
    return {(finding.kind, finding.entry_id) for finding in findings}


@pytest.mark.django_db
def test_the_head_is_written_once_to_the_file_of_the_day(place: Path) -> None:
    sealed()
    head = ChainLink.objects.order_by("-position").first()
    assert head is not None
    now = clock.now()
    anchor = anchors.write(at=now)
    assert anchor is not None
    assert (anchor.position, anchor.hash, anchor.entry) == (head.position, head.hash, head.entry_id)
    assert anchors.write(at=now) is None
    (file,) = place.glob("*.jsonl")
    assert file.name == f"{now:%Y-%m-%d}.jsonl"
    assert file.stat().st_mode & 0o077 == 0
    assert len(file.read_text().splitlines()) == 1


@pytest.mark.django_db
def test_every_day_has_a_file_and_the_lines_follow_each_other(place: Path) -> None:
    now = clock.now()
    for days in (2, 1, 0):
        sealed(1)
        anchors.write(at=now - timedelta(days=days))
    lines = [anchor for _place, anchor in anchors.read()]
    assert len(list(place.glob("*.jsonl"))) == 3
    assert [line.previous for line in lines if line] == ["", *(line.signature for line in lines[:-1] if line)]
    assert verification.run().findings == []


@pytest.mark.django_db(transaction=True)
def test_a_chain_cut_at_its_end_is_named_with_every_position_and_the_last_row(owner_connection) -> None:
    written = sealed(5)
    anchors.write()
    end = ChainLink.objects.count()
    gone = [entry.pk for entry in written[2:]]
    owner_connection.execute("DELETE FROM audit_chainlink WHERE entry_id = ANY(%s)", [gone])
    owner_connection.execute("DELETE FROM audit_auditentry WHERE id = ANY(%s)", [gone])
    assert list(chain.verify()) == [], "the chain alone cannot tell"
    found = [finding for finding in verification.run().findings if finding.kind == "truncated"]
    assert [finding.position for finding in found] == [end - 2, end - 1, end]
    assert found[-1].entry_id == gone[-1]


@pytest.mark.django_db(transaction=True)
def test_a_cut_that_new_rows_grow_over_is_named(owner_connection) -> None:
    written = sealed(3)
    anchors.write()
    gone = written[-1].pk
    owner_connection.execute("DELETE FROM audit_chainlink WHERE entry_id = %s", [gone])
    owner_connection.execute("DELETE FROM audit_auditentry WHERE id = %s", [gone])
    other = sealed(3)
    assert list(chain.verify()) == []
    (found,) = verification.run().findings
    assert (found.kind, found.entry_id) == ("rewritten", other[0].pk)
    assert str(gone) in found.detail


@pytest.mark.django_db(transaction=True)
def test_an_altered_row_whose_chain_was_computed_anew_is_named(owner_connection) -> None:
    written = sealed(3)
    anchors.write()
    owner_connection.execute("UPDATE audit_auditentry SET reason = 'other' WHERE id = %s", [written[-1].pk])
    owner_connection.execute("DELETE FROM audit_chainlink WHERE entry_id = %s", [written[-1].pk])
    chain.seal()
    assert list(chain.verify()) == []
    assert named(verification.run().findings) == {("rewritten", written[-1].pk)}


@pytest.mark.django_db(transaction=True)
def test_altered_and_deleted_rows_are_named_in_json_for_programs(owner_connection) -> None:
    written = sealed(4)
    anchors.write()
    owner_connection.execute("UPDATE audit_auditentry SET reason = 'other' WHERE id = %s", [written[0].pk])
    owner_connection.execute("DELETE FROM audit_auditentry WHERE id = %s", [written[1].pk])
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--json", stdout=out)
    assert ended.value.code == 1
    answer = json.loads(out.getvalue())
    assert answer["ok"] is False
    assert answer["anchors"] == 1
    assert {(found["kind"], found["entry_id"]) for found in answer["findings"]} == {
        ("altered", written[0].pk),
        ("deleted", written[1].pk),
    }


@pytest.mark.django_db
def test_a_line_that_somebody_wrote_without_the_key_is_not_believed(place: Path, settings) -> None:
    sealed(2)
    anchors.write()
    (file,) = place.glob("*.jsonl")
    line = json.loads(file.read_text())
    file.write_text(json.dumps({**line, "hash": "0" * 64}) + "\nnonsense\n")
    assert {finding.kind for finding in verification.run().findings} == {"forged anchor", "unreadable anchor"}
    file.write_text(json.dumps(line) + "\n")
    assert verification.run().findings == []
    settings.AUDIT_ANCHOR_KEYS = [random_key()]
    assert {finding.kind for finding in verification.run().findings} == {"forged anchor"}


@pytest.mark.django_db
def test_a_key_is_changed_by_putting_the_new_one_in_front(settings) -> None:
    old, new = settings.AUDIT_ANCHOR_KEYS[0], random_key()
    sealed(1)
    anchors.write()
    settings.AUDIT_ANCHOR_KEYS = [new, old]
    sealed(1)
    anchors.write()
    assert len({anchor.key for _place, anchor in anchors.read() if anchor}) == 2
    assert verification.run().findings == []


@pytest.mark.django_db
def test_a_line_taken_away_is_noticed(place: Path) -> None:
    now = clock.now()
    for _ in range(3):
        sealed(1)
        anchors.write(at=now)
    (file,) = place.glob("*.jsonl")
    first, _second, third = file.read_text().splitlines()
    file.write_text(f"{first}\n{third}\n")
    assert {finding.kind for finding in verification.run().findings} == {"missing anchor"}


@pytest.mark.django_db(transaction=True)
def test_rows_that_no_anchor_covers_for_two_days_are_noticed(owner_connection) -> None:
    written = sealed(2)
    owner_connection.execute(
        "UPDATE audit_chainlink SET sealed_at = sealed_at - interval '3 days' WHERE entry_id <= %s", [written[0].pk]
    )
    found = verification.run().findings
    assert {finding.kind for finding in found} == {"missing anchor"}
    call_command("anchor_audit", stdout=io.StringIO())
    assert verification.run().findings == []


@pytest.mark.django_db
def test_the_job_seals_and_anchors_and_a_finding_ends_among_the_dead_letters(place: Path) -> None:
    write(1)
    with transaction.atomic():
        jobs.enqueue("audit.anchor")
        jobs.enqueue("audit.verify")
    jobs.run_due(kinds=["audit.anchor"])
    (file,) = place.glob("*.jsonl")
    assert json.loads(file.read_text())["position"] == ChainLink.objects.count()
    file.write_text("nonsense\n")
    jobs.run_due(kinds=["audit.verify"])
    dead = Job.objects.get(kind="audit.verify")
    assert dead.state == Job.State.DEAD
    assert "unreadable anchor" in dead.last_error


@pytest.mark.django_db
def test_the_command_prints_what_is_kept_elsewhere() -> None:
    sealed(1)
    out = io.StringIO()
    call_command("anchor_audit", stdout=out)
    assert '"position"' in out.getvalue()
    assert f"public key {next(iter(anchors.keys()))}: " in out.getvalue()
