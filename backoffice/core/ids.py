"""Identifiers: time-ordered keys for rows and short references for people."""

import os
import secrets
import threading
import time
import uuid

# No vowels and no look-alikes: a reference is read over the phone and must not spell words.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A UUID version 7 (RFC 9562): time first, so rows made together lie together in the index.

    The 12 bits after the milliseconds count on within them (method 3 of section 6.2): what one process makes later
    sorts later, so a list by key is in the order in which its rows were made.
    """
    global _last
    with _lock:
        moment = _last = max((time.time_ns() << 12) // 1_000_000, _last + 1)
    value = (moment >> 12) << 80
    value |= 0x7 << 76
    value |= (moment & 0xFFF) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8)) >> 2
    return uuid.UUID(int=value)


def reference(prefix: str) -> str:
    """A human reference such as ``AP-7K2M9QBD``: 27^8 values, the column that holds it is unique."""
    return f"{prefix}-" + "".join(secrets.choice(ALPHABET) for _ in range(8))
