"""Every test of files has a storage of its own."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def storage_dir(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_STORAGE_BACKEND = "local"
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.CLAMAV_SOCKET = ""
    settings.FFMPEG_BINARY = ""
    return tmp_path / "storage"
