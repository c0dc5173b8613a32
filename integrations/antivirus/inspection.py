"""The scanner that is always on: type by content, size, checksum (X-054, I-021)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import BinaryIO

from integrations.antivirus import content
from integrations.antivirus.types import ChecksumMismatch, Dangerous, Empty, Inspection, TooLarge, WrongType

_CHUNK = 1024 * 1024


def check_type(head: bytes, *, allowed: Collection[str]) -> str:
    """The content type of a file by its first `content.HEAD_BYTES` bytes.

    Raises Empty, Dangerous (could run, unpack or open other files) or WrongType (not in `allowed`).
    """
    if not head:
        raise Empty("The file is empty.")
    found = content.sniff(head)
    if found in allowed:
        return found
    if content.is_dangerous(found):
        raise Dangerous(f"The content is {found}, which is never accepted as media.")
    if found:
        raise WrongType(f"The content is {found}; accepted here: {', '.join(sorted(allowed))}.")
    raise WrongType(f"The content is of no known type; accepted here: {', '.join(sorted(allowed))}.")


def inspect(stream: BinaryIO, *, allowed: Collection[str], max_bytes: int, expected_sha256: str = "") -> Inspection:
    """Read `stream` once, from its start, and answer what it is.

    Raises Empty, Dangerous, WrongType, TooLarge (more than `max_bytes`, found without reading on) or
    ChecksumMismatch (against `expected_sha256`, hex, when given).
    """
    head = stream.read(content.HEAD_BYTES)
    content_type = check_type(head, allowed=allowed)
    digest = hashlib.sha256(head)
    size = len(head)
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > max_bytes:
            break
        digest.update(chunk)
    if size > max_bytes:
        raise TooLarge(f"The file has more than the {max_bytes} bytes that are accepted here.")
    found = digest.hexdigest()
    if expected_sha256 and found != expected_sha256.lower():
        raise ChecksumMismatch("The file differs from the one that was announced: its SHA-256 is not the same.")
    return Inspection(content_type=content_type, bytes=size, sha256=found)
