"""What ffmpeg runs answer, their limits, and the ways a file can fail."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child process may use: wall seconds, address space, and bytes written in all."""

    seconds: float = 120.0
    memory_bytes: int = 3072 * MEBIBYTE
    output_bytes: int = 512 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file holds. `width` and `height` are as shown (turned phone videos count as turned)."""

    container: str
    duration_ms: int
    width: int
    height: int
    fps: float
    video_codec: str
    audio_codec: str
    loudness_lufs: float | None = None

    @property
    def has_video(self) -> bool:
        return bool(self.video_codec)

    @property
    def has_audio(self) -> bool:
        return bool(self.audio_codec)


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """One picture of `columns` x `rows` tiles; tile n (from 0, by rows) shows about n * `interval_ms`."""

    columns: int
    rows: int
    interval_ms: int
    tile_width: int
    tile_height: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """One quality of an HLS stream: its playlist's path under the stream's directory."""

    label: str
    width: int
    height: int
    playlist: str


@dataclass(frozen=True, slots=True)
class HlsStream:
    """`master` and every path in `files` are relative to the directory that was written."""

    master: str
    renditions: tuple[Rendition, ...]
    files: tuple[str, ...]


class MediaError(Exception):
    """A file that cannot be used; `code` is for programs, the text a sentence for people."""

    code = "media"


class Unreadable(MediaError):
    """Damaged, cut off, or without any picture or sound that can be decoded."""

    code = "unreadable"


class TooLong(MediaError):
    code = "too_long"


class Hostile(MediaError):
    """Made to harm: another format in disguise, or a picture size out of all proportion."""

    code = "hostile"


class TimedOut(MediaError):
    code = "timed_out"


class OverLimit(MediaError):
    """The run asked for more memory or wrote more bytes than it may."""

    code = "over_limit"


class BinaryMissing(RuntimeError):
    """No ffmpeg on this machine: a fault of the installation, not of a file."""
