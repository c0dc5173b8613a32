"""U-025 and A-093 as a client sees them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client

from backoffice.core import jobs
from backoffice.core.models import Job
from backoffice.media.services import assets
from tests import media_files
from tests.factories import accounts, media

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage_dir(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_STORAGE_BACKEND = "local"
    settings.STORAGE_DIR = tmp_path / "storage"
    return tmp_path / "storage"


def announce(client: Any, path: Path, **fields: Any) -> Any:
    data = {
        "filename": path.name,
        "bytes": path.stat().st_size,
        "content_type": "video/mp4",
        "purpose": "video",
        **fields,
    }
    return client.post("/api/v1/uploads", data, format="json")


def send(parts: list[dict[str, Any]], content: bytes) -> list[dict[str, Any]]:
    """Puts the parts without a token or session, as a browser does straight to storage."""
    sent, offset = [], 0
    for part in parts:
        piece = content[offset : offset + part["bytes"]]
        response = Client().put(urlsplit(part["url"]).path, data=piece, content_type="application/octet-stream")
        assert response.status_code == 200
        sent.append({"number": part["number"], "etag": response["ETag"]})
        offset += part["bytes"]
    return sent


def test_a_file_goes_from_announcement_to_ready() -> None:
    client = accounts.api_client(accounts.member())
    path = media_files.video()

    started = announce(client, path, checksum=media.sha256(path))
    assert started.status_code == 201
    upload = started.json()["data"]
    assert set(upload) >= {"id", "parts", "part_size", "expires_at"}
    assert [(part["number"], part["bytes"]) for part in upload["parts"]] == [(1, path.stat().st_size)]
    sent = send(upload["parts"], path.read_bytes())

    resumed = client.get(f"/api/v1/uploads/{upload['id']}").json()["data"]
    assert (resumed["parts"], [part["number"] for part in resumed["arrived"]]) == ([], [1])
    done = client.post(f"/api/v1/uploads/{upload['id']}/complete", {"parts": sent}, format="json")
    assert done.status_code == 200
    asset = done.json()["data"]["asset"]
    assert (asset["id"], asset["status"]) == (upload["id"], "processing")

    jobs.run_due(kinds=[assets.PROCESS])
    shown = client.get(f"/api/v1/assets/{asset['id']}").json()["data"]["asset"]
    assert shown["status"] == "ready"
    assert shown["checksum"] == media.sha256(path)
    assert {step["name"]: step["state"] for step in shown["steps"]}["scan"] == "not_configured"
    assert Job.objects.filter(kind="catalogue.asset_finished", payload__asset_id=asset["id"]).exists()


def test_a_type_that_is_not_accepted_is_400() -> None:
    response = announce(accounts.api_client(accounts.member()), media_files.video(), content_type="application/zip")

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "wrong_type"
    assert "content_type" in response.json()["error"]["details"]


def test_a_file_that_is_too_large_is_413() -> None:
    response = announce(accounts.api_client(accounts.member()), media_files.video(), bytes=11 * 1024**3)

    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


def test_another_checksum_is_409() -> None:
    client = accounts.api_client(accounts.member())
    path = media_files.video()
    upload = announce(client, path, checksum="00" * 32).json()["data"]
    sent = send(upload["parts"], path.read_bytes())

    response = client.post(f"/api/v1/uploads/{upload['id']}/complete", {"parts": sent}, format="json")

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "checksum"


def test_parts_that_have_not_arrived_are_409() -> None:
    client = accounts.api_client(accounts.member())
    upload = announce(client, media_files.video()).json()["data"]
    parts = [{"number": 1, "etag": "0" * 32}]

    response = client.post(f"/api/v1/uploads/{upload['id']}/complete", {"parts": parts}, format="json")

    assert (response.status_code, response.json()["error"]["code"]) == (409, "bad_parts")


def test_an_upload_can_be_given_up() -> None:
    client = accounts.api_client(accounts.member())
    upload = announce(client, media_files.video()).json()["data"]

    assert client.delete(f"/api/v1/uploads/{upload['id']}").status_code == 204
    assert client.get(f"/api/v1/uploads/{upload['id']}").json()["data"]["state"] == "aborted"
    assert client.delete(f"/api/v1/uploads/{upload['id']}").status_code == 409


def test_what_belongs_to_others_is_404_like_what_does_not_exist() -> None:
    owner, other = accounts.member(), accounts.api_client(accounts.member())
    upload = media.started(owner, media_files.video())
    asset = media.uploaded(media_files.video(), by=owner)

    for mine in (upload.id, uuid4()):
        assert other.get(f"/api/v1/uploads/{mine}").status_code == 404
        assert other.delete(f"/api/v1/uploads/{mine}").status_code == 404
        parts = {"parts": [{"number": 1, "etag": "x"}]}
        assert other.post(f"/api/v1/uploads/{mine}/complete", parts, format="json").status_code == 404
    for theirs in (asset.id, uuid4()):
        assert other.get(f"/api/v1/assets/{theirs}").status_code == 404
        assert other.post(f"/api/v1/assets/{theirs}/retry").status_code == 404


def test_nobody_uploads_without_signing_in() -> None:
    assert announce(accounts.api_client(), media_files.video()).status_code == 401


def test_a_failed_file_says_why_and_can_be_tried_again() -> None:
    owner = accounts.member()
    client = accounts.api_client(owner)
    asset = media.processed(media_files.truncated_mp4(), by=owner)

    shown = client.get(f"/api/v1/assets/{asset.id}").json()["data"]["asset"]
    assert (shown["status"], shown["error_code"], shown["attempts_left"]) == ("error", "unreadable", 2)
    assert "cut off" in shown["error_message"]

    again = client.post(f"/api/v1/assets/{asset.id}/retry")
    assert again.status_code == 202
    assert again.json()["data"]["asset"]["status"] == "processing"
    assert client.post(f"/api/v1/assets/{asset.id}/retry").status_code == 409
