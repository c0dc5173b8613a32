"""Type by content, size and checksum."""

import hashlib
import io

import pytest

from integrations.antivirus import content, inspection
from integrations.antivirus.types import ChecksumMismatch, Dangerous, Empty, TooLarge, WrongType
from tests import media_files

VIDEO = {"video/mp4", "video/quicktime"}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypheic", "image/heic"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"GIF89a", "image/gif"),
        (b"PK\x03\x04rest", "application/x-archive"),
        (b"MZ\x90\x00", "application/x-dosexec"),
        (b"\x7fELF\x02", "application/x-executable"),
        (b"#!/bin/sh\nrm -rf /", "application/x-shellscript"),
        (b"\xef\xbb\xbf#EXTM3U\n", "application/vnd.apple.mpegurl"),
        (b"  \n#extm3u\n", "application/vnd.apple.mpegurl"),
        (b"ffconcat version 1.0\n", "application/x-ffconcat"),
        (b"<?xml version='1.0'?><MPD>", "application/dash+xml"),
        (b"<?xml version='1.0'?><!-- x --><svg>", "image/svg+xml"),
        (b"<!DOCTYPE html><p>", "text/html"),
        (b"<script>alert(1)</script>", "text/html"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\nBonjou", "text/vtt"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nBonjou", "application/x-subrip"),
        ("Bonjour, ça va ?".encode(), "text/plain"),
        (b"G" + bytes(187) + b"G" + bytes(187) + b"G" + bytes(187), "video/mp2t"),
        (b"\x01\x02\x03\x04", ""),
        (b"", ""),
    ],
)
def test_content_shows_its_type(head: bytes, expected: str) -> None:
    assert content.sniff(head) == expected


def test_made_files_show_the_type_they_were_made_as() -> None:
    for path, expected in [
        (media_files.video(), "video/mp4"),
        (media_files.video(container="webm"), "video/webm"),
        (media_files.video(container="mkv"), "video/x-matroska"),
        (media_files.video(container="mov"), "video/quicktime"),
        (media_files.sound(), "audio/mpeg"),
        (media_files.image(), "image/png"),
        (media_files.image(kind="jpg"), "image/jpeg"),
        (media_files.image(kind="webp"), "image/webp"),
    ]:
        assert content.sniff(path.read_bytes()[: content.HEAD_BYTES]) == expected


def test_a_letter_cut_at_the_end_of_the_head_is_still_text() -> None:
    assert content.sniff("é".encode() * 10 + b"\xc3") == "text/plain"


def test_an_inspection_tells_type_size_and_checksum() -> None:
    data = media_files.video().read_bytes()

    found = inspection.inspect(io.BytesIO(data), allowed=VIDEO, max_bytes=len(data))

    assert found == inspection.Inspection("video/mp4", len(data), hashlib.sha256(data).hexdigest())


def test_refusals_say_why() -> None:
    data = media_files.video().read_bytes()
    with pytest.raises(TooLarge):
        inspection.inspect(io.BytesIO(data), allowed=VIDEO, max_bytes=len(data) - 1)
    with pytest.raises(ChecksumMismatch):
        inspection.inspect(io.BytesIO(data), allowed=VIDEO, max_bytes=len(data), expected_sha256="0" * 64)
    with pytest.raises(Empty):
        inspection.inspect(io.BytesIO(b""), allowed=VIDEO, max_bytes=10)
    with pytest.raises(WrongType, match="image/png"):
        inspection.check_type(media_files.image().read_bytes(), allowed=VIDEO)
    with pytest.raises(Dangerous, match="svg"):
        inspection.check_type(media_files.svg_with_script().read_bytes(), allowed=VIDEO)
