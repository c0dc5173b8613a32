"""Who prepares videos, and who scans for viruses, as the settings say."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from integrations.antivirus.client import ClamAV
from integrations.ffmpeg.client import Ffmpeg, find_binary
from integrations.ffmpeg.types import Limits

MEBIBYTE = 1024 * 1024
# One run may take this many times the film's length, and no less than the first number of seconds.
SHORTEST_RUN_SECONDS = 300
SECONDS_PER_SECOND = 2
LONGEST_RUN_SECONDS = 3 * 3600


def video(workspace: Path | None = None, *, duration_ms: int = 0, bytes: int = 0) -> Ffmpeg:
    """The provider named by MEDIA_PROVIDER, with limits that fit a file of this length and size.

    Raises ImproperlyConfigured for a provider that is not there.
    """
    if settings.MEDIA_PROVIDER != "ffmpeg":
        raise ImproperlyConfigured(f"there is no media provider {settings.MEDIA_PROVIDER}")
    seconds = max(SHORTEST_RUN_SECONDS, SECONDS_PER_SECOND * duration_ms // 1000)
    limits = Limits(
        seconds=min(seconds, LONGEST_RUN_SECONDS),
        output_bytes=max(512 * MEBIBYTE, 2 * bytes + 512 * MEBIBYTE),
    )
    return Ffmpeg(find_binary(settings.FFMPEG_BINARY), workspace=workspace, limits=limits)


def virus_scanner() -> ClamAV | None:
    """The scanner at CLAMAV_SOCKET, or None when none is configured."""
    return ClamAV(settings.CLAMAV_SOCKET) if settings.CLAMAV_SOCKET else None
