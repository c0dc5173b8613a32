"""Hashes of what was asked for: the same contents give the same hash, on every machine and in every order."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any


def of(data: Any) -> str:
    """The SHA-256 of a JSON value, keys sorted."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def entry(
    *,
    kind: str,
    effective_date: date,
    source_type: str,
    source_id: str,
    reverses_id: int | None,
    data: Mapping[str, Any],
    lines: Sequence[tuple[int, str, int]],
) -> str:
    """The hash of a ledger entry's contents; ``lines`` are (account id, currency, minor units) in any order."""
    return of([kind, effective_date.isoformat(), source_type, source_id, reverses_id, data, sorted(lines)])
