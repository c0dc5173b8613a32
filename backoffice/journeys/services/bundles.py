"""A ZIP whose every file is hashed while it is written, within a size limit."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Self

from django.utils.translation import gettext as _

from backoffice.audit import anchors
from backoffice.core import tables
from backoffice.core.errors import Invalid
from backoffice.core.tables import Row


class TooLarge(Invalid):
    """The bundle would pass a limit."""

    default_code = "too_large"


@dataclass
class Bundle:
    """An archive on its way; ``most`` is the limit of all files together, unpacked, in bytes."""

    file: BinaryIO
    at: datetime
    most: int
    files: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0

    def __post_init__(self) -> None:
        self._zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._zip.close()

    @contextmanager
    def open(self, name: str) -> Iterator[Callable[[str], None]]:
        """Takes the text of one file piece by piece. Raises TooLarge."""
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, date_time=self.at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w") as target:

            def write(text: str) -> None:
                nonlocal size
                piece = text.encode()
                size += len(piece)
                self.written += len(piece)
                if self.written > self.most:
                    raise TooLarge(_("The bundle is too large. Choose a shorter time or fewer chapters."))
                digest.update(piece)
                target.write(piece)

            yield write
        self.files.append({"name": name, "bytes": size, "sha256": digest.hexdigest()})

    def json(self, name: str, content: Any) -> None:
        """One JSON file."""
        with self.open(name) as write:
            write(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True, default=str) + "\n")

    def csv(self, name: str, header: Row, rows: Iterable[Row]) -> int:
        """One CSV file, formulas inert; how many rows it has."""
        count = 0
        with self.open(name) as write:
            write(tables.BYTE_ORDER_MARK)
            for line in tables.lines([header]):
                write(line)
            for line in tables.lines(rows):
                count += 1
                write(line)
        return count

    def close(self, about: dict[str, Any]) -> None:
        """Adds the manifest, which names every file with its SHA-256, and the signature under it; ends the archive."""
        manifest = json.dumps({**about, "files": self.files}, indent=2, ensure_ascii=False, sort_keys=True, default=str)
        with self.open("manifest.json") as write:
            write(manifest)
        self.json("manifest.signature.json", anchors.sign(manifest.encode()))
        self._zip.close()
