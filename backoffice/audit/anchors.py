"""The chain's head, written every hour to a file outside the database: one append-only file per day.

A line tells position, hash and entry of the newest link, is signed (Ed25519) and names the signature of the line
before. Whoever rewrites or cuts the chain in the database, even with the owner's rights, contradicts a line that they
cannot sign; whoever takes a line away breaks the lines' own chain.
"""

import base64
import binascii
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backoffice.audit.chain import Finding
from backoffice.audit.models import ChainLink
from backoffice.core import clock

# What was sealed longer than this before the newest link must be anchored.
ANCHORED_WITHIN = timedelta(hours=48)
NAMED_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Anchor:
    """One line: where the chain ended at that time. ``entry`` is the number of the newest row in the chain."""

    position: int
    hash: str
    entry: int
    at: str
    previous: str
    key: str
    signature: str

    def message(self) -> bytes:
        """What is signed: everything but the signature."""
        content = {name: getattr(self, name) for name in ("position", "hash", "entry", "at", "previous", "key")}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    def line(self) -> str:
        """The line as it stands in the file."""
        return json.dumps({**json.loads(self.message()), "signature": self.signature}, sort_keys=True)


def directory() -> Path:
    """Where the files lie."""
    return Path(settings.AUDIT_ANCHOR_DIR)


@lru_cache(maxsize=4)
def _keys(encoded: tuple[str, ...]) -> dict[str, Ed25519PrivateKey]:
    keys = {}
    for text in encoded:
        try:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ImproperlyConfigured("AUDIT_ANCHOR_KEYS: every key is 32 bytes in base64") from error
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        keys[hashlib.sha256(public).hexdigest()[:16]] = key
    return keys


def keys() -> dict[str, Ed25519PrivateKey]:
    """The keys by their short names; the first signs, all of them verify."""
    found = _keys(tuple(settings.AUDIT_ANCHOR_KEYS))
    if not found:
        raise ImproperlyConfigured("AUDIT_ANCHOR_KEYS is empty")
    return found


def public_keys() -> dict[str, str]:
    """The public halves in base64, by short name: enough to check the files on another machine."""
    return {
        name: base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        for name, key in keys().items()
    }


def sign(content: bytes) -> dict[str, str]:
    """A signature of our own under something else that leaves the house, with the short name of its key."""
    name, key = next(iter(keys().items()))
    return {"key": name, "public_key": public_keys()[name], "signature": base64.b64encode(key.sign(content)).decode()}


def write(*, at: datetime | None = None) -> Anchor | None:
    """Adds the chain's head to the day's file; None when the chain is empty or its head is anchored already."""
    at = (at or clock.now()).astimezone(UTC)
    head = ChainLink.objects.order_by("-position").first()
    if head is None:
        return None
    with _alone():
        last: Anchor | None = None
        for _place, anchor in read():
            last = anchor or last
        if last is not None and (last.position, last.hash) == (head.position, head.hash):
            return None
        name, key = next(iter(keys().items()))
        unsigned = Anchor(
            position=head.position,
            hash=head.hash,
            entry=head.entry_id,
            at=at.isoformat(timespec="seconds"),
            previous=last.signature if last else "",
            key=name,
            signature="",
        )
        signature = base64.b64encode(key.sign(unsigned.message())).decode()
        anchor = Anchor(**{**json.loads(unsigned.message()), "signature": signature})
        path = directory() / f"{at:%Y-%m-%d}.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(anchor.line() + "\n")
            file.flush()
            os.fsync(file.fileno())
    return anchor


def read() -> Iterator[tuple[str, Anchor | None]]:
    """Every line in order: its place (file and line number) and what it says, None when it cannot be read."""
    for path in sorted(directory().glob("????-??-??.jsonl")):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            yield f"{path.name}:{number}", _parse(line)


