"""The real ffmpeg on real files, good and hostile."""

from pathlib import Path

import pytest

from integrations.ffmpeg.client import Ffmpeg, find_binary
from integrations.ffmpeg.types import BinaryMissing, Hostile, Limits, OverLimit, TimedOut, TooLong, Unreadable
from tests import media_files


@pytest.fixture
def ffmpeg(tmp_path: Path) -> Ffmpeg:
    workspace = tmp_path / "work"
    workspace.mkdir()
    return Ffmpeg(find_binary(), workspace=workspace, limits=Limits(seconds=60))


@pytest.mark.parametrize(
    ("container", "codecs"),
    [("mp4", ("h264", "aac")), ("mov", ("h264", "aac")), ("mkv", ("h264", "aac")), ("webm", ("vp8", "opus"))],
)
def test_a_video_is_measured_by_its_packets(ffmpeg: Ffmpeg, container: str, codecs: tuple[str, str]) -> None:
    found = ffmpeg.probe(media_files.video(container=container))

    assert (found.width, found.height, found.fps) == (320, 180, 25.0)
    assert abs(found.duration_ms - 2000) <= 40
    assert (found.video_codec, found.audio_codec) == codecs


def test_a_silent_video_has_no_sound(ffmpeg: Ffmpeg) -> None:
    found = ffmpeg.probe(media_files.video(sound=False), loudness=True)

    assert found.has_video
    assert not found.has_audio
    assert found.loudness_lufs is None


def test_a_phone_video_counts_as_turned(ffmpeg: Ffmpeg) -> None:
    found = ffmpeg.probe(media_files.turned_video())

    assert (found.width, found.height) == (180, 320)


def test_sound_alone_has_a_length_and_a_loudness(ffmpeg: Ffmpeg) -> None:
    found = ffmpeg.probe(media_files.sound(), loudness=True)

    assert not found.has_video
    assert abs(found.duration_ms - 2000) <= 60
    assert found.loudness_lufs is not None
    assert -24 < found.loudness_lufs < -20


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_picture_has_a_size_and_no_length(ffmpeg: Ffmpeg, kind: str) -> None:
    found = ffmpeg.probe(media_files.image(kind=kind))

    assert (found.width, found.height, found.duration_ms) == (320, 180, 0)


@pytest.mark.parametrize(
    "broken",
    [
        media_files.text_named_mp4,
        media_files.noise_named_mp4,
        media_files.truncated_mp4,
        media_files.cut_after_index_mp4,
        media_files.empty,
    ],
)
def test_a_broken_file_is_unreadable(ffmpeg: Ffmpeg, broken: media_files.Maker) -> None:
    with pytest.raises(Unreadable):
        ffmpeg.probe(broken())


@pytest.mark.parametrize(
    "hostile",
    [
        media_files.zip_bomb_named_mp4,
        media_files.gzip_named_mp4,
        media_files.svg_with_script,
        media_files.huge_png,
    ],
)
def test_a_hostile_file_is_named_as_such(ffmpeg: Ffmpeg, hostile: media_files.Maker) -> None:
    with pytest.raises(Hostile):
        ffmpeg.probe(hostile())


@pytest.mark.parametrize("disguise", [media_files.playlist_named_mp4, media_files.concat_named_mp4])
def test_a_playlist_in_disguise_never_opens_another_file(
    ffmpeg: Ffmpeg, tmp_path: Path, disguise: media_files.Disguise
) -> None:
    secret = media_files.video()
    file = disguise(secret)

    with pytest.raises(Hostile):
        ffmpeg.probe(file)
    # Also where the type check were passed: the forced demuxer knows nothing of playlists.
    finished = ffmpeg._first_frames(file, "mov")
    assert not finished.streams


def test_a_film_over_the_limit_is_too_long(ffmpeg: Ffmpeg) -> None:
    with pytest.raises(TooLong):
        ffmpeg.probe(media_files.video(), max_duration_ms=1500)


