"""What is refused as an identity document: disguised, broken, too large, two things at once, or able to act."""

import io
import random
import struct
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from backoffice.core.errors import Invalid
from backoffice.creators.models import VerificationDocument
from backoffice.creators.services import contents
from backoffice.media import storage
from tests.factories import creators as make
from tests.factories.accounts import api_client

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/creators/me/verification"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def archive(content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", content)
    return out.getvalue()


def pdf(body: bytes = b"", *, end: bytes = b"%%EOF\n") -> bytes:
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog" + body + b">>endobj\ntrailer<</Root 1 0 R>>\n" + end


def table(content: bytes, filters: bytes = b"/Filter/FlateDecode") -> bytes:
    """A PDF whose objects lie in a packed table."""
    packed = zlib.compress(content, 9)
    head = b"%%PDF-1.7\n5 0 obj<</Type/ObjStm/N 1/First 4%s/Length %d>>stream\n" % (filters, len(packed))
    return head + packed + b"\nendstream endobj\ntrailer<<>>\n%%EOF\n"


def pixels(width: int, height: int) -> bytes:
    """A few bytes that say they are a picture of this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )


def animated() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


# --- accepted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_known_by_their_content(kind: str) -> None:
    assert contents.detect(picture(kind)) == f"image/{kind.lower()}"


def test_a_phones_jpeg_with_a_second_picture_and_data_behind_its_end_is_a_jpeg() -> None:
    out = io.BytesIO()
    first, second = Image.new("RGB", (40, 30), "teal"), Image.new("RGB", (20, 15), "navy")
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert contents.detect(out.getvalue()) == "image/jpeg"
    assert contents.detect(picture("JPEG") + b"\0SEFT-camera-data") == "image/jpeg"


@pytest.mark.parametrize(
    "content",
    [
        pdf(),
        pdf(b"/OpenAction[3 0 R/Fit]"),
        pdf(b"/Title(/JavaScript is a language)").replace(b"/JavaScript", b"JavaScript"),
        table(b"1 0 <</Type/Page>>"),
        pdf() + b"2 0 obj<<>>endobj\ntrailer<<>>\n%%EOF",
    ],
)
def test_plain_pdfs_pass(content: bytes) -> None:
    assert contents.detect(content) == "application/pdf"


# --- refused ---------------------------------------------------------------------------------------------

REFUSED = {
    "empty": (b"", "file_empty"),
    "blank": (b" " * 100, "unsupported_type"),
    "cut pdf": (b"%PDF-1.4 and then nothing", "file_broken"),
    "cut png": (picture()[:60], "file_broken"),
    "cut webp": (picture("WEBP", (200, 200))[:-40], "file_broken"),
    "cut jpeg": (picture("JPEG", (300, 300))[:-30], "file_broken"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "unsupported_type"),
    "html": (b"<html>%PDF-</html>", "unsupported_type"),
    "zip": (archive(), "unsupported_type"),
    "zip bomb": (archive(b"\0" * 30_000_000), "unsupported_type"),
    "gzip": (b"\x1f\x8b" + b"\0" * 200, "unsupported_type"),
    "program": (b"MZ" + b"\0" * 200, "unsupported_type"),
    "gif": (b"GIF89a" + b"\0" * 200, "unsupported_type"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100, "unsupported_type"),
    "bmp": (picture("BMP"), "unsupported_type"),
    "tiff": (picture("TIFF"), "unsupported_type"),
    "postscript": (b"%!PS-Adobe-3.0\n", "unsupported_type"),
    "animated": (animated(), "unsupported_type"),
    "wide": (pixels(60_000, 2), "file_too_large"),
    "pixel bomb": (pixels(30_000, 30_000), "file_too_large"),
    "pixel bomb of the largest size": (pixels(2**31 - 1, 2**31 - 1), "file_too_large"),
    "png and archive": (picture() + archive(), "file_unsafe"),
    "jpeg and archive": (picture("JPEG") + archive(), "file_unsafe"),
    "webp and something": (picture("WEBP") + b"hello", "file_unsafe"),
    "jpeg and page": (picture("JPEG", comment=b"<script>alert(1)</script>"), "file_unsafe"),
    "jpeg and program": (picture("JPEG") + b"<?php system($_GET[0]);", "file_unsafe"),
    "jpeg and pdf": (picture("JPEG", comment=b"%PDF-1.4"), "file_unsafe"),
    "pdf and archive": (pdf() + archive(), "file_unsafe"),
    "pdf with an archive inside": (pdf(end=archive() + b"%%EOF"), "file_unsafe"),
    "pdf and page": (b"%PDF-1.4\n<html><script>1</script>\n%%EOF", "file_unsafe"),
    "script": (pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "file_unsafe"),
    "escaped script": (pdf(b"/OpenAction<</S/Java#53cript/JS(1)>>"), "file_unsafe"),
    "packed script": (table(b"1 0 <</S/JavaScript/JS(app.alert(1))>>"), "file_unsafe"),
    "packed and escaped script": (table(b"1 0 <</S/#4aavaScript/JS(1)>>"), "file_unsafe"),
    "packed in another way": (table(b"1 0", b"/Filter[/ASCIIHexDecode/FlateDecode]"), "file_unsafe"),
    "packed bomb": (table(b"\0" * 80_000_000), "file_too_large"),
    "packed rubbish": (
        b"%PDF-1.7\n5 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\nrubbish\nendstream\n%%EOF",
        "file_broken",
    ),
    "launch": (pdf(b"/OpenAction<</S/Launch/F(cmd.exe)>>"), "file_unsafe"),
    "attachment": (pdf(b"/Names<</EmbeddedFiles 4 0 R>>"), "file_unsafe"),
    "form that sends": (pdf(b"/A<</S/SubmitForm/F(https://example.org)>>"), "file_unsafe"),
    "xfa": (pdf(b"/AcroForm<</XFA 3 0 R>>"), "file_unsafe"),
    "locked": (pdf().replace(b"/Root", b"/Encrypt 9 0 R/Root"), "file_unsafe"),
}


@pytest.fixture(scope="module")
def yardstick() -> float:
    """What unpacking as much as the biggest bomb holds costs here, in seconds of the processor."""
    packed = zlib.compress(bytes(80_000_000), 1)
    begin = time.thread_time()
    zlib.decompress(packed)
    return time.thread_time() - begin


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_each_is_refused_with_its_reason_for_little_work(content: bytes, code: str, yardstick: float) -> None:
    begin = time.thread_time()
    with pytest.raises(Invalid) as error:
        contents.detect(content)
    assert time.thread_time() - begin < 10 * yardstick
    assert (error.value.code, error.value.field) == (code, "file")
    assert str(error.value.message).endswith(".")


def test_a_file_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(contents.TooLarge):
        contents.detect(b"%PDF-" + b"x" * 15_000_001)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "PDF"])
def test_a_thousand_damaged_files_are_taken_or_refused_and_never_an_error(kind: str) -> None:
    whole = table(b"1 0 <</Type/Page>>") if kind == "PDF" else picture(kind, (64, 64))
    chance = random.Random(kind)
    for _number in range(250):
        damaged = bytearray(whole)
        for _place in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.3:
            del damaged[chance.randrange(len(damaged)) :]
        with suppress(Invalid):
            assert contents.detect(bytes(damaged)) in {"application/pdf", *contents.IMAGE_TYPES.values()}


# --- through the API -------------------------------------------------------------------------------------


def send(client: Any, content: bytes, name: str = "id.png", kind: str = "image/png") -> Any:
    file = SimpleUploadedFile("x", content, content_type=kind)
    file._name = name  # as a client that does not tidy names would send it
    return client.post(ADDRESS, {"document_type": "passport", "file": file}, format="multipart")


@pytest.mark.parametrize(
    ("case", "http"),
    [("empty", 400), ("svg", 415), ("zip bomb", 415), ("pixel bomb", 413), ("script", 400), ("png and archive", 400)],
)
def test_the_applicant_reads_why_and_nothing_is_stored(case: str, http: int, tmp_path: Path) -> None:
    application = make.started()
    before = set((tmp_path / "storage").rglob("*"))
    answer = send(api_client(application.applicant), REFUSED[case][0])
    assert answer.status_code == http
    assert answer.json()["error"]["details"]["file"][0].endswith(".")
    assert application.documents.count() == 1
    assert set((tmp_path / "storage").rglob("*")) == before


# Control characters and slashes are no part of a name to a form parser.
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"\\/'), min_size=1, max_size=200)
AWKWARD = [
    "x" * 200 + ".png",
    "Pyès idantite Jòslin – kat nasyonal ò è.png",
    "بطاقة الهوية.png",
    "\u202egnp.exe",
    "../../../etc/passwd",
    "id.png;rm -rf .png",
    "<script>alert(1)</script>.png",
    "=HYPERLINK(1).png",
    "a\u0300" * 60 + ".png",
    "🪪.png",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_file_name_is_taken_and_kept_nowhere(name: str) -> None:
    application = make.started()
    assert send(api_client(application.applicant), picture(), name).status_code == 201
    assert_name_is_nowhere(name)


def assert_name_is_nowhere(name: str) -> None:
    for document in VerificationDocument.objects.all():
        assert document.storage_key == f"documents/{document.pk}"
    root = Path(storage.local().root)
    assert all(name not in str(file) for file in root.rglob("*"))
    with connection.cursor() as cursor:
        for place in ("creators_verificationdocument", "audit_auditentry", "core_job"):
            cursor.execute(f"SELECT count(*) FROM {place} t WHERE position(%s in t::text) > 0", [name])
            assert cursor.fetchone()[0] == 0, place


@settings(
    max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(name=NAMES)
@example(name="name.png")
@example(name="\U00018cd6")
def test_any_file_name_is_taken(name: str) -> None:
    application = make.started()
    answer = send(api_client(application.applicant), picture(), name)
    # A name that has nothing to print is no file, and the answer says that there was none.
    printed = "".join(sign for sign in name if sign.isprintable())
    assert answer.status_code == 201 or not printed.strip(" .\u00a0"), answer.content
