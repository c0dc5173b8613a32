"""The chain of hashes over the audit rows, and its verifier."""

import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC

from django.db import connection, transaction

from backoffice.audit.models import AuditEntry, ChainLink

GENESIS = "0" * 64
# Any constant will do; it only has to be nobody else's.
CHAIN_LOCK = 0x6261636B6C6F74


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with the row it is about."""

    kind: str
    entry_id: int | None
    position: int | None
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: entry {self.entry_id}, position {self.position}: {self.detail}"


def content(entry: AuditEntry) -> str:
    """Every column of the entry as the text that is hashed."""
    columns = {
        "id": entry.pk,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": entry.action,
        "actor": str(entry.actor_id) if entry.actor_id else None,
        "actor_roles": entry.actor_roles,
        "subject_type": entry.subject_type,
        "subject_id": entry.subject_id,
        "subject_label": entry.subject_label,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
        "data": entry.data,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
    }
    return json.dumps(columns, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(previous: str, position: int, entry: AuditEntry) -> str:
    """SHA-256 over the hash before, the position and the content of the entry, a line break between them."""
    return hashlib.sha256(f"{previous}\n{position}\n{content(entry)}".encode()).hexdigest()


def seal(*, batch: int = 1000) -> int:
    """Adds links for entries that have none yet, in the order of their numbers; returns how many.

    One sealer at a time: a second one waits for the first one's transaction.
    """
    sealed = 0
    while True:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
            last = ChainLink.objects.order_by("-position").first()
            position, previous = (last.position, last.hash) if last else (0, GENESIS)
            links = []
            for entry in AuditEntry.objects.filter(link=None).order_by("id")[:batch]:
                position += 1
                current = digest(previous, position, entry)
                links.append(ChainLink(position=position, entry=entry, previous_hash=previous, hash=current))
                previous = current
            ChainLink.objects.bulk_create(links)
        sealed += len(links)
        if len(links) < batch:
            return sealed


def verify() -> Iterator[Finding]:
    """Walks the whole chain and yields what is wrong: altered, deleted, moved or never sealed rows."""
    expected, previous = 0, GENESIS
    links = ChainLink.objects.order_by("position").values_list("position", "entry_id", "previous_hash", "hash")
    batch: list[tuple[int, int, str, str]] = []
    for link in links.iterator(chunk_size=2000):
        batch.append(link)
        if len(batch) == 2000:
            expected, previous = yield from _verify_batch(batch, expected, previous)
            batch = []
    expected, previous = yield from _verify_batch(batch, expected, previous)
    for entry_id in AuditEntry.objects.filter(link=None).order_by("id").values_list("id", flat=True)[:100]:
        yield Finding("unsealed", entry_id, None, "the row has no link in the chain")


def _verify_batch(
    batch: list[tuple[int, int, str, str]], expected: int, previous: str
) -> Generator[Finding, None, tuple[int, str]]:
    entries = AuditEntry.objects.in_bulk([entry_id for _, entry_id, _, _ in batch])
    for position, entry_id, previous_hash, current in batch:
        expected += 1
        if position != expected:
            yield Finding("missing link", entry_id, expected, f"the next link is at position {position}")
            expected = position
        elif previous_hash != previous:
            yield Finding("broken chain", entry_id, position, "the hash before is not the hash of the link before")
        entry = entries.get(entry_id)
        if entry is None:
            yield Finding("deleted", entry_id, position, "the row that the link seals is gone")
        elif digest(previous_hash, position, entry) != current:
            yield Finding("altered", entry_id, position, "the row is not what was sealed")
        previous = current
    return expected, previous
