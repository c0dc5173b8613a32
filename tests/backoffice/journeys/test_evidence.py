"""The evidence bundle: what is in it, that it proves itself, who gets it and for how long."""

import base64
import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from backoffice.accounts.models import User
from backoffice.audit import anchors, entries
from backoffice.audit.models import AuditEntry, ChainLink, ExportRecord
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid, NotFound
from backoffice.core.models import Job
from backoffice.journeys.queries.investigations import Span
from backoffice.journeys.services import evidence
from backoffice.media import storage
from integrations.storage.types import Missing
from tests.backoffice.finance.conftest import stripe  # noqa: F401  for the fixture below
from tests.backoffice.journeys.test_investigations import settled  # noqa: F401
from tests.factories import creators, support
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db

REASON = "police request 12/2026"


@pytest.fixture(autouse=True)
def places(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"


def asked(subject: Any = None, *, by: User | None = None, **span: Any) -> ExportRecord:
    subject = subject or member()
    kind = {"User": "person", "Payment": "payment", "PayoutItem": "payout"}[type(subject).__name__]
    return evidence.ask(kind=kind, key=subject.pk, span=Span(**span), by=by or staff("admin"), reason=REASON)


def made(subject: Any = None, **fields: Any) -> ExportRecord:
    record = asked(subject, **fields)
    jobs.run_due(kinds=[evidence.MAKE])
    record.refresh_from_db()
    return record


def opened(record: ExportRecord) -> zipfile.ZipFile:
    content = b"".join(storage.private().read(record.storage_key))
    assert hashlib.sha256(content).hexdigest() == record.digest
    assert len(content) == record.bytes
    return zipfile.ZipFile(io.BytesIO(content))


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))


def test_the_manifest_names_every_file_with_its_hash_and_is_signed() -> None:
    archive = opened(made())
    content = archive.read("manifest.json")
    manifest = json.loads(content)
    assert manifest["reason"] == REASON
    listed = {each["name"] for each in manifest["files"]}
    assert listed == set(archive.namelist()) - {"manifest.json", "manifest.signature.json"}
    for each in manifest["files"]:
        assert hashlib.sha256(archive.read(each["name"])).hexdigest() == each["sha256"], each["name"]
    seal = json.loads(archive.read("manifest.signature.json"))
    assert seal["public_key"] == anchors.public_keys()[seal["key"]]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(seal["public_key"]))
    key.verify(base64.b64decode(seal["signature"]), content)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(seal["signature"]), content + b" ")


def test_every_audit_row_carries_a_proof_that_can_be_computed_anew() -> None:
    person = member()
    support.ticket(requester=person)
    record = made(person)
    archive = opened(record)
    lines = [json.loads(line) for line in archive.read("audit.jsonl").decode().splitlines()]
    assert len(lines) == record.rows == len(rows(archive, "journey.csv"))
    for line in lines:
        text = f"{line['previous_hash']}\n{line['position']}\n{line['content']}"
        assert hashlib.sha256(text.encode()).hexdigest() == line["hash"]
        assert ChainLink.objects.get(position=line["position"]).hash == line["hash"]
    assert "ticket.open" in {json.loads(line["content"])["action"] for line in lines}
    (anchor,) = [json.loads(line) for line in archive.read("anchors.jsonl").decode().splitlines()]
    assert anchor["position"] >= max(line["position"] for line in lines)


def test_formulas_are_inert_in_the_tables_of_the_bundle() -> None:
    person = member()
    support.ticket(requester=person, subject="=HYPERLINK(1)")
    (ticket,) = rows(opened(made(person)), "tickets.csv")
    assert ticket["subject"] == "'=HYPERLINK(1)"


def test_documents_of_applicants_are_not_in_a_bundle() -> None:
    application = creators.submitted(legal_name="Canary Legalname")
    archive = opened(made(application.applicant))
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert application.reference.encode() in everything
    assert b"Canary Legalname" not in everything


def test_a_payment_bundle_holds_its_steps_ledger_and_bank_reference(settled: Any) -> None:  # noqa: F811
    archive = opened(made(settled))
    steps = rows(archive, "steps.csv")
    assert steps[0]["what"] == "Checkout"
    assert "Arrived at the bank" in {step["what"] for step in steps}
    ledger = rows(archive, "ledger.csv")
    assert sum(float(line["amount"].lstrip("'")) for line in ledger) == pytest.approx(0)
    trace = json.loads(archive.read("trace.json"))
    assert trace["payouts"][0]["bank_reference"]
    assert any(json.loads(line)["position"] for line in archive.read("audit.jsonl").decode().splitlines())


