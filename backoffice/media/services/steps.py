"""The steps themselves (F-013): each reads the original and answers what it found and what it made."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from backoffice.configuration import values
from backoffice.media import policies, providers, storage
from backoffice.media.models import Asset, ProcessingStep
from backoffice.media.services import assets
from backoffice.media.states import StepState
from integrations.antivirus import content, inspection
from integrations.antivirus.types import TooLarge
from integrations.ffmpeg.types import Probe, Unreadable
from integrations.storage.types import Stored

PREVIEW_LINES = 360


class Infected(Exception):
    """The virus scanner found something; the text is what it is called."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a step works on: the asset, its original as a local file to read, a directory of its own."""

    asset: Asset
    source: Path
    workspace: Path
    on_progress: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made and stored; it becomes an asset when its step is done."""

    kind: str
    filename: str
    storage_key: str
    content_type: str
    bytes: int
    sha256: str = ""
    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended: `facts` are fields of the asset."""

    detail: str = ""
    state: str = StepState.DONE
    facts: dict[str, Any] = field(default_factory=dict)
    made: tuple[Made, ...] = ()


def validate(work: Work) -> Outcome:
    """Type by content and size, before anything opens the file."""
    rule = policies.BY_KIND[work.asset.kind]
    size = work.source.stat().st_size
    with work.source.open("rb") as stream:
        found = inspection.check_type(stream.read(content.HEAD_BYTES), allowed=rule.content)
    most = values.get(rule.size_key)
    if size > most:
        raise TooLarge(f"The file has {size} bytes; at most {most} are accepted.")
    return Outcome(detail=found, facts={"content_type": found, "bytes": size})


def checksum(work: Work) -> Outcome:
    """The SHA-256, compared with the announced one where there is one."""
    rule = policies.BY_KIND[work.asset.kind]
    with work.source.open("rb") as stream:
        found = inspection.inspect(
            stream,
            allowed=rule.content,
            max_bytes=values.get(rule.size_key),
            expected_sha256=work.asset.checksum_sha256,
        )
    return Outcome(detail=found.sha256, facts={"checksum_sha256": found.sha256})


def scan(work: Work) -> Outcome:
    """The virus scanner, where one is configured. Raises Infected, ScannerUnavailable (tried later)."""
    scanner = providers.virus_scanner()
    if scanner is None:
        return Outcome(
            detail=gettext_noop("No virus scanner is configured."),
            state=StepState.NOT_CONFIGURED,
            facts={"scan_status": Asset.Scan.SKIPPED},
        )
    with work.source.open("rb") as stream:
        verdict = scanner.scan(stream)
    if verdict.infected:
        raise Infected(verdict.signature)
    return Outcome(facts={"scan_status": Asset.Scan.CLEAN})


def probe(work: Work) -> Outcome:
    """What the file holds, read by a confined process."""
    found = providers.video(work.workspace, bytes=work.asset.bytes).probe(
        work.source, max_duration_ms=1000 * values.get("media.max_duration_seconds"), loudness=True
    )
    if work.asset.kind in (Asset.Kind.VIDEO, Asset.Kind.SAMPLE) and not found.has_video:
        raise Unreadable("The file holds no picture.")
    if work.asset.kind == Asset.Kind.AUDIO and not found.has_audio:
        raise Unreadable("The file holds no sound.")
    details = {
        "container": found.container,
        "fps": found.fps,
        "video_codec": found.video_codec,
        "audio_codec": found.audio_codec,
        "loudness_lufs": found.loudness_lufs,
    }
    facts = {
        "duration_ms": found.duration_ms or None,
        "width": found.width or None,
        "height": found.height or None,
        "details": details,
    }
    size = f"{found.width} × {found.height}" if found.has_video else ""
    codecs = " + ".join(codec for codec in (found.video_codec, found.audio_codec) if codec)
    return Outcome(detail=", ".join(part for part in (size, codecs) if part), facts=facts)


