"""Objects as files in a private directory; links lead to our own views, which check the token."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TypedDict
from urllib.parse import quote
from uuid import uuid4

from integrations.storage.tokens import Tokens
from integrations.storage.types import (
    BadParts,
    Missing,
    Part,
    Storage,
    StorageError,
    Stored,
    check_key,
    check_link_seconds,
    check_parts,
)

_CHUNK = 256 * 1024
PART_PURPOSE = "part"
FILE_PURPOSE = "file"


class Readable(Protocol):
    """Anything bytes can be read from: a file, a request."""

    def read(self, size: int, /) -> bytes: ...


class _Plan(TypedDict):
    key: str
    bytes: int
    part_bytes: int


class LocalStorage(Storage):
    """Files below `root`: `objects/` by key, `uploads/` by reference while parts arrive.

    The parts of an upload are written at their place in one file, so joining them is a rename, whatever the
    size.
    """

    def __init__(self, root: Path, *, tokens: Tokens, base_url: str, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self.tokens = tokens
        self.base_url = base_url.rstrip("/")
        self.clock = clock

    def start_upload(self, key: str, *, content_type: str, bytes: int, part_bytes: int) -> str:
        check_key(key)
        reference = uuid4().hex
        place = self._upload(reference)
        place.mkdir(parents=True, mode=0o700)
        (place / "data").touch(mode=0o600)
        plan = {"key": key, "bytes": bytes, "part_bytes": part_bytes}
        (place / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        return reference

    def part_url(self, key: str, reference: str, *, number: int, bytes: int, seconds: int) -> str:
        claims = {"ref": reference, "key": check_key(key), "n": number, "bytes": bytes}
        token = self.tokens.make(PART_PURPOSE, claims, expires=int(self.clock()) + seconds)
        return f"{self.base_url}/parts/{token}"

    def receive_part(self, reference: str, *, number: int, bytes: int, stream: Readable) -> Part:
        """Write part `number` from `stream`, which must hold exactly `bytes`. Answers the part with its etag.

        Raises Missing when the upload is over, BadParts for a number or size outside the plan. A part sent
        again replaces the earlier one; one that breaks off leaves the part missing, never half there.
        """
        place = self._upload(reference)
        plan = self._plan(place)
        offset = (number - 1) * plan["part_bytes"]
        if number < 1 or bytes < 1 or bytes > plan["part_bytes"] or offset + bytes > plan["bytes"]:
            raise BadParts(f"Part {number} of {bytes} bytes is not part of this upload.")
        marker = place / f"{number}.part"
        with (place / f"{number}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            marker.unlink(missing_ok=True)
            etag = _write_at(place / "data", offset, bytes, stream)
            fresh = place / f"{number}.new"
            fresh.write_text(f"{etag} {bytes}", encoding="ascii")
            fresh.replace(marker)
        return Part(number=number, etag=etag, bytes=bytes)

    def list_parts(self, key: str, reference: str) -> list[Part]:
        place = self._upload(reference)
        if self._plan(place)["key"] != key:
            raise Missing(f"no upload {reference} of {key}")
        parts = []
        for marker in place.glob("*.part"):
            etag, _, size = marker.read_text(encoding="ascii").partition(" ")
            parts.append(Part(number=int(marker.stem), etag=etag, bytes=int(size)))
        return sorted(parts, key=lambda part: part.number)

    def complete_upload(self, key: str, reference: str, parts: Sequence[tuple[int, str]]) -> Stored:
        with self._joining(reference):
            arrived = self.list_parts(key, reference)
            check_parts(parts, arrived)
            place = self._upload(reference)
            plan = self._plan(place)
            for part in arrived[:-1]:
                if part.bytes != plan["part_bytes"]:
                    raise BadParts(f"Part {part.number} is smaller than the part size.")
            total = sum(part.bytes for part in arrived)
            target = self._path(key)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (place / "data").open("r+b") as data:
                data.truncate(total)
                os.fsync(data.fileno())
            (place / "data").replace(target)
            shutil.rmtree(place)
        return Stored(key=key, bytes=total)

    def abort_upload(self, key: str, reference: str) -> None:
        check_key(key)
        shutil.rmtree(self._upload(reference), ignore_errors=True)

    def save(self, key: str, content: BinaryIO, *, content_type: str) -> Stored:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            with fresh.open("xb") as stream:
                shutil.copyfileobj(content, stream, _CHUNK)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
        return self.stat(key)

    def stat(self, key: str) -> Stored:
        try:
            return Stored(key=key, bytes=self._path(key).stat().st_size)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Missing(f"no object {key}") from error

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        try:
            stream = self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise Missing(f"no object {key}") from error
        return _chunks(stream, start, length)

    @contextmanager
    def as_file(self, key: str, workspace: Path) -> Iterator[Path]:
        self.stat(key)
        yield self._path(key)

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def delete_below(self, prefix: str) -> None:
        place = self._path(prefix)
        if place.is_dir():
            shutil.rmtree(place)

    def move(self, key: str, target: str) -> None:
        self.stat(key)
        place = self._path(target)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path(key).replace(place)

    def url(self, key: str, *, seconds: int, filename: str, content_type: str, inline: bool) -> str:
        claims = {"key": check_key(key), "type": content_type, "inline": inline}
        expires = int(self.clock()) + check_link_seconds(seconds)
        token = self.tokens.make(FILE_PURPOSE, claims, expires=expires)
        return f"{self.base_url}/files/{token}/{quote(filename, safe='')}"

    def _path(self, key: str) -> Path:
        return self.root / "objects" / check_key(key)

    def _upload(self, reference: str) -> Path:
        if not reference.isalnum():
            raise StorageError(f"not an upload: {reference!r}")
        return self.root / "uploads" / reference

    @contextmanager
    def _joining(self, reference: str) -> Iterator[None]:
        """One request at a time joins an upload; the next one finds it gone."""
        try:
            plan = (self._upload(reference) / "plan.json").open("r")
        except FileNotFoundError as error:
            raise Missing(f"no upload {reference}") from error
        with plan:
            fcntl.flock(plan, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _plan(place: Path) -> _Plan:
        try:
            plan: _Plan = json.loads((place / "plan.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise Missing(f"no upload {place.name}") from error
        return plan


def _write_at(path: Path, offset: int, size: int, stream: Readable) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    left = size
    with path.open("r+b") as data:
        data.seek(offset)
        while left:
            chunk = stream.read(min(_CHUNK, left))
            if not chunk:
                raise BadParts(f"The part broke off: {left} of {size} bytes are missing.")
            data.write(chunk)
            digest.update(chunk)
            left -= len(chunk)
        data.flush()
        os.fsync(data.fileno())
    return digest.hexdigest()


def _chunks(stream: BinaryIO, start: int, length: int | None) -> Iterator[bytes]:
    with stream:
        stream.seek(start)
        left = length
        while left is None or left > 0:
            chunk = stream.read(_CHUNK if left is None else min(_CHUNK, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk
