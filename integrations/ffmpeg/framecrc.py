"""Reads ffmpeg's `framecrc` output: one line per packet or frame, numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path


@dataclass(slots=True)
class Stream:
    """One stream of the listing; `first` and `last` are its outermost times in `time_base` units."""

    kind: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    time_base: Fraction = Fraction(1, 1000)
    frames: int = 0
    first: int | None = None
    last: int = 0

    @property
    def seconds(self) -> Fraction:
        return (self.last - self.first) * self.time_base if self.first is not None else Fraction(0)

    @property
    def duration_ms(self) -> int:
        return round(self.seconds * 1000)

    @property
    def frames_per_second(self) -> float:
        return round(float(self.frames / self.seconds), 3) if self.seconds > 0 else 0.0

    def count(self, start: int, length: int) -> None:
        self.frames += 1
        if self.first is None or start < self.first:
            self.first = start
        self.last = max(self.last, start + length)


@dataclass(slots=True)
class Listing:
    streams: list[Stream] = field(default_factory=list)

    @property
    def duration_ms(self) -> int:
        """Length of the longest stream in milliseconds."""
        return max((stream.duration_ms for stream in self.streams), default=0)

    def first(self, kind: str) -> Stream | None:
        return next((stream for stream in self.streams if stream.kind == kind), None)

    def stream(self, number: int) -> Stream:
        while len(self.streams) <= number:
            self.streams.append(Stream())
        return self.streams[number]


def read(output: Path) -> Listing:
    """The listing in the file `output`; an empty file is an empty listing."""
    listing = Listing()
    with output.open("r", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("#"):
                _header(listing, line)
            elif line.strip():
                _frame(listing, line)
    return listing


def _header(listing: Listing, line: str) -> None:
    name, _, value = line[1:].strip().partition(": ")
    word, _, number = name.partition(" ")
    if not number.isdigit():
        return
    if word == "tb":
        listing.stream(int(number)).time_base = Fraction(value)
    elif word == "media_type":
        listing.stream(int(number)).kind = value
    elif word == "codec_id":
        listing.stream(int(number)).codec = value
    elif word == "dimensions":
        width, _, height = value.partition("x")
        stream = listing.stream(int(number))
        stream.width, stream.height = int(width), int(height)


def _frame(listing: Listing, line: str) -> None:
    columns = line.split(",", 5)
    if len(columns) < 5:
        return
    number, dts, pts, length = (column.strip() for column in columns[:4])
    start = pts if _is_number(pts) else dts
    if number.isdigit() and _is_number(start) and _is_number(length):
        listing.stream(int(number)).count(int(start), int(length))


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdigit()
