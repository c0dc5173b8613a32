"""Which demuxer may read which content type: the only formats that ffmpeg is ever asked to open.

The demuxer is forced by name, so a playlist (HLS, concat, DASH) or a script in disguise is never followed:
none of these formats can name another file.
"""

from __future__ import annotations

from pathlib import Path

from integrations.antivirus import content
from integrations.ffmpeg.types import Hostile, Unreadable

DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/mp4": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/mp2t": "mpegts",
    "video/mpeg": "mpeg",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/png": "png_pipe",
    "image/jpeg": "jpeg_pipe",
    "image/webp": "webp_pipe",
}


def demuxer_for(path: Path) -> str:
    """Name of the demuxer for the file's content.

    Raises Unreadable for an empty or unknown file, Hostile for one that is dangerous in disguise.
    """
    with path.open("rb") as stream:
        head = stream.read(content.HEAD_BYTES)
    if not head:
        raise Unreadable("The file is empty.")
    found = content.sniff(head)
    if content.is_dangerous(found):
        raise Hostile(f"The file is not media: its content is {found}.")
    if found not in DEMUXERS:
        raise Unreadable(f"The content is no video, sound or picture that can be read here ({found or 'unknown'}).")
    return DEMUXERS[found]
