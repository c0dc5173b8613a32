"""Assets: beginning, ending and repeating their processing; small files that the server itself brings."""

import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Invalid
from backoffice.core.ids import uuid7
from backoffice.core.states import advance
from backoffice.media import policies, providers, storage
from backoffice.media.models import Asset, ProcessingStep
from backoffice.media.states import FINISHED_STEPS, Processing, StepState
from integrations.antivirus import inspection
from integrations.antivirus.types import Refused
from integrations.ffmpeg.types import MediaError

PROCESS = "media.process_asset"


def original_key(asset_id: UUID) -> str:
    """Where an uploaded file lies."""
    return f"assets/{asset_id}/original"


def derived_key(asset: Asset, name: str) -> str:
    """Where a file made from this asset lies."""
    return f"assets/{asset.id}/{name}"


def quarantine_key(asset_id: UUID) -> str:
    """Where an isolated file lies; no link ever leads there."""
    return f"quarantine/{asset_id}"


def begin(
    *,
    asset_id: UUID,
    by: User | None,
    kind: str,
    filename: str,
    storage_key: str,
    content_type: str,
    bytes: int,
    checksum: str = "",
    then: tuple[str, Mapping[str, Any]] | None = None,
    at: datetime | None = None,
) -> Asset:
    """Make the asset of a file that has arrived, with its checklist, and have it processed (S-058).

    Call it inside the transaction of whatever brought the file. ValueError when nothing does the `then` job.
    """
    if then and then[0] not in jobs.HANDLERS:
        raise ValueError(f"nothing does jobs of the kind {then[0]}")
    at = at or clock.now()
    with transaction.atomic():
        asset = Asset.objects.create(
            id=asset_id,
            owner_user=by,
            kind=kind,
            filename=filename,
            storage_key=storage_key,
            content_type=content_type,
            bytes=bytes,
            checksum_sha256=checksum,
            then_kind=then[0] if then else "",
            then_payload=dict(then[1]) if then else {},
        )
        ProcessingStep.objects.bulk_create(
            ProcessingStep(asset=asset, name=name, position=position)
            for position, name in enumerate(policies.STEPS[kind])
        )
        advance(asset, "begin", by=by, at=at, changes={"attempts": 1})
        jobs.enqueue(PROCESS, {"asset_id": str(asset.id)}, key=str(asset.id), by=by)
    return asset


def retry(asset: Asset, *, by: User | None, at: datetime | None = None) -> Asset:
    """Process a failed file again from the step that failed (S-061).

    Whether this person may is for the caller to say, who knows what the file is for. Raises Conflict when the
    file did not fail or `media.max_attempts` is reached.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = Asset.objects.select_for_update().get(pk=asset.pk)
        policies.check_retry(found)
        changes = {
            "attempts": found.attempts + 1,
            "starts": 0,
            "error_code": "",
            "error_detail": "",
            "processed_at": None,
        }
        advance(found, "retry", by=by, at=at, changes=changes, note={"attempt": found.attempts + 1})
        ProcessingStep.objects.filter(asset=found).exclude(state__in=FINISHED_STEPS).update(
            state=StepState.PENDING, detail="", started_at=None, finished_at=None, updated_at=at
        )
        jobs.enqueue(PROCESS, {"asset_id": str(found.id)}, key=str(found.id), by=by)
    return found


def finish(asset: Asset, *, at: datetime | None = None) -> None:
    """Every step is done: the file is ready (S-059)."""
    at = at or clock.now()
    with transaction.atomic():
        advance(asset, "finish", by=None, at=at, changes={"processed_at": at})
        _wake(asset)


def fail(asset: Asset, *, code: str, detail: str, at: datetime | None = None) -> None:
    """The file cannot be used as it is; it may be tried again (S-060)."""
    at = at or clock.now()
    changes = {"processed_at": at, "error_code": code, "error_detail": detail}
    with transaction.atomic():
        advance(asset, "fail", by=None, at=at, reason=code, changes=changes)
        _wake(asset)


def quarantine(asset: Asset, *, code: str, detail: str, infected: bool = False, at: datetime | None = None) -> None:
    """Isolate a harmful file: moved away, never linked, never retried (S-062)."""
    at = at or clock.now()
    changes: dict[str, Any] = {
        "processed_at": at,
        "error_code": code,
        "error_detail": detail,
        "storage_key": quarantine_key(asset.id),
    }
    if infected:
        changes["scan_status"] = Asset.Scan.INFECTED
    source = asset.storage_key
    with transaction.atomic():
        advance(asset, "quarantine", by=None, at=at, reason=code, changes=changes)
        if source != asset.storage_key:
            storage.private().move(source, asset.storage_key)
        _wake(asset)


def store(
    *,
    by: User | None,
    kind: str,
    filename: str,
    content: BinaryIO,
    content_type: str,
    parent: Asset | None = None,
    process: bool = False,
    at: datetime | None = None,
) -> Asset:
    """Keep a file that the server itself brings; its type is found by content, `content_type` only announced.

    With `process` the file goes through the same steps as an upload; without, it is checked here and ready
    at once. Raises Invalid when the content is not what this kind accepts.
    """
    at = at or clock.now()
    rule = policies.BY_KIND.get(kind)
    allowed = rule.content if rule else policies.IMAGE_TYPES | policies.VIDEO_TYPES | policies.AUDIO_TYPES
    asset_id = uuid7()
    key = original_key(asset_id)
    with tempfile.TemporaryDirectory(prefix="backlot-store-") as place:
        path = Path(place) / "content"
        with path.open("wb") as copy:
            shutil.copyfileobj(content, copy)
        found, facts = _examine(path, allowed=allowed, size_key=rule.size_key if rule else "media.max_bytes")
        with path.open("rb") as copy:
            storage.private().save(key, copy, content_type=found.content_type)
    name = policies.plain_filename(filename)
    if process:
        return begin(
            asset_id=asset_id,
            by=by,
            kind=kind,
            filename=name,
            storage_key=key,
            content_type=found.content_type,
            bytes=found.bytes,
            checksum=found.sha256,
            at=at,
        )
    with transaction.atomic():
        asset = Asset.objects.create(
            id=asset_id,
            owner_user=by,
            parent=parent,
            kind=kind,
            filename=name,
            storage_key=key,
            content_type=found.content_type,
            bytes=found.bytes,
            checksum_sha256=found.sha256,
            scan_status=Asset.Scan.SKIPPED,
            processing_status=Processing.READY,
            processed_at=at,
            **facts,
        )
        entries.record(action="asset.store", by=by, subject=asset, data={"kind": kind, "bytes": found.bytes}, at=at)
    return asset


def _examine(path: Path, *, allowed: frozenset[str], size_key: str) -> tuple[inspection.Inspection, dict[str, Any]]:
    try:
        with path.open("rb") as stream:
            found = inspection.inspect(stream, allowed=allowed, max_bytes=values.get(size_key))
        if found.content_type not in policies.IMAGE_TYPES | policies.VIDEO_TYPES | policies.AUDIO_TYPES:
            return found, {}
        probe = providers.video(path.parent).probe(path)
    except (Refused, MediaError) as error:
        sentence = policies.ERRORS.get(error.code, _("The file could not be prepared."))
        raise Invalid(sentence, code=error.code, field="content") from error
    size = {"width": probe.width or None, "height": probe.height or None}
    return found, {**size, "duration_ms": probe.duration_ms or None}


def _wake(asset: Asset) -> None:
    """Write the job that somebody left for this moment."""
    if asset.then_kind:
        jobs.enqueue(asset.then_kind, {**asset.then_payload, "asset_id": str(asset.id)})
