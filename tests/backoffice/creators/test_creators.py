"""The creator's own record: suspension, re-verification, holds, facts, profile (S-012 to S-017)."""

import importlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import translation
from django.utils.translation import gettext

from backoffice.audit import queries as audit
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition
from backoffice.creators import queries
from backoffice.creators.models import Creator, VerificationDocument
from backoffice.creators.policies import NotReady
from backoffice.creators.services import applications, creators, documents
from backoffice.notifications.models import Notification
from tests.factories import creators as make
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_suspending_hides_the_creator_holds_the_payouts_and_tells_them_why() -> None:
    creator, by = make.creator(), staff("ops_manager")
    creators.suspend(creator=creator, by=by, reason="Sells other people's films.")
    creator.refresh_from_db()
    assert (creator.verification_status, creator.payout_hold) == ("suspended", True)
    assert not queries.public().filter(pk=creator.pk).exists()
    notice = Notification.objects.get(user=creator.user, event="creator.suspended", channel="in_app")
    assert "Sells other people's films." in notice.body


def test_suspending_needs_the_permission_and_a_reason() -> None:
    creator = make.creator()
    with pytest.raises(Forbidden):
        creators.suspend(creator=creator, by=staff("customer_support"), reason="x")
    with pytest.raises(Invalid):
        creators.suspend(creator=creator, by=staff("ops_manager"), reason="  ")


def test_restoring_shows_the_creator_but_payouts_wait_for_a_review() -> None:
    creator, by = make.creator(), staff("ops_manager")
    creators.suspend(creator=creator, by=by, reason="x")
    with pytest.raises(Conflict):
        creators.release_payouts(creator=creator, by=staff("financial_admin"), reason="fine")
    creators.restore(creator=creator, by=by, reason="Cleared.")
    assert creator.is_live
    creator.refresh_from_db()
    assert creator.payout_hold
    creators.release_payouts(creator=creator, by=staff("financial_admin"), reason="Looked through the sales.")
    creator.refresh_from_db()
    assert not creator.payout_hold


def test_a_suspension_with_an_end_date_ends_by_itself() -> None:
    creator = make.creator()
    at = clock.now() - 3 * DAY
    creators.suspend(creator=creator, by=None, reason="Alert", until=at + DAY, at=at)
    jobs.enqueue("creators.end_suspensions")
    jobs.run_due(kinds=["creators.end_suspensions"])
    creator.refresh_from_db()
    assert creator.verification_status == "verified"
    assert creator.payout_hold


def test_a_suspension_does_not_end_in_the_past() -> None:
    creator = make.creator()
    with pytest.raises(Invalid):
        creators.suspend(creator=creator, by=None, reason="x", until=clock.now() - DAY)


def test_a_reverification_keeps_the_creator_live_and_holds_payouts_after_its_deadline() -> None:
    application, by = make.activated(), make.reviewer()
    creator, at = application.creator, clock.now()
    assert creator is not None
    creators.reverify(creator=creator, by=by, reason="Yearly review", at=at)
    assert creators.hold_overdue(at=at + 29 * DAY) == 0
    assert queries.public().filter(pk=creator.pk).exists()
    assert creators.hold_overdue(at=at + 31 * DAY) == 1
    creator.refresh_from_db()
    assert creator.payout_hold
    with pytest.raises(Conflict):
        creators.release_payouts(creator=creator, by=staff("financial_admin"), reason="x", at=at + 31 * DAY)
    with pytest.raises(NotReady):
        creators.confirm_verification(creator=creator, by=by)
    make.new_id(application, by)
    creators.confirm_verification(creator=creator, by=by)
    creators.release_payouts(creator=creator, by=staff("financial_admin"), reason="Confirmed")
    creator.refresh_from_db()
    assert (creator.verification_status, creator.payout_hold) == ("verified", False)
    assert (creator.reverify_by, creator.reverify_asked_at) == (None, None)


