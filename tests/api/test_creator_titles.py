"""A creator's own titles (U-023, U-024)."""

from typing import Any
from uuid import uuid4

import pytest

from backoffice.catalogue.models import Category, Tag, Title
from backoffice.catalogue.services import titles
from backoffice.core import clock
from backoffice.moderation.models import PolicyRule
from backoffice.moderation.services import cases
from tests.factories import catalogue as make
from tests.factories import moderation as moderate
from tests.factories.accounts import api_client, member, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
OWN = "/api/v1/creators/me/titles"


@pytest.fixture
def creator() -> Any:
    return make.creator(currency="USD")


@pytest.fixture
def client(creator: Any) -> Any:
    return api_client(creator.user, factor=True)


def body(creator: Any, **more: object) -> dict[str, object]:
    return {
        "title": "Sou wout Jakmèl",
        "access_model": "purchase",
        "price": {"amount": "4.99", "currency": "USD"},
        "video_asset_id": str(make.asset(creator.user, status="processing").pk),
        "proof_asset_ids": [str(make.asset(creator.user, "proof").pk)],
        **more,
    }


def test_an_upload_becomes_a_title_that_waits_for_review(client: Any, creator: Any) -> None:
    Tag.objects.create(slug="konpa", name_en="Konpa")
    subtitles = make.asset(creator.user, "subtitle")
    answer = client.post(
        OWN,
        body(
            creator,
            category="music",
            tags=["konpa"],
            language="ht",
            subtitles=[{"asset_id": str(subtitles.pk), "language": "fr"}],
        ),
        format="json",
    )
    assert answer.status_code == 201, answer.json()
    data = answer.json()["data"]
    assert (data["moderation_status"], data["processing_status"]) == ("pending", "processing")
    title = Title.objects.get(pk=data["id"])
    assert (title.creator, title.price_minor, title.currency) == (creator, 499, "USD")
    assert title.category == Category.objects.get(slug="music")
    assert title.submitted_at is not None
    assert {(row["role"], row["language"]) for row in data["files"]} == {("proof", ""), ("subtitles", "fr")}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"proof_asset_ids": []}, "proof_asset_ids"),
        ({"price": {"amount": "4.999", "currency": "USD"}}, "price"),
        ({"price": {"amount": "1000000.00", "currency": "USD"}}, "price"),
        ({"price": {"amount": "1", "currency": "XXQ"}}, "price"),
        ({"video_asset_id": str(uuid4())}, "video_asset_id"),
        ({"video_asset_id": None}, "video_asset_id"),
        ({"category": "nowhere"}, "category"),
        ({"tags": ["nothing"]}, "tags"),
        ({"title": ""}, "title"),
        ({"language": "Klingon"}, "language"),
    ],
)
def test_what_is_wrong_is_named_and_leaves_no_title(
    client: Any, creator: Any, more: dict[str, object], field: str
) -> None:
    answer = client.post(OWN, body(creator, **more), format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["details"]
    assert not Title.objects.exists()


def test_another_persons_file_is_refused_like_a_missing_one(client: Any, creator: Any) -> None:
    answer = client.post(OWN, body(creator, video_asset_id=str(make.asset(member()).pk)), format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_asset")


def test_state_and_owner_cannot_be_sent_along(client: Any, creator: Any) -> None:
    sent = body(creator, moderation_status="approved", slug="mine") | {"creator": str(make.creator().pk)}
    title = Title.objects.get(pk=client.post(OWN, sent, format="json").json()["data"]["id"])
    assert (title.moderation_status, title.creator) == ("pending", creator)


def test_only_verified_active_creators_with_a_second_factor_offer(creator: Any) -> None:
    def offer(user: Any, *, factor: bool = True) -> tuple[int, str]:
        answer = api_client(user, factor=factor).post(OWN, body(creator), format="json")
        return answer.status_code, answer.json()["error"]["code"]

    assert api_client().post(OWN, {}, format="json").status_code == 401
    assert offer(member()) == (403, "not_a_creator")
    assert offer(creator.user, factor=False) == (403, "mfa_required")
    assert offer(make.creator(verification_status="pending").user) == (403, "creator_not_verified")


def test_a_creator_sees_and_changes_only_own_titles(client: Any, creator: Any) -> None:
    own, other = make.title(owner=creator), make.title()
    rows = client.get(OWN).json()["data"]
    assert [row["id"] for row in rows] == [str(own.pk)]
    for call in (client.get, client.patch):
        assert call(f"{OWN}/{other.pk}").status_code == 404
    assert client.post(f"{OWN}/{other.pk}/submit").status_code == 404


def test_the_list_is_narrowed_by_state(client: Any, creator: Any) -> None:
    make.title(owner=creator)
    shown = make.published(owner=creator)
    rows = client.get(OWN, {"moderation_status": "approved"}).json()["data"]
    assert [row["id"] for row in rows] == [str(shown.pk)]


def test_a_rejected_title_says_why_and_is_resubmitted_after_a_change(client: Any, creator: Any) -> None:
    moderator = staff("content_moderator")
    moderate.case(owner=creator)
    case = cases.claim_next(by=moderator)
    assert case is not None
    policy = PolicyRule.objects.get(code="rights", is_active=True)
    cases.reject(case, policy=policy, message="Whose music?", undo_seconds=0, **moderate.decision_of(case, moderator))
    address = f"{OWN}/{case.title_id}"
    data = client.get(address).json()["data"]
    assert (data["moderation_status"], data["review_message"]) == ("rejected", "Whose music?")
    assert client.post(f"{address}/submit").status_code == 409
    assert client.patch(address, {"description": "My own music"}, format="json").status_code == 200
    assert client.post(f"{address}/submit").json()["data"]["moderation_status"] == "pending"


def test_a_new_price_of_an_approved_title_is_reviewed_again(client: Any, creator: Any) -> None:
    title = make.published(owner=creator, access_model="purchase", price_minor=499)
    address = f"{OWN}/{title.pk}"
    data = client.patch(address, {"price": {"amount": "9.99", "currency": "USD"}}, format="json").json()["data"]
    assert (data["price"]["amount"], data["moderation_status"]) == ("9.99", "pending")


def test_a_taken_down_title_cannot_be_changed(client: Any, creator: Any) -> None:
    title = make.published(owner=creator)
    titles.take_down(title, by=None, reason="Court order")
    assert client.patch(f"{OWN}/{title.pk}", {"title": "New"}, format="json").status_code == 409


def test_the_list_takes_the_same_statements_however_long_it_is(client: Any, creator: Any) -> None:
    make.title(owner=creator)
    client.get(OWN)
    few = count(lambda: client.get(OWN))
    for _ in range(4):
        make.published(owner=creator).tags.add(Tag.objects.create(slug=f"t{_}", name_en="T"))
    assert count(lambda: client.get(OWN)) == few


def test_a_new_video_leaves_price_and_currency_alone() -> None:
    creator = make.creator(currency="HTG")
    client = api_client(creator.user, factor=True)
    title = make.for_sale(owner=creator, currency="USD")
    answer = client.patch(f"{OWN}/{title.pk}", {"video_asset_id": str(make.asset(creator.user).pk)}, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["data"]["price"] == {"amount": "4.99", "currency": "USD"}


def test_a_free_title_without_a_price_is_kept_in_the_creators_currency() -> None:
    creator = make.creator(currency="HTG")
    sent = body(creator, access_model="free", proof_asset_ids=[])
    del sent["price"]
    answer = api_client(creator.user, factor=True).post(OWN, sent, format="json")
    assert answer.status_code == 201, answer.json()
    assert Title.objects.get().currency == "HTG"


@pytest.mark.parametrize("field", ["proof_asset_ids", "subtitles"])
def test_a_file_named_twice_is_refused_by_its_field(client: Any, creator: Any, field: str) -> None:
    kind = {"proof_asset_ids": "proof", "subtitles": "subtitle"}[field]
    key = str(make.asset(creator.user, kind).pk)
    twice: list[Any] = [key, key]
    if field == "subtitles":
        twice = [{"asset_id": key, "language": language} for language in ("fr", "ht")]
    answer = client.post(OWN, body(creator, **{field: twice}), format="json")
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {field}
    assert not Title.objects.exists()


@pytest.mark.parametrize("change", [{"price": {}}, {"price": {"amount": "1.00"}}, {"subtitles": [{"language": "fr"}]}])
def test_half_a_value_is_refused_in_a_change_too(client: Any, creator: Any, change: dict[str, Any]) -> None:
    title = make.for_sale(owner=creator)
    answer = client.patch(f"{OWN}/{title.pk}", change, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == set(change)


def test_a_poster_may_still_be_in_preparation(client: Any, creator: Any) -> None:
    poster = make.asset(creator.user, "image", status="processing")
    answer = client.post(OWN, body(creator, poster_asset_id=str(poster.pk)), format="json")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["data"]["poster_url"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"access_model": "purchase", "price": {"amount": "4.99", "currency": "USD"}},
        {"access_model": "creator_subscription"},
    ],
)
def test_a_free_title_that_is_to_earn_money_is_reviewed_again(
    client: Any, creator: Any, change: dict[str, Any]
) -> None:
    title = make.published(owner=creator)
    answer = client.patch(f"{OWN}/{title.pk}", change, format="json")
    assert answer.json()["data"]["moderation_status"] == "pending"


def test_the_same_number_in_another_currency_is_another_price(client: Any, creator: Any) -> None:
    title = make.published(owner=creator, access_model="purchase", price_minor=500)
    answer = client.patch(f"{OWN}/{title.pk}", {"price": {"amount": "5.00", "currency": "EUR"}}, format="json")
    assert answer.json()["data"]["moderation_status"] == "pending"


def test_a_failed_video_that_its_creator_has_prepared_again_brings_its_title_along(client: Any, creator: Any) -> None:
    title = make.title(owner=creator, video_status="error")
    assert title.processing_status == "error"
    assert title.video is not None
    answer = client.post(f"/api/v1/assets/{title.video.pk}/retry")
    assert answer.status_code == 202, answer.json()
    title.refresh_from_db()
    assert title.processing_status == "processing"
    type(title.video).objects.filter(pk=title.video.pk).update(processing_status="ready", processed_at=clock.now())
    assert titles.mark_processing(title).processing_status == "ready"
