"""The drills of the document keys: rotation in use, killed and gone on with; purge down to an empty bucket."""

import base64
import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from moto.server import ThreadedMotoServer

from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.creators.models import DocumentKey, KeyRotation, TaxProfile, VerificationDocument
from backoffice.creators.services import applications, documents, rotation, tax, vault
from integrations.storage.types import Unavailable
from tests.factories import creators as make
from tests.factories.accounts import staff
from tests.verification import running

pytestmark = pytest.mark.slow
PEOPLE = 12


@pytest.fixture
def bucket(settings: LazySettings) -> Iterator["Bucket"]:
    """A real S3 server process behind the product's own client; answers the test's own look at it."""
    name = f"private-{uuid4().hex}"
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings.MEDIA_STORAGE_BACKEND = "s3"
    settings.AWS_STORAGE_BUCKET_NAME = name
    settings.AWS_ACCESS_KEY_ID = "test"
    settings.AWS_SECRET_ACCESS_KEY = "test"
    settings.AWS_S3_REGION_NAME = "us-east-1"
    settings.AWS_S3_ENDPOINT_URL = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=settings.AWS_S3_ENDPOINT_URL, **keys)
    client.create_bucket(Bucket=name)
    yield Bucket(client, name)
    server.stop()


@dataclass(frozen=True)
class Bucket:
    """What lies in the bucket, whatever the product says."""

    client: Any
    name: str

    def names(self) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def content(self, key: str) -> bytes:
        found: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return found


def fresh() -> str:
    return base64.b64encode(os.urandom(32)).decode()


class Bustle:
    """People who read and upload without a pause while keys change; what goes wrong is kept."""

    def __init__(self, papers: list[VerificationDocument]) -> None:
        self.papers = papers
        self.looks, self.uploads = 0, 0
        self.errors: list[BaseException] = []
        self._over = threading.Event()
        self._by = make.reviewer()
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._look, self._upload)]

    def __enter__(self) -> "Bustle":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Any) -> None:
        number = 0
        try:
            while not self._over.is_set():
                work(self.papers[number % len(self.papers)])
                number += 1
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()

    def _look(self, paper: VerificationDocument) -> None:
        assert documents.open_for_view(document=paper, by=self._by) == make.PDF
        self.looks += 1

    def _upload(self, paper: VerificationDocument) -> None:
        if paper.application.documents.count() < 5:
            documents.upload(application=paper.application, document_type="other", content=make.PDF, by=paper.subject)
            self.uploads += 1