def thumbnail(work: Work) -> Outcome:
    """One picture, a tenth into the film."""
    target = work.workspace / "thumbnail.jpg"
    tool = providers.video(work.workspace)
    tool.thumbnail(work.source, target, at_ms=(work.asset.duration_ms or 0) // 10)
    size = tool.probe(target)
    made = _stored(work, Asset.Kind.THUMBNAIL, target, "image/jpeg")
    return Outcome(made=(replace(made, width=size.width, height=size.height),))


def frame_grid(work: Work) -> Outcome:
    """Twenty pictures over the whole film in one, for the reviewer's eye."""
    target = work.workspace / "frames.jpg"
    tool = providers.video(work.workspace, duration_ms=work.asset.duration_ms or 0)
    grid = tool.frame_grid(work.source, target, duration_ms=work.asset.duration_ms or 0)
    details = {
        "columns": grid.columns,
        "rows": grid.rows,
        "interval_ms": grid.interval_ms,
        "tile_width": grid.tile_width,
        "tile_height": grid.tile_height,
    }
    made = _stored(work, Asset.Kind.FRAME_GRID, target, "image/jpeg")
    width, height = grid.columns * grid.tile_width, grid.rows * grid.tile_height
    return Outcome(made=(replace(made, width=width, height=height, details=details),))


def preview(work: Work) -> Outcome:
    """A small file of the whole that plays at once in the review bench."""
    target = work.workspace / "preview.mp4"
    known = _known(work.asset)
    tool = providers.video(work.workspace, duration_ms=known.duration_ms, bytes=work.asset.bytes)
    tool.preview(work.source, target, probe=known, lines=PREVIEW_LINES, on_progress=work.on_progress)
    found = tool.probe(target)
    made = _stored(work, Asset.Kind.PREVIEW, target, "video/mp4" if known.has_video else "audio/mp4")
    made = replace(made, duration_ms=found.duration_ms, width=found.width or None, height=found.height or None)
    return Outcome(made=(made,))


def hls(work: Work) -> Outcome:
    """The stream for viewers, in the qualities that the source allows."""
    directory = work.workspace / "hls"
    directory.mkdir()
    known = _known(work.asset)
    tool = providers.video(work.workspace, duration_ms=known.duration_ms, bytes=work.asset.bytes)
    stream = tool.hls(work.source, directory, probe=known, on_progress=work.on_progress)
    prefix = assets.derived_key(work.asset, "hls")
    keeper = storage.private()
    keeper.delete_below(prefix)
    total = 0
    for name in stream.files:
        kind = HLS_TYPES[Path(name).suffix]
        with (directory / name).open("rb") as content_of:
            total += keeper.save(f"{prefix}/{name}", content_of, content_type=kind).bytes
    largest = max(stream.renditions, key=lambda rendition: rendition.height * rendition.width)
    qualities = [
        {"label": rendition.label, "width": rendition.width, "height": rendition.height}
        for rendition in stream.renditions
    ]
    made = Made(
        kind=Asset.Kind.HLS,
        filename=stream.master,
        storage_key=f"{prefix}/{stream.master}",
        content_type=HLS_TYPES[".m3u8"],
        bytes=total,
        duration_ms=known.duration_ms,
        width=largest.width,
        height=largest.height,
        details={"renditions": qualities, "files": len(stream.files)},
    )
    return Outcome(detail=", ".join(rendition.label for rendition in stream.renditions), made=(made,))


HLS_TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}

RUN: dict[str, Callable[[Work], Outcome]] = {
    ProcessingStep.Name.VALIDATE: validate,
    ProcessingStep.Name.CHECKSUM: checksum,
    ProcessingStep.Name.SCAN: scan,
    ProcessingStep.Name.PROBE: probe,
    ProcessingStep.Name.THUMBNAIL: thumbnail,
    ProcessingStep.Name.FRAME_GRID: frame_grid,
    ProcessingStep.Name.PREVIEW: preview,
    ProcessingStep.Name.HLS: hls,
}


def _known(asset: Asset) -> Probe:
    """What the probe step found, from the row."""
    return Probe(
        container=asset.details["container"],
        duration_ms=asset.duration_ms or 0,
        width=asset.width or 0,
        height=asset.height or 0,
        fps=asset.details["fps"],
        video_codec=asset.details["video_codec"],
        audio_codec=asset.details["audio_codec"],
    )


def _stored(work: Work, kind: str, path: Path, content_type: str) -> Made:
    key = assets.derived_key(work.asset, path.name)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        stored: Stored = storage.private().save(key, stream, content_type=content_type)
    return Made(
        kind=kind,
        filename=path.name,
        storage_key=key,
        content_type=content_type,
        bytes=stored.bytes,
        sha256=digest,
    )
