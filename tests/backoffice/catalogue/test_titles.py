"""Titles: making, changing, submitting, deciding, taking down (S-049 to S-057, E-024, E-026)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from backoffice.audit import queries as audit
from backoffice.catalogue.models import Title
from backoffice.catalogue.services import featured, titles
from backoffice.catalogue.states import MODERATION, PROCESSING
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.models import Job
from backoffice.core.states import IllegalTransition, advance
from backoffice.notifications.models import Notification
from tests.factories import catalogue as make
from tests.factories.accounts import member, staff
from tests.machines import forbidden

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("state", "verb"), forbidden(MODERATION))
def test_a_title_refuses_every_moderation_verb_that_the_table_does_not_name(state: str, verb: str) -> None:
    title = make.title()
    title.moderation_status = state
    with pytest.raises(IllegalTransition):
        advance(title, verb, by=None)


@pytest.mark.parametrize(("state", "verb"), forbidden(PROCESSING))
def test_a_title_refuses_every_processing_verb_that_the_table_does_not_name(state: str, verb: str) -> None:
    title = make.title()
    title.processing_status = state
    with pytest.raises(IllegalTransition):
        advance(title, verb, by=None, machine=PROCESSING)


def test_a_new_title_is_pending_and_tells_who_made_it() -> None:
    creator = make.creator()
    title = titles.create(creator=creator, by=creator.user, title="  Sou   wout  Jakmèl ")
    assert (title.title, title.slug) == ("Sou wout Jakmèl", "sou-wout-jakmel")
    assert (title.moderation_status, title.processing_status) == ("pending", "processing")
    entry = audit.for_subject(title).get()
    assert (entry.action, entry.actor) == ("title.create", creator.user)


def test_two_titles_of_the_same_name_get_different_slugs() -> None:
    creator = make.creator()
    first, second = (titles.create(creator=creator, by=creator.user, title="Rara") for _ in range(2))
    assert first.slug == "rara"
    assert second.slug.startswith("rara-")


@pytest.mark.parametrize(
    "standing",
    [{"verification_status": "pending"}, {"is_active": False}, {"verification_status": "rejected"}],
)
def test_a_creator_who_is_not_verified_and_active_cannot_offer(standing: dict[str, object]) -> None:
    creator = make.creator(**standing)
    with pytest.raises(Forbidden):
        titles.create(creator=creator, by=creator.user, title="Rara")


def test_nobody_offers_in_the_name_of_another_creator() -> None:
    with pytest.raises(Forbidden):
        titles.create(creator=make.creator(), by=member(), title="Rara")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"access_model": "purchase", "price_minor": 0}, "price"),
        ({"access_model": "purchase", "price_minor": -5}, "price"),
        ({"access_model": "free", "price_minor": 100}, "price"),
        ({"access_model": "purchase", "price_minor": 1_000_000_00}, "price"),
        ({"access_model": "purchase", "price_minor": 1_000_000, "currency": "JPY"}, "price"),
        ({"access_model": "purchase", "price_minor": 100, "currency": "XXQ"}, "currency"),
        ({"access_model": "plan"}, "required_plan_rank"),
        ({"access_model": "free", "required_plan_rank": 1}, "required_plan_rank"),
        ({"title": "   "}, "title"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_field(fields: dict[str, object], field: str) -> None:
    creator = make.creator()
    with pytest.raises(Invalid) as refused:
        titles.create(creator=creator, by=creator.user, **{"title": "Rara", **fields})  # type: ignore[arg-type]
    assert refused.value.field == field


def test_the_highest_price_is_accepted_to_the_cent() -> None:
    creator = make.creator()
    title = titles.create(
        creator=creator, by=creator.user, title="Rara", access_model="purchase", price_minor=999_999_99
    )
    assert title.price_minor == 999_999_99


@pytest.mark.parametrize(
    "fields",
    [
        {"price_minor": -1},
        {"access_model": "purchase"},
        {"price_minor": 5},
        {"access_model": "plan"},
        {"moderation_status": "maybe"},
        {"processing_status": "ready"},
        {"currency": "usd"},
    ],
)
def test_the_table_itself_refuses_impossible_titles(fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Title.objects.create(**{"title": "Rara", "slug": "rara", **fields})


def test_the_table_itself_refuses_a_slug_twice() -> None:
    Title.objects.create(title="Rara", slug="rara")
    with pytest.raises(IntegrityError), transaction.atomic():
        Title.objects.create(title="Rara", slug="rara")


def test_a_file_of_somebody_else_looks_like_one_that_does_not_exist() -> None:
    creator = make.creator()
    with pytest.raises(Invalid) as refused:
        titles.create(creator=creator, by=creator.user, title="Rara", files=titles.Files(video=make.asset(member())))
    assert refused.value.code == "unknown_asset"


def test_a_picture_is_no_video() -> None:
    creator = make.creator()
    files = titles.Files(video=make.asset(creator.user, "image"))
    with pytest.raises(Invalid) as refused:
        titles.create(creator=creator, by=creator.user, title="Rara", files=files)
    assert refused.value.code == "wrong_kind"


def test_a_paid_title_without_proof_cannot_be_submitted() -> None:
    title = make.for_sale()
    title.files.all().delete()
    with pytest.raises(Invalid) as refused:
        titles.submit(title, by=None)
    assert refused.value.code == "missing_proof"


def test_a_paid_title_without_proof_cannot_be_approved() -> None:
    title = make.for_sale()
    titles.submit(title, by=None)
    title.files.all().delete()
    with pytest.raises(Conflict):
        titles.approve(title, by=None)


def test_a_free_title_needs_no_proof() -> None:
    title = make.title()
    title.files.all().delete()
    titles.submit(title, by=None)
    assert titles.approve(title, by=None).moderation_status == "approved"


def test_a_title_without_video_cannot_be_submitted() -> None:
    creator = make.creator()
    with pytest.raises(Invalid) as refused:
        titles.submit(titles.create(creator=creator, by=creator.user, title="Rara"), by=creator.user)
    assert refused.value.code == "missing_video"


def test_a_submitted_title_waits_for_its_video_before_it_goes_to_review() -> None:
    title = make.title(video_status="processing")
    titles.submit(title, by=None)
    assert not Job.objects.filter(kind=titles.OPEN_CASE).exists()
    title.video.__class__.objects.filter(pk=title.video_id).update(
        processing_status="ready", processed_at=clock.now(), duration_ms=9_000
    )
    titles.asset_finished(asset_id=title.video_id)
    title.refresh_from_db()
    assert (title.processing_status, title.duration_ms) == ("ready", 9_000)
    assert Job.objects.filter(kind=titles.OPEN_CASE, payload={"title_id": str(title.id)}).count() == 1


def test_a_finished_video_that_nobody_told_of_is_caught_up_with() -> None:
    title = make.title(video_status="processing")
    title.video.__class__.objects.filter(pk=title.video_id).update(processing_status="ready", processed_at=clock.now())
    assert titles.catch_up() == 1
    title.refresh_from_db()
    assert title.processing_status == "ready"
    assert titles.catch_up() == 0


def test_a_failed_video_is_told_to_its_creator_once() -> None:
    title = make.title(video_status="error")
    titles.mark_processing(title)
    title.refresh_from_db()
    assert title.processing_status == "error"
    told = Notification.objects.filter(user=title.creator.user, event="title.processing_failed", channel="in_app")
    assert told.count() == 1


def test_a_failed_video_is_processed_again_by_a_moderator() -> None:
    title = make.title(video_status="error")
    titles.retry_processing(title, by=staff("content_moderator"))
    title.refresh_from_db()
    assert (title.processing_status, title.video.processing_status) == ("processing", "processing")


def test_processing_that_did_not_fail_is_not_repeated() -> None:
    with pytest.raises(IllegalTransition):
        titles.retry_processing(make.title(), by=staff("content_moderator"))


def test_approval_publishes_a_public_title_and_not_a_private_one() -> None:
    at = clock.now()
    public, private = make.title(), make.title(visibility="private")
    for title in (public, private):
        titles.submit(title, by=None)
    assert titles.approve(public, by=None, at=at).published_at == at
    private = titles.approve(private, by=None, at=at)
    assert private.published_at is None
    later = at + timedelta(days=1)
    assert titles.update(private, by=None, changes={"visibility": "public"}, at=later).published_at == later


def test_a_title_whose_video_is_not_ready_is_not_approved() -> None:
    title = make.title(video_status="processing")
    titles.submit(title, by=None)
    with pytest.raises(Conflict):
        titles.approve(title, by=None)


def test_an_agent_cannot_decide() -> None:
    title = make.title()
    for decide in (titles.approve, lambda t, by: titles.reject(t, by=by, reason="x")):
        with pytest.raises(Forbidden):
            decide(title, by=staff("customer_support"))


def test_a_rejection_says_why() -> None:
    with pytest.raises(Invalid):
        titles.reject(make.title(), by=None, reason="  ")


def test_a_rejected_title_is_resubmitted_only_after_a_change() -> None:
    title = make.title()
    titles.submit(title, by=None)
    titles.reject(title, by=None, reason="rights")
    with pytest.raises(Conflict) as refused:
        titles.submit(title, by=title.creator.user)
    assert refused.value.code == "unchanged"
    titles.update(title, by=title.creator.user, changes={"description": "With the right music."})
    assert titles.submit(title, by=title.creator.user).moderation_status == "pending"


def test_taking_down_ends_the_featured_slots_and_tells_the_creator_why() -> None:
    at = clock.now()
    title, editor, moderator = make.published(), staff("editor"), staff("content_moderator")
    live = featured.place(make.section(), title=title, by=editor, at=at)
    coming = featured.place(make.section(), title=title, by=editor, starts_at=at + timedelta(days=2), at=at)
    later = at + timedelta(hours=1)
    title = titles.take_down(title, by=moderator, reason="Court order", at=later)
    live.refresh_from_db()
    coming.refresh_from_db()
    assert (title.moderation_status, title.removed_at) == ("rejected", later)
    assert (live.state(later), coming.state(later)) == ("ended", "removed")
    mail = Notification.objects.get(user=title.creator.user, event="title.removed", channel="email")
    assert "Court order" in mail.body


def test_only_a_taken_down_title_is_restored_and_its_creator_cannot_resubmit_it() -> None:
    moderator = staff("content_moderator")
    title = titles.take_down(make.published(), by=moderator, reason="Court order")
    with pytest.raises(Conflict):
        titles.update(title, by=title.creator.user, changes={"title": "New"})
    with pytest.raises(Conflict):
        titles.submit(title, by=title.creator.user)
    title = titles.restore(title, by=moderator, reason="Order lifted")
    assert title.is_published(clock.now())

    rejected = make.title()
    titles.submit(rejected, by=None)
    rejected = titles.reject(rejected, by=None, reason="rights")
    with pytest.raises(Conflict):
        titles.restore(rejected, by=moderator, reason="Why not")


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"title": "Another name"}, True),
        ({"price_minor": 600}, True),
        ({"price_minor": 598}, False),
        ({"description": "Longer"}, False),
    ],
)
def test_a_material_change_of_an_approved_title_is_reviewed_again(changes: dict[str, object], again: bool) -> None:
    title = make.published(access_model="purchase", price_minor=499)
    title = titles.update(title, by=title.creator.user, changes=changes)
    assert title.moderation_status == ("pending" if again else "approved")


def test_the_setting_turns_the_second_review_off(django_capture_on_commit_callbacks: Any) -> None:
    title = make.published()
    with django_capture_on_commit_callbacks(execute=True):
        values.change(key="title.rereview_on_change", value=False, by=staff("admin"), reason="test")
    title = titles.update(title, by=title.creator.user, changes={"title": "Another name"})
    assert title.moderation_status == "approved"


def test_another_video_is_processed_and_reviewed_again() -> None:
    title = make.published()
    video = make.asset(title.creator.user, status="processing")
    title = titles.update(title, by=title.creator.user, changes={"video": video})
    assert (title.processing_status, title.moderation_status, title.revision) == ("processing", "pending", 2)


def test_a_title_on_sale_is_not_locked_again() -> None:
    title = make.published(access_model="purchase", price_minor=499)
    with pytest.raises(Conflict):
        titles.update(title, by=title.creator.user, changes={"unlock_at": clock.now() + timedelta(days=3)})


def test_a_private_title_leaves_the_featured_sections() -> None:
    at = clock.now()
    title = make.published()
    slot = featured.place(make.section(), title=title, by=staff("editor"), at=at)
    titles.update(title, by=title.creator.user, changes={"visibility": "private"}, at=at + timedelta(minutes=1))
    slot.refresh_from_db()
    assert slot.state(at + timedelta(minutes=1)) == "ended"


def test_a_creator_changes_only_own_titles_and_only_known_fields() -> None:
    title = make.title()
    with pytest.raises(Forbidden):
        titles.update(title, by=make.creator().user, changes={"title": "Mine"})
    with pytest.raises(Invalid):
        titles.update(title, by=title.creator.user, changes={"moderation_status": "approved"})
