"""A failed ID check holds, a verification can be taken back and corrected, and nobody judges themselves."""

from datetime import timedelta
from typing import Any

import pytest

from backoffice.accounts.models import User
from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators.models import Creator, CreatorApplication, VerificationDocument
from backoffice.creators.policies import NotReady
from backoffice.creators.services import applications, creators, documents, renewals
from backoffice.queues.models import WorkItem
from tests.factories import creators as make
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def reviewed(by: User) -> tuple[CreatorApplication, WorkItem, VerificationDocument]:
    """An application in review whose ID this reviewer opened and, by saving the checks, verified."""
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    save(application, item, by)
    return application, item, application.documents.get()


def save(application: CreatorApplication, item: WorkItem, by: User, **found: Any) -> None:
    applications.save_review(
        application=application, by=by, token=str(item.lease_token), findings=make.good(application, **found)
    )


def approve(application: CreatorApplication, item: WorkItem, by: User, **found: Any) -> CreatorApplication:
    return applications.approve(
        application=application, by=by, token=str(item.lease_token), findings=make.good(application, **found)
    )


# --- a failed check --------------------------------------------------------------------------------------


def test_a_failed_id_check_stops_the_approval_though_the_id_was_verified_before() -> None:
    by = make.reviewer()
    application, item, document = reviewed(by)
    assert document.status == "verified"
    with pytest.raises(NotReady) as error:
        approve(application, item, by, identity=False)
    assert [unmet.code for unmet in error.value.unmet] == ["identity"]
    assert "The ID check failed." in str(error.value)


def test_saving_a_failed_id_check_takes_the_verification_back_on_record_and_stays_failed() -> None:
    by = make.reviewer()
    application, item, document = reviewed(by)
    save(application, item, by, identity=False)
    document.refresh_from_db()
    application.refresh_from_db()
    assert (document.status, document.reviewer, application.identity_failed) == ("pending", None, True)
    entry = audit.for_subject(document).get(action="document.withdraw")
    assert (entry.actor, entry.reason) == (by, "identity check failed")
    with pytest.raises(NotReady):
        applications.approve(application=application, by=by, token=str(item.lease_token))
    approve(application, item, by)
    document.refresh_from_db()
    assert document.status == "verified"


def test_who_may_not_judge_documents_is_stopped_by_a_failed_id_check_too() -> None:
    by, ops = make.reviewer(), staff("ops_manager")
    application, item, document = reviewed(by)
    applications.release(application=application, by=by, token=str(item.lease_token))
    application, item = applications.claim(application=application, by=ops)
    save(application, item, ops, identity=False, verified_documents=())
    document.refresh_from_db()
    assert document.status == "verified"
    with pytest.raises(NotReady) as error:
        applications.approve(application=application, by=ops, token=str(item.lease_token))
    assert [unmet.code for unmet in error.value.unmet] == ["identity"]


def test_undoing_an_approval_takes_back_what_it_verified_and_nothing_else() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    approve(application, item, by)
    document = application.documents.get()
    assert document.status == "verified"
    application, item = applications.undo(application=application, by=by)
    document.refresh_from_db()
    assert document.status == "pending"
    with pytest.raises(NotReady) as error:
        approve(application, item, by, verified_documents=())
    assert [unmet.code for unmet in error.value.unmet] == ["identity"]
    save(application, item, by)
    approve(application, item, by)
    applications.undo(application=application, by=by)
    document.refresh_from_db()
    assert document.status == "verified"


def test_undoing_an_approval_takes_back_the_date_that_it_corrected() -> None:
    by, today = make.reviewer(), clock.now().date()
    application, item, document = reviewed(by)
    documents.correct_expiry(document=document, by=by, expires_on=today + 30 * DAY)
    approve(application, item, by, document_expires_on=today + 900 * DAY)
    # Who looked at it since does not matter.
    documents.open_for_view(document=document, by=make.reviewer())
    applications.undo(application=application, by=by)
    document.refresh_from_db()
    assert (document.status, document.document_expires_on) == ("verified", today + 30 * DAY)
    entry = audit.for_subject(document).filter(action="document.correct", reason="decision taken back").get()
    assert (entry.actor, entry.after) == (by, {"document_expires_on": (today + 30 * DAY).isoformat()})


