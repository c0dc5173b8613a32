"""The one interface of private file storage, whatever holds the bytes."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# A link to a stored file lives at most this long.
MAX_LINK_SECONDS = 300
# Of S3: every part but the last has at least this size.
MIN_PART_BYTES = 5 * 1024 * 1024
MAX_PARTS = 10_000

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class Part:
    """One arrived part of an upload; `number` counts from 1, `etag` is the MD5 of its bytes as hex."""

    number: int
    etag: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored object and its size in bytes."""

    key: str
    bytes: int


class StorageError(Exception):
    """Something is wrong with what was asked of the storage."""


class Missing(StorageError):
    """There is no object, or no upload, of this name."""


class BadParts(StorageError):
    """The parts named at the end are not those that arrived, or their sizes do not fit."""


class Unavailable(StorageError):
    """The storage does not answer; trying again later may help."""


class Storage(ABC):
    """Private objects under keys such as "assets/0191/original"; only signed links reach them."""

    @abstractmethod
    def start_upload(self, key: str, *, content_type: str, bytes: int, part_bytes: int) -> str:
        """Begin an upload in parts of `part_bytes` (the last may be smaller); answers its reference."""

    @abstractmethod
    def part_url(self, key: str, reference: str, *, number: int, bytes: int, seconds: int) -> str:
        """A link to which exactly `bytes` may be PUT as part `number` for the next `seconds`."""

    @abstractmethod
    def list_parts(self, key: str, reference: str) -> list[Part]:
        """The parts that have arrived, by number. Raises Missing when the upload is unknown or over."""

    @abstractmethod
    def complete_upload(self, key: str, reference: str, parts: Sequence[tuple[int, str]]) -> Stored:
        """Join the parts, given as (number, etag) from 1 on. Raises BadParts or Missing."""

    @abstractmethod
    def abort_upload(self, key: str, reference: str) -> None:
        """Forget an upload and what has arrived of it; an unknown one is no error."""

    @abstractmethod
    def save(self, key: str, content: BinaryIO, *, content_type: str) -> Stored:
        """Store `content` under `key`, in place of what was there."""

    @abstractmethod
    def stat(self, key: str) -> Stored:
        """Raises Missing."""

    @abstractmethod
    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The object's bytes from `start` on, in chunks. Raises Missing before the first chunk."""

    @abstractmethod
    def as_file(self, key: str, workspace: Path) -> AbstractContextManager[Path]:
        """A local path with the content, for reading only, while the block runs; copies go to `workspace`."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the object; a missing one is no error."""

    @abstractmethod
    def delete_below(self, prefix: str) -> None:
        """Remove every object whose key begins with `prefix` + "/"."""

    @abstractmethod
    def move(self, key: str, target: str) -> None:
        """Give the object another key. Raises Missing."""

    @abstractmethod
    def url(self, key: str, *, seconds: int, filename: str, content_type: str, inline: bool) -> str:
        """A link that reads this one object for `seconds` (see `MAX_LINK_SECONDS`), with these headers."""


def check_key(key: str) -> str:
    """The key itself. Raises StorageError for one that could lead out of the storage."""
    if len(key) > 500 or not _KEY.fullmatch(key):
        raise StorageError(f"not a storage key: {key!r}")
    return key


def check_link_seconds(seconds: int) -> int:
    """The number itself. Raises StorageError outside 1 to `MAX_LINK_SECONDS`."""
    if not 1 <= seconds <= MAX_LINK_SECONDS:
        raise StorageError(f"links live 1 to {MAX_LINK_SECONDS} seconds, not {seconds}")
    return seconds


def check_parts(named: Sequence[tuple[int, str]], arrived: Sequence[Part]) -> None:
    """Raises BadParts unless `named` are exactly the parts that arrived, from 1 without a gap."""
    if [number for number, _ in named] != list(range(1, len(named) + 1)) or not named:
        raise BadParts("The parts are not numbered from 1 without a gap.")
    known = {part.number: part.etag for part in arrived}
    for number, etag in named:
        if number not in known:
            raise BadParts(f"Part {number} has not arrived.")
        if known[number] != etag.strip('"').lower():
            raise BadParts(f"Part {number} is not the one that arrived: its etag differs.")
    if len(known) != len(named):
        raise BadParts(f"{len(known)} parts have arrived, {len(named)} are named.")