def covering(first: int, last: int) -> list[Anchor]:
    """The anchors between these positions, and the first one after them: proof of what was there by when."""
    found = []
    for _place, anchor in read():
        if anchor is not None and anchor.position >= first:
            found.append(anchor)
            if anchor.position >= last:
                break
    return found


def check() -> Iterator[Finding]:
    """Compares the chain with the files; yields truncated and rewritten rows, and what is wrong with the files."""
    head = ChainLink.objects.order_by("-position").first()
    end = head.position if head else 0
    trusted: list[tuple[str, Anchor]] = []
    previous = ""
    for place, anchor in read():
        if anchor is None:
            yield Finding("unreadable anchor", None, None, f"{place} is not an anchor")
            continue
        if not _signed(anchor):
            yield Finding("forged anchor", anchor.entry, anchor.position, f"{place} is not signed with a known key")
            continue
        if anchor.previous != previous:
            yield Finding("missing anchor", anchor.entry, anchor.position, f"the line before {place} is gone")
        previous = anchor.signature
        trusted.append((place, anchor))
    yield from _cut(trusted, end)
    yield from _rewritten(trusted, end)
    yield from _unanchored(trusted, head)


def _cut(trusted: list[tuple[str, Anchor]], end: int) -> Iterator[Finding]:
    """Positions after the chain's end that an anchor has seen."""
    seen = {anchor.position: (place, anchor.entry) for place, anchor in trusted if anchor.position > end}
    if not seen:
        return
    last = max(seen)
    for position in range(end + 1, last + 1)[:NAMED_AT_MOST]:
        place, entry = next(
            (seen[at] if at == position else (seen[at][0], None)) for at in sorted(seen) if at >= position
        )
        yield Finding("truncated", entry, position, f"the chain ends at {end}; {place} has seen this position")
    if last - end > NAMED_AT_MOST:
        place, entry = seen[last]
        yield Finding("truncated", entry, last, f"the chain ends at {end}; {place} has seen every position up to this")


def _rewritten(trusted: list[tuple[str, Anchor]], end: int) -> Iterator[Finding]:
    """Anchored positions whose link is another one now."""
    within = [(place, anchor) for place, anchor in trusted if anchor.position <= end]
    for start in range(0, len(within), 1000):
        batch = within[start : start + 1000]
        links = ChainLink.objects.in_bulk([anchor.position for _place, anchor in batch])
        for place, anchor in batch:
            link = links.get(anchor.position)
            if link is not None and link.hash != anchor.hash:
                detail = (
                    f"{place} has seen entry {anchor.entry} here with another hash: this row or one before it changed"
                )
                yield Finding("rewritten", link.entry_id, anchor.position, detail)


def _unanchored(trusted: list[tuple[str, Anchor]], head: ChainLink | None) -> Iterator[Finding]:
    if head is None:
        return
    covered = max((anchor.position for _place, anchor in trusted), default=0)
    oldest = ChainLink.objects.filter(position__gt=covered).order_by("position").first()
    if oldest is not None and oldest.sealed_at < head.sealed_at - ANCHORED_WITHIN:
        detail = "no anchor covers this row: anchors were deleted, or the job that writes them does not run"
        yield Finding("missing anchor", oldest.entry_id, oldest.position, detail)


def _parse(line: str) -> Anchor | None:
    try:
        content: Any = json.loads(line)
        anchor = Anchor(**content)
    except (ValueError, TypeError):
        return None
    numbers = isinstance(anchor.position, int) and isinstance(anchor.entry, int)
    texts = (anchor.hash, anchor.at, anchor.previous, anchor.key, anchor.signature)
    return anchor if numbers and all(isinstance(text, str) for text in texts) else None


def _signed(anchor: Anchor) -> bool:
    key = keys().get(anchor.key)
    if key is None:
        return False
    try:
        key.public_key().verify(base64.b64decode(anchor.signature), anchor.message())
    except (InvalidSignature, binascii.Error):
        return False
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """One writer at a time on this machine."""
    directory().mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