def test_undoing_a_rejection_gives_back_the_verification_that_it_took() -> None:
    first, by = make.reviewer(), make.reviewer()
    application, item, document = reviewed(first)
    applications.release(application=application, by=first, token=str(item.lease_token))
    application, item = applications.claim(application=application, by=by)
    judged = (document.reviewer_id, document.reviewed_at)
    applications.reject(
        application=application,
        by=by,
        token=str(item.lease_token),
        code="identity",
        findings=make.good(application, identity=False),
    )
    document.refresh_from_db()
    assert (document.status, document.reviewer) == ("pending", None)
    application, _item = applications.undo(application=application, by=by)
    document.refresh_from_db()
    assert (document.status, document.reviewer_id, document.reviewed_at) == ("verified", *judged)
    application.refresh_from_db()
    assert (application.identity_failed, application.verdict_note) == (False, {})
    entry = audit.for_subject(document).filter(action="document.verify", reason="decision taken back").get()
    assert entry.actor == by


def test_undoing_leaves_alone_what_a_colleague_did_to_the_id_meanwhile() -> None:
    by, other, today = make.reviewer(), make.reviewer(), clock.now().date()
    application, item, document = reviewed(by)
    approve(application, item, by, document_expires_on=today + 900 * DAY)
    documents.open_for_view(document=document, by=other)
    documents.correct_expiry(document=document, by=other, expires_on=today + 70 * DAY)
    application, item = applications.undo(application=application, by=by)
    document.refresh_from_db()
    assert document.document_expires_on == today + 70 * DAY
    applications.reject(
        application=application,
        by=by,
        token=str(item.lease_token),
        code="identity",
        findings=make.good(application, identity=False),
    )
    documents.open_for_view(document=document, by=other)
    document.refresh_from_db()
    documents.reject(document=document, by=other, reason="Blurred.")
    applications.undo(application=application, by=by)
    document.refresh_from_db()
    assert document.status == "rejected"


# --- taking back and correcting --------------------------------------------------------------------------


def test_a_verification_that_made_a_creator_is_not_taken_back() -> None:
    by = make.reviewer()
    application = make.approved(by)
    document = application.documents.get()
    with pytest.raises(Conflict) as error:
        documents.withdraw(document=document, by=by, reason="x")
    assert error.value.code == "relied_on"
    assert application.creator is not None
    creators.reverify(creator=application.creator, by=by, reason="")
    documents.withdraw(document=document, by=by, reason="Another person.")
    document.refresh_from_db()
    assert document.status == "pending"


def test_the_id_of_a_suspended_creator_stays_for_a_restoration_relies_on_it() -> None:
    by = make.reviewer()
    application = make.approved(by)
    document = application.documents.get()
    assert application.creator is not None
    creators.suspend(creator=application.creator, by=None, reason="x")
    with pytest.raises(Conflict) as error:
        documents.withdraw(document=document, by=by, reason="x")
    assert error.value.code == "relied_on"
    document.refresh_from_db()
    assert document.status == "verified"


def test_a_mistyped_date_is_corrected_in_the_review_and_on_record() -> None:
    by, today = make.reviewer(), clock.now().date()
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    wrong, right = today + 30 * DAY, today + 3_000 * DAY
    save(application, item, by, document_expires_on=wrong)
    VerificationDocument.objects.filter(application=application).update(expiry_told_at=clock.now())
    save(application, item, by, document_expires_on=right)
    document = application.documents.get()
    assert (document.document_expires_on, document.expiry_told_at) == (right, None)
    entry = audit.for_subject(document).get(action="document.correct")
    assert (entry.before, entry.after) == (
        {"document_expires_on": wrong.isoformat()},
        {"document_expires_on": right.isoformat()},
    )
    save(application, item, by, document_expires_on=right)
    save(application, item, by, document_expires_on=None)
    assert audit.for_subject(document).filter(action="document.correct").count() == 1


