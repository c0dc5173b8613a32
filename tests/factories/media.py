"""Uploads and files for tests, made through the services with real bytes."""

import hashlib
import io
from pathlib import Path
from typing import Any

from backoffice.accounts.models import User
from backoffice.core import jobs
from backoffice.media import storage
from backoffice.media.models import Asset, Upload
from backoffice.media.services import assets, uploads
from integrations.storage.local import PART_PURPOSE
from tests import media_files
from tests.factories import accounts


def started(by: User, path: Path, **fields: Any) -> Upload:
    """An upload of this file that has just been announced."""
    details: dict[str, Any] = {
        "filename": path.name,
        "bytes": path.stat().st_size,
        "content_type": "video/mp4",
        "purpose": Upload.Purpose.VIDEO,
        **fields,
    }
    return uploads.start(by=by, **details)


def send_parts(upload: Upload, content: bytes) -> list[tuple[int, str]]:
    """Puts the parts that are missing where their links lead; answers (number, etag) of each."""
    keeper = storage.local()
    sent = []
    for link in uploads.part_links(upload):
        claims = keeper.tokens.read(PART_PURPOSE, link.url.rpartition("/")[2], now=keeper.clock())
        offset = (link.number - 1) * upload.part_bytes
        stream = io.BytesIO(content[offset : offset + link.bytes])
        part = keeper.receive_part(claims["ref"], number=link.number, bytes=link.bytes, stream=stream)
        sent.append((part.number, part.etag))
    return sent


def uploaded(path: Path, *, by: User | None = None, then: Any = None, **fields: Any) -> Asset:
    """A file that has arrived and waits to be processed."""
    by = by or accounts.member()
    upload = started(by, path, **fields)
    parts = send_parts(upload, path.read_bytes())
    return uploads.complete(upload, parts=parts, by=by, then=then)


def processed(path: Path | None = None, **fields: Any) -> Asset:
    """A file after its processing, whatever came of it; by default a small real video."""
    asset = uploaded(path or media_files.video(), **fields)
    jobs.run_due(kinds=[assets.PROCESS])
    asset.refresh_from_db()
    return asset


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
