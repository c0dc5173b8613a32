"""Keeps out of the logs what must not be read there: links that open a file to whoever holds them."""

import re
from collections.abc import MutableMapping
from typing import Any

# /storage/<door>/<token>/…: the token is the key.
STORAGE_TOKEN = re.compile(r"(/storage/[a-z]+/)[^/\s\"'?]+")
# The link of a staff invitation.
INVITATION_TOKEN = re.compile(r"(/accounts/invitation/)[^/\s\"'?]+")
BEARER = re.compile(r"(?i)(bearer\s+)[\w.-]+")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: masks storage tokens, invitations and bearer tokens in every text of a line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = INVITATION_TOKEN.sub(r"\1…", BEARER.sub(r"\1…", STORAGE_TOKEN.sub(r"\1…", value)))
    return event
