"""The doors of private storage: signed links, ranges, and every way of bending a link (N-041)."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponseBase
from django.test import Client

from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.media import queries, storage
from backoffice.media.models import Asset
from backoffice.media.services import assets, links, uploads
from integrations.storage.types import StorageError
from tests import media_files
from tests.factories import accounts, media

pytestmark = pytest.mark.django_db


def body(response: HttpResponseBase) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]


def hour(monkeypatch: pytest.MonkeyPatch, **ahead: float) -> None:
    late = clock.now() + timedelta(**ahead)
    monkeypatch.setattr("backoffice.core.clock.now", lambda: late)


@pytest.fixture
def picture() -> Asset:
    return assets.store(
        by=None,
        kind="image",
        filename="affiche été.png",
        content=media_files.image().open("rb"),
        content_type="image/png",
    )


@pytest.fixture
def film() -> Asset:
    return media.processed(media_files.video())


def test_a_signed_link_serves_the_file_with_headers_that_keep_it_inert(client: Client, picture: Asset) -> None:
    response = client.get(links.signed_url(picture))

    assert response.status_code == 200
    assert body(response) == media_files.image().read_bytes()
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response["Content-Disposition"] == "inline; filename*=UTF-8''affiche%20%C3%A9t%C3%A9.png"
    assert "private" in response["Cache-Control"]
    assert not response.cookies


def test_a_document_is_downloaded_never_shown(client: Client, tmp_path: Any) -> None:
    path = tmp_path / "proof.pdf"
    path.write_bytes(b"%PDF-1.7\n%%EOF\n")
    proof = media.processed(path, purpose="proof", content_type="application/pdf")

    assert client.get(links.signed_url(proof))["Content-Disposition"].startswith("attachment")


def test_a_picture_is_downloaded_when_asked(client: Client, picture: Asset) -> None:
    response = client.get(links.signed_url(picture, download=True))

    assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=10-999999", 10, None),
        ("bytes=0-", 0, None),
    ],
)
def test_a_range_is_answered_with_just_those_bytes(
    client: Client, picture: Asset, asked: str, first: int, last: int | None
) -> None:
    whole = media_files.image().read_bytes()
    expected = whole[first:] if last is None else whole[first : last + 1]

    response = client.get(links.signed_url(picture), headers={"Range": asked})

    assert response.status_code == 206
    assert body(response) == expected
    assert response["Content-Length"] == str(len(expected))
    start = first if first >= 0 else len(whole) + first
    assert response["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"


def test_a_range_outside_the_file_is_refused_and_a_strange_one_ignored(client: Client, picture: Asset) -> None:
    size = media_files.image().stat().st_size

    outside = client.get(links.signed_url(picture), headers={"Range": f"bytes={size}-"})
    strange = client.get(links.signed_url(picture), headers={"Range": "bytes=0-1,5-6"})

    assert (outside.status_code, outside["Content-Range"]) == (416, f"bytes */{size}")
    assert (strange.status_code, len(body(strange))) == (200, size)


def test_head_tells_the_size_without_the_bytes(client: Client, picture: Asset) -> None:
    response = client.head(links.signed_url(picture))

    assert response["Content-Length"] == str(media_files.image().stat().st_size)
    assert body(response) == b""


def test_a_link_is_over_after_its_time(client: Client, picture: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    url = links.signed_url(picture, seconds=60)

    hour(monkeypatch, seconds=61)

    assert client.get(url).status_code == 410


def test_no_signed_link_lives_longer_than_five_minutes(picture: Asset) -> None:
    with pytest.raises(StorageError):
        links.signed_url(picture, seconds=301)


def test_an_edited_link_is_refused(client: Client, picture: Asset) -> None:
    place, kind, token, name = links.signed_url(picture).rsplit("/", 3)
    other = storage.tokens().make("part", {"key": picture.storage_key}, expires=2**40)

    for bad in (token[:-2], token[:5] + "AAAA" + token[9:], "x", other):
        assert client.get(f"{place}/{kind}/{bad}/{name}").status_code == 403


def test_a_link_is_for_reading_only(client: Client, picture: Asset) -> None:
    for verb in (client.post, client.put, client.delete):
        assert verb(links.signed_url(picture)).status_code == 405


def test_no_link_is_given_to_a_file_that_is_not_ready() -> None:
    for asset in (media.uploaded(media_files.video()), media.processed(media_files.truncated_mp4())):
        with pytest.raises(Conflict):
            links.signed_url(asset)
        with pytest.raises(Conflict):
            links.playback_url(asset)


def test_a_stream_plays_from_one_link_through_its_relative_addresses(client: Client) -> None:
    film = media.processed(media_files.video(width=854, height=480, seconds=9))
    stream = queries.renditions(film)["hls"]
    assert stream is not None
    url = links.playback_url(stream)

    master = client.get(url)
    assert master["Content-Type"] == "application/vnd.apple.mpegurl"
    playlists = re.findall(r"^(\S+\.m3u8)$", body(master).decode(), re.MULTILINE)
    assert playlists == ["240p/index.m3u8", "480p/index.m3u8"]
    base = url.rpartition("/")[0]
    playlist = body(client.get(f"{base}/480p/index.m3u8")).decode()
    segments = re.findall(r"^(\S+\.ts)$", playlist, re.MULTILINE)
    assert len(segments) == 3
    segment = client.get(f"{base}/480p/{segments[0]}")
    assert segment["Content-Type"] == "video/mp2t"
    assert body(segment)[:1] == b"G"


def test_a_playback_link_lasts_a_film_and_no_longer(
    client: Client, film: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = queries.renditions(film)["preview"]
    assert preview is not None
    url = links.playback_url(preview)

    hour(monkeypatch, hours=5.9)
    response = client.get(url, headers={"Range": "bytes=0-10"})
    assert (response.status_code, len(body(response))) == (206, 11)
    hour(monkeypatch, hours=0.2)
    assert client.get(url).status_code == 410


@pytest.mark.parametrize(
    "name", ["../preview.mp4", "..%2fpreview.mp4", "480p/../../original", "other.mp4", "480p/x/1.ts", ""]
)
def test_a_playback_link_opens_nothing_outside_its_stream(client: Client, film: Asset, name: str) -> None:
    stream = queries.renditions(film)["hls"]
    assert stream is not None
    base = links.playback_url(stream).rpartition("/")[0]

    assert client.get(f"{base}/{name}").status_code == 404


def test_a_film_that_is_isolated_later_stops_playing_at_once(client: Client, film: Asset) -> None:
    preview = queries.renditions(film)["preview"]
    assert preview is not None
    url = links.playback_url(preview)

    Asset.objects.filter(id=film.id).update(processing_status="quarantined", error_code="hostile")

    assert client.get(url).status_code == 404


def put(client: Client, url: str, content: bytes, **more: Any) -> HttpResponseBase:
    return client.put(urlsplit(url).path, data=content, content_type="application/octet-stream", **more)


def test_a_part_is_taken_with_its_exact_size_alone() -> None:
    client = Client(enforce_csrf_checks=True)
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    (link,) = uploads.part_links(upload)
    content = path.read_bytes()

    assert put(client, link.url, content + b"x").status_code == 413
    assert put(client, link.url, content[:-1]).status_code == 400
    assert put(client, link.url[:-3] + "abc", content).status_code == 403
    assert client.get(link.url).status_code == 405
    assert uploads.arrived_parts(upload) == []

    response = put(client, link.url, content)
    assert response.status_code == 200
    assert [(1, part["etag"]) for part in uploads.arrived_parts(upload)] == [(1, response["ETag"].strip('"'))]
    assert not response.cookies


def test_a_part_link_ends_with_its_time_and_with_its_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    (link,) = uploads.part_links(upload)
    other = media.started(upload.by, path)
    (other_link,) = uploads.part_links(other)

    uploads.abort(other, by=other.by)
    assert put(client, other_link.url, path.read_bytes()).status_code == 404
    hour(monkeypatch, hours=1.1)
    assert put(client, link.url, path.read_bytes()).status_code == 410
