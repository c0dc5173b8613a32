"""The ffmpeg program as a media provider: probe, thumbnail, frame grid, preview and HLS renditions.

Every file is taken as hostile. Each call runs one or two confined child processes (`process.run`), reads the
source with a demuxer forced by its content (`containers`), allows only the protocols `file` and `pipe`, and
refuses pictures beyond `MAX_PIXELS`. ffprobe is not needed: the facts are read from the `framecrc` output,
which holds numbers only and nothing that the file's author could have written.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from integrations.ffmpeg import containers, framecrc, process
from integrations.ffmpeg.types import (
    BinaryMissing,
    FrameGrid,
    HlsStream,
    Hostile,
    Limits,
    Probe,
    Rendition,
    TooLong,
    Unreadable,
)

# 8K: nothing that a creator films is larger.
MAX_PIXELS = 8192 * 4320
MAX_SIDE = 16384
# Short side of the picture in lines -> (label, video kbit/s, audio kbit/s).
LADDER = {240: ("240p", 400, 64), 480: ("480p", 1200, 96), 720: ("720p", 2800, 128)}
SEGMENT_SECONDS = 4

# The decoders that may run at all: what cameras and editors write. Fewer decoders, fewer ways in.
_VIDEO_DECODERS = "h264 hevc libdav1d av1 vp8 vp9 mpeg4 mpeg1video mpeg2video mjpeg png webp prores dnxhd theora"
_AUDIO_DECODERS = "aac mp3 mp3float mp2 mp2float opus libopus vorbis flac alac ac3 eac3"
_PCM_DECODERS = "pcm_u8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_f32le pcm_alaw pcm_mulaw"
_DECODERS = ",".join(f"{_VIDEO_DECODERS} {_AUDIO_DECODERS} {_PCM_DECODERS}".split())

_REFUSED_SIZE = re.compile(r"Picture size (\d+)x(\d+) (?:is invalid|exceeds)")
_LOUDNESS = re.compile(r"\bI:\s+(-?\d+(?:\.\d+)?) LUFS")
_OUT_TIME = re.compile(rb"out_time_us=(\d+)")

Progress = Callable[[float], None]


def find_binary(configured: str = "") -> str:
    """Absolute path of ffmpeg: the configured one, else the system's, else the one imageio-ffmpeg brings.

    Raises BinaryMissing when there is none.
    """
    found = shutil.which(configured or "ffmpeg")
    if found:
        return os.path.realpath(found)
    if configured:
        raise BinaryMissing(f"There is no ffmpeg program at {configured}.")
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise BinaryMissing("There is no ffmpeg program on this machine.") from error
    return str(imageio_ffmpeg.get_ffmpeg_exe())


class Ffmpeg:
    """One ffmpeg program and the limits of its runs; `workspace` is where runs get their own directories."""

    def __init__(self, binary: str, *, workspace: Path | None = None, limits: Limits | None = None) -> None:
        self.binary = binary
        self.workspace = workspace
        self.limits = limits or Limits()

    def probe(self, source: Path, *, max_duration_ms: int = 0, loudness: bool = False) -> Probe:
        """What `source` holds, from its packets and its first decoded frames, not from what it claims.

        `max_duration_ms` 0 means any length. With `loudness` the whole sound is decoded (EBU R128).
        Raises Unreadable, TooLong, Hostile, TimedOut, OverLimit.
        """
        demuxer = containers.demuxer_for(source)
        packets = self._packets(source)
        for stream in packets.streams:
            _check_size(stream.width, stream.height)
        video, audio = packets.first("video"), packets.first("audio")
        still = demuxer.endswith("_pipe")
        if max_duration_ms and not still and packets.duration_ms > max_duration_ms:
            raise TooLong(
                f"It lasts {packets.duration_ms // 1000} s; at most {max_duration_ms // 1000} s are accepted."
            )
        duration_ms = 0 if still else (video or audio or framecrc.Stream()).duration_ms
        decoded = self._first_frames(source, demuxer)
        shown = decoded.first("video")
        if (video and not (shown and shown.frames)) or (not video and not (decoded.first("audio"))):
            raise Unreadable("The file says that it holds a picture or sound, but none can be decoded.")
        result = Probe(
            container=demuxer.removesuffix("_pipe"),
            duration_ms=duration_ms,
            width=shown.width if shown else 0,
            height=shown.height if shown else 0,
            fps=video.frames_per_second if video and duration_ms else 0.0,
            video_codec=video.codec if video else "",
            audio_codec=audio.codec if audio else "",
        )
        if loudness and result.has_audio:
            result = replace(result, loudness_lufs=self.loudness(source))
        return result

    def loudness(self, source: Path) -> float | None:
        """Integrated loudness in LUFS (EBU R128); None when the sound is too short to measure."""
        with self._run(
            [*self._input(source), "-map", "0:a:0", "-af", "ebur128=framelog=quiet", "-f", "null", "-"],
            loglevel="info",
        ) as finished:
            found = _LOUDNESS.findall(finished.errors)
        return float(found[-1]) if found else None

    def thumbnail(self, source: Path, target: Path, *, at_ms: int = 0, width: int = 640) -> None:
        """Write a JPEG of the picture at `at_ms` (or the first one, when there is none so late)."""
        moments = [at_ms, 0] if at_ms else [0]
        for moment in moments:
            arguments = [*self._input(source, seek_ms=moment), "-map", "0:V:0", "-frames:v", "1"]
            arguments += [
                "-vf",
                f"scale='min({width},iw)':-2,{_JPEG}",
                "-q:v",
                "3",
                "-f",
                "image2",
                "-update",
                "1",
            ]
            with self._run([*arguments, "out.jpg"]) as finished:
                made = finished.output.with_name("out.jpg")
                if made.exists() and made.stat().st_size:
                    shutil.move(made, target)
                    return
        raise Unreadable("No picture could be taken from the file.")

    def frame_grid(
        self,
        source: Path,
        target: Path,
        *,
        duration_ms: int,
        columns: int = 5,
        rows: int = 4,
        tile_width: int = 240,
    ) -> FrameGrid:
        """Write one JPEG with `columns` x `rows` frames at equal distances over the whole video."""
        interval_ms = max(1, duration_ms // (columns * rows))
        # Far apart frames are taken from key frames alone: a two hour film need not be decoded whole.
        sparse = ["-skip_frame", "nokey"] if interval_ms >= 15_000 else []
        picture = f"fps=1000/{interval_ms}:start_time=0,scale={tile_width}:-2,tile={columns}x{rows},{_JPEG}"
        arguments = [*self._input(source, before=sparse), "-map", "0:V:0", "-vf", picture, "-frames:v", "1"]
        arguments += ["-q:v", "4", "-f", "image2", "-update", "1", "out.jpg"]
        with self._run(arguments) as finished:
            made = finished.output.with_name("out.jpg")
            if not made.exists() or not made.stat().st_size:
                raise Unreadable("No frames could be taken from the file.")
            shutil.move(made, target)
        size = self._first_frames(target, "jpeg_pipe").first("video")
        width, height = (size.width, size.height) if size else (0, 0)
        return FrameGrid(columns, rows, interval_ms, width // columns, height // rows)

    def preview(
        self,
        source: Path,
        target: Path,
        *,
        probe: Probe,
        lines: int = 360,
        on_progress: Progress | None = None,
    ) -> None:
        """Write a small progressive MP4 of the whole file for the review bench; sound alone stays sound."""
        arguments = self._input(source)
        if probe.has_video:
            arguments += [
                "-map",
                "0:V:0",
                "-vf",
                f"{_scale(probe, min(lines, _short_side(probe)))},format=yuv420p",
            ]
            arguments += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-g", "60", "-threads", "2"]
        if probe.has_audio:
            arguments += ["-map", "0:a:0", "-c:a", "aac", "-b:a", "96k", "-ac", "2"]
        arguments += ["-movflags", "+faststart", "-map_metadata", "-1", "-f", "mp4", "out.mp4"]
        with self._run(arguments, duration_ms=probe.duration_ms, on_progress=on_progress) as finished:
            made = finished.output.with_name("out.mp4")
            if finished.status or not made.exists():
                raise Unreadable(_reason(finished.errors))
            shutil.move(made, target)

    def hls(self, source: Path, directory: Path, *, probe: Probe, on_progress: Progress | None = None) -> HlsStream:
        """Write an HLS stream (MPEG-TS segments, one directory per quality) into the empty `directory`.

        Qualities are those of `LADDER` not above the source; a smaller source keeps its own size.
        """
        steps = _renditions(probe)
        with self._run(
            [*self._input(source), *_hls_arguments(probe, steps)],
            duration_ms=probe.duration_ms,
            on_progress=on_progress,
            folders=[label for label, *_ in steps],
        ) as finished:
            if finished.status:
                raise Unreadable(_reason(finished.errors))
            place = finished.output.parent
            files = sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.suffix in (".m3u8", ".ts"))
            for name in files:
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(place / name, directory / name)
        renditions = tuple(
            Rendition(label=label, width=width, height=height, playlist=f"{label}/index.m3u8")
            for label, width, height, _, _ in steps
        )
        return HlsStream(master="master.m3u8", renditions=renditions, files=tuple(files))

    def _packets(self, source: Path) -> framecrc.Listing:
        arguments = [
            *self._input(source),
            "-map",
            "0:V:0?",
            "-map",
            "0:a:0?",
            "-c",
            "copy",
            "-f",
            "framecrc",
            "-",
        ]
        with self._run(arguments) as finished:
            _check_refusals(finished.errors)
            listing = framecrc.read(finished.output)
            if not any(stream.frames for stream in listing.streams):
                raise Unreadable(_reason(finished.errors))
            if "partial file" in finished.errors or "File ended prematurely" in finished.errors:
                raise Unreadable("The file is cut off: part of its picture or sound is missing.")
        return listing

    def _first_frames(self, source: Path, demuxer: str) -> framecrc.Listing:
        arguments = [*self._input(source, demuxer=demuxer), "-map", "0:V:0?", "-map", "0:a:0?", "-t", "1"]
        with self._run([*arguments, "-f", "framecrc", "-"]) as finished:
            _check_refusals(finished.errors)
            return framecrc.read(finished.output)

    def _input(self, source: Path, *, demuxer: str = "", seek_ms: int = 0, before: Sequence[str] = ()) -> list[str]:
        seek = ["-ss", f"{seek_ms / 1000:.3f}"] if seek_ms else []
        forced = demuxer or containers.demuxer_for(source)
        guards = ["-protocol_whitelist", "file,pipe", "-codec_whitelist", _DECODERS]
        guards += ["-max_pixels", str(MAX_PIXELS), "-threads", "2"]
        return [*guards, *before, *seek, "-f", forced, "-i", f"file:{source.resolve()}"]

    @contextmanager
    def _run(
        self,
        arguments: Sequence[str],
        *,
        duration_ms: int = 0,
        on_progress: Progress | None = None,
        loglevel: str = "error",
        folders: Sequence[str] = (),
    ) -> Iterator[process.Finished]:
        """Run in a directory of its own that is gone, with all that was not moved out, after the block."""
        with tempfile.TemporaryDirectory(prefix="ffmpeg-", dir=self.workspace) as name:
            directory = Path(name)
            for folder in folders:
                (directory / folder).mkdir()
            command = [self.binary, "-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", loglevel]
            watch = None
            if on_progress is not None:
                command += ["-progress", "pipe:1"]
                watch = _follower(duration_ms, on_progress)
            yield process.run([*command, *arguments], directory=directory, limits=self.limits, watch=watch)


# Full-range JPEG colours; the encoder refuses the video range.
_JPEG = "scale=out_range=full,format=yuvj420p"


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise Hostile(f"The picture claims {width} x {height} points, far more than any real one.")


def _check_refusals(errors: str) -> None:
    """Raise Hostile when ffmpeg itself refused a picture size."""
    for width, height in _REFUSED_SIZE.findall(errors):
        if int(width) and int(height):
            raise Hostile(f"The picture claims {width} x {height} points, far more than any real one.")


def _short_side(probe: Probe) -> int:
    return min(probe.width, probe.height)


def _scale(probe: Probe, lines: int) -> str:
    lines -= lines % 2
    return f"scale=-2:{lines}" if probe.width >= probe.height else f"scale={lines}:-2"


def _renditions(probe: Probe) -> list[tuple[str, int, int, int, int]]:
    """(label, width, height, video kbit/s, audio kbit/s) per quality, smallest first."""
    if not probe.has_video:
        raise Unreadable("There is no picture to make a video stream of.")
    short = _short_side(probe)
    ladder = {lines: step for lines, step in LADDER.items() if lines <= short}
    if not ladder:
        ladder = {max(2, short): (f"{short}p", *LADDER[240][1:])}
    steps = []
    for lines, (label, video_kbit, audio_kbit) in sorted(ladder.items()):
        even = lines - lines % 2
        across = max(2, round(max(probe.width, probe.height) * even / short / 2) * 2)
        width, height = (across, even) if probe.width >= probe.height else (even, across)
        steps.append((label, width, height, video_kbit, audio_kbit))
    return steps


def _hls_arguments(probe: Probe, steps: Sequence[tuple[str, int, int, int, int]]) -> list[str]:
    splits = "".join(f"[s{n}]" for n in range(len(steps)))
    graph = [f"[0:V:0]split={len(steps)}{splits}"]
    graph += [
        f"[s{n}]scale={width}:{height},setsar=1,format=yuv420p[v{n}]"
        for n, (_, width, height, _, _) in enumerate(steps)
    ]
    arguments = ["-filter_complex", ";".join(graph)]
    streams = []
    for n, (label, _, _, video_kbit, audio_kbit) in enumerate(steps):
        arguments += ["-map", f"[v{n}]", f"-c:v:{n}", "libx264", f"-b:v:{n}", f"{video_kbit}k"]
        arguments += [f"-maxrate:v:{n}", f"{video_kbit * 3 // 2}k", f"-bufsize:v:{n}", f"{video_kbit * 2}k"]
        if probe.has_audio:
            arguments += ["-map", "0:a:0", f"-c:a:{n}", "aac", f"-b:a:{n}", f"{audio_kbit}k", "-ac", "2"]
            streams.append(f"v:{n},a:{n},name:{label}")
        else:
            streams.append(f"v:{n},name:{label}")
    # Key frames at the same moments in every quality, so that a player can change between them.
    arguments += ["-preset", "veryfast", "-sc_threshold", "0", "-threads", "2"]
    arguments += ["-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_SECONDS})", "-map_metadata", "-1"]
    arguments += ["-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod"]
    arguments += ["-hls_flags", "independent_segments", "-hls_segment_filename", "%v/%05d.ts"]
    return [
        *arguments,
        "-master_pl_name",
        "master.m3u8",
        "-var_stream_map",
        " ".join(streams),
        "%v/index.m3u8",
    ]


def _follower(duration_ms: int, on_progress: Progress) -> Callable[[Path], None]:
    def follow(output: Path) -> None:
        with output.open("rb") as stream:
            stream.seek(max(0, output.stat().st_size - 2048))
            found = _OUT_TIME.findall(stream.read())
        if found and duration_ms:
            on_progress(min(1.0, int(found[-1]) / 1000 / duration_ms))

    return follow


def _reason(errors: str) -> str:
    """A sentence for people from ffmpeg's last words."""
    if "moov atom not found" in errors or "partial file" in errors:
        return "The file is cut off or was not finished when it was uploaded: its index is missing."
    if "does not contain any stream" in errors:
        return "The file holds neither picture nor sound."
    return "The file is damaged or in a format that cannot be read."