def test_only_the_asked_part_is_in_it() -> None:
    person = member()
    support.ticket(requester=person)
    archive = opened(made(person, chapters=frozenset({"tickets"})))
    assert {line["chapter"] for line in rows(archive, "journey.csv")} == {"tickets"}
    empty = made(person, first=clock.now() + timedelta(days=1), last=clock.now() + timedelta(days=2))
    assert empty.rows == 0


@pytest.mark.parametrize("key", ["export.max_rows", "export.max_mebibytes"])
def test_a_bundle_that_would_be_too_large_is_told_and_not_kept(
    key: str, django_capture_on_commit_callbacks: Any
) -> None:
    person = member()
    with django_capture_on_commit_callbacks(execute=True):
        values.change(key=key, value=0, by=None, reason="test")
    support.ticket(requester=person)
    record = made(person)
    assert record.job is not None
    assert record.job.state == Job.State.DEAD
    assert "shorter time" in record.job.last_error
    assert (record.storage_key, record.finished_at) == ("", None)


def test_asking_needs_the_right_a_reason_and_something_to_ask_about() -> None:
    person = member()
    for role in ("ops_manager", "financial_admin", "customer_support", "analyst"):
        with pytest.raises(Forbidden):
            asked(person, by=staff(role))
    admin = staff("admin")
    with pytest.raises(Invalid):
        evidence.ask(kind="person", key=person.pk, span=Span(), by=admin, reason=" ")
    with pytest.raises(Invalid):
        evidence.ask(kind="everything", key=person.pk, span=Span(), by=admin, reason=REASON)
    with pytest.raises(NotFound):
        evidence.ask(kind="payment", key=person.pk, span=Span(), by=admin, reason=REASON)
    assert not ExportRecord.objects.exists()


def test_the_bundle_is_on_record_from_the_wish_to_every_download() -> None:
    admin = staff("admin")
    record = made(by=admin)
    link = evidence.link(made=record, by=admin)
    assert link.endswith(f"{record.reference}.zip")
    told = AuditEntry.objects.filter(action__startswith="evidence.").order_by("id")
    assert [entry.action for entry in told] == ["evidence.export", "evidence.make", "evidence.download"]
    assert told[0].reason == REASON
    assert told[1].data["sha256"] == told[2].data["sha256"] == record.digest


def test_nobody_else_takes_it_and_nobody_before_it_is_ready() -> None:
    admin = staff("admin")
    record = asked(by=admin)
    with pytest.raises(Conflict):
        evidence.link(made=record, by=admin)
    jobs.run_due(kinds=[evidence.MAKE])
    record.refresh_from_db()
    with pytest.raises(Forbidden):
        evidence.link(made=record, by=staff("super_admin"))


def test_a_bundle_is_destroyed_when_its_time_is_over() -> None:
    admin = staff("admin")
    record = made(by=admin)
    later = clock.now() + timedelta(hours=values.get("export.keep_hours"), seconds=1)
    assert evidence.purge_due() == 0
    with pytest.raises(Conflict):
        evidence.link(made=record, by=admin, at=later)
    assert evidence.purge_due(at=later) == 1
    assert evidence.purge_due(at=later) == 0
    with pytest.raises(Missing):
        storage.private().stat(record.storage_key)
    assert AuditEntry.objects.filter(action="evidence.purge").count() == 1


def test_a_job_that_runs_twice_makes_one_bundle() -> None:
    record = made()
    evidence.make(made=ExportRecord.objects.get(pk=record.pk), tell=lambda *_: None)
    assert AuditEntry.objects.filter(action="evidence.make").count() == 1


def test_progress_is_told_while_the_rows_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "CHUNK", 2)
    person = member()
    with transaction.atomic():
        for _ in range(5):
            entries.record(action="x.y", by=person)
    told: list[tuple[int, int]] = []
    evidence.make(made=asked(person), tell=lambda done, total, _note: told.append((done, total)))
    assert told[0][0] == 2
    assert told[-1][0] == told[-1][1] > 5
