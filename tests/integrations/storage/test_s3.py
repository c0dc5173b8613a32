"""What is S3's own: presigned links that a plain HTTP client follows."""

import io
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.storage.s3 import S3Storage
from integrations.storage.types import Unavailable


def test_a_presigned_link_reads_the_object_with_the_asked_headers(s3: S3Storage) -> None:
    s3.save("assets/linked", io.BytesIO(b"content"), content_type="video/mp4")
    url = s3.url("assets/linked", seconds=120, filename="mon film.mp4", content_type="video/mp4", inline=False)

    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.read() == b"content"
        assert response.headers["Content-Type"] == "video/mp4"
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''mon%20film.mp4"


def test_links_carry_a_signature_and_their_end(s3: S3Storage) -> None:
    query = parse_qs(
        urlsplit(s3.url("assets/x", seconds=300, filename="x", content_type="video/mp4", inline=True)).query
    )

    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Signature"]


def test_a_part_link_is_bound_to_the_size_of_its_part(s3: S3Storage) -> None:
    reference = s3.start_upload("assets/y", content_type="video/mp4", bytes=10, part_bytes=10)

    query = parse_qs(urlsplit(s3.part_url("assets/y", reference, number=1, bytes=10, seconds=60)).query)

    assert "content-length" in query["X-Amz-SignedHeaders"][0]


def test_a_store_that_does_not_answer_is_unavailable() -> None:
    nobody = S3Storage(
        bucket="b",
        access_key="k",
        secret_key="s",
        region="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        timeout=0.2,
    )

    with pytest.raises(Unavailable):
        nobody.stat("assets/x")
