"""Secrets of a local platform: made once, kept in the data directory, readable by their owner only."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def random_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def kept(path: Path, make: Callable[[], str] = random_key) -> str:
    """The secret in this file; made and written when there is none. Two processes agree on the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    value = make()
    with os.fdopen(handle, "w") as file:
        file.write(value)
    return value
