"""Watching: one answer, its reason, its evidence (U-032, Q-008, F-010)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from backoffice.catalogue.models import Title
from backoffice.catalogue.services import titles
from backoffice.commerce.models import Purchase
from backoffice.core import clock
from backoffice.engagement.models import EngagementEvent, PlaybackGrant
from tests.factories import catalogue as make
from tests.factories.accounts import api_client, member, staff

pytestmark = pytest.mark.django_db


def watchable(**fields: Any) -> Title:
    title = make.published(**fields)
    make.asset(title.creator.user, "hls", parent=title.video, storage_key=f"assets/{title.pk}/hls/master.m3u8")
    return title


def bought(user: Any, title: Title, status: str = "paid") -> None:
    refunded = clock.now() if status == "refunded" else None
    Purchase.objects.create(
        title=title,
        buyer=user,
        price_minor=499,
        currency="USD",
        status=status,
        purchased_at=clock.now(),
        refunded_at=refunded,
    )


def play(user: Any, title: Title) -> tuple[int, str]:
    answer = api_client(user).get(f"/api/v1/titles/{title.pk}/play", {"client": "web"})
    body = answer.json()
    return answer.status_code, "" if body["success"] else body["error"]["code"]


def test_without_a_token_nobody_watches() -> None:
    title = watchable()
    assert api_client().get(f"/api/v1/titles/{title.pk}/play").status_code == 401
    assert not PlaybackGrant.objects.exists()


def test_a_free_title_plays_for_every_member_and_leaves_its_evidence() -> None:
    title, viewer = watchable(), member(country="HT")
    data = api_client(viewer).get(f"/api/v1/titles/{title.pk}/play", {"client": "tv"}).json()["data"]
    assert data["kind"] == "hls"
    assert "master.m3u8" in data["url"]
    grant = PlaybackGrant.objects.get()
    assert (grant.user, grant.title, grant.granted, grant.reason, grant.client) == (
        viewer,
        title,
        True,
        "free",
        "tv",
    )
    assert grant.expires_at is not None
    event = EngagementEvent.objects.get()
    assert (event.event_type, event.user, event.creator_id) == ("play", viewer, title.creator_id)


@pytest.mark.parametrize(
    ("fields", "country", "answer"),
    [
        ({"access_model": "purchase", "price_minor": 499}, "", (403, "purchase_required")),
        ({"access_model": "plan", "required_plan_rank": 1}, "", (403, "subscription_required")),
        ({"access_model": "creator_subscription"}, "", (403, "subscription_required")),
        ({"unlock_at": clock.now() + timedelta(days=1)}, "", (403, "not_unlocked")),
        ({"geo_deny": ["US"]}, "US", (403, "geo_blocked")),
        ({"geo_allow": ["HT"]}, "", (403, "geo_blocked")),
        ({"visibility": "private"}, "", (404, "not_found")),
    ],
)
def test_each_gate_answers_with_its_reason_and_leaves_its_evidence(
    fields: dict[str, object], country: str, answer: tuple[int, str]
) -> None:
    title = watchable(**fields)
    assert play(member(country=country), title) == answer
    grant = PlaybackGrant.objects.get()
    assert (grant.granted, grant.reason, grant.expires_at) == (False, answer[1], None)
    assert not EngagementEvent.objects.exists()


def test_buyers_watch_until_they_are_refunded() -> None:
    title = watchable(access_model="purchase", price_minor=499)
    buyer, refunded, pending = member(), member(), member()
    bought(buyer, title)
    bought(refunded, title, "refunded")
    bought(pending, title, "pending")
    assert play(buyer, title) == (200, "")
    assert play(refunded, title) == (403, "purchase_required")
    assert play(pending, title) == (403, "purchase_required")


def test_buyers_keep_a_title_that_became_private_and_lose_one_that_was_taken_down() -> None:
    title = watchable(access_model="purchase", price_minor=499)
    buyer = member()
    bought(buyer, title)
    titles.update(title, by=None, changes={"visibility": "private"})
    assert play(buyer, title) == (200, "")
    assert play(member(), title) == (404, "not_found")
    titles.take_down(title, by=None, reason="Court order")
    assert play(buyer, title) == (404, "not_found")


def test_the_owner_and_moderators_watch_what_nobody_else_may() -> None:
    title = watchable(visibility="private", unlock_at=clock.now() + timedelta(days=1))
    assert play(title.creator.user, title) == (200, "")
    assert play(staff("content_moderator"), title) == (200, "")
    assert PlaybackGrant.objects.filter(granted=True).count() == 2


def test_a_title_of_a_suspended_creator_is_gone() -> None:
    title = watchable()
    type(title.creator).objects.filter(pk=title.creator_id).update(
        verification_status="suspended", suspension_reason="x"
    )
    assert play(member(), title) == (404, "not_found")


def test_what_is_not_ready_says_so() -> None:
    title = make.title(video_status="processing")
    assert play(title.creator.user, title) == (409, "not_ready")
    without_stream = make.published()
    assert play(member(), without_stream) == (409, "not_ready")


def test_an_unknown_title_is_not_found() -> None:
    assert api_client(member()).get("/api/v1/titles/01920000-0000-7000-8000-000000000000/play").status_code == 404


@pytest.mark.parametrize("table", ["engagement_playbackgrant", "engagement_engagementevent"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET client = 'x'", "DELETE FROM {}"])
def test_the_evidence_cannot_be_changed(table: str, statement: str) -> None:
    play(member(), watchable())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_a_client_names_itself_at_any_length() -> None:
    title, viewer = watchable(), member()
    answer = api_client(viewer).get(
        f"/api/v1/titles/{title.pk}/play", {"client": "a television of 2019"[:20] + "x" * 99}
    )
    assert answer.status_code == 200
    assert EngagementEvent.objects.get().client == "a television of 2019"


def test_subtitles_that_are_not_ready_do_not_stop_the_film() -> None:
    title, viewer = watchable(), member()
    for status, language in (("ready", "fr"), ("processing", "en"), ("error", "ht")):
        title.files.create(
            asset=make.asset(title.creator.user, "subtitle", status=status), role="subtitles", language=language
        )
    answer = api_client(viewer).get(f"/api/v1/titles/{title.pk}/play")
    assert answer.status_code == 200
    assert [row["language"] for row in answer.json()["data"]["subtitles"]] == ["fr"]
