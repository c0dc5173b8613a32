"""Small real media files for tests, made once by ffmpeg, and hostile ones made by hand."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from integrations.ffmpeg.client import find_binary

Maker = Callable[[], Path]
Disguise = Callable[[Path], Path]

_CACHE = Path(tempfile.gettempdir()) / "backlot-media-files-v1"


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    """The file `name`, made on first use; several test processes may ask for it at once."""
    target = _CACHE / name
    if not target.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as place:
            fresh = Path(place) / name
            make(fresh)
            fresh.replace(target)
    return target


def _ffmpeg(*arguments: str) -> None:
    command = [find_binary(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def video(
    *, seconds: float = 2, width: int = 320, height: int = 180, sound: bool = True, container: str = "mp4"
) -> Path:
    """A test picture with a tone; `container` is mp4, mov, mkv or webm."""

    def make(target: Path) -> None:
        arguments = ["-f", "lavfi", "-i", f"testsrc=size={width}x{height}:rate=25:duration={seconds}"]
        if sound:
            arguments += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
        codecs = ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"]
        if container != "webm":
            codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        _ffmpeg(*arguments, *codecs, str(target))

    voice = "sound" if sound else "silent"
    return _cached(f"video-{seconds}s-{width}x{height}-{voice}.{container}", make)


def turned_video() -> Path:
    """A phone's video: stored 320x180, to be shown turned by a quarter."""

    def make(target: Path) -> None:
        _ffmpeg("-display_rotation", "90", "-i", str(video()), "-c", "copy", str(target))

    return _cached("video-turned.mp4", make)


def sound(*, seconds: float = 2) -> Path:
    def make(target: Path) -> None:
        _ffmpeg("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", "-c:a", "libmp3lame", str(target))

    return _cached(f"sound-{seconds}s.mp3", make)


def image(*, width: int = 320, height: int = 180, kind: str = "png") -> Path:
    """A still picture; `kind` is png, jpg or webp."""

    def make(target: Path) -> None:
        _ffmpeg("-f", "lavfi", "-i", f"testsrc=size={width}x{height}", "-frames:v", "1", str(target))

    return _cached(f"image-{width}x{height}.{kind}", make)


def _written(name: str, content: bytes) -> Path:
    return _cached(name, lambda target: target.write_bytes(content) and None)


def text_named_mp4() -> Path:
    return _written("text.mp4", b"This is a letter to the editor, not a film.\n" * 40)


def noise_named_mp4() -> Path:
    """Begins like an MP4 and holds nothing that can be read."""
    return _written("noise.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 64)


def playlist_named_mp4(secret: Path) -> Path:
    """An HLS playlist in disguise that points at a local file."""
    lines = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    return _written(f"playlist-{zlib.crc32(lines.encode())}.mp4", lines.encode())


def concat_named_mp4(secret: Path) -> Path:
    lines = f"ffconcat version 1.0\nfile '{secret}'\n"
    return _written(f"concat-{zlib.crc32(lines.encode())}.mp4", lines.encode())


def truncated_mp4() -> Path:
    """A film whose upload stopped half-way: the index, which is at the end, is missing."""
    whole = video().read_bytes()
    return _written("truncated.mp4", whole[: len(whole) // 2])


def cut_after_index_mp4() -> Path:
    """Index at the start, half of the pictures missing."""

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory() as place:
            whole = Path(place) / "whole.mp4"
            _ffmpeg("-i", str(video()), "-c", "copy", "-movflags", "+faststart", str(whole))
            content = whole.read_bytes()
            target.write_bytes(content[: len(content) // 2])

    return _cached("cut-after-index.mp4", make)


def empty() -> Path:
    return _cached("empty.mp4", Path.touch)


def zip_bomb_named_mp4() -> Path:
    """100 MiB of zeros in about 100 KiB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("film.mp4", bytes(100 * 1024 * 1024))
    return _written("bomb.mp4", packed.getvalue())


def gzip_named_mp4() -> Path:
    return _written("packed.mp4", gzip.compress(bytes(1024 * 1024), mtime=0))


def svg_with_script() -> Path:
    return _written(
        "script.svg",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.cookie)</script></svg>',
    )


def huge_png() -> Path:
    """A few hundred bytes that claim 60,000 x 60,000 points (10 GB unpacked)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(60_000), 9)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return _written("huge.png", content)
