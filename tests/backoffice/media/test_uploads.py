"""Announcing a file, sending its parts, and what can go wrong on the way (U-025)."""

import hashlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import Conflict, NotFound
from backoffice.core.models import Job
from backoffice.media import storage
from backoffice.media.models import Asset, Upload
from backoffice.media.services import assets, uploads
from integrations.storage.types import Missing
from tests import media_files
from tests.factories import accounts, media

pytestmark = pytest.mark.django_db


def test_a_completed_upload_is_an_asset_that_waits_to_be_processed() -> None:
    owner = accounts.member()
    path = media_files.video()

    asset = media.uploaded(path, by=owner, filename="mon film.mp4")

    assert (asset.kind, asset.processing_status, asset.attempts) == ("video", "processing", 1)
    assert (asset.owner_user, asset.filename, asset.bytes) == (owner, "mon film.mp4", path.stat().st_size)
    assert b"".join(storage.private().read(asset.storage_key)) == path.read_bytes()
    job = Job.objects.get(kind=assets.PROCESS)
    assert (job.queue, job.payload) == ("media", {"asset_id": str(asset.id)})
    assert [entry.action for entry in audit.for_subject(asset)] == ["asset.begin"]


def test_a_file_of_several_parts_is_joined_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.media.policies.PART_BYTES", 10_000)
    monkeypatch.setattr("backoffice.media.policies.MEBIBYTE", 10_000)
    path = media_files.video()

    upload = media.started(accounts.member(), path)
    assert upload.part_count == -(-path.stat().st_size // 10_000)
    parts = media.send_parts(upload, path.read_bytes())
    asset = uploads.complete(upload, parts=parts, by=upload.by)

    content = b"".join(storage.private().read(asset.storage_key))
    assert hashlib.sha256(content).hexdigest() == media.sha256(path)


def test_a_broken_upload_goes_on_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.media.policies.PART_BYTES", 10_000)
    monkeypatch.setattr("backoffice.media.policies.MEBIBYTE", 10_000)
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    first = uploads.part_links(upload)[0]
    storage.local().receive_part(upload.storage_reference, number=1, bytes=first.bytes, stream=path.open("rb"))

    assert [part["number"] for part in uploads.arrived_parts(upload)] == [1]
    assert [link.number for link in uploads.part_links(upload)] == list(range(2, upload.part_count + 1))
    assert uploads.part_links(upload)[-1].bytes == path.stat().st_size - 10_000 * (upload.part_count - 1)


def test_completing_twice_answers_the_same_asset() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    parts = media.send_parts(upload, path.read_bytes())

    first = uploads.complete(upload, parts=parts, by=upload.by)
    again = uploads.complete(Upload.objects.get(id=upload.id), parts=parts, by=upload.by)

    assert first == again
    assert Job.objects.filter(kind=assets.PROCESS).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_completions_at_once_one_makes_the_asset_and_both_get_it() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    parts = media.send_parts(upload, path.read_bytes())
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def complete() -> None:
        mine = Upload.objects.get(id=upload.id)
        barrier.wait()
        try:
            answers.append(uploads.complete(mine, parts=parts, by=upload.by).id)
        finally:
            connection.close()

    threads = [threading.Thread(target=complete, name=f"race-{n}") for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [upload.id, upload.id]
    assert Asset.objects.count() == 1
    assert Job.objects.filter(kind=assets.PROCESS).count() == 1


def test_a_completion_that_broke_off_after_joining_can_be_repeated() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    parts = media.send_parts(upload, path.read_bytes())
    storage.private().complete_upload(upload.storage_key, upload.storage_reference, parts)

    asset = uploads.complete(upload, parts=parts, by=upload.by)

    assert asset.bytes == path.stat().st_size


def test_missing_or_changed_parts_are_a_conflict_and_the_upload_stays_open() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)

    with pytest.raises(Conflict) as refused:
        uploads.complete(upload, parts=[(1, "0" * 32)], by=upload.by)
    assert refused.value.code == "bad_parts"
    parts = media.send_parts(upload, path.read_bytes())
    with pytest.raises(Conflict):
        uploads.complete(upload, parts=[(1, "0" * 32)], by=upload.by)

    assert uploads.complete(upload, parts=parts, by=upload.by)


def test_a_file_with_another_checksum_is_a_conflict_and_is_dropped() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path, checksum="ab" * 32)
    parts = media.send_parts(upload, path.read_bytes())

    with pytest.raises(Conflict) as refused:
        uploads.complete(upload, parts=parts, by=upload.by)

    assert refused.value.code == "checksum"
    assert Upload.objects.get().state == "aborted"
    assert not Asset.objects.exists()
    with pytest.raises(Missing):
        storage.private().stat(upload.storage_key)


def test_the_announced_checksum_is_accepted_when_it_is_right() -> None:
    path = media_files.video()

    assert media.uploaded(path, checksum=media.sha256(path).upper()).processing_status == "processing"


def test_a_part_smaller_than_announced_leaves_a_conflict_of_size() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    part = storage.local().receive_part(upload.storage_reference, number=1, bytes=100, stream=path.open("rb"))

    with pytest.raises(Conflict) as refused:
        uploads.complete(upload, parts=[(1, part.etag)], by=upload.by)

    assert refused.value.code == "size"
    assert Upload.objects.get().state == "aborted"


def test_nobody_completes_or_aborts_the_upload_of_another() -> None:
    upload = media.started(accounts.member(), media_files.video())
    other = accounts.member()

    with pytest.raises(NotFound):
        uploads.complete(upload, parts=[(1, "x")], by=other)
    with pytest.raises(NotFound):
        uploads.abort(upload, by=other)


def test_an_aborted_upload_keeps_nothing(storage_dir: Path) -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    parts = media.send_parts(upload, path.read_bytes())

    uploads.abort(upload, by=upload.by)

    assert [file for file in storage_dir.rglob("*") if file.is_file()] == []
    assert uploads.part_links(upload) == []
    with pytest.raises(Conflict):
        uploads.complete(upload, parts=parts, by=upload.by)


def test_an_upload_that_nobody_finishes_expires_with_its_parts(storage_dir: Path) -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    media.send_parts(upload, path.read_bytes())
    fresh = media.started(upload.by, path)

    assert uploads.expire_due(at=upload.expires_at - timedelta(seconds=1)) == 0
    Upload.objects.filter(id=fresh.id).update(expires_at=upload.expires_at + timedelta(hours=1))
    assert uploads.expire_due(at=upload.expires_at) == 1

    upload.refresh_from_db()
    fresh.refresh_from_db()
    assert (upload.state, fresh.state) == ("expired", "started")
    assert not (storage_dir / "uploads" / upload.storage_reference).exists()


def test_an_expired_upload_can_no_longer_be_completed() -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    parts = media.send_parts(upload, path.read_bytes())

    with pytest.raises(Conflict) as refused:
        uploads.complete(upload, parts=parts, by=upload.by, at=clock.now() + timedelta(hours=25))

    assert refused.value.code == "upload_expired"


def test_one_person_has_a_limited_number_of_open_uploads() -> None:
    owner = accounts.member()
    for _ in range(20):
        media.started(owner, media_files.video())

    with pytest.raises(Conflict) as refused:
        media.started(owner, media_files.video())
    assert refused.value.code == "too_many_uploads"
    assert media.started(accounts.member(), media_files.video())