def test_an_id_that_came_before_the_request_or_was_verified_before_it_confirms_nothing() -> None:
    application, by, at = make.activated(), make.reviewer(), clock.now()
    creator = application.creator
    assert creator is not None
    creators.reverify(creator=creator, by=by, reason="Doubts", at=at)
    early = make.new_id(application, by)
    creator.refresh_from_db()
    VerificationDocument.objects.filter(pk=early.pk).update(created_at=at - DAY)
    with pytest.raises(NotReady) as error:
        creators.confirm_verification(creator=creator, by=by)
    assert "came after the request" in str(error.value)
    VerificationDocument.objects.filter(pk=early.pk).update(created_at=at, reviewed_at=at - DAY)
    with pytest.raises(NotReady):
        creators.confirm_verification(creator=creator, by=by)
    VerificationDocument.objects.filter(pk=early.pk).update(reviewed_at=at)
    creators.confirm_verification(creator=creator, by=by)
    assert creator.verification_status == "verified"


def test_a_suspension_in_the_middle_does_not_put_the_request_off() -> None:
    application, by, at = make.activated(), make.reviewer(), clock.now()
    creator = application.creator
    assert creator is not None
    creators.reverify(creator=creator, by=by, reason="Doubts", at=at)
    make.new_id(application, by)
    creators.suspend(creator=creator, by=None, reason="Alert")
    creators.restore(creator=creator, by=staff("ops_manager"), reason="Cleared")
    assert (creator.verification_status, creator.reverify_asked_at) == ("pending", at)
    creators.confirm_verification(creator=creator, by=by)


def test_an_expired_id_asks_the_creator_for_a_new_one_which_confirms_the_identity() -> None:
    application, by, at = make.activated(), make.reviewer(), clock.now()
    old = application.documents.get()
    type(old).objects.filter(pk=old.pk).update(document_expires_on=(at - DAY).date())
    jobs.enqueue("creators.expire_documents")
    jobs.run_due(kinds=["creators.expire_documents"])
    creator = application.creator
    assert creator is not None
    creator.refresh_from_db()
    assert (creator.verification_status, creator.is_live) == ("pending", True)
    with pytest.raises(NotReady):
        creators.confirm_verification(creator=creator, by=by)
    new = documents.upload(
        application=application, document_type="passport", content=make.PDF, by=application.applicant
    )
    documents.open_for_view(document=new, by=by)
    documents.verify(document=new, by=by)
    creators.confirm_verification(creator=creator, by=by)
    assert creators.expire_documents() == 0
    creator.refresh_from_db()
    assert creator.verification_status == "verified"


def test_a_refused_reverification_hides_the_creator() -> None:
    creator, by = make.creator(), make.reviewer()
    creators.reverify(creator=creator, by=by, reason="")
    creators.reject_verification(creator=creator, by=by, reason="Not the same person.")
    creator.refresh_from_db()
    assert (creator.verification_status, creator.payout_hold, creator.is_live) == ("rejected", True, False)
    assert not creator.is_active


@pytest.mark.parametrize("language", ["en", "fr", "ht"])
def test_a_refused_creator_reads_why_and_from_when_they_may_apply_again(language: str) -> None:
    creator, by, at = make.creator(member(language=language)), make.reviewer(), clock.now()
    creators.reverify(creator=creator, by=by, reason="")
    creators.reject_verification(creator=creator, by=by, reason="Se pa menm moun nan.", at=at)
    notice = Notification.objects.get(user=creator.user, event="creator.verification_refused", channel="in_app")
    assert "Se pa menm moun nan." in notice.body
    assert (at + 30 * DAY).date().isoformat() in notice.body
    assert notice.language == language
    assert ("Hello" in notice.body) == (language == "en")


def test_a_refused_creator_applies_again_and_is_not_live_before_it_is_approved() -> None:
    application, by, at = make.activated(), make.reviewer(), clock.now()
    user, creator = application.applicant, application.creator
    assert creator is not None
    creators.reverify(creator=creator, by=by, reason="Doubts", at=at)
    creators.reject_verification(creator=creator, by=by, reason="Another person.", at=at)
    with pytest.raises(Conflict) as error:
        applications.start(user=user, by=user, at=at + 29 * DAY)
    assert error.value.code == "reapply_later"
    again = make.started(user, at=at + 31 * DAY)
    creator.refresh_from_db()
    assert (again.reapplication_of, creator.verification_status) == (application, "pending")
    assert (creator.is_live, queries.public().filter(pk=creator.pk).exists()) == (False, False)
    with pytest.raises(NotReady):
        creators.confirm_verification(creator=creator, by=by)
    applications.submit(application=again, by=user, at=at + 31 * DAY)
    taken, item = make.in_review(by, again, at=at + 31 * DAY)
    make.look_at_documents(taken, by, at=at + 31 * DAY)
    applications.approve(
        application=taken,
        by=by,
        token=str(item.lease_token),
        findings=make.good(taken),
        undo_seconds=0,
        at=at + 31 * DAY,
    )
    creator.refresh_from_db()
    assert (creator.verification_status, creator.is_live, creator.refused_at) == ("verified", False, None)
    applications.activate(application=taken, at=at + 31 * DAY)
    creator.refresh_from_db()
    assert (creator.is_live, creator.payout_hold) == (True, True)


