"""Keeps out of the logs what must not be read there: links that open a file to whoever holds them."""

import re
from collections.abc import MutableMapping
from typing import Any

# /storage/<door>/<token>/…: the token is the key.
STORAGE_TOKEN = re.compile(r"(/storage/[a-z]+/)[^/\s\"'?]+")
BEARER = re.compile(r"(?i)(bearer\s+)[\w.-]+")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: masks storage tokens and bearer tokens in every text of a line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = BEARER.sub(r"\1…", STORAGE_TOKEN.sub(r"\1…", value))
    return event
