"""The application from start to live creator: guards, effects, queue, notifications (S-001 to S-011)."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from backoffice.audit import queries as audit
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition
from backoffice.creators import policies, queries
from backoffice.creators.models import Creator, CreatorApplication
from backoffice.creators.policies import NotReady
from backoffice.creators.services import applications, creators, documents
from backoffice.media.states import Processing
from backoffice.notifications.models import Notification
from backoffice.queues import queries as work
from backoffice.queues.services.items import LeaseLost, NotFree
from tests.factories import creators as make
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def told(user: Any, event: str) -> Notification:
    return Notification.objects.get(user=user, event=event, channel=Notification.Channel.IN_APP)


def codes(error: pytest.ExceptionInfo[NotReady]) -> set[str]:
    return {item.code for item in error.value.unmet}


# --- start -----------------------------------------------------------------------------------------------


def test_starting_gives_a_reference_and_leaves_an_audit_row() -> None:
    user = member()
    application = applications.start(user=user, by=user)
    assert application.reference.startswith("AP-")
    assert application.status == "pending_submission"
    assert audit.for_subject(application).get().action == "application.start"


def test_nobody_applies_for_somebody_else() -> None:
    with pytest.raises(Forbidden):
        applications.start(user=member(), by=member())


def test_a_person_has_one_open_application() -> None:
    application = make.submitted()
    with pytest.raises(Conflict) as error:
        applications.start(user=application.applicant, by=application.applicant)
    assert error.value.code == "application_open"


def test_the_database_itself_refuses_a_second_open_application() -> None:
    application = make.started()
    with pytest.raises(Exception, match="application_one_open_per_person"):
        CreatorApplication.objects.create(applicant=application.applicant, last_activity_at=clock.now())


def test_a_creator_does_not_apply_again() -> None:
    application = make.activated()
    with pytest.raises(Conflict) as error:
        applications.start(user=application.applicant, by=application.applicant)
    assert error.value.code == "already_creator"


def test_a_rejected_person_applies_again_after_thirty_days_and_not_before() -> None:
    at = clock.now() - 31 * DAY
    by = make.reviewer()
    application, item = make.in_review(by, make.submitted(at=at), at=at)
    applications.reject(
        application=application, by=by, token=str(item.lease_token), code="quality", undo_seconds=0, at=at
    )
    user = application.applicant
    with pytest.raises(Conflict) as error:
        applications.start(user=user, by=user, at=at + 29 * DAY)
    assert error.value.code == "reapply_later"
    again = applications.start(user=user, by=user, at=at + 31 * DAY)
    assert again.reapplication_of_id == application.pk


# --- submit ----------------------------------------------------------------------------------------------


def test_an_empty_application_names_everything_that_is_missing() -> None:
    user = member()
    application = applications.start(user=user, by=user)
    with pytest.raises(NotReady) as error:
        applications.submit(application=application, by=user)
    assert codes(error) == {
        "stage_name", "legal_name", "bio", "country", "categories", "languages", "social", "sample",
        "government_id", "terms",
    }  # fmt: skip
    application.refresh_from_db()
    assert application.status == "pending_submission"


def test_only_the_terms_in_force_are_accepted_and_newer_ones_are_asked_for_again() -> None:
    application = make.started()
    user, accepted = application.applicant, application.terms_accepted_at
    with pytest.raises(Invalid) as refusal:
        applications.update(application=application, by=user, fields={"terms_version": "anything"})
    assert refusal.value.field == "terms_version"
    assert "2026-01" in str(refusal.value)
    again = applications.update(application=application, by=user, fields={"terms_version": "2026-01"})
    assert again.terms_accepted_at == accepted
    values.change(key="application.terms_version", value="2027-01", by=staff("admin"), reason="New terms")
    with pytest.raises(NotReady) as error:
        applications.submit(application=application, by=user)
    assert codes(error) == {"terms"}
    applications.update(application=application, by=user, fields={"terms_version": "2027-01"})
    assert applications.submit(application=application, by=user).terms_version == "2027-01"


def test_a_sample_that_failed_processing_counts_as_missing() -> None:
    application = make.started()
    assert application.sample is not None
    type(application.sample).objects.filter(pk=application.sample_id).update(
        processing_status=Processing.ERROR, error_code="unreadable"
    )
    with pytest.raises(NotReady) as error:
        applications.submit(application=application, by=application.applicant)
    assert codes(error) == {"sample"}


def test_submitting_puts_it_into_the_queue_with_due_time_and_reasons_and_tells_the_applicant() -> None:
    at = clock.now()
    application = make.submitted(at=at)
    item = work.for_subject("applications", application)
    assert item is not None
    assert item.due_at == at + timedelta(hours=72)
    assert {reason["code"] for reason in item.reasons} == {"new_application", "audience"}
    assert item.priority == sum(reason["score"] for reason in item.reasons)
    assert item.language == "ht"
    assert application.reference in told(application.applicant, "application.received").subject


def test_a_submitted_application_takes_no_changes_and_no_documents() -> None:
    application = make.submitted()
    with pytest.raises(Conflict):
        applications.update(application=application, by=application.applicant, fields={"bio": "new"})
    with pytest.raises(Conflict):
        documents.upload(application=application, document_type="passport", content=make.PDF, by=application.applicant)


def test_contents_are_changed_by_their_applicant_only_and_only_known_fields() -> None:
    application = make.started()
    with pytest.raises(Forbidden):
        applications.update(application=application, by=member(), fields={"bio": "x"})
    with pytest.raises(Invalid):
        applications.update(application=application, by=application.applicant, fields={"status": "approved"})


def test_a_foreign_sample_is_refused() -> None:
    application = make.started()
    with pytest.raises(Invalid) as error:
        applications.update(application=application, by=application.applicant, fields={"sample": make.sample(member())})
    assert error.value.field == "sample"


def test_replacing_accounts_keeps_the_unchanged_ones() -> None:
    application = make.started()
    kept = application.social_accounts.get()
    applications.update(
        application=application,
        by=application.applicant,
        fields={
            "social": [
                {"platform": "instagram", "handle": "TiJoslin", "url": kept.url},
                {"platform": "youtube", "handle": "joslin", "url": "https://youtube.com/@joslin"},
            ]
        },
    )
    assert set(application.social_accounts.values_list("platform", flat=True)) == {"instagram", "youtube"}
    assert application.social_accounts.filter(pk=kept.pk).exists()


# --- claim, release --------------------------------------------------------------------------------------


def test_a_changed_follower_count_is_taken_and_the_check_of_the_account_kept() -> None:
    application = make.started()
    account = application.social_accounts.get()
    type(account).objects.filter(pk=account.pk).update(
        verified=True, checked_at=clock.now(), checked_by=make.reviewer()
    )
    row = {"platform": "instagram", "handle": "@tijoslin", "url": account.url}
    for given, kept in (({"follower_count": 250_000}, 250_000), ({}, 250_000), ({"follower_count": 0}, 0)):
        applications.update(application=application, by=application.applicant, fields={"social": [{**row, **given}]})
        found = application.social_accounts.get()
        assert (found.pk, found.follower_count, found.verified) == (account.pk, kept, True)
    fields = {"social": [{**row, "follower_count": 250_000}]}
    applications.update(application=application, by=application.applicant, fields=fields)
    applications.submit(application=application, by=application.applicant)
    item = work.for_subject("applications", application)
    assert item is not None
    assert {reason["code"]: reason["score"] for reason in item.reasons}["audience"] == 20


def test_claiming_names_the_reviewer_and_a_second_one_is_told_who_has_it() -> None:
    first, second = make.reviewer(display_name="Nadège"), make.reviewer()
    application, _item = make.in_review(first)
    assert (application.status, application.reviewer) == ("in_review", first)
    with pytest.raises(NotFree, match="Nadège"):
        applications.claim(application=application, by=second)


def test_claiming_asks_for_the_permission() -> None:
    with pytest.raises(Forbidden):
        applications.claim(application=make.submitted(), by=staff("content_moderator"))


def test_nobody_reviews_their_own_application() -> None:
    person, other = member(), member()
    own, foreign = make.submitted(person), make.submitted(other)
    person.is_staff = True
    person.save()
    person.groups.set(Group.objects.filter(name="verification_reviewer"))
    with pytest.raises(Forbidden) as error:
        applications.claim(application=own, by=person)
    assert error.value.code == "own_application"
    claimed = applications.claim_next(by=person)
    assert claimed is not None
    assert claimed[0] == foreign
    assert applications.claim_next(by=person) is None
    assert applications.claim_next(by=make.reviewer())[0] == own  # type: ignore[index]


def test_releasing_returns_it_to_the_queue() -> None:
    by, other = make.reviewer(), make.reviewer()
    application, item = make.in_review(by)
    application = applications.release(application=application, by=by, token=str(item.lease_token))
    assert (application.status, application.reviewer) == ("submitted", None)
    claimed = applications.claim_next(by=other)
    assert claimed is not None
    assert claimed[0].pk == application.pk


def test_an_abandoned_review_returns_to_submitted_by_itself() -> None:
    at = clock.now()
    application, _item = make.in_review(make.reviewer(), at=at)
    assert applications.return_abandoned(at=at + timedelta(seconds=60)) == 0
    assert applications.return_abandoned(at=at + timedelta(seconds=121)) == 1
    application.refresh_from_db()
    assert (application.status, application.reviewer) == ("submitted", None)


def test_an_abandoned_review_can_be_taken_over_and_the_first_reviewer_cannot_decide_any_more() -> None:
    at = clock.now()
    first, second = make.reviewer(), make.reviewer(display_name="Second Reader")
    application, item = make.in_review(first, at=at)
    later = at + timedelta(minutes=5)
    application, _fresh = applications.claim(application=application, by=second, at=later)
    assert application.reviewer == second
    with pytest.raises(LeaseLost, match="Second Reader"):
        applications.reject(application=application, by=first, token=str(item.lease_token), code="quality", at=later)
    actions = list(audit.for_subject(application).values_list("action", flat=True))
    assert actions.count("application.claim") == 2
    assert "application.release" in actions


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_sent_at_once_one_counts() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    findings = make.good(application)
    barrier, outcomes = threading.Barrier(2), []

    def decide(verb: str) -> None:
        barrier.wait()
        mine = CreatorApplication.objects.get(pk=application.pk)
        token = str(item.lease_token)
        try:
            if verb == "approve":
                applications.approve(application=mine, by=by, token=token, findings=findings, undo_seconds=0)
            else:
                applications.reject(application=mine, by=by, token=token, code="quality", undo_seconds=0)
            outcomes.append(verb)
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(v,), name=f"race-{v}") for v in ("approve", "reject")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    application.refresh_from_db()
    assert outcomes.count("lease_lost") == 1
    assert Creator.objects.count() == (1 if application.status == "approved" else 0)
    assert application.status in ("approved", "rejected")


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_who_ask_for_the_next_one_at_once_get_different_ones() -> None:
    pair = [make.submitted(), make.submitted()]
    reviewers = [make.reviewer(), make.reviewer()]
    barrier, got = threading.Barrier(2), []

    def take(by: Any) -> None:
        barrier.wait()
        claimed = applications.claim_next(by=by)
        got.append(claimed[0].pk if claimed else None)
        connection.close()

    threads = [threading.Thread(target=take, args=(r,), name=f"race-{r.pk}") for r in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(got) == {application.pk for application in pair}


# --- information -----------------------------------------------------------------------------------------


def test_asking_pauses_the_clock_and_writes_in_the_applicants_language() -> None:
    by = make.reviewer()
    application, item = make.in_review(by, make.submitted(member(language="fr")))
    application = applications.request_info(
        application=application,
        by=by,
        token=str(item.lease_token),
        text="Il manque une pièce.",
        asked=["note"],
    )
    found = work.for_subject("applications", application)
    assert found is not None
    assert (application.status, found.state, found.return_to) == ("additional_info_required", "paused", by)
    notice = told(application.applicant, "application.info_requested")
    assert "Il nous manque" in notice.subject
    assert "Il manque une pièce." in notice.body


def test_asking_needs_something_to_ask() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    with pytest.raises(Invalid):
        applications.request_info(application=application, by=by, token=str(item.lease_token))


def test_asked_things_write_the_request_when_the_reviewer_does_not() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    application = applications.request_info(
        application=application, by=by, token=str(item.lease_token), asked=["government_id", "sample"]
    )
    assert application.info_requested.count("\n- ") == 2


def test_an_answer_without_what_was_asked_names_it() -> None:
    by = make.reviewer()
    application = make.waiting(by, asked=("government_id", "social", "sample", "note"))
    with pytest.raises(NotReady) as error:
        applications.answer(application=application, by=application.applicant)
    assert codes(error) == {"government_id", "social", "sample", "note"}


def test_an_answer_returns_to_the_same_reviewer_first_with_its_due_time_moved() -> None:
    at = clock.now() - 10 * DAY
    by, other = make.reviewer(), make.reviewer()
    application = make.waiting(by, at=at, asked=("government_id", "note"))
    user = application.applicant
    before = work.for_subject("applications", application)
    later = at + 5 * DAY
    documents.upload(application=application, document_type="passport", content=make.PDF, by=user, at=later)
    application = applications.answer(application=application, by=user, text="Here it is.", at=later)
    after = work.for_subject("applications", application)
    assert before is not None
    assert after is not None
    assert before.due_at is not None
    assert (application.status, application.answer) == ("submitted", "Here it is.")
    assert after.due_at == before.due_at + 5 * DAY
    assert applications.claim_next(by=other, at=later) is None
    claimed = applications.claim_next(by=by, at=later)
    assert claimed is not None
    assert claimed[0].pk == application.pk


def test_only_the_applicant_answers() -> None:
    application = make.waiting(make.reviewer())
    with pytest.raises(Forbidden):
        applications.answer(application=application, by=member(), text="x")


# --- approve ---------------------------------------------------------------------------------------------


def test_approving_without_anything_done_names_every_guard_and_decides_nothing() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    with pytest.raises(NotReady) as error:
        applications.approve(application=application, by=by, token=str(item.lease_token))
    assert codes(error) == {"identity", "social", "public_figure", "assessment"}
    application.refresh_from_db()
    found = work.for_subject("applications", application)
    assert found is not None
    assert (application.status, found.state) == ("in_review", "claimed")
    assert not Creator.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"verified_documents": ()}, "identity"),
        ({"checked_accounts": ()}, "social"),
        ({"public_figure": "unchecked"}, "public_figure"),
        ({"public_figure": "doubtful"}, "public_figure"),
        ({"background_required": True}, "background"),
        ({"background_required": True, "background_passed": False}, "background"),
        ({"video_quality": None}, "assessment_video"),
        ({"audio_quality": None}, "assessment_audio"),
        ({"content_rating": None}, "assessment_appropriateness"),
        ({"appropriate": None}, "assessment_appropriateness"),
        ({"appropriate": False}, "assessment_appropriateness"),
        ({"languages_confirmed": ()}, "assessment_language"),
        ({"cultural_authenticity": None}, "assessment_culture"),
    ],
)
def test_each_guard_alone_stops_an_approval(change: dict[str, Any], code: str) -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    make.look_at_documents(application, by)
    with pytest.raises(NotReady) as error:
        applications.approve(
            application=application,
            by=by,
            token=str(item.lease_token),
            findings=make.good(application, **change),
        )
    assert codes(error) == {code}


def test_a_document_nobody_opened_cannot_be_verified() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    with pytest.raises(Conflict) as error:
        applications.approve(
            application=application, by=by, token=str(item.lease_token), findings=make.good(application)
        )
    assert error.value.code == "document_not_opened"


def test_approving_makes_a_verified_creator_who_is_not_live_yet() -> None:
    application = make.approved()
    creator = application.creator
    assert creator is not None
    assert (creator.verification_status, creator.is_active, creator.tier) == ("verified", False, "verified")
    assert (creator.stage_name, creator.slug, creator.languages) == ("Ti Joslin", "ti-joslin", ["ht", "fr"])
    assert creator.social_accounts.count() == 1
    assert not queries.public().exists()
    assert "two-step sign-in" in told(application.applicant, "application.approved").body
    item = work.for_subject("applications", application)
    assert item is not None
    assert (item.state, item.outcome) == ("done", "approved")


def test_two_creators_of_one_name_get_two_addresses() -> None:
    first, second = make.approved().creator, make.approved().creator
    assert first is not None
    assert second is not None
    assert (first.slug, second.slug) == ("ti-joslin", "ti-joslin-2")


# --- reject ----------------------------------------------------------------------------------------------


def test_rejecting_keeps_code_and_text_tells_the_applicant_and_dates_the_documents_end() -> None:
    at = clock.now()
    by = make.reviewer()
    application, item = make.in_review(by, make.submitted(member(language="ht"), at=at), at=at)
    application = applications.reject(
        application=application,
        by=by,
        token=str(item.lease_token),
        undo_seconds=0,
        code="other",
        text="Nou regrèt sa.",
        at=at,
    )
    assert (application.status, application.decision_code) == ("rejected", "other")
    assert application.documents.get().purge_after == at + 365 * DAY
    notice = told(application.applicant, "application.rejected")
    assert "Nou regrèt sa." in notice.body
    assert (at + 30 * DAY).date().isoformat() in notice.body


@pytest.mark.parametrize("code", ["", "lapsed", "because"])
def test_rejecting_needs_a_reason_code_of_staff(code: str) -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    with pytest.raises(Invalid):
        applications.reject(application=application, by=by, token=str(item.lease_token), code=code, text="x")


def test_another_reason_needs_words() -> None:
    by = make.reviewer()
    application, item = make.in_review(by)
    with pytest.raises(Invalid):
        applications.reject(application=application, by=by, token=str(item.lease_token), code="other")


def test_a_creator_who_was_refused_once_may_become_one_later() -> None:
    at = clock.now() - 60 * DAY
    user, by = member(), make.reviewer()
    old = creators.create_imported(user=user, stage_name="Old Name", by=None, at=at)
    application, item = make.in_review(by, make.submitted(user, at=at), at=at)
    applications.reject(
        application=application, by=by, token=str(item.lease_token), code="quality", undo_seconds=0, at=at
    )
    old.refresh_from_db()
    assert old.verification_status == "rejected"
    again = make.submitted(user, at=at + 40 * DAY)
    old.refresh_from_db()
    assert old.verification_status == "pending"
    later = at + 41 * DAY
    again, item = make.in_review(by, again, at=later)
    make.look_at_documents(again, by, at=later)
    again = applications.approve(
        application=again, by=by, token=str(item.lease_token), findings=make.good(again), undo_seconds=0, at=later
    )
    assert again.creator == old


# --- activate --------------------------------------------------------------------------------------------


def test_activating_too_early_names_each_fact_that_is_missing() -> None:
    application = make.approved()
    with pytest.raises(NotReady) as error:
        applications.activate(application=application, by=make.reviewer())
    assert codes(error) == {"mfa", "tax_form", "payout_account", "agreement", "pricing"}


def test_activating_makes_the_creator_live_and_says_so() -> None:
    application = make.activated()
    assert application.status == "activated"
    assert [c.pk for c in queries.public()] == [application.creator_id]
    assert "is live" in told(application.applicant, "application.activated").subject


def test_the_system_activates_whoever_is_ready_and_leaves_the_others() -> None:
    ready, waiting = make.approved(), make.approved()
    assert ready.creator is not None
    make.make_ready(ready.creator)
    jobs.enqueue("creators.activate_ready")
    jobs.run_due(kinds=["creators.activate_ready"])
    ready.refresh_from_db()
    waiting.refresh_from_db()
    assert (ready.status, waiting.status) == ("activated", "approved")


def test_an_incomplete_profile_keeps_a_creator_from_going_live() -> None:
    application = make.approved()
    assert application.creator is not None
    make.make_ready(application.creator)
    creators.update_profile(creator=application.creator, by=application.applicant, fields={"bio": ""})
    with pytest.raises(NotReady) as error:
        applications.activate(application=application)
    assert codes(error) == {"profile"}


# --- lapse -----------------------------------------------------------------------------------------------


def test_applications_left_alone_for_sixty_days_lapse_and_leave_the_queue() -> None:
    at = clock.now() - 61 * DAY
    written = make.started(at=at)
    asked = make.waiting(make.reviewer(), at=at)
    fresh = make.started(at=clock.now() - 59 * DAY)
    jobs.enqueue("creators.lapse_applications")
    jobs.run_due(kinds=["creators.lapse_applications"])
    for application in (written, asked):
        application.refresh_from_db()
        assert (application.status, application.decision_code) == ("rejected", "lapsed")
        assert application.documents.get().purge_after is not None
    fresh.refresh_from_db()
    assert fresh.status == "pending_submission"
    item = work.for_subject("applications", asked)
    assert item is not None
    assert item.state == "cancelled"
    assert told(asked.applicant, "application.lapsed")


@pytest.mark.parametrize("language", ["en", "fr", "ht"])
def test_who_was_approved_and_never_went_live_is_closed_and_the_papers_get_their_end(language: str) -> None:
    at = clock.now() - 181 * DAY
    application = make.approved(user=member(language=language), at=at)
    fresh, done = make.approved(at=at + 2 * DAY), make.activated(at=at)
    suspended = make.approved(at=at)
    assert suspended.creator is not None
    creators.suspend(creator=suspended.creator, by=None, reason="Alert")
    assert applications.lapse_due() == 1
    assert applications.lapse_due() == 0
    application.refresh_from_db()
    creator = application.creator
    assert creator is not None
    assert (application.status, application.decision_code, application.decided_by) == ("rejected", "lapsed", None)
    assert (creator.verification_status, creator.badges.filter(revoked_at=None).count()) == ("rejected", 0)
    paper = application.documents.get()
    assert (paper.status, paper.purge_after is not None) == ("verified", True)
    mail = Notification.objects.get(user=application.applicant, event="application.lapsed", channel="in_app")
    words = {"en": "was approved", "fr": "avait été acceptée", "ht": "Nou te aksepte"}
    assert words[language] in mail.body
    for other, status in ((fresh, "approved"), (done, "activated"), (suspended, "approved")):
        other.refresh_from_db()
        assert (other.status, other.documents.get().purge_after) == (status, None)
    user = application.applicant
    with pytest.raises(Conflict):
        applications.start(user=user, by=user)
    again = applications.start(user=user, by=user, at=clock.now() + 31 * DAY)
    creator.refresh_from_db()
    assert (again.reapplication_of, creator.verification_status) == (application, "pending")


def test_an_application_in_the_queue_never_lapses() -> None:
    application = make.submitted(at=clock.now() - 90 * DAY)
    assert applications.lapse_due() == 0
    with pytest.raises(IllegalTransition):
        applications.lapse(application=application)


# --- policies say what is open ---------------------------------------------------------------------------


def test_the_guards_of_a_finished_review_are_empty() -> None:
    application = make.approved()
    assert policies.missing_to_approve(application) == []
