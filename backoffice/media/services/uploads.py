"""Uploads in parts, straight to storage (A-093, U-025)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.configuration import switches, values
from backoffice.core import clock
from backoffice.core.errors import Conflict, NotFound
from backoffice.core.ids import uuid7
from backoffice.core.states import LostRace, advance
from backoffice.media import policies, queries, storage
from backoffice.media.models import Asset, Upload
from backoffice.media.services import assets
from backoffice.media.states import UploadState
from integrations.storage.types import BadParts, Missing

# A part must begin within this time; `part_links` gives fresh ones for what has not arrived.
PART_LINK_SECONDS = 3600
# Files up to this size are checked against the announced checksum at once, larger ones by the job.
CHECKED_AT_ONCE_BYTES = 64 * policies.MEBIBYTE


@dataclass(frozen=True, slots=True)
class PartLink:
    """Where part `number` of exactly `bytes` is to be PUT."""

    number: int
    bytes: int
    url: str


def start(
    *,
    by: User,
    filename: str,
    bytes: int,
    content_type: str,
    purpose: str,
    checksum: str = "",
    at: datetime | None = None,
) -> Upload:
    """Announce a file. `checksum` is its SHA-256 as hex, where the sender knows it.

    Raises Invalid naming purpose, content_type, bytes or checksum; `policies.TooLarge`; Conflict when the
    person has too many unfinished uploads (`media.max_open_uploads`); SwitchedOff by the kill switch (C-005).
    """
    at = at or clock.now()
    switches.require(switches.UPLOADS)
    policies.check_upload(purpose=purpose, content_type=content_type, bytes=bytes)
    checksum = policies.check_checksum(checksum)
    if queries.open_uploads(by, at=at) >= values.get("media.max_open_uploads"):
        raise Conflict(_("Finish or abort your other uploads first."), code="too_many_uploads")
    part_bytes, part_count = policies.part_plan(bytes)
    upload_id = uuid7()
    key = assets.original_key(upload_id)
    plain_type = policies.plain_type(content_type)
    reference = storage.private().start_upload(key, content_type=plain_type, bytes=bytes, part_bytes=part_bytes)
    with transaction.atomic():
        upload = Upload.objects.create(
            id=upload_id,
            by=by,
            purpose=purpose,
            filename=policies.plain_filename(filename),
            bytes=bytes,
            content_type=plain_type,
            checksum_sha256=checksum,
            storage_key=key,
            storage_reference=reference,
            part_bytes=part_bytes,
            part_count=part_count,
            expires_at=at + timedelta(hours=values.get("media.upload_hours")),
        )
        entries.record(action="upload.start", by=by, subject=upload, data={"purpose": purpose, "bytes": bytes}, at=at)
    return upload


def part_links(upload: Upload, *, at: datetime | None = None) -> list[PartLink]:
    """Fresh links for the parts that have not arrived, in order; none once the upload is over."""
    at = at or clock.now()
    if upload.state != UploadState.STARTED or upload.expires_at <= at:
        return []
    keeper = storage.private()
    arrived = {part.number for part in keeper.list_parts(upload.storage_key, upload.storage_reference)}
    seconds = max(1, min(PART_LINK_SECONDS, int((upload.expires_at - at).total_seconds())))
    return [
        PartLink(
            number=number,
            bytes=upload.size_of_part(number),
            url=keeper.part_url(
                upload.storage_key,
                upload.storage_reference,
                number=number,
                bytes=upload.size_of_part(number),
                seconds=seconds,
            ),
        )
        for number in range(1, upload.part_count + 1)
        if number not in arrived
    ]


def arrived_parts(upload: Upload) -> list[dict[str, Any]]:
    """Number, etag and bytes of each part that has arrived; empty once the upload is over."""
    if upload.state != UploadState.STARTED:
        return []
    parts = storage.private().list_parts(upload.storage_key, upload.storage_reference)
    return [{"number": part.number, "etag": part.etag, "bytes": part.bytes} for part in parts]


def complete(
    upload: Upload,
    *,
    parts: Sequence[tuple[int, str]],
    by: User,
    then: tuple[str, Mapping[str, Any]] | None = None,
    at: datetime | None = None,
) -> Asset:
    """Join the parts, given as (number, etag), into an asset and have it processed (S-058).

    `then` is a kind of job and its payload, written when processing ends; "asset_id" is added to the payload.
    Repeating the call answers the same asset. Raises NotFound for another person's upload; Conflict when the
    upload is over, the parts are not those that arrived, or size or checksum differ from what was announced
    (after the latter two the upload is aborted).
    """
    at = at or clock.now()
    if upload.by_id != by.pk:
        raise NotFound(_("There is no such upload."))
    done = _asset_of(upload)
    if done is not None:
        return done
    _check_open(upload, at=at)
    size = _join(upload, parts)
    if size != upload.bytes:
        _discard(upload, by=by, reason="size", at=at)
        raise Conflict(
            _("%(announced)s bytes were announced, %(arrived)s arrived.")
            % {"announced": upload.bytes, "arrived": size},
            code="size",
            field="bytes",
        )
    if upload.checksum_sha256 and size <= CHECKED_AT_ONCE_BYTES and _sha256(upload) != upload.checksum_sha256:
        _discard(upload, by=by, reason="checksum", at=at)
        raise Conflict(str(policies.ERRORS["checksum"]), code="checksum", field="checksum")
    try:
        with transaction.atomic():
            advance(upload, "complete", by=by, at=at, changes={"finished_at": at})
            rule = policies.PURPOSES[upload.purpose]
            asset = assets.begin(
                asset_id=upload.id,
                by=by,
                kind=rule.kind,
                filename=upload.filename,
                storage_key=upload.storage_key,
                content_type=upload.content_type,
                bytes=size,
                checksum=upload.checksum_sha256,
                then=then,
                at=at,
            )
            upload.asset = asset
            upload.save(update_fields=["asset", "updated_at"])
    except LostRace:
        # The same request came twice at once; the other one made the asset.
        upload.refresh_from_db()
        done = _asset_of(upload)
        if done is None:
            raise
        return done
    return asset


def abort(upload: Upload, *, by: User, at: datetime | None = None) -> None:
    """Give an unfinished upload up and forget its parts. Raises NotFound, or Conflict when it is over."""
    at = at or clock.now()
    if upload.by_id != by.pk:
        raise NotFound(_("There is no such upload."))
    advance(upload, "abort", by=by, at=at, changes={"finished_at": at})
    storage.private().abort_upload(upload.storage_key, upload.storage_reference)


def expire_due(*, at: datetime | None = None, limit: int = 500) -> int:
    """End the uploads whose time is over and forget their parts; returns how many."""
    at = at or clock.now()
    keeper = storage.private()
    count = 0
    for upload in Upload.objects.filter(state=UploadState.STARTED, expires_at__lte=at).order_by("expires_at")[:limit]:
        try:
            advance(upload, "expire", by=None, at=at, changes={"finished_at": at})
        except LostRace:
            continue
        keeper.abort_upload(upload.storage_key, upload.storage_reference)
        # Joined, but never made an asset: the request broke off in between.
        keeper.delete(upload.storage_key)
        count += 1
    return count


def _asset_of(upload: Upload) -> Asset | None:
    return upload.asset if upload.state == UploadState.COMPLETED else None


def _check_open(upload: Upload, *, at: datetime) -> None:
    if upload.state != UploadState.STARTED:
        raise Conflict(_("This upload is over."), code="upload_over")
    if upload.expires_at <= at:
        raise Conflict(_("This upload has expired. Start it again."), code="upload_expired")


def _join(upload: Upload, parts: Sequence[tuple[int, str]]) -> int:
    """Bytes of the joined object."""
    keeper = storage.private()
    try:
        return keeper.complete_upload(upload.storage_key, upload.storage_reference, parts).bytes
    except BadParts as error:
        raise Conflict(
            _("The parts do not fit: %(reason)s") % {"reason": error}, code="bad_parts", field="parts"
        ) from error
    except Missing:
        # An earlier request joined them and broke off before it could say so.
        try:
            return keeper.stat(upload.storage_key).bytes
        except Missing as error:
            raise Conflict(_("This upload is over."), code="upload_over") from error


def _sha256(upload: Upload) -> str:
    digest = hashlib.sha256()
    for chunk in storage.private().read(upload.storage_key):
        digest.update(chunk)
    return digest.hexdigest()


def _discard(upload: Upload, *, by: User, reason: str, at: datetime) -> None:
    advance(upload, "abort", by=by, at=at, reason=reason, changes={"finished_at": at})
    storage.private().delete(upload.storage_key)
