"""Identifiers: time-ordered keys for rows and short references for people."""

import os
import secrets
import time
import uuid

# No vowels and no look-alikes: a reference is read over the phone and must not spell words.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


def uuid7() -> uuid.UUID:
    """A UUID version 7 (RFC 9562): milliseconds first, so rows made together lie together in the index."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10))
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= ((random_bits >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random_bits & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def reference(prefix: str) -> str:
    """A human reference such as ``AP-7K2M9QBD``: 27^8 values, the column that holds it is unique."""
    return f"{prefix}-" + "".join(secrets.choice(ALPHABET) for _ in range(8))
