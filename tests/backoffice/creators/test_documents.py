"""Identity documents: nothing in the clear, every look on record, an end to every file (S-018 to S-021)."""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from backoffice.audit import queries as audit
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators.models import DocumentKey, VerificationDocument
from backoffice.creators.services import documents, vault
from backoffice.creators.services.vault import Unreadable
from backoffice.media import storage
from backoffice.notifications.models import Notification
from tests.factories import creators as make
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def one() -> VerificationDocument:
    return make.started().documents.select_related("subject", "application").get()


# --- at rest ---------------------------------------------------------------------------------------------


def test_the_content_is_found_neither_in_storage_nor_in_the_database_and_comes_back_whole(
    tmp_path: Path,
) -> None:
    document = one()
    files = [file for file in (tmp_path / "storage").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert make.SECRET_WORDS not in file.read_bytes()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM \"{table}\" t")
            text = cursor.fetchone()[0] or ""
            assert make.SECRET_WORDS.decode() not in text, table
            assert make.SECRET_WORDS.hex() not in text, table
    assert documents.open_for_view(document=document, by=make.reviewer()) == make.PDF


def test_every_person_has_a_key_of_their_own_and_two_files_share_no_bytes() -> None:
    first, second = one(), one()
    assert DocumentKey.objects.count() == 2
    sealed = [b"".join(storage.private().read(d.storage_key)) for d in (first, second)]
    assert sealed[0][13:] != sealed[1][13:]


def test_one_persons_file_does_not_open_in_the_place_of_anothers() -> None:
    first = one()
    again = documents.upload(
        application=first.application, document_type="passport", content=make.PDF, by=first.subject
    )
    VerificationDocument.objects.filter(pk=again.pk).update(storage_key=first.storage_key)
    again.refresh_from_db()
    with pytest.raises(Unreadable):
        documents.open_for_view(document=again, by=make.reviewer())


def test_an_altered_file_is_refused_and_the_look_is_not_recorded() -> None:
    document = one()
    sealed = bytearray(b"".join(storage.private().read(document.storage_key)))
    sealed[-1] ^= 1
    storage.private().save(document.storage_key, io.BytesIO(bytes(sealed)), content_type="x/x")
    with pytest.raises(Unreadable):
        documents.open_for_view(document=document, by=make.reviewer())
    assert not audit.for_subject(document).filter(action="document.view").exists()


def test_destroying_the_key_destroys_every_document_of_the_person() -> None:
    document = one()
    assert vault.destroy_key(subject=document.subject)
    with pytest.raises(Unreadable):
        documents.open_for_view(document=document, by=make.reviewer())
    with pytest.raises(Unreadable):
        documents.upload(
            application=document.application, document_type="passport", content=make.PDF, by=document.subject
        )


def test_a_refused_upload_leaves_no_file(tmp_path: Path) -> None:
    application = make.submitted()
    before = set((tmp_path / "storage").rglob("*"))
    with pytest.raises(Conflict):
        documents.upload(application=application, document_type="passport", content=make.PDF, by=application.applicant)
    assert set((tmp_path / "storage").rglob("*")) == before


# --- taking in -------------------------------------------------------------------------------------------


def test_only_the_applicant_adds_documents_of_a_known_type_that_are_still_valid() -> None:
    application = make.started()
    add: Any = documents.upload
    with pytest.raises(Forbidden):
        add(application=application, document_type="passport", content=make.PDF, by=make.reviewer())
    with pytest.raises(Invalid):
        add(application=application, document_type="library_card", content=make.PDF, by=application.applicant)
    with pytest.raises(Invalid) as error:
        add(
            application=application,
            document_type="passport",
            content=make.PDF,
            by=application.applicant,
            expires_on=date(2020, 1, 1),
        )
    assert error.value.code == "document_expired"


def test_an_application_holds_only_so_many_documents() -> None:
    application = make.started()
    for _number in range(11):
        documents.upload(application=application, document_type="other", content=make.PDF, by=application.applicant)
    with pytest.raises(Conflict) as error:
        documents.upload(application=application, document_type="other", content=make.PDF, by=application.applicant)
    assert error.value.code == "too_many_documents"


# --- looking ---------------------------------------------------------------------------------------------