def test_the_thumbnail_is_a_picture_of_the_asked_width(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    target = tmp_path / "thumbnail.jpg"

    ffmpeg.thumbnail(media_files.video(), target, at_ms=500, width=160)

    assert ffmpeg.probe(target).width == 160


def test_a_thumbnail_beyond_the_end_is_the_first_picture(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    target = tmp_path / "thumbnail.jpg"

    ffmpeg.thumbnail(media_files.video(), target, at_ms=60_000)

    assert target.stat().st_size > 0


def test_the_frame_grid_tells_columns_rows_and_interval(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    target = tmp_path / "frames.jpg"

    grid = ffmpeg.frame_grid(media_files.video(), target, duration_ms=2000)

    assert (grid.columns, grid.rows, grid.interval_ms) == (5, 4, 100)
    found = ffmpeg.probe(target)
    assert (found.width, found.height) == (5 * grid.tile_width, 4 * grid.tile_height)


def test_the_preview_is_a_small_file_of_the_whole_that_starts_at_once(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = media_files.video(width=854, height=480, seconds=3)
    target = tmp_path / "preview.mp4"

    ffmpeg.preview(source, target, probe=ffmpeg.probe(source))

    found = ffmpeg.probe(target)
    assert found.height == 360
    assert abs(found.duration_ms - 3000) <= 60
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_the_stream_has_the_qualities_that_the_source_allows(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = media_files.video(width=854, height=480, seconds=9)
    told: list[float] = []

    stream = ffmpeg.hls(source, tmp_path, probe=ffmpeg.probe(source), on_progress=told.append)

    assert [(quality.label, quality.height) for quality in stream.renditions] == [
        ("240p", 240),
        ("480p", 480),
    ]
    assert sum(name.startswith("480p/") and name.endswith(".ts") for name in stream.files) == 3
    assert all((tmp_path / name).stat().st_size for name in stream.files)
    assert "480p/index.m3u8" in (tmp_path / stream.master).read_text()
    assert all(0 <= fraction <= 1 for fraction in told)


def test_a_small_portrait_video_keeps_its_own_size(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = media_files.turned_video()

    stream = ffmpeg.hls(source, tmp_path, probe=ffmpeg.probe(source))

    assert [(quality.width, quality.height) for quality in stream.renditions] == [(180, 320)]


def test_a_run_over_its_time_is_killed(tmp_path: Path) -> None:
    slow = Ffmpeg(find_binary(), workspace=tmp_path, limits=Limits(seconds=0.2))
    source = media_files.video(width=1280, height=720, seconds=20, sound=False)
    probe = Ffmpeg(find_binary(), workspace=tmp_path).probe(source)

    with pytest.raises(TimedOut):
        slow.preview(source, tmp_path / "preview.mp4", probe=probe)
    assert not list(tmp_path.glob("ffmpeg-*"))


def test_a_result_over_its_size_is_stopped(tmp_path: Path) -> None:
    source = media_files.video(width=854, height=480, seconds=3)
    probe = Ffmpeg(find_binary(), workspace=tmp_path).probe(source)
    narrow = Ffmpeg(find_binary(), workspace=tmp_path, limits=Limits(output_bytes=20_000))

    with pytest.raises(OverLimit):
        narrow.preview(source, tmp_path / "preview.mp4", probe=probe)


def test_a_run_over_its_memory_is_stopped(tmp_path: Path) -> None:
    source = media_files.video(width=854, height=480, seconds=3)
    probe = Ffmpeg(find_binary(), workspace=tmp_path).probe(source)
    poor = Ffmpeg(find_binary(), workspace=tmp_path, limits=Limits(memory_bytes=260 * 1024 * 1024))

    with pytest.raises((OverLimit, Unreadable)):
        poor.preview(source, tmp_path / "preview.mp4", probe=probe)


def test_a_configured_program_that_is_not_there_is_named() -> None:
    with pytest.raises(BinaryMissing, match="/nowhere/ffmpeg"):
        find_binary("/nowhere/ffmpeg")
