"""What a scan answers, and the ways a file can be refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the file really is: type by content, size in bytes, SHA-256 as hex."""

    content_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of a virus scanner: `signature` names what was found, "" when the file is clean."""

    signature: str = ""

    @property
    def infected(self) -> bool:
        return bool(self.signature)


class Refused(Exception):
    """The file may not be used; `code` names the reason for programs, the text says it to people."""

    code = "refused"


class Empty(Refused):
    code = "empty"


class TooLarge(Refused):
    code = "too_large"


class WrongType(Refused):
    code = "wrong_type"


class Dangerous(Refused):
    """Content that could execute, unpack, or open other files: to be isolated, not only refused."""

    code = "forbidden_content"


class ChecksumMismatch(Refused):
    code = "checksum"


class ScannerUnavailable(Exception):
    """The configured virus scanner did not answer; the file counts as not scanned, never as clean."""
