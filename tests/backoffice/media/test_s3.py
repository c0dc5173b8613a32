"""The whole way of a file with S3 as the storage, against a real S3 server process."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.test import Client
from moto.server import ThreadedMotoServer

from backoffice.core import jobs
from backoffice.media import queries
from backoffice.media.services import assets, links, uploads
from tests import media_files
from tests.factories import accounts, media

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(settings: Any) -> Iterator[None]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings.MEDIA_STORAGE_BACKEND = "s3"
    settings.AWS_STORAGE_BUCKET_NAME = "films"
    settings.AWS_ACCESS_KEY_ID = "test"
    settings.AWS_SECRET_ACCESS_KEY = "test"
    settings.AWS_S3_REGION_NAME = "us-east-1"
    settings.AWS_S3_ENDPOINT_URL = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=settings.AWS_S3_ENDPOINT_URL, **keys).create_bucket(Bucket="films")
    yield
    server.stop()


def fetch(url: str, content: bytes | None = None) -> tuple[bytes, Any]:
    headers = {"Content-Type": "application/octet-stream"} if content else {}
    request = urllib.request.Request(url, data=content, method="PUT" if content else "GET", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read(), response.headers


@pytest.mark.usefixtures("bucket")
def test_a_film_goes_straight_to_the_bucket_and_comes_back_by_presigned_links(client: Client) -> None:
    path = media_files.video()
    upload = media.started(accounts.member(), path)
    (link,) = uploads.part_links(upload)
    _, headers = fetch(link.url, path.read_bytes())
    asset = uploads.complete(upload, parts=[(1, headers["ETag"])], by=upload.by)
    jobs.run_due(kinds=[assets.PROCESS])
    asset.refresh_from_db()
    assert asset.processing_status == "ready"

    made = queries.renditions(asset)
    thumbnail, stream = made["thumbnail"], made["hls"]
    assert thumbnail is not None
    assert stream is not None
    picture, headers = fetch(links.signed_url(thumbnail))
    assert picture.startswith(b"\xff\xd8")
    assert headers["Content-Type"] == "image/jpeg"

    url = links.playback_url(stream)
    master = b"".join(client.get(url).streaming_content)  # type: ignore[attr-defined]
    assert b"180p/index.m3u8" in master
    segment = client.get(f"{url.rpartition('/')[0]}/180p/00000.ts")
    assert segment.status_code == 302
    assert "X-Amz-Expires=300" in segment["Location"]
    assert fetch(segment["Location"])[0][:1] == b"G"


@pytest.mark.usefixtures("bucket")
def test_a_hostile_file_is_isolated_in_the_bucket_too() -> None:
    path = media_files.zip_bomb_named_mp4()
    upload = media.started(accounts.member(), path)
    (link,) = uploads.part_links(upload)
    _, headers = fetch(link.url, path.read_bytes())
    asset = uploads.complete(upload, parts=[(1, headers["ETag"])], by=upload.by)
    jobs.run_due(kinds=[assets.PROCESS])

    asset.refresh_from_db()
    assert (asset.processing_status, asset.storage_key) == ("quarantined", f"quarantine/{asset.id}")
