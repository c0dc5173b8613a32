"""The viewer: signed links, what each state shows, one document after the other (W-002, X-021)."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from PIL import Image

from backoffice.accounts.models import User
from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.creators.models import CreatorApplication, VerificationDocument
from backoffice.creators.services import documents, holds
from backoffice.desk.creators.documents import link_to
from tests.factories import creators as make
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/admin/creators/applications/"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def by() -> User:
    return make.reviewer(display_name="Mirlande Toussaint")


@pytest.fixture
def desk(client: Client, by: User) -> Client:
    return sign_in(client, by)


def add_picture(application: CreatorApplication) -> VerificationDocument:
    out = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return documents.upload(
        application=application, document_type="passport", content=out.getvalue(), by=application.applicant
    )


def test_a_link_opens_for_five_minutes_for_whom_it_was_made(desk: Client, by: User) -> None:
    document = make.started().documents.get()
    at = clock.now()
    assert desk.get(link_to(document, by, at=at - timedelta(seconds=290))).status_code == 200
    answer = desk.get(link_to(document, by, at=at - timedelta(seconds=302)))
    assert (answer.status_code, make.SECRET_WORDS in answer.content) == (403, False)
    assert audit.for_subject(document).filter(action="document.view").count() == 1


def test_a_link_is_of_no_use_to_a_colleague_for_another_document_or_altered(client: Client, by: User) -> None:
    mine, other = make.started().documents.get(), make.started().documents.get()
    link = link_to(mine, by)
    sign_in(client, make.reviewer())
    assert client.get(link).status_code == 403
    sign_in(client, by)
    assert client.get(link.replace(str(mine.pk), str(other.pk))).status_code == 403
    assert client.get(link[:-2]).status_code == 403
    assert client.get(link.partition("?")[0]).status_code == 403
    assert not audit.for_subject(other).filter(action="document.view").exists()


def test_a_picture_has_no_rights_of_its_page_and_a_pdf_loads_nothing(desk: Client, by: User) -> None:
    application = make.started()
    picture = add_picture(application)
    paper = application.documents.exclude(pk=picture.pk).get()
    policies = [desk.get(link_to(document, by))["Content-Security-Policy"] for document in (picture, paper)]
    assert policies[0].endswith("; sandbox")
    assert all("default-src 'none'" in policy for policy in policies)
    for document in (picture, paper):
        answer = desk.get(link_to(document, by))
        assert answer["Content-Disposition"] == "inline"
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"


def test_the_viewer_names_the_document_and_carries_the_viewers_name(desk: Client) -> None:
    application = make.submitted()
    picture = VerificationDocument.objects.filter(application=application)
    page = desk.get(f"{BASE}{application.pk}/").content.decode()
    assert 'title="Government ID"' in page
    assert "#toolbar=0" in page
    assert page.count("Mirlande Toussaint ·") == 12
    assert picture.count() == 1


def test_a_picture_has_its_kind_as_text_and_keys_for_size_and_turn(desk: Client) -> None:
    application = make.started()
    picture = add_picture(application)
    page = desk.get(f"{BASE}{application.pk}/", {"document": str(picture.pk)}).content.decode()
    assert 'alt="Passport"' in page
    for key in ("+", "-", "R", "["):
        assert f'data-key="{key}"' in page
    assert 'data-key="]"' not in page


def test_the_next_document_comes_as_a_fragment_with_a_link_of_its_own(desk: Client) -> None:
    application = make.started()
    picture = add_picture(application)
    answer = desk.get(f"/admin/creators/documents/{picture.pk}/viewer/", {"bench": "1"})
    fragment = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in fragment
    assert "bench=1" in fragment
    (link,) = re.findall(r'src="(/admin/creators/documents/[^"]+)', fragment)
    assert desk.get(link).status_code == 200
    assert audit.for_subject(picture).filter(action="document.view").count() == 1


@pytest.mark.parametrize("role", ["super_admin", "admin", "ops_manager", "content_moderator", "financial_admin"])
def test_nobody_else_gets_the_fragment(client: Client, role: str) -> None:
    document = make.started().documents.get()
    sign_in(client, staff(role))
    assert client.get(f"/admin/creators/documents/{document.pk}/viewer/").status_code == 403


@pytest.mark.parametrize(
    ("status", "detail", "words"),
    [
        ("scanning", "The virus scanner at /run/clamd cannot be reached", ["waits for the virus scan", "cannot be"]),
        ("quarantined", "Eicar-Test", ["found Eicar-Test", "opens to nobody"]),
    ],
)
def test_a_document_that_opens_to_nobody_says_why_and_has_no_link(
    desk: Client, by: User, status: str, detail: str, words: list[str]
) -> None:
    application = make.submitted()
    application.documents.update(status=status, scan_detail=detail)
    page = desk.get(f"{BASE}{application.pk}/").content.decode()
    assert all(word in page for word in words)
    assert "/content/" not in page
    assert desk.get(link_to(application.documents.get(), by)).status_code == 409


def test_the_page_says_that_a_hold_keeps_the_document_and_why_only_to_those_who_may_know(
    desk: Client, client: Client
) -> None:
    application = make.submitted()
    hold = holds.place(person=application.applicant, by=staff("admin"), reason="Inquiry of the court")
    page = desk.get(f"{BASE}{application.pk}/").content.decode()
    assert "Kept by a legal hold" in page
    assert hold.reference not in page
    sign_in(client, staff("admin"))
    page = client.get(f"{BASE}{application.pk}/").content.decode()
    assert hold.reference in page
    assert "Inquiry of the court" not in page


def test_the_statements_do_not_grow_with_the_documents(desk: Client) -> None:
    application = make.started()
    desk.get(f"{BASE}{application.pk}/")
    few = count(lambda: desk.get(f"{BASE}{application.pk}/"))
    for _number in range(4):
        add_picture(application)
    assert count(lambda: desk.get(f"{BASE}{application.pk}/")) == few
