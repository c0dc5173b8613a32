"""Cases: opening, handing out, deciding, undoing, settling (S-064 to S-072, N-022)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from backoffice.audit import queries as audit
from backoffice.catalogue.models import Title
from backoffice.catalogue.services import titles
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition, advance
from backoffice.moderation import queries
from backoffice.moderation.models import Case, Decision, Enforcement, PolicyRule
from backoffice.moderation.services import cases, upkeep
from backoffice.moderation.states import MACHINE
from backoffice.notifications.models import Notification
from backoffice.queues.services.items import LeaseLost, NotFree
from tests.factories import catalogue as make
from tests.factories import moderation as moderate
from tests.factories.accounts import member, staff
from tests.machines import forbidden

pytestmark = pytest.mark.django_db

WINDOW = timedelta(seconds=10)


def policy(code: str = "rights") -> PolicyRule:
    return PolicyRule.objects.get(code=code, is_active=True)


def claimed(by: Any, at: datetime | None = None, **fields: Any) -> Case:
    moderate.case(at=at, **fields)
    case = cases.claim_next(by=by, at=at)
    assert case is not None
    return case


@pytest.mark.parametrize(("state", "verb"), forbidden(MACHINE))
def test_a_case_refuses_every_verb_that_the_table_does_not_name(state: str, verb: str) -> None:
    case = moderate.case()
    case.status = state
    with pytest.raises(IllegalTransition):
        advance(case, verb, by=None)


def test_a_ready_submitted_title_waits_for_a_person_with_its_reasons_and_due_time() -> None:
    at = clock.now()
    case = moderate.case(at=at, access_model="purchase", price_minor=499, language="ht")
    assert (case.status, case.source, case.cultural_review) == ("queued", "first_upload", True)
    assert case.due_at == at + timedelta(hours=24)
    item = moderate.item(case)
    assert [(row["code"], row["score"]) for row in item.reasons] == [
        ("first_upload", 20),
        ("paid", 10),
        ("cultural", 10),
    ]
    assert (item.priority, item.due_at, item.language) == (40, case.due_at, "ht")


def test_the_submission_itself_opens_the_case(django_capture_on_commit_callbacks: Any) -> None:
    title = make.title()
    titles.submit(title, by=title.creator.user)
    jobs.run_due(kinds=[titles.OPEN_CASE])
    assert Case.objects.get(title=title).status == "queued"


def test_opening_twice_gives_the_one_case() -> None:
    case = moderate.case()
    assert cases.open_for_title(case.title) == case
    with pytest.raises(IntegrityError, match="case_one_open_per_title"), transaction.atomic():
        Case.objects.create(title=case.title, source="upload", language="en", due_at=clock.now())


@pytest.mark.parametrize("video_status", ["processing", "error"])
def test_no_case_is_opened_before_the_video_is_ready(video_status: str) -> None:
    title = make.title(video_status=video_status)
    titles.submit(title, by=title.creator.user)
    assert cases.open_for_title(title) is None


def test_no_case_is_opened_for_a_title_that_was_not_submitted_or_is_decided() -> None:
    assert cases.open_for_title(make.title()) is None
    assert cases.open_for_title(make.published()) is None


def test_everything_goes_to_a_person_unless_policy_says_otherwise() -> None:
    owner = make.creator(tier="premium")
    make.published(owner=owner)
    assert moderate.case(owner=owner).status == "queued"


@pytest.mark.parametrize(
    ("fields", "tier", "status"),
    [
        ({}, "premium", "auto_approved"),
        ({}, "standard", "queued"),
        ({"kind": "movie"}, "premium", "queued"),
        ({"age_rating": "18"}, "premium", "queued"),
    ],
)
def test_policy_may_pass_the_later_uploads_of_trusted_creators(
    fields: dict[str, object], tier: str, status: str, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for key, value in (("kinds", ["video", "movie"]), ("tiers", ["premium"])):
            values.change(key=f"moderation.auto_approve_{key}", value=value, by=staff("admin"), reason="test")
    owner = make.creator(tier=tier)
    first = moderate.case(owner=owner)
    assert first.status == "queued"
    make.published(owner=owner)
    case = moderate.case(owner=owner, **fields)
    assert case.status == status
    if status == "auto_approved":
        case.title.refresh_from_db()
        assert case.title.moderation_status == "approved"
        assert case.decisions.get().by is None


def test_the_heaviest_case_is_handed_out_first() -> None:
    moderator = staff("content_moderator")
    moderate.case()
    heavy = moderate.case(age_rating="18")
    case = cases.claim_next(by=moderator)
    assert case == heavy
    assert (case.status, case.assignee) == ("in_review", moderator)


def test_only_those_who_decide_are_handed_anything() -> None:
    moderate.case()
    with pytest.raises(Forbidden):
        cases.claim_next(by=staff("customer_support"))


def test_a_moderator_is_not_handed_their_own_title() -> None:
    moderator = staff("content_moderator")
    own = moderate.case(owner=make.creator(user=moderator), age_rating="18")
    other = moderate.case()
    assert cases.claim_next(by=moderator) == other
    with pytest.raises(Forbidden):
        cases.claim(own, by=moderator)


def test_a_held_case_names_who_holds_it() -> None:
    first, second = staff("content_moderator", display_name="Ruth"), staff("content_moderator")
    case = claimed(first)
    with pytest.raises(NotFree, match="Ruth"):
        cases.claim(case, by=second)


def test_a_skipped_case_is_offered_to_everybody_else() -> None:
    first, second = staff("content_moderator"), staff("content_moderator")
    case = claimed(first)
    cases.skip(case, token=moderate.item(case).lease_token, by=first)
    assert cases.claim_next(by=first) is None
    assert cases.claim_next(by=second) == case


def test_a_released_case_waits_again() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    case = cases.release(case, token=moderate.item(case).lease_token, by=moderator)
    assert (case.status, case.assignee) == ("queued", None)


def test_an_approval_takes_effect_when_the_window_is_over() -> None:
    at = clock.now()
    moderator = staff("content_moderator")
    case = claimed(moderator, at)
    decision = cases.approve(case, at=at, **moderate.decision_of(case, moderator))
    case.refresh_from_db()
    assert case.status == "settling"
    assert cases.settle(decision, at=at + WINDOW / 2) is None
    case.title.refresh_from_db()
    assert case.title.moderation_status == "pending"

    assert cases.settle_due(at=at + WINDOW) == 1
    case.refresh_from_db()
    case.title.refresh_from_db()
    assert (case.status, case.title.moderation_status) == ("approved", "approved")
    assert case.title.published_at == at + WINDOW
    told = Notification.objects.get(user=case.title.creator.user, event="title.approved", channel="email")
    assert case.title.title in told.body
    assert {"case.decide", "case.approve", "case.claim", "case.queue"} <= {
        entry.action for entry in audit.for_subject(case)
    }
    assert [entry.actor for entry in audit.for_subject(case.title) if entry.action == "title.approve"] == [moderator]


def test_settling_again_changes_nothing() -> None:
    at = clock.now()
    moderator = staff("content_moderator")
    case = claimed(moderator, at)
    decision = cases.approve(case, at=at, **moderate.decision_of(case, moderator))
    first = cases.settle(decision, at=at + WINDOW)
    assert cases.settle(decision, at=at + 2 * WINDOW) == first
    assert Notification.objects.filter(event="title.approved", channel="email").count() == 1


def test_without_a_window_the_decision_takes_effect_at_once() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    cases.approve(case, undo_seconds=0, **moderate.decision_of(case, moderator))
    case.refresh_from_db()
    assert case.status == "approved"


@pytest.mark.parametrize("language", ["en", "fr", "ht"])
def test_a_rejection_reaches_the_creator_in_their_language(language: str) -> None:
    moderator = staff("content_moderator")
    owner = make.creator(user=member(language=language))
    case = claimed(moderator, owner=owner)
    rule = policy()
    decision = cases.reject(
        case,
        policy=rule,
        message=rule.message_in(language),
        timecodes=[12, 90],
        undo_seconds=0,
        **moderate.decision_of(case, moderator),
    )
    case.title.refresh_from_db()
    assert case.title.moderation_status == "rejected"
    assert (decision.message_language, decision.timecodes) == (language, [12, 90])
    mail = Notification.objects.get(user=owner.user, event="title.rejected", channel="email")
    assert rule.name_in(language) in mail.body
    assert rule.message_in(language) in mail.body
    assert queries.last_message(case.title) == rule.message_in(language)


def test_a_rejection_needs_a_policy_in_force_and_a_message() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    with pytest.raises(Invalid):
        cases.reject(case, policy=policy(), message=" ", **moderate.decision_of(case, moderator))
    retired = PolicyRule(code="old", severity="low", is_active=False)
    with pytest.raises(Invalid):
        cases.reject(case, policy=retired, message="No", **moderate.decision_of(case, moderator))


def test_the_table_refuses_a_rejection_without_policy_or_message() -> None:
    case = moderate.case()
    now = clock.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(case=case, verdict="reject", title_revision=1, decided_at=now, effective_at=now)


def test_a_decision_without_the_lease_decides_nothing() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    for wrong in ({"token": uuid4()}, {"by": staff("content_moderator")}):
        with pytest.raises(LeaseLost):
            cases.approve(case, **{**moderate.decision_of(case, moderator), **wrong})
    assert not Decision.objects.exists()


def test_a_lease_that_ran_out_decides_nothing_and_the_next_takes_over() -> None:
    at = clock.now()
    first, second = staff("content_moderator"), staff("content_moderator", display_name="Ruth")
    case = claimed(first, at)
    held = moderate.decision_of(case, first)
    later = at + timedelta(minutes=10)
    assert cases.claim_next(by=second, at=later) == case
    with pytest.raises(LeaseLost, match="Ruth"):
        cases.approve(case, at=later, **held)


def test_the_second_to_decide_is_told_by_name_who_was_first() -> None:
    first, second = staff("content_moderator", display_name="Ruth"), staff("content_moderator")
    case = claimed(first)
    held = moderate.decision_of(case, first)
    cases.approve(case, **held)
    with pytest.raises(LeaseLost, match="Ruth"):
        cases.approve(case, **{**held, "by": second})
    assert Decision.objects.count() == 1


def test_a_title_that_changed_under_the_moderators_eyes_is_not_decided() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    held = moderate.decision_of(case, moderator)
    titles.update(case.title, by=case.title.creator.user, changes={"title": "Something else"})
    with pytest.raises(Conflict) as refused:
        cases.approve(case, **held)
    assert refused.value.code == "title_changed"


def test_a_title_that_cannot_be_approved_stays_with_its_moderator() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator, access_model="purchase", price_minor=499)
    held = moderate.decision_of(case, moderator)
    case.title.files.all().delete()
    with pytest.raises(Conflict):
        cases.approve(case, **held)
    case.refresh_from_db()
    assert (case.status, moderate.item(case).state) == ("in_review", "claimed")


def test_undo_gives_the_case_back_to_the_moderator_and_nothing_happens() -> None:
    at = clock.now()
    moderator = staff("content_moderator")
    case = claimed(moderator, at)
    decision = cases.approve(case, at=at, **moderate.decision_of(case, moderator))
    case = cases.undo(decision, by=moderator, at=at + WINDOW / 2)
    assert (case.status, case.assignee, case.decided_by) == ("in_review", moderator, None)
    assert moderate.item(case).holder == moderator
    assert cases.settle_due(at=at + 2 * WINDOW) == 0
    case.title.refresh_from_db()
    assert case.title.moderation_status == "pending"
    again = cases.approve(case, undo_seconds=0, at=at + WINDOW, **moderate.decision_of(case, moderator))
    assert again.enforcement.effect == "applied"


def test_undo_is_for_the_decider_and_only_within_the_window() -> None:
    at = clock.now()
    moderator = staff("content_moderator")
    case = claimed(moderator, at)
    decision = cases.approve(case, at=at, **moderate.decision_of(case, moderator))
    with pytest.raises(Conflict):
        cases.undo(decision, by=staff("content_moderator"), at=at)
    with pytest.raises(Conflict):
        cases.undo(decision, by=moderator, at=at + WINDOW)


def test_a_change_within_the_window_voids_the_decision_and_queues_the_case_higher() -> None:
    at = clock.now()
    moderator = staff("content_moderator")
    case = claimed(moderator, at)
    before = case.priority
    decision = cases.approve(case, at=at, **moderate.decision_of(case, moderator))
    titles.update(case.title, by=case.title.creator.user, changes={"title": "Something else"})
    outcome = cases.settle(decision, at=at + WINDOW)
    case.refresh_from_db()
    case.title.refresh_from_db()
    assert outcome is not None
    assert (outcome.effect, case.status, case.title.moderation_status) == ("void", "queued", "pending")
    assert case.priority == before + 20
    assert moderate.item(case).priority == case.priority


def test_a_moderator_who_lost_the_right_within_the_window_decides_nothing() -> None:
    at = clock.now()
    moderator = staff("content_moderator")
    case = claimed(moderator, at)
    decision = cases.approve(case, at=at, **moderate.decision_of(case, moderator))
    moderator.groups.clear()
    outcome = cases.settle(Decision.objects.get(pk=decision.pk), at=at + WINDOW)
    assert outcome is not None
    assert outcome.effect == "void"


def test_an_escalated_case_goes_to_somebody_else() -> None:
    first, second = staff("content_moderator"), staff("ops_manager")
    case = claimed(first)
    with pytest.raises(Invalid):
        cases.escalate(case, token=moderate.item(case).lease_token, by=first, reason="")
    cases.escalate(case, token=moderate.item(case).lease_token, by=first, reason="Looks staged")
    assert cases.claim_next(by=first) is None
    case.refresh_from_db()
    assert case.status == "escalated"
    with pytest.raises(Forbidden):
        cases.claim(case, by=first)
    assert cases.claim_next(by=second) == case


def test_an_overdue_case_is_marked_once_and_stays_in_its_state() -> None:
    at = clock.now()
    case = moderate.case(at=at)
    assert upkeep.flag_breaches(at=at + timedelta(hours=23)) == 0
    late = at + timedelta(hours=24)
    assert upkeep.flag_breaches(at=late) == 1
    assert upkeep.flag_breaches(at=late) == 0
    case.refresh_from_db()
    assert (case.status, case.breached_at) == ("queued", late)


def test_a_case_whose_reviewer_went_away_waits_again() -> None:
    at = clock.now()
    case = claimed(staff("content_moderator"), at)
    assert upkeep.return_lapsed(at=at) == 0
    assert upkeep.return_lapsed(at=at + timedelta(minutes=10)) == 1
    case.refresh_from_db()
    assert (case.status, case.assignee) == ("queued", None)


def test_rejections_of_weight_are_strikes_and_raise_the_next_case() -> None:
    moderator = staff("content_moderator")
    owner = make.creator()
    for code in ("rights", "quality"):
        case = claimed(moderator, owner=owner)
        cases.reject(case, policy=policy(code), message="No", undo_seconds=0, **moderate.decision_of(case, moderator))
    assert queries.strikes(owner) == 1
    assert "strikes" in [row["code"] for row in moderate.case(owner=owner).reasons]


def test_a_resubmitted_title_gets_a_new_case() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    cases.reject(case, policy=policy(), message="No", undo_seconds=0, **moderate.decision_of(case, moderator))
    title = titles.update(case.title, by=case.title.creator.user, changes={"description": "New music"})
    titles.submit(title, by=title.creator.user)
    again = cases.open_for_title(title)
    assert again is not None
    assert again != case
    assert again.source == "resubmission"


@pytest.mark.parametrize("model", [Decision, Enforcement])
@pytest.mark.parametrize("statement", ["UPDATE {} SET created_at = now()", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_change_what_was_decided(model: Any, statement: str) -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    cases.approve(case, undo_seconds=0, **moderate.decision_of(case, moderator))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(model._meta.db_table))


def test_the_model_refuses_to_change_what_was_decided() -> None:
    moderator = staff("content_moderator")
    case = claimed(moderator)
    decision = cases.approve(case, **moderate.decision_of(case, moderator))
    with pytest.raises(TypeError):
        decision.save()


def test_titles_of_the_platform_itself_are_reviewed_too() -> None:
    editor = staff("admin")
    video = make.asset(editor)
    title = titles.create(creator=None, by=editor, title="Own film", files=titles.Files(video=video))
    titles.mark_processing(title)
    titles.submit(title, by=editor)
    case = cases.open_for_title(Title.objects.get(pk=title.pk))
    assert case is not None
    with pytest.raises(Forbidden):
        cases.claim(case, by=editor)