def test_a_refusal_before_going_live_ends_the_approved_application() -> None:
    application, by, at = make.approved(), make.reviewer(), clock.now()
    creator = application.creator
    assert creator is not None
    creators.reverify(creator=creator, by=by, reason="Doubts", at=at)
    creators.reject_verification(creator=creator, by=by, reason="Another person.", at=at)
    application.refresh_from_db()
    assert (application.status, application.decision_code, application.decided_by) == ("rejected", "identity", by)
    user = application.applicant
    assert applications.start(user=user, by=user, at=at + 31 * DAY).reapplication_of == application


def refused_before() -> Creator:
    """A creator refused when neither the moment was kept nor an approval ended with it."""
    creator = make.approved(at=clock.now() - 90 * DAY).creator
    assert creator is not None
    Creator.objects.filter(pk=creator.pk).update(
        verification_status="rejected", refused_at=None, updated_at=clock.now() - 10 * DAY
    )
    creator.refresh_from_db()
    return creator


def test_who_was_refused_before_the_moment_was_kept_waits_and_starts_anew() -> None:
    creator = refused_before()
    user, approved = creator.user, creator.applications.get()
    with pytest.raises(Conflict) as error:
        applications.start(user=user, by=user)
    assert error.value.code == "reapply_later"
    again = applications.start(user=user, by=user, at=clock.now() + 25 * DAY)
    approved.refresh_from_db()
    was = creator.updated_at
    creator.refresh_from_db()
    assert again.reapplication_of == approved
    assert (approved.status, approved.decision_code, approved.decided_at) == ("rejected", "identity", was)
    assert (creator.verification_status, creator.refused_at) == ("pending", was)
    # The ID from before counts for nothing.
    with pytest.raises(NotReady):
        creators.confirm_verification(creator=creator, by=make.reviewer())


def test_a_rejected_reapplication_keeps_the_moment_of_the_refusal() -> None:
    creator, by, at = refused_before(), make.reviewer(), clock.now() + 25 * DAY
    again = make.submitted(creator.user, at=at)
    taken, item = make.in_review(by, again, at=at)
    applications.reject(application=taken, by=by, token=str(item.lease_token), code="quality", undo_seconds=0, at=at)
    creator.refresh_from_db()
    assert (creator.verification_status, creator.refused_at) == ("rejected", at)


def test_the_moment_of_earlier_refusals_is_filled_in() -> None:
    refused, applying, other = refused_before(), refused_before(), make.creator()
    again = applications.start(user=applying.user, by=applying.user, at=clock.now() + 25 * DAY)
    Creator.objects.filter(pk=applying.pk).update(refused_at=None)
    step = importlib.import_module("backoffice.creators.migrations.0010_refused_before")
    with connection.cursor() as cursor:
        cursor.execute(step.REFUSED)
        cursor.execute(step.APPLYING)
    for creator in (refused, applying, other):
        creator.refresh_from_db()
    assert refused.refused_at == refused.updated_at
    assert (applying.refused_at, other.refused_at) == (again.created_at, None)


def test_the_sentence_of_an_expired_id_is_in_the_language_of_the_creator_not_of_the_worker() -> None:
    application = make.activated(member(language="ht"))
    application.documents.update(document_expires_on=(clock.now() - DAY).date())
    with translation.override("en"):
        creators.expire_documents()
    with translation.override("ht"):
        sentence = gettext("Your ID has expired.")
    assert sentence != "Your ID has expired."
    notices = Notification.objects.filter(user=application.applicant, event="creator.reverify")
    assert notices.count() == 2
    for notice in notices:
        assert sentence in notice.body
        assert "Your ID has expired." not in notice.body


