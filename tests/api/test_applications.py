"""Applying over the API: contents, documents, submitting, answering (U-017, U-018)."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from backoffice.accounts.models import User
from backoffice.creators.models import CreatorApplication, VerificationDocument
from backoffice.creators.services import applications
from tests.factories import creators as make
from tests.factories.accounts import api_client, member

pytestmark = pytest.mark.django_db
BASE = "/api/v1/creators"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def category() -> str:
    from backoffice.catalogue.models import Category

    return Category.objects.order_by("slug").values_list("slug", flat=True).first() or _new_category()


def _new_category() -> str:
    from backoffice.catalogue.models import Category

    return Category.objects.create(slug="music", name="Music").slug


def body(user: User, category: str, **fields: Any) -> dict[str, Any]:
    contents = make.contents(user, categories=[category], **fields)
    return {**contents, "sample": str(contents["sample"].pk)}


def send_document(client: Any, content: bytes = make.PDF, kind: str = "government_id", name: str = "id.pdf") -> Any:
    file = SimpleUploadedFile(name, content, content_type="application/pdf")
    return client.post(f"{BASE}/me/verification", {"document_type": kind, "file": file}, format="multipart")


def test_the_whole_way_from_applying_to_live(category: str) -> None:
    user, by = member(), make.reviewer()
    client = api_client(user)

    begun = client.post(f"{BASE}/apply", body(user, category), format="json")
    assert begun.status_code == 201, begun.json()
    assert begun.json()["data"]["status"] == "pending_submission"
    assert [item["code"] for item in begun.json()["data"]["missing"]] == ["government_id"]

    early = client.post(f"{BASE}/me/application/submit", {}, format="json")
    assert early.status_code == 400
    assert list(early.json()["error"]["details"]) == ["government_id"]

    assert send_document(client).status_code == 201
    sent = client.post(f"{BASE}/me/application/submit", {}, format="json")
    assert sent.json()["data"]["status"] == "submitted"

    application = CreatorApplication.objects.get()
    application, item = make.in_review(by, application)
    applications.request_info(
        application=application,
        by=by,
        token=str(item.lease_token),
        text="A longer text, please.",
        asked=["profile"],
    )
    asked = client.get(f"{BASE}/me/application").json()["data"]
    assert (asked["status"], asked["requested_info"]) == (
        "additional_info_required",
        "A longer text, please.",
    )
    assert [entry["code"] for entry in asked["missing"]] == ["profile"]

    changed = client.patch(f"{BASE}/me/application", {"bio": "I write, sing and teach."}, format="json")
    assert changed.json()["data"]["missing"] == []
    answered = client.post(f"{BASE}/me/application/submit", {"answer": "Done."}, format="json")
    assert answered.json()["data"]["status"] == "submitted"

    claimed = applications.claim_next(by=by)
    assert claimed is not None
    application, item = claimed
    make.look_at_documents(application, by)
    applications.approve(
        application=application,
        by=by,
        token=str(item.lease_token),
        findings=make.good(application),
        undo_seconds=0,
    )
    approved = client.get(f"{BASE}/me/application").json()["data"]
    assert {entry["code"] for entry in approved["missing"]} == {
        "mfa",
        "tax_form",
        "payout_account",
        "agreement",
        "pricing",
    }
    assert client.get(f"{BASE}/me").json()["error"]["code"] == "not_activated"

    signed = client.post(f"{BASE}/me/agreement", {"version": "2026-01"}, format="json")
    assert signed.status_code == 200, signed.json()
    application.refresh_from_db()
    assert application.creator is not None
    make.make_ready(application.creator)
    applications.activate(application=application)
    assert client.get(f"{BASE}/me").json()["data"]["stage_name"] == "Ti Joslin"
    shown = api_client().get(BASE).json()["data"]
    assert [creator["slug"] for creator in shown] == ["ti-joslin"]


def test_a_visitor_does_not_apply(category: str) -> None:
    assert api_client().post(f"{BASE}/apply", {}, format="json").status_code == 401


def test_a_second_open_application_is_a_conflict(category: str) -> None:
    application = make.started()
    answer = api_client(application.applicant).post(f"{BASE}/apply", {}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "application_open")


def test_nobody_sees_or_changes_anothers_application() -> None:
    make.started()
    other = api_client(member())
    assert other.get(f"{BASE}/me/application").status_code == 404
    assert other.patch(f"{BASE}/me/application", {"bio": "x"}, format="json").status_code == 404


def test_a_foreign_or_unknown_upload_is_refused_by_name(category: str) -> None:
    user = member()
    answer = api_client(user).post(f"{BASE}/apply", {"sample": str(make.sample(member()).pk)}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["sample"]
    assert not CreatorApplication.objects.exists()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"categories": ["no-such"]}, "categories"),
        ({"country": "Haiti"}, "country"),
        ({"languages": ["Kreyòl"]}, "languages"),
        ({"stage_name": "x" * 201}, "stage_name"),
        ({"social": [{"platform": "x", "handle": "a", "url": "javascript:alert(1)"}]}, "social"),
        ({"social": [{"platform": "x", "handle": "a", "url": "http://x.com/a"}]}, "social"),
        ({"terms_version": "1999-01"}, "terms_version"),
    ],
)
def test_bad_contents_name_their_field(fields: dict[str, Any], name: str) -> None:
    answer = api_client(member()).post(f"{BASE}/apply", fields, format="json")
    assert answer.status_code == 400
    assert name in answer.json()["error"]["details"]


def test_a_follower_count_may_be_changed_or_left_out(category: str) -> None:
    user = member()
    client = api_client(user)
    account = {"platform": "instagram", "handle": "a", "url": "https://instagram.com/a"}
    begun = client.post(f"{BASE}/apply", {"social": [account]}, format="json").json()["data"]
    assert (begun["social"][0]["follower_count"], begun["terms_in_force"]) == (0, "2026-01")
    for given, shown in (({"follower_count": 9_000}, 9_000), ({}, 9_000)):
        answer = client.patch(f"{BASE}/me/application", {"social": [{**account, **given}]}, format="json")
        assert answer.json()["data"]["social"][0]["follower_count"] == shown


def test_long_haitian_and_right_to_left_names_are_taken_as_they_are() -> None:
    for name in ("Jean-Baptiste Désiré Lafòs Pòtoprens " * 5, "ג'וסלין בן־דוד", "محمد الكريولي"):
        user = member()
        answer = api_client(user).post(f"{BASE}/apply", {"stage_name": name.strip()}, format="json")
        assert answer.status_code == 201
        assert answer.json()["data"]["stage_name"] == name.strip()


def test_status_and_decision_cannot_be_written() -> None:
    application = make.started()
    client = api_client(application.applicant)
    client.patch(f"{BASE}/me/application", {"status": "approved", "decision_code": "other"}, format="json")
    application.refresh_from_db()
    assert (application.status, application.decision_code) == ("pending_submission", "")


# --- documents -------------------------------------------------------------------------------------------


def test_a_document_comes_back_as_a_state_and_never_as_a_file() -> None:
    application = make.started()
    client = api_client(application.applicant)
    answer = send_document(client, kind="passport")
    assert set(answer.json()["data"]) == {"id", "document_type", "status", "reason", "created_at"}
    everything = client.get(f"{BASE}/me/application").content
    assert b"storage" not in everything
    assert b"documents/" not in everything


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"MZ" + b"\0" * 100, 415),
        (b"%PDF-1.7 half", 400),
        (b"%PDF-" + b"x" * 15_000_001, 413),
    ],
)
def test_wrong_disguised_broken_and_oversize_files_are_refused(content: bytes, status: int) -> None:
    application = make.started()
    answer = send_document(api_client(application.applicant), content)
    assert answer.status_code == status
    assert VerificationDocument.objects.count() == 1


def test_a_request_far_over_the_limit_is_refused_before_it_is_read() -> None:
    application = make.started()
    answer = send_document(api_client(application.applicant), b"%PDF-" + b"x" * 16_000_000)
    assert answer.status_code == 413
    assert VerificationDocument.objects.count() == 1


def test_a_large_document_never_touches_the_temporary_directory(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = make.started()
    spool = tmp_path / "spool"
    spool.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(spool)
    written: list[str] = []
    real = io.open

    def watching(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "w" in mode or "x" in mode or "+" in mode:
            written.append(str(file))
        return real(file, mode, *rest, **more)

    monkeypatch.setattr("tempfile._io.open", watching)
    content = make.PDF[:-6] + b" " * 6_000_000 + b"\n%%EOF\n"
    assert send_document(api_client(application.applicant), content).status_code == 201
    assert not [name for name in written if str(spool) in name]
    assert not list(spool.iterdir())


def test_documents_need_an_application() -> None:
    assert send_document(api_client(member())).status_code == 404
