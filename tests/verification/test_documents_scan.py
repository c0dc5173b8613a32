"""Identity documents and a real ClamAV daemon: infected ones isolated, without a verdict nobody opens anything."""

import os
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from backoffice.audit import queries as audit
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict
from backoffice.core.models import Job
from backoffice.creators.models import CreatorApplication, VerificationDocument
from backoffice.creators.services import applications, documents
from backoffice.notifications.models import Notification
from integrations.antivirus.fake import EICAR
from integrations.antivirus.types import ScannerUnavailable
from tests.factories import creators as make
from tests.factories.accounts import api_client, member
from tests.verification import running

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ADDRESS = "/api/v1/creators/me/verification"
INFECTED = make.PDF.replace(b"% ", b"% " + EICAR + b" ", 1)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Clamd]:
    """A running clamd; without one on the machine the tests are left out, unless it is meant to have one."""
    if running.clamd_binary() is None:
        if os.environ.get("BACKLOT_REQUIRE_BROWSER"):
            pytest.fail("The ClamAV daemon is needed here and was not found.")
        pytest.skip("There is no ClamAV daemon on this machine.")
    server = running.Clamd(tmp_path_factory.mktemp("clamd"), stream_megabytes=3)
    yield server
    server.remove()


@pytest.fixture
def clamd(daemon: running.Clamd, settings: LazySettings, tmp_path: Path) -> Iterator[running.Clamd]:
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.CLAMAV_SOCKET = daemon.socket
    yield daemon
    if not daemon.alive():
        daemon.start()


def applicant() -> CreatorApplication:
    """An application without any document."""
    user = member()
    return applications.start(user=user, by=user, fields=make.contents(user))


def send(application: CreatorApplication, content: bytes) -> dict[str, Any]:
    file = SimpleUploadedFile("id.pdf", content, content_type="application/pdf")
    answer = api_client(application.applicant).post(
        ADDRESS, {"document_type": "passport", "file": file}, format="multipart"
    )
    assert answer.status_code == 201, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def scan() -> VerificationDocument:
    jobs.run_due(kinds=[documents.SCAN])
    return VerificationDocument.objects.select_related("subject").get()


def test_an_infected_document_is_isolated_its_sender_told_and_it_opens_to_nobody(clamd: running.Clamd) -> None:
    application = applicant()
    assert send(application, INFECTED)["status"] == "scanning"
    document = scan()
    assert (document.status, "Eicar" in document.scan_detail) == ("quarantined", True)
    with pytest.raises(Conflict, match="Eicar"):
        documents.open_for_view(document=document, by=make.reviewer())
    assert not audit.for_subject(document).filter(action="document.view").exists()
    notice = Notification.objects.get(user=application.applicant, event="document.quarantined", channel="in_app")
    assert "passport" in notice.body
    assert application.reference in notice.subject
    assert document.purge_after is not None
    assert documents.purge_due(at=document.purge_after + timedelta(seconds=1)) == 1


def test_an_infected_id_does_not_count_as_given(clamd: running.Clamd) -> None:
    application = applicant()
    send(application, INFECTED)
    client = api_client(application.applicant)
    scan()
    missing = client.get("/api/v1/creators/me/application").json()["data"]["missing"]
    assert [item["code"] for item in missing] == ["government_id"]


def test_a_clean_document_goes_to_review(clamd: running.Clamd) -> None:
    application = applicant()
    send(application, make.PDF)
    document = VerificationDocument.objects.select_related("subject").get()
    with pytest.raises(Conflict, match="virus scan"):
        documents.open_for_view(document=document, by=make.reviewer())
    document = scan()
    assert (document.status, document.scan_detail) == ("pending", "")
    assert documents.open_for_view(document=document, by=make.reviewer()) == make.PDF


def test_while_the_scanner_is_down_the_document_waits_and_says_why(clamd: running.Clamd) -> None:
    clamd.kill()
    application = applicant()
    send(application, make.PDF)
    document = scan()
    assert (document.status, "cannot be reached" in document.scan_detail) == ("scanning", True)
    job = Job.objects.get(kind=documents.SCAN)
    assert (job.state, job.run_after > clock.now()) == ("due", True)

    # The tries of one job are used up at last; the periodic round asks anew.
    Job.objects.filter(pk=job.pk).update(state=Job.State.DEAD)
    clamd.start()
    jobs.enqueue("creators.scan_documents")
    jobs.run_due(kinds=["creators.scan_documents", documents.SCAN])
    document.refresh_from_db()
    assert (document.status, document.scan_detail) == ("pending", "")


def test_a_file_beyond_the_scanners_limit_is_never_called_clean(clamd: running.Clamd) -> None:
    application = applicant()
    send(application, b"%PDF-1.7\n" + b"x" * 4_000_000 + b"\n%%EOF\n")
    document = scan()
    assert (document.status, "size limit" in document.scan_detail) == ("scanning", True)


def test_a_scanner_that_is_taken_away_leaves_what_waits_closed(clamd: running.Clamd, settings: LazySettings) -> None:
    application = applicant()
    send(application, make.PDF)
    settings.CLAMAV_SOCKET = ""
    document = scan()
    assert (document.status, "configured" in document.scan_detail) == ("scanning", True)


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "one byte now and then"])
def test_a_scanner_that_does_not_end_is_left_after_the_time_it_has(
    settings: LazySettings, tmp_path: Path, drip: bool
) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"
    over, waited_out = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                for _turn in range(150):
                    if over.wait(0.2):
                        return
                    if drip:
                        connection.sendall(b"s")
                waited_out.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        application = applicant()
        settings.CLAMAV_SOCKET = f"127.0.0.1:{server.getsockname()[1]}"
        send(application, make.PDF)
        values.change(key="document.scan_seconds", value=1, by=None, reason="test")
        document = VerificationDocument.objects.get()
        with pytest.raises(ScannerUnavailable, match="timed out"):
            documents.scan(document_id=document.pk)
        assert not waited_out.is_set()
        over.set()
        thread.join()
    document.refresh_from_db()
    assert (document.status, "timed out" in document.scan_detail) == ("scanning", True)
