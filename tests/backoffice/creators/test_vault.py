"""The keys of identity documents: wrapped again, changed for new ones, missing, damaged, destroyed."""

import base64
import io
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError

from backoffice.audit.models import AuditEntry
from backoffice.core import clock
from backoffice.creators.models import DocumentKey, KeyRotation, TaxProfile, VerificationDocument
from backoffice.creators.services import documents, rotation, tax, vault
from backoffice.creators.services.vault import Unreadable
from backoffice.media import storage
from tests.factories import creators as make
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def fresh() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def one() -> VerificationDocument:
    return make.started().documents.select_related("subject", "application").get()


def again(document: VerificationDocument) -> VerificationDocument:
    return VerificationDocument.objects.select_related("subject", "application").get(pk=document.pk)


def ciphertext(document: VerificationDocument) -> bytes:
    return b"".join(storage.private().read(again(document).storage_key))


def files() -> list[Path]:
    root = Path(storage.local().root)
    return [file for file in root.rglob("*") if file.is_file()]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_document_keys", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def new_master(settings: LazySettings) -> tuple[str, str]:
    """Puts a new master key before the one in use, as an operator does first; answers new and old."""
    (old,) = settings.DOCUMENT_MASTER_KEYS
    new = fresh()
    settings.DOCUMENT_MASTER_KEYS = [new, old]
    return new, old


# --- wrapping again --------------------------------------------------------------------------------------


def test_a_new_master_key_wraps_the_keys_again_and_the_old_one_can_go(settings: LazySettings) -> None:
    document = one()
    sealed = ciphertext(document)
    new, old = new_master(settings)
    told = run()
    assert "1 key(s) changed, 0 content(s)" in told
    assert f"nothing needs the master key {DocumentKey.objects.get().master}" not in told
    assert "take it out of DOCUMENT_MASTER_KEYS" in told
    settings.DOCUMENT_MASTER_KEYS = [new]
    assert ciphertext(document) == sealed
    assert documents.open_for_view(document=again(document), by=make.reviewer()) == make.PDF
    settings.DOCUMENT_MASTER_KEYS = [old]
    with pytest.raises(Unreadable):
        documents.open_for_view(document=again(document), by=make.reviewer())


def test_a_second_call_has_nothing_to_do(settings: LazySettings) -> None:
    one()
    new_master(settings)
    run()
    before = bytes(DocumentKey.objects.get().wrapped or b"")
    assert "0 key(s) changed" in run()
    assert bytes(DocumentKey.objects.get().wrapped or b"") == before


def test_a_rotation_is_on_record_from_begin_to_end() -> None:
    one()
    run("--reencrypt")
    assert list(
        AuditEntry.objects.filter(action__startswith="document_keys").order_by("id").values_list("action", flat=True)
    ) == ["document_keys.begin", "document_keys.finish"]


def test_a_missing_master_key_is_named_and_nothing_is_changed(settings: LazySettings) -> None:
    document = one()
    name = DocumentKey.objects.get().master
    (old,) = settings.DOCUMENT_MASTER_KEYS
    settings.DOCUMENT_MASTER_KEYS = [fresh()]
    for arguments in ([], ["--reencrypt"], ["--check"]):
        with pytest.raises(CommandError) as error:
            run(*arguments)
        assert name in str(error.value)
        assert "Nothing was changed" in str(error.value)
        assert old not in str(error.value)
    assert KeyRotation.objects.count() == 0
    settings.DOCUMENT_MASTER_KEYS = [old]
    assert documents.open_for_view(document=document, by=make.reviewer()) == make.PDF


@pytest.mark.parametrize("keys", [[], ["short"], ["!!!"], [base64.b64encode(b"x" * 16).decode()]])
def test_wrong_master_keys_are_a_configuration_error_in_words(settings: LazySettings, keys: list[str]) -> None:
    settings.DOCUMENT_MASTER_KEYS = keys
    with pytest.raises(ImproperlyConfigured):
        vault.masters()
    with pytest.raises(CommandError, match="DOCUMENT_MASTER_KEYS"):
        run()


def test_one_damaged_key_is_named_and_does_not_keep_the_others(settings: LazySettings) -> None:
    good, bad = one(), one()
    new_master(settings)
    row = DocumentKey.objects.get(subject=bad.subject)
    damaged = bytearray(row.wrapped or b"")
    damaged[-1] ^= 1
    DocumentKey.objects.filter(pk=row.pk).update(wrapped=bytes(damaged))
    errors = StringIO()
    with pytest.raises(CommandError, match="1 of the keys"):
        call_command("rotate_document_keys", stdout=StringIO(), stderr=errors)
    assert str(row.pk) in errors.getvalue()
    assert KeyRotation.objects.get().finished_at is None
    assert DocumentKey.objects.get(subject=good.subject).master != DocumentKey.objects.get(pk=row.pk).master


# --- new keys for the contents ---------------------------------------------------------------------------


def test_contents_get_a_new_key_and_nothing_is_left_under_the_old_one() -> None:
    document = one()
    profile = make.tax_profile()
    before, name = ciphertext(document), document.storage_key
    told = run("--reencrypt")
    assert "2 key(s) changed, 2 content(s)" in told
    moved = again(document)
    assert (moved.key_version, moved.storage_key != name) == (2, True)
    assert ciphertext(document) != before
    assert len(files()) == 1
    assert documents.open_for_view(document=moved, by=make.reviewer()) == make.PDF
    assert tax.reveal(profile=TaxProfile.objects.get(pk=profile.pk), by=staff("financial_admin"), reason="x") == (
        "003-456-7891"
    )
    assert set(DocumentKey.objects.values_list("version", "next_wrapped")) == {(2, None)}