def rotate(settings: LazySettings, directory: Path, *arguments: str) -> running.Process:
    """The command as an operator calls it: a process of its own."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.verification.settings",
        "DATA_DIR": str(directory),
        "STORAGE_DIR": str(settings.STORAGE_DIR),
        "DOCUMENT_MASTER_KEYS": ",".join(settings.DOCUMENT_MASTER_KEYS),
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "manage.py", "rotate_document_keys", *arguments]
    return running.Process(command, environment, directory / "rotation.log")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stop_after", [1, PEOPLE // 2])
def test_keys_change_while_documents_are_read_and_uploaded_and_a_killed_run_is_gone_on_with(
    settings: LazySettings, tmp_path: Path, stop_after: int
) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"
    for _number in range(PEOPLE):
        make.started()
    profile = make.tax_profile()
    papers = list(VerificationDocument.objects.select_related("subject", "application__applicant"))
    (old,) = settings.DOCUMENT_MASTER_KEYS
    new = fresh()
    settings.DOCUMENT_MASTER_KEYS = [new, old]

    with Bustle(papers) as bustle:
        with psycopg.connect(os.environ["DATABASE_URL"]) as holder:
            # Whoever changes the keys one after the other does not get past the last one before the kill.
            holder.execute("SELECT 1 FROM creators_documentkey ORDER BY id DESC LIMIT 1 FOR UPDATE")
            first = rotate(settings, tmp_path, "--reencrypt")
            running.eventually(
                lambda: DocumentKey.objects.filter(version=2).count() >= stop_after or not first.alive(),
                f"the rotation in {first.log}",
            )
            first.kill()
        moved = DocumentKey.objects.filter(version=2).count()
        assert stop_after <= moved < PEOPLE + 1, first.log.read_text()
        assert KeyRotation.objects.get().finished_at is None
        # Two operators at once: neither knows of the other.
        second = rotate(settings, tmp_path, "--reencrypt")
        third = rotate(settings, tmp_path, "--reencrypt")
        running.eventually(lambda: not second.alive() and not third.alive(), f"the rotation in {second.log}")
    assert bustle.errors == []
    assert bustle.looks > 0
    assert bustle.uploads > 0
    assert "went on with a run that had been cut off" in second.log.read_text()
    assert f"nothing needs the master key {name_of(old)} any more" in second.log.read_text()

    settings.DOCUMENT_MASTER_KEYS = [new]
    # An operator who comes when the other has just ended begins a run of their own: then every key changed once more.
    version = 1 + KeyRotation.objects.count()
    assert version in (2, 3)
    assert set(DocumentKey.objects.values_list("version", "next_wrapped", "master")) == {(version, None, name_of(new))}
    checked = rotation.check()
    assert (checked.failed, checked.contents) == ({}, VerificationDocument.objects.count() + 1)
    stored = {str(file.relative_to(tmp_path / "storage" / "objects")) for file in files(tmp_path)}
    assert stored == set(VerificationDocument.objects.values_list("storage_key", flat=True)), "nothing lies about"
    number = tax.reveal(profile=TaxProfile.objects.get(pk=profile.pk), by=staff("financial_admin"), reason="drill")
    assert number == "003-456-7891"


def name_of(master: str) -> str:
    """The fingerprint by which operators know a key."""
    return hashlib.sha256(base64.b64decode(master)).hexdigest()[:16]


def files(directory: Path) -> list[Path]:
    """What is stored. What a killed process left unfinished has a name of its own, and is as encrypted."""
    found = (file for file in (directory / "storage" / "objects").rglob("*") if file.is_file())
    return [file for file in found if not file.name.startswith(".")]


@pytest.mark.django_db
def test_a_year_after_the_end_the_bucket_is_empty_the_key_gone_and_the_row_a_tombstone(bucket: Bucket) -> None:
    at = clock.now()
    application = make.started()
    for kind in ("proof_of_address", "passport"):
        documents.upload(application=application, document_type=kind, content=make.PDF, by=application.applicant)
    assert len(bucket.names()) == 3
    for key in bucket.names():
        assert make.SECRET_WORDS not in bucket.content(key)

    applications.lapse(application=application, at=at)
    assert documents.purge_due(at=at + timedelta(days=365, seconds=-1)) == 0
    assert len(bucket.names()) == 3
    assert documents.purge_due(at=at + timedelta(days=365)) == 3

    assert bucket.names() == []
    key = DocumentKey.objects.get(subject=application.applicant)
    assert (key.wrapped, key.destroyed_because) == (None, "purged")
    for tombstone in application.documents.all():
        assert (tombstone.status, tombstone.storage_key, tombstone.purged_at) == (
            "purged",
            "",
            at + timedelta(days=365),
        )
        assert audit.for_subject(tombstone).filter(action="document.purge").exists()
        with pytest.raises(vault.Unreadable):
            documents.read(document=tombstone)


@pytest.mark.django_db
def test_new_keys_leave_no_old_object_in_the_bucket(bucket: Bucket) -> None:
    paper = make.started().documents.select_related("subject").get()
    (before,) = bucket.names()
    rotation.reencrypt()
    paper.refresh_from_db()
    assert bucket.names() == [paper.storage_key] != [before]
    assert documents.open_for_view(document=paper, by=make.reviewer()) == make.PDF


@pytest.mark.django_db
def test_while_the_storage_is_down_nothing_is_called_purged_and_the_next_run_ends_it(
    bucket: Bucket, settings: LazySettings
) -> None:
    paper = make.started().documents.get()
    VerificationDocument.objects.filter(pk=paper.pk).update(purge_after=clock.now())
    there = settings.AWS_S3_ENDPOINT_URL
    settings.AWS_S3_ENDPOINT_URL = "http://127.0.0.1:1"
    with pytest.raises(Unavailable):
        documents.purge_due()
    paper.refresh_from_db()
    assert paper.status == "pending"
    settings.AWS_S3_ENDPOINT_URL = there
    assert documents.purge_due() == 1
    assert bucket.names() == []