def test_the_date_of_one_id_lands_on_no_other() -> None:
    by, today = make.reviewer(), clock.now().date()
    application, item, first = reviewed(by)
    documents.correct_expiry(document=first, by=by, expires_on=today + 900 * DAY)
    second = make.second_id(application, expires_on=today + 50 * DAY)
    dates = (today + 900 * DAY, today + 50 * DAY)

    def stand() -> tuple[tuple[Any, ...], str]:
        first.refresh_from_db()
        second.refresh_from_db()
        return (first.document_expires_on, second.document_expires_on), second.status

    # Not opened yet: nothing is verified, and its date does not correct the verified one.
    typed = {"document_expires_on": today + 60 * DAY, "dated_document": second.pk, "verified_documents": ()}
    save(application, item, by, **typed)
    assert stand() == (dates, "pending")
    # The day that stood there for the verified one says nothing about the one that came since.
    documents.open_for_view(document=second, by=by)
    save(application, item, by, document_expires_on=dates[0], dated_document=first.pk)
    assert stand() == (dates, "verified")
    documents.withdraw(document=second, by=by, reason="x")
    save(application, item, by, document_expires_on=today + 60 * DAY, dated_document=second.pk)
    assert stand() == ((dates[0], today + 60 * DAY), "verified")
    assert audit.for_subject(first).filter(action="document.correct").count() == 1


def test_a_day_typed_by_hand_is_for_the_id_that_is_verified() -> None:
    by, today = make.reviewer(), clock.now().date()
    application, item = make.in_review(by)
    first, second = application.documents.get(), make.second_id(application, expires_on=today + 50 * DAY)
    documents.open_for_view(document=second, by=by)
    day = today + 70 * DAY
    save(application, item, by, document_expires_on=day, dated_document=first.pk, verified_documents=(second.pk,))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.document_expires_on) == ("pending", None)
    assert (second.status, second.document_expires_on) == ("verified", day)


def test_a_date_is_corrected_by_whoever_opened_a_verified_document_and_not_into_the_past() -> None:
    by, today = make.reviewer(), clock.now().date()
    _application, _item, document = reviewed(by)
    with pytest.raises(Invalid):
        documents.correct_expiry(document=document, by=by, expires_on=today)
    with pytest.raises(Conflict) as error:
        documents.correct_expiry(document=document, by=make.reviewer(), expires_on=today + DAY)
    assert error.value.code == "document_not_opened"
    with pytest.raises(Forbidden):
        documents.correct_expiry(document=document, by=staff("ops_manager"), expires_on=today + DAY)
    documents.correct_expiry(document=document, by=by, expires_on=today + DAY)
    documents.correct_expiry(document=document, by=by, expires_on=None)
    document.refresh_from_db()
    assert document.document_expires_on is None
    documents.withdraw(document=document, by=by, reason="x")
    with pytest.raises(Conflict) as error:
        documents.correct_expiry(document=document, by=by, expires_on=today + DAY)
    assert error.value.code == "not_verified"


# --- nobody judges themselves ----------------------------------------------------------------------------


def test_staff_neither_open_nor_judge_their_own_id() -> None:
    own = make.reviewer()
    document = make.submitted(own).documents.get()
    VerificationDocument.objects.filter(pk=document.pk).update(opened_by=own, status="pending")
    document.refresh_from_db()
    attempts: list[Any] = [
        lambda: documents.open_for_view(document=document, by=own),
        lambda: documents.verify(document=document, by=own),
        lambda: documents.reject(document=document, by=own, reason="x"),
        lambda: documents.withdraw(document=document, by=own, reason="x"),
        lambda: documents.correct_expiry(document=document, by=own, expires_on=None),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden) as error:
            attempt()
        assert error.value.code == "own_verification"
    assert not audit.for_subject(document).filter(action="document.view").exists()


def test_staff_decide_nothing_about_themselves_as_creators() -> None:
    own, head = make.reviewer(), staff("admin")
    mine, heads = make.creator(own), make.creator(head)
    creators.suspend(creator=heads, by=None, reason="Alert")
    attempts: list[Any] = [
        lambda: creators.reverify(creator=mine, by=own, reason="x"),
        lambda: creators.confirm_verification(creator=mine, by=own),
        lambda: creators.reject_verification(creator=mine, by=own, reason="x"),
        lambda: renewals.keep(creator=mine, by=own),
        lambda: creators.restore(creator=heads, by=head, reason="x"),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden) as error:
            attempt()
        assert error.value.code == "own_verification"
    assert set(Creator.objects.values_list("verification_status", flat=True)) == {"verified", "suspended"}