def test_holding_payouts_needs_a_reason_and_doing_it_twice_writes_one_row() -> None:
    creator, by = make.creator(), staff("financial_admin")
    with pytest.raises(Invalid):
        creators.hold_payouts(creator=creator, by=by, reason="")
    at = clock.now()
    creators.hold_payouts(creator=creator, by=by, reason="Dispute", at=at)
    creators.hold_payouts(creator=creator, by=by, reason="Dispute", at=at)
    assert audit.for_subject(creator).filter(action="creator.hold_payouts").count() == 1


def test_the_database_refuses_a_hold_without_a_reason() -> None:
    creator = make.creator()
    with pytest.raises(IntegrityError, match="creator_hold_has_reason"):
        Creator.objects.filter(pk=creator.pk).update(payout_hold=True)


def test_facts_of_finance_are_kept_with_their_history() -> None:
    creator = make.creator()
    creators.record_tax_form(creator=creator, status="submitted", by=None)
    creators.record_payout_account(creator=creator, ready=True, by=None)
    creator.refresh_from_db()
    assert (creator.tax_form_status, creator.payout_account_ready) == ("submitted", True)
    entry = audit.for_subject(creator).get(action="creator.tax_form")
    assert (entry.before, entry.after) == ({"tax_form_status": "missing"}, {"tax_form_status": "submitted"})
    with pytest.raises(Invalid):
        creators.record_tax_form(creator=creator, status="lost", by=None)


def test_only_the_creator_signs_the_agreement() -> None:
    creator = make.creator()
    with pytest.raises(Conflict):
        creators.sign_agreement(creator=creator, by=staff("admin"), version="2026-01")
    creators.sign_agreement(creator=creator, by=creator.user, version="2026-01")
    creator.refresh_from_db()
    assert creator.agreement_signed_at is not None


def test_the_profile_changes_only_in_its_own_fields_and_leaves_the_difference_on_record() -> None:
    creator = make.creator(stage_name="Before")
    with pytest.raises(Invalid) as error:
        creators.update_profile(creator=creator, by=creator.user, fields={"is_active": False})
    assert error.value.field == "is_active"
    creators.update_profile(creator=creator, by=creator.user, fields={"stage_name": "After", "country": "HT"})
    entry = audit.for_subject(creator).get(action="creator.update")
    assert (entry.before, entry.after) == ({"stage_name": "Before"}, {"stage_name": "After"})


def test_a_foreign_picture_is_no_avatar() -> None:
    creator = make.creator()
    with pytest.raises(Invalid):
        creators.update_profile(creator=creator, by=creator.user, fields={"avatar": make.sample(member())})


@pytest.mark.parametrize("kind", ["proof", "video", "sample", "subtitle"])
def test_only_a_picture_becomes_an_avatar(kind: str) -> None:
    creator = make.creator()
    with pytest.raises(Invalid) as error:
        creators.update_profile(
            creator=creator, by=creator.user, fields={"avatar": make.sample(creator.user, kind=kind)}
        )
    assert error.value.field == "avatar"


def test_a_release_looks_at_the_creator_as_it_stands_now() -> None:
    creator, finance = make.creator(), staff("financial_admin")
    creators.hold_payouts(creator=creator, by=finance, reason="Odd sales")
    opened = Creator.objects.get(pk=creator.pk)
    creators.suspend(creator=creator, by=staff("admin"), reason="Stolen films")
    with pytest.raises(Conflict) as error:
        creators.release_payouts(creator=opened, by=finance, reason="Looked at")
    assert error.value.code == "suspended"
    creator.refresh_from_db()
    assert creator.payout_hold


def test_a_name_is_one_line() -> None:
    creator = make.creator()
    creators.update_profile(creator=creator, by=creator.user, fields={"stage_name": "Ti\r\n  Joslin"})
    creator.refresh_from_db()
    assert creator.stage_name == "Ti Joslin"


def test_an_import_makes_one_creator_per_person_and_no_unverified_live_one() -> None:
    user = member()
    creators.create_imported(user=user, stage_name="Djanm", by=None)
    with pytest.raises(Conflict):
        creators.create_imported(user=user, stage_name="Djanm", by=None)
    with pytest.raises(Invalid):
        creators.create_imported(user=member(), stage_name="X", by=None, active=True)


def test_a_name_without_latin_letters_still_gets_an_address() -> None:
    assert make.creator(stage_name="דוד").slug.startswith("creator")


def test_a_verb_out_of_place_is_refused() -> None:
    creator = make.creator()
    with pytest.raises(IllegalTransition):
        creators.restore(creator=creator, by=staff("admin"), reason="x")
