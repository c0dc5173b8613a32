"""What a file is, by its first bytes (X-054). The name and the claimed type are never believed."""

from __future__ import annotations

import codecs
import re

# Enough for every signature below, and for text to show what it is.
HEAD_BYTES = 4096

_MP4_AUDIO_BRANDS = {b"M4A ", b"M4B "}
_MP4_IMAGE_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis"}
_TEXT_MARKUP = re.compile(rb"<\s*(?:!doctype|html|svg|script|\?xml|head|body|iframe|x:xmpmeta)", re.IGNORECASE)

# Content that is never media here, whatever it is called: it could run, unpack, or point at other files.
DANGEROUS = frozenset(
    {
        "application/vnd.apple.mpegurl",
        "application/x-ffconcat",
        "application/dash+xml",
        "application/x-dosexec",
        "application/x-executable",
        "application/x-shellscript",
        "application/x-archive",
        "text/html",
        "image/svg+xml",
        "text/xml",
    }
)


def sniff(head: bytes) -> str:
    """The content type shown by `head`, the first bytes of a file; "" when it shows none that is known.

    Text that is neither markup nor a playlist answers "text/plain"; an empty file answers "".
    """
    return _binary(head) or _text(head)


def is_dangerous(content_type: str) -> bool:
    """Whether this content could execute, unpack, or make a reader open other files."""
    return content_type in DANGEROUS


def _binary(head: bytes) -> str:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return _iso_media(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"RIFF"):
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12], "")
    if _is_transport_stream(head):
        return "video/mp2t"
    for signature, content_type in _SIGNATURES:
        if head.startswith(signature):
            return content_type
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # An MPEG audio frame; layer bits 00 are ADTS AAC.
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    return ""


_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"PK\x03\x04", "application/x-archive"),
    (b"PK\x05\x06", "application/x-archive"),
    (b"\x1f\x8b", "application/x-archive"),
    (b"BZh", "application/x-archive"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-archive"),
    (b"Rar!\x1a\x07", "application/x-archive"),
    (b"\xfd7zXZ\x00", "application/x-archive"),
    (b"\x28\xb5\x2f\xfd", "application/x-archive"),
    (b"MZ", "application/x-dosexec"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xcf\xfa\xed\xfe", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-executable"),
    (b"#!", "application/x-shellscript"),
)


def _iso_media(head: bytes) -> str:
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _MP4_AUDIO_BRANDS:
        return "audio/mp4"
    if brand in _MP4_IMAGE_BRANDS:
        return "image/heic"
    if brand == b"qt  " or head[4:8] != b"ftyp":
        return "video/quicktime"
    return "video/mp4"


def _is_transport_stream(head: bytes) -> bool:
    packets = [head[at : at + 1] for at in range(0, min(len(head), 188 * 5), 188)]
    return len(packets) >= 3 and all(first == b"G" for first in packets)


def _text(head: bytes) -> str:
    body = head.removeprefix(codecs.BOM_UTF8)
    text = body.lstrip()
    if not text or b"\x00" in text:
        return ""
    if text[:7].upper() == b"#EXTM3U" or text[:10].lower() == b"[playlist]":
        return "application/vnd.apple.mpegurl"
    if text[:8].lower() == b"ffconcat":
        return "application/x-ffconcat"
    if _TEXT_MARKUP.match(text) or text[:5].lower() == b"<?xml":
        return _markup(text)
    if not _decodes(body):
        return ""
    if body.startswith(b"WEBVTT"):
        return "text/vtt"
    if re.match(rb"\d+\s*\r?\n\d\d:\d\d:\d\d,\d{3} --> ", text):
        return "application/x-subrip"
    return "text/plain"


def _markup(text: bytes) -> str:
    lowered = text.lower()
    if b"<svg" in lowered:
        return "image/svg+xml"
    if b"<mpd" in lowered:
        return "application/dash+xml"
    if b"<html" in lowered or b"<!doctype html" in lowered or b"<script" in lowered:
        return "text/html"
    return "text/xml"


def _decodes(body: bytes) -> bool:
    """Whether this is UTF-8 text; a character cut at the end of the head is no fault."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoded = decoder.decode(body, final=False)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t" for character in decoded)
