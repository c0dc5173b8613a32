"""From an uploaded file to one that is ready, failed or isolated (S-058 to S-062, F-013)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backoffice.audit import queries as audit
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.models import Job
from backoffice.media import policies, queries, storage
from backoffice.media.models import Asset, ProcessingStep
from backoffice.media.services import assets, links, processing
from integrations.antivirus import fake
from integrations.storage.types import Missing
from tests import media_files
from tests.factories import accounts, media

pytestmark = pytest.mark.django_db


def states(asset: Asset) -> dict[str, str]:
    return {step.name: step.state for step in queries.checklist(asset)}


def test_a_real_video_becomes_ready_with_all_its_renditions() -> None:
    asset = media.processed(media_files.video(width=854, height=480))

    assert asset.processing_status == "ready"
    assert (asset.width, asset.height) == (854, 480)
    assert asset.duration_ms is not None
    assert abs(asset.duration_ms - 2000) <= 40
    assert asset.checksum_sha256 == media.sha256(media_files.video(width=854, height=480))
    assert asset.details["video_codec"] == "h264"
    made = queries.renditions(asset)
    grid, stream, preview = made["frame_grid"], made["hls"], made["preview"]
    assert grid is not None
    assert stream is not None
    assert preview is not None
    assert made["thumbnail"] is not None
    assert (grid.details["columns"], grid.details["rows"], grid.details["interval_ms"]) == (5, 4, 100)
    assert [quality["label"] for quality in stream.details["renditions"]] == ["240p", "480p"]
    assert (preview.content_type, preview.height) == ("video/mp4", 360)
    assert all(found.owner_user == asset.owner_user for found in (grid, stream, preview))
    assert storage.private().stat(f"assets/{asset.id}/hls/480p/index.m3u8").bytes


def test_the_checklist_tells_each_step_and_what_is_not_configured() -> None:
    asset = media.processed()

    assert states(asset) == {
        "validate": "done",
        "checksum": "done",
        "scan": "not_configured",
        "probe": "done",
        "thumbnail": "done",
        "frame_grid": "done",
        "preview": "done",
        "hls": "done",
    }
    assert asset.scan_status == "skipped"
    assert all(step.started_at and step.finished_at for step in queries.checklist(asset))


def test_the_job_shows_progress_through_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, str]] = []
    asset = media.uploaded(media_files.video())

    processing.process(asset.id, on_progress=lambda *progress: told.append(progress))

    assert [note for _, _, note in told if note][:3] == ["validate", "checksum", "scan"]
    assert told[-1] == (800, 800, "")
    assert [current for current, _, _ in told] == sorted(current for current, _, _ in told)


def test_sound_gets_a_preview_and_a_loudness() -> None:
    asset = media.processed(media_files.sound(), purpose="audio", content_type="audio/mpeg")

    assert asset.processing_status == "ready"
    assert asset.details["loudness_lufs"] < -20
    preview = queries.renditions(asset)["preview"]
    assert preview is not None
    assert preview.content_type == "audio/mp4"


@pytest.mark.parametrize("purpose", ["poster", "avatar"])
def test_a_picture_gets_its_size_and_a_thumbnail(purpose: str) -> None:
    asset = media.processed(media_files.image(), purpose=purpose, content_type="image/png")

    assert (asset.processing_status, asset.width, asset.height) == ("ready", 320, 180)
    assert queries.renditions(asset)["thumbnail"] is not None


def test_subtitles_and_proofs_are_checked_and_kept(tmp_path: Path) -> None:
    subtitles = tmp_path / "film.vtt"
    subtitles.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nBonjou\n")
    proof = tmp_path / "proof.pdf"
    proof.write_bytes(b"%PDF-1.7\n%%EOF\n")

    assert media.processed(subtitles, purpose="subtitle", content_type="text/vtt").is_ready
    assert media.processed(proof, purpose="proof", content_type="application/pdf").is_ready


@pytest.mark.parametrize(
    ("broken", "code", "failed_at"),
    [
        (media_files.text_named_mp4, "wrong_type", "validate"),
        (media_files.noise_named_mp4, "unreadable", "probe"),
        (media_files.truncated_mp4, "unreadable", "probe"),
        (media_files.cut_after_index_mp4, "unreadable", "probe"),
        (media_files.sound, "wrong_type", "validate"),
    ],
)
def test_a_broken_file_ends_in_a_clear_error(broken: Callable[[], Path], code: str, failed_at: str) -> None:
    asset = media.processed(broken())

    assert (asset.processing_status, asset.error_code) == ("error", code)
    assert states(asset)[failed_at] == "failed"
    assert policies.error_message(asset).startswith(str(policies.ERRORS[code]).rstrip("."))
    assert [entry.action for entry in audit.for_subject(asset)].count("asset.fail") == 1
    assert policies.may_retry(asset)


@pytest.mark.parametrize(
    ("hostile", "purpose", "content_type", "code"),
    [
        (media_files.zip_bomb_named_mp4, "video", "video/mp4", "forbidden_content"),
        (
            lambda: media_files.playlist_named_mp4(Path("/etc/hostname")),
            "video",
            "video/mp4",
            "forbidden_content",
        ),
        (media_files.svg_with_script, "poster", "image/png", "forbidden_content"),
        (media_files.huge_png, "poster", "image/png", "hostile"),
    ],
)
def test_a_hostile_file_is_isolated_for_good(
    hostile: Callable[[], Path], purpose: str, content_type: str, code: str
) -> None:
    asset = media.processed(hostile(), purpose=purpose, content_type=content_type)

    assert (asset.processing_status, asset.error_code) == ("quarantined", code)
    assert asset.storage_key == f"quarantine/{asset.id}"
    assert storage.private().stat(asset.storage_key).bytes
    with pytest.raises(Missing):
        storage.private().stat(f"assets/{asset.id}/original")
    with pytest.raises(Conflict):
        assets.retry(asset, by=asset.owner_user)
    with pytest.raises(Conflict):
        links.signed_url(asset)


def test_an_infected_file_is_isolated(settings: Any, tmp_path: Path) -> None:
    infected = tmp_path / "film.mp4"
    infected.write_bytes(media_files.video().read_bytes() + fake.EICAR)
    with fake.running() as settings.CLAMAV_SOCKET:
        asset = media.processed(infected)
        clean = media.processed(media_files.video())

    assert (asset.processing_status, asset.error_code, asset.scan_status) == (
        "quarantined",
        "infected",
        "infected",
    )
    assert (clean.processing_status, clean.scan_status) == ("ready", "clean")


def test_a_scanner_that_is_down_delays_and_never_passes(settings: Any) -> None:
    settings.CLAMAV_SOCKET = "127.0.0.1:1"

    asset = media.processed()

    assert asset.processing_status == "processing"
    assert asset.scan_status == "pending"
    job = Job.objects.get(kind=assets.PROCESS)
    assert job.state == "due"
    assert "cannot be reached" in job.last_error


def test_a_failed_file_can_be_tried_three_times_in_all() -> None:
    asset = media.processed(media_files.truncated_mp4())

    for attempt in (2, 3):
        asset = assets.retry(asset, by=asset.owner_user)
        assert (asset.processing_status, asset.error_code, asset.attempts) == ("processing", "", attempt)
        jobs.run_due(kinds=[assets.PROCESS])
        asset.refresh_from_db()
        assert asset.processing_status == "error"
    with pytest.raises(Conflict) as refused:
        assets.retry(asset, by=asset.owner_user)

    assert refused.value.code == "attempts_used_up"


def test_a_retry_goes_on_at_the_step_that_failed(settings: Any) -> None:
    asset = media.uploaded(media_files.truncated_mp4())
    jobs.run_due(kinds=[assets.PROCESS])
    asset.refresh_from_db()
    first = {step.name: step.finished_at for step in queries.checklist(asset)}
    storage.private().save(asset.storage_key, media_files.video().open("rb"), content_type="video/mp4")

    assets.retry(asset, by=asset.owner_user)
    jobs.run_due(kinds=[assets.PROCESS])

    asset.refresh_from_db()
    again = {step.name: step.finished_at for step in queries.checklist(asset)}
    assert asset.processing_status == "ready"
    assert again["validate"] == first["validate"]
    assert again["probe"] != first["probe"]


def test_a_film_over_the_length_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = policies.values.get
    monkeypatch.setattr(
        "backoffice.configuration.values.get",
        lambda key: 1 if key == "media.max_duration_seconds" else real(key),
    )

    assert media.processed().error_code == "too_long"


def test_a_file_that_vanished_is_an_error_of_its_own() -> None:
    asset = media.uploaded(media_files.video())
    storage.private().delete(asset.storage_key)
    jobs.run_due(kinds=[assets.PROCESS])
    asset.refresh_from_db()

    assert (asset.processing_status, asset.error_code) == ("error", "missing")


def test_whoever_waits_is_woken_when_processing_ends() -> None:
    good = media.uploaded(media_files.video(), then=("media.recover", {"title": "T-1"}))
    bad = media.uploaded(media_files.truncated_mp4(), then=("media.recover", {}))
    assert not Job.objects.filter(kind="media.recover").exists()

    jobs.run_due(kinds=[assets.PROCESS])

    payloads = list(Job.objects.filter(kind="media.recover").values_list("payload", flat=True))
    assert {"title": "T-1", "asset_id": str(good.id)} in payloads
    assert {"asset_id": str(bad.id)} in payloads


def test_a_job_that_nothing_does_is_refused_before_the_file_is_taken() -> None:
    with pytest.raises(ValueError, match=r"media\.nothing"):
        media.uploaded(media_files.video(), then=("media.nothing", {}))
    assert not Asset.objects.exists()


def test_finished_files_are_found_by_the_time_they_ended() -> None:
    before = clock.now()
    good, bad = media.processed(), media.processed(media_files.truncated_mp4())
    media.uploaded(media_files.video())

    assert list(queries.finished_since(before)) == [good, bad]
    assert not queries.finished_since(clock.now()).exists()
    assert good.is_processed


def test_processing_a_ready_file_again_changes_nothing() -> None:
    asset = media.processed()
    made = {found.id: found.updated_at for found in Asset.objects.all()}

    processing.process(asset.id, on_progress=lambda *_: None)

    assert {found.id: found.updated_at for found in Asset.objects.all()} == made


def test_a_file_whose_job_died_is_given_up_with_a_reason() -> None:
    asset = media.uploaded(media_files.video())
    Job.objects.update(state=Job.State.DEAD)
    late = clock.now() + processing.ABANDONED_AFTER + timedelta(seconds=5)

    assert processing.recover(at=clock.now()) == 0
    assert processing.recover(at=late) == 1

    asset.refresh_from_db()
    assert (asset.processing_status, asset.error_code) == ("error", "interrupted")
    assert policies.may_retry(asset)


def test_a_file_that_kills_its_process_each_time_is_given_up() -> None:
    asset = media.uploaded(media_files.video())
    Asset.objects.update(starts=processing.MAX_STARTS)

    jobs.run_due(kinds=[assets.PROCESS])

    asset.refresh_from_db()
    assert (asset.processing_status, asset.error_code) == ("error", "interrupted")


def test_no_working_files_are_left(storage_dir: Path) -> None:
    media.processed()
    media.processed(media_files.truncated_mp4())

    assert list((storage_dir / "work").iterdir()) == []


def test_a_file_the_server_brings_is_checked_and_ready_at_once() -> None:
    asset = assets.store(
        by=None,
        kind="avatar",
        filename="face.png",
        content=media_files.image().open("rb"),
        content_type="image/png",
    )

    assert (asset.processing_status, asset.width, asset.content_type) == ("ready", 320, "image/png")
    with pytest.raises(Invalid) as refused:
        assets.store(
            by=None,
            kind="avatar",
            filename="face.png",
            content=media_files.svg_with_script().open("rb"),
            content_type="image/png",
        )
    assert refused.value.code == "forbidden_content"


def test_a_file_the_server_brings_can_go_through_all_steps() -> None:
    asset = assets.store(
        by=accounts.member(),
        kind="video",
        filename="demo.mp4",
        content=media_files.video().open("rb"),
        content_type="video/mp4",
        process=True,
    )
    jobs.run_due(kinds=[assets.PROCESS])

    asset.refresh_from_db()
    assert asset.is_ready
    assert ProcessingStep.objects.filter(asset=asset, state="done").count() == 7