def test_every_look_is_on_record() -> None:
    document, by = one(), make.reviewer()
    documents.open_for_view(document=document, by=by)
    documents.open_for_view(document=document, by=by)
    looks = audit.for_subject(document).filter(action="document.view")
    assert [look.actor for look in looks] == [by, by]


@pytest.mark.parametrize(
    "role",
    [
        "super_admin",
        "admin",
        "ops_manager",
        "content_moderator",
        "customer_support",
        "financial_admin",
        "editor",
    ],
)
def test_only_the_verification_team_opens_documents(role: str) -> None:
    document = one()
    with pytest.raises(Forbidden):
        documents.open_for_view(document=document, by=staff(role))
    with pytest.raises(Forbidden):
        documents.verify(document=document, by=staff(role))
    assert not audit.for_subject(document).filter(action="document.view").exists()


def test_a_member_does_not_even_open_their_own() -> None:
    document = one()
    with pytest.raises(Forbidden):
        documents.open_for_view(document=document, by=document.subject)


# --- judging ---------------------------------------------------------------------------------------------


def test_a_document_is_judged_by_somebody_who_opened_it() -> None:
    document, looker, other = one(), make.reviewer(), make.reviewer()
    documents.open_for_view(document=document, by=looker)
    with pytest.raises(Conflict):
        documents.verify(document=document, by=other)
    documents.verify(document=document, by=looker, expires_on=date(2040, 1, 1))
    document.refresh_from_db()
    assert (document.status, document.reviewer, document.document_expires_on) == (
        "verified",
        looker,
        date(2040, 1, 1),
    )


def test_an_expired_document_is_not_verified() -> None:
    document, by = one(), make.reviewer()
    documents.open_for_view(document=document, by=by)
    with pytest.raises(Invalid):
        documents.verify(document=document, by=by, expires_on=date(2020, 1, 1))


def test_refusing_a_document_says_which_one_and_why() -> None:
    document, by = one(), make.reviewer()
    documents.open_for_view(document=document, by=by)
    with pytest.raises(Invalid):
        documents.reject(document=document, by=by, reason=" ")
    documents.reject(document=document, by=by, reason="The photo is blurred.")
    notice = Notification.objects.get(user=document.subject, event="document.rejected", channel="in_app")
    assert "government ID" in notice.body
    assert "The photo is blurred." in notice.body
    assert document.purge_after is not None


# --- the end ---------------------------------------------------------------------------------------------


def test_a_verified_document_expires_when_its_date_has_passed() -> None:
    at = clock.now()
    document, by = one(), make.reviewer()
    documents.open_for_view(document=document, by=by)
    documents.verify(document=document, by=by, expires_on=(at + 3 * DAY).date(), at=at)
    assert documents.expire_due(at=at + 3 * DAY) == 0
    assert documents.expire_due(at=at + 4 * DAY) == 1
    document.refresh_from_db()
    assert document.status == "expired"
    assert document.purge_after == at + (4 + 365) * DAY


def test_a_document_past_its_purge_date_is_destroyed_and_its_row_keeps_the_facts(tmp_path: Path) -> None:
    document = one()
    VerificationDocument.objects.filter(pk=document.pk).update(purge_after=clock.now() - DAY)
    jobs.enqueue("creators.purge_documents")
    jobs.run_due(kinds=["creators.purge_documents"])
    document.refresh_from_db()
    assert (document.status, document.storage_key, document.document_type) == ("purged", "", "government_id")
    assert not [file for file in (tmp_path / "storage").rglob("*") if file.is_file()]
    with pytest.raises(Conflict):
        documents.open_for_view(document=document, by=make.reviewer())


def test_a_purge_that_was_cut_off_after_the_file_went_ends_on_the_next_run() -> None:
    document = one()
    vault.delete(storage_key=document.storage_key)
    VerificationDocument.objects.filter(pk=document.pk).update(purge_after=clock.now() - DAY)
    assert documents.purge_due() == 1


def test_no_personal_data_in_the_text_of_a_row() -> None:
    document = make.started(member(display_name="Jocelyne Pierre")).documents.get()
    for row in (document, document.application, DocumentKey.objects.get(subject=document.subject)):
        assert "Jocelyne" not in str(row)
