"""Legal holds: what is held is neither purged nor erased, and whoever asks is told so (E-084, X-037)."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import IntegrityError, transaction

from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators import queries
from backoffice.creators.models import DocumentKey, LegalHold, TaxProfile, VerificationDocument
from backoffice.creators.services import documents, holds, tax, vault
from tests.factories import creators as make
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def due() -> VerificationDocument:
    """A document whose purge date was yesterday."""
    document = make.started().documents.select_related("subject").get()
    VerificationDocument.objects.filter(pk=document.pk).update(purge_after=clock.now() - DAY)
    document.refresh_from_db()
    return document


def purge(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_documents", *arguments, stdout=out)
    return out.getvalue()


def test_a_held_document_outlives_its_purge_date_and_goes_when_the_hold_is_lifted() -> None:
    document, other, by = due(), due(), staff("admin")
    hold = holds.place(person=document.subject, by=by, reason="Inquiry 7", authority="TJ-2026-114")
    assert documents.purge_due() == 1
    other.refresh_from_db()
    assert other.status == "purged"
    with pytest.raises(vault.Held, match=hold.reference):
        documents.purge(document=document, by=None)
    assert documents.open_for_view(document=document, by=make.reviewer()) == make.PDF
    holds.lift(hold=hold, by=by, reason="The inquiry is closed")
    assert documents.purge_due() == 1
    document.refresh_from_db()
    assert (document.status, document.storage_key) == ("purged", "")


def test_a_held_person_is_not_erased() -> None:
    document, by = due(), staff("super_admin")
    holds.place(person=document.subject, by=by, reason="Inquiry 7")
    with pytest.raises(vault.Held):
        vault.destroy_key(subject=document.subject)
    assert DocumentKey.objects.get(subject=document.subject).wrapped is not None


def test_a_held_tax_id_outlives_its_time() -> None:
    profile, by = make.tax_profile(), staff("admin")
    TaxProfile.objects.filter(pk=profile.pk).update(ended_at=clock.now() - 4000 * DAY)
    hold = holds.place(person=profile.creator.user, by=by, reason="Inquiry 7")
    assert tax.purge_due() == 0
    with pytest.raises(vault.Held):
        tax.purge(profile=profile)
    holds.lift(hold=hold, by=by, reason="Closed")
    assert tax.purge_due() == 1
    profile.refresh_from_db()
    assert (profile.status, profile.sealed_id, profile.last_four) == ("purged", None, "")


def test_a_hold_with_an_end_ends_by_itself_and_one_of_two_is_enough() -> None:
    document, by, at = due(), staff("admin"), clock.now()
    holds.place(person=document.subject, by=by, reason="One", until=at + DAY, at=at)
    second = holds.place(person=document.subject, by=by, reason="Two", at=at)
    assert queries.holds_on(document.subject, at=at).count() == 2
    assert documents.purge_due(at=at + 2 * DAY) == 0
    holds.lift(hold=second, by=by, reason="Done", at=at + DAY)
    assert documents.purge_due(at=at + DAY - timedelta(seconds=1)) == 0
    assert documents.purge_due(at=at + 2 * DAY) == 1


def test_the_dry_run_names_what_would_go_and_what_is_kept_and_changes_nothing() -> None:
    kept, free = due(), due()
    hold = holds.place(person=kept.subject, by=staff("admin"), reason="Inquiry 7")
    told = purge("--dry-run")
    assert f"destroy  {free.pk}" in told
    assert f"kept     {kept.pk}" in told
    assert hold.reference in told
    assert "1 would be destroyed, 1 are kept; nothing was changed" in told
    assert set(VerificationDocument.objects.values_list("status", flat=True)) == {"pending"}
    assert "1 destroyed, 1 kept" in purge()
    free.refresh_from_db()
    assert free.status == "purged"


@pytest.mark.parametrize(
    "role",
    [
        "ops_manager",
        "content_moderator",
        "customer_support",
        "financial_admin",
        "verification_reviewer",
        "editor",
        "analyst",
    ],
)
def test_only_those_who_decide_on_privacy_place_and_lift(role: str) -> None:
    document, by = due(), staff(role)
    with pytest.raises(Forbidden):
        holds.place(person=document.subject, by=by, reason="x")
    hold = holds.place(person=document.subject, by=staff("admin"), reason="x")
    with pytest.raises(Forbidden):
        holds.lift(hold=hold, by=by, reason="x")


def test_both_ends_of_a_hold_need_a_reason_and_are_on_record() -> None:
    person, by = due().subject, staff("admin")
    with pytest.raises(Invalid) as error:
        holds.place(person=person, by=by, reason="  ")
    assert error.value.field == "reason"
    with pytest.raises(Invalid) as error:
        holds.place(person=person, by=by, reason="x", until=clock.now() - DAY)
    assert error.value.field == "until"
    hold = holds.place(person=person, by=by, reason="Inquiry 7")
    with pytest.raises(Invalid):
        holds.lift(hold=hold, by=by, reason="")
    holds.lift(hold=hold, by=by, reason="Closed")
    with pytest.raises(Conflict):
        holds.lift(hold=hold, by=by, reason="Closed")
    found = audit.for_subject(hold).order_by("id")
    assert [(entry.action, entry.actor, entry.reason) for entry in found] == [
        ("legal_hold.place", by, "Inquiry 7"),
        ("legal_hold.lift", by, "Closed"),
    ]


def test_the_database_keeps_no_hold_without_a_reason_and_none_lifted_by_nobody() -> None:
    hold = holds.place(person=due().subject, by=staff("admin"), reason="x")
    for change in ({"reason": ""}, {"lifted_at": clock.now()}, {"until": clock.now() - DAY}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LegalHold.objects.filter(pk=hold.pk).update(**change)