def test_a_run_that_was_cut_off_between_two_files_goes_on() -> None:
    document = one()
    second = documents.upload(
        application=document.application, document_type="passport", content=make.PDF, by=document.subject
    )
    bystander = one()
    # Where a kill leaves it: the run is open, the new key is there, one file has moved and its old copy lies about.
    run_row = KeyRotation.objects.create(kind="reencrypt", master="x", started_at=clock.now())
    row = DocumentKey.objects.get(subject=document.subject)
    row.next_wrapped = vault.wrap(vault.masters()[row.master], os.urandom(32), row)
    row.save()
    assert rotation._move_document(row.pk, document.pk, 1) == 1
    assert len(files()) == 4
    for each in (document, second, bystander):
        assert documents.open_for_view(document=again(each), by=make.reviewer()) == make.PDF
    told = run("--reencrypt")
    assert "went on with a run that had been cut off" in told
    assert "2 content(s)" in told
    run_row.refresh_from_db()
    assert run_row.finished_at is not None
    assert len(files()) == 3
    for each in (document, second, bystander):
        assert again(each).key_version == 2
        assert documents.open_for_view(document=again(each), by=make.reviewer()) == make.PDF


def test_a_file_that_does_not_open_keeps_its_key_and_is_named() -> None:
    document = one()
    sealed = bytearray(ciphertext(document))
    sealed[-1] ^= 1
    storage.private().save(document.storage_key, io.BytesIO(bytes(sealed)), content_type="x/x")
    with pytest.raises(CommandError):
        run("--reencrypt")
    row = DocumentKey.objects.get()
    assert (row.version, row.wrapped is not None) == (1, True)
    sealed[-1] ^= 1
    storage.private().save(document.storage_key, io.BytesIO(bytes(sealed)), content_type="x/x")
    run("--reencrypt")
    assert documents.open_for_view(document=again(document), by=make.reviewer()) == make.PDF


def test_a_document_given_in_the_middle_lies_under_the_new_key() -> None:
    document = one()
    row = DocumentKey.objects.get()
    row.next_wrapped = vault.wrap(vault.masters()[row.master], os.urandom(32), row)
    row.save()
    given = documents.upload(
        application=document.application, document_type="passport", content=make.PDF, by=document.subject
    )
    assert given.key_version == 2
    assert documents.open_for_view(document=given, by=make.reviewer()) == make.PDF


def test_whoever_has_the_old_row_in_hand_still_opens_the_file() -> None:
    document = one()
    run("--reencrypt")
    assert document.storage_key != again(document).storage_key
    assert documents.open_for_view(document=document, by=make.reviewer()) == make.PDF


def test_a_purge_in_the_middle_takes_both_copies() -> None:
    document = one()
    row = DocumentKey.objects.get()
    row.next_wrapped = vault.wrap(vault.masters()[row.master], os.urandom(32), row)
    row.save()
    rotation._move_document(row.pk, document.pk, 1)
    assert len(files()) == 2
    documents.purge(document=again(document), by=None)
    assert files() == []
    assert DocumentKey.objects.get().wrapped is None


def test_check_opens_everything_and_changes_nothing() -> None:
    document = one()
    make.tax_profile()
    before = list(DocumentKey.objects.order_by("pk").values())
    assert "2 key(s) and 2 content(s) open" in run("--check")
    assert list(DocumentKey.objects.order_by("pk").values()) == before
    vault.delete(storage_key=document.storage_key)
    with pytest.raises(CommandError, match="do not open"):
        run("--check")


# --- the end of a key ------------------------------------------------------------------------------------


def test_the_key_goes_with_the_last_document_and_one_who_comes_back_gets_a_new_one() -> None:
    document = one()
    second = documents.upload(
        application=document.application, document_type="passport", content=make.PDF, by=document.subject
    )
    documents.purge(document=document, by=None)
    assert DocumentKey.objects.get().wrapped is not None
    documents.purge(document=second, by=None)
    row = DocumentKey.objects.get()
    assert (row.wrapped, row.destroyed_because) == (None, "purged")
    back = documents.upload(
        application=document.application, document_type="passport", content=make.PDF, by=document.subject
    )
    assert (back.key_version, DocumentKey.objects.get().version) == (2, 2)
    assert documents.open_for_view(document=back, by=make.reviewer()) == make.PDF


def test_a_tax_id_keeps_the_key_when_the_documents_are_gone() -> None:
    application = make.activated()
    assert application.creator is not None
    profile = make.tax_profile(application.creator)
    for document in application.documents.all():
        documents.purge(document=document, by=None)
    assert DocumentKey.objects.get(subject=application.applicant).wrapped is not None
    tax.purge(profile=profile, at=clock.now() + timedelta(days=1))
    assert DocumentKey.objects.get(subject=application.applicant).wrapped is None


def test_after_an_erasure_there_is_no_new_key() -> None:
    document = one()
    assert vault.destroy_key(subject=document.subject)
    assert not vault.destroy_key(subject=document.subject)
    add: Any = documents.upload
    with pytest.raises(Unreadable):
        add(application=document.application, document_type="passport", content=make.PDF, by=document.subject)
