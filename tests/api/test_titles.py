"""The public catalogue: list, page, shelf, featured (U-028, U-029, U-034)."""

from datetime import timedelta
from typing import Any

import pytest

from backoffice.catalogue.models import Category, Tag, Title
from backoffice.catalogue.services import featured
from backoffice.commerce.models import Purchase
from backoffice.core import clock
from tests.factories import catalogue as make
from tests.factories.accounts import api_client, member, staff
from tests.statements import count

pytestmark = pytest.mark.django_db


def get(address: str, user: Any = None, **query: object) -> Any:
    return api_client(user).get(f"/api/v1/{address}", query)


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.json()
    return {row["id"] for row in answer.json()["data"]}


def owned(user: Any, title: Title) -> None:
    Purchase.objects.create(
        title=title, buyer=user, price_minor=499, currency="USD", status="paid", purchased_at=clock.now()
    )


def test_only_published_titles_are_listed_and_found() -> None:
    shown = make.published()
    hidden = [
        make.title(),
        make.published(visibility="private"),
        make.published(unlock_at=clock.now() + timedelta(days=1)),
        make.published(owner=make.creator()),
    ]
    Title.objects.filter(pk=hidden[3].pk).update(moderation_status="rejected", removed_at=clock.now())
    assert ids(get("titles")) == {str(shown.pk)}
    assert get(f"titles/{shown.pk}").json()["data"]["title"] == shown.title
    for title in hidden:
        assert get(f"titles/{title.pk}").status_code == 404


def test_a_title_shows_what_a_storefront_needs_and_nothing_of_the_back_office() -> None:
    title = make.published(
        access_model="purchase", price_minor=499, category=Category.objects.get(slug="music"), language="ht"
    )
    title.tags.add(Tag.objects.create(slug="konpa", name_en="Konpa", name_fr="Compas"))
    data = api_client().get(f"/api/v1/titles/{title.pk}", headers={"accept-language": "fr"}).json()["data"]
    assert data["price"] == {"amount": "4.99", "currency": "USD"}
    assert data["category"] == {"slug": "music", "name": "Musique"}
    assert data["tags"] == [{"slug": "konpa", "name": "Compas"}]
    assert data["duration_seconds"] == 60
    assert (data["can_play"], data["reason"]) == (False, "login_required")
    assert set(data) & {"moderation_status", "processing_status", "video", "files", "created_by", "revision"} == set()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "lanmè"}, {"a"}),
        ({"category": "music"}, {"a"}),
        ({"tag": "konpa"}, {"b"}),
        ({"language": "fr"}, {"b"}),
        ({"access_model": "free"}, {"b"}),
        ({"price_min": "5.00"}, {"a"}),
        ({"price_max": "4.99"}, set()),
        ({"price_max": "9.99", "currency": "HTG"}, set()),
        ({"creator": "a"}, {"a"}),
    ],
)
def test_the_list_is_narrowed(query: dict[str, str], names: set[str]) -> None:
    titles = {
        "a": make.published(
            title="Chante lanmè",
            access_model="purchase",
            price_minor=500,
            category=Category.objects.get(slug="music"),
        ),
        "b": make.published(title="Montagne", language="fr"),
    }
    titles["b"].tags.add(Tag.objects.create(slug="konpa", name_en="Konpa"))
    if query.get("creator") == "a":
        query = {"creator": str(titles["a"].creator_id)}
    assert ids(get("titles", **query)) == {str(titles[name].pk) for name in names}


@pytest.mark.parametrize(
    "query",
    [
        {"ordering": "creator__user__email"},
        {"access_model": "stolen"},
        {"creator": "me"},
        {"price_min": "cheap"},
        {"price_min": "1", "currency": "XXQ"},
        {"page": "0"},
        {"page_size": "101"},
    ],
)
def test_what_cannot_be_asked_is_refused(query: dict[str, str]) -> None:
    answer = get("titles", **query)
    assert answer.status_code == 400
    assert answer.json()["success"] is False


def test_the_list_is_ordered_as_asked() -> None:
    dear = make.published(title="A", access_model="purchase", price_minor=900)
    cheap = make.published(title="B", access_model="purchase", price_minor=100)
    for ordering, first in (("price", cheap), ("-price", dear), ("title", dear), ("-published_at", cheap)):
        assert get("titles", ordering=ordering).json()["data"][0]["id"] == str(first.pk)


def test_regions_are_kept() -> None:
    title = make.published(geo_deny=["US"])
    assert ids(get("titles", region="us")) == set()
    assert ids(get("titles", member(country="US"), region="HT")) == set()
    assert ids(get("titles", region="HT")) == {str(title.pk)}


def test_can_play_answers_for_the_caller() -> None:
    owner = make.creator()
    for_sale = make.published(owner=owner, access_model="purchase", price_minor=499)
    free = make.published(owner=owner)
    plan = make.published(owner=owner, access_model="plan", required_plan_rank=1)
    buyer = member()
    owned(buyer, for_sale)

    def answers(user: Any) -> dict[str, tuple[bool, str]]:
        return {row["id"]: (row["can_play"], row["reason"]) for row in get("titles", user).json()["data"]}

    keys = [str(title.pk) for title in (for_sale, free, plan)]
    assert [answers(member())[key] for key in keys] == [
        (False, "purchase_required"),
        (True, "free"),
        (False, "subscription_required"),
    ]
    assert answers(buyer)[keys[0]] == (True, "purchase")
    assert [answers(owner.user)[key] for key in keys] == [(True, "owner")] * 3


def test_a_creators_shelf_names_locked_titles_without_letting_them_play() -> None:
    owner = make.creator()
    opened = make.published(owner=owner)
    locked = make.published(owner=owner, unlock_at=clock.now() + timedelta(days=1))
    make.published()
    shelf = f"creators/{owner.pk}/titles"
    assert ids(get(shelf)) == {str(opened.pk)}
    assert ids(get(shelf, status="all")) == {str(opened.pk), str(locked.pk)}
    row = get(shelf, member(), status="locked").json()["data"][0]
    assert (row["id"], row["can_play"], row["reason"]) == (str(locked.pk), False, "not_unlocked")
    assert row["unlock_at"]
    assert get(shelf, status="open").status_code == 400
    assert get(f"creators/{make.creator(is_active=False).pk}/titles").status_code == 404


def test_featured_gives_the_sections_of_this_reader_in_order() -> None:
    editor = staff("editor")
    shelf = make.section(heading_fr="À la une", languages=["fr"])
    first, second = make.published(), make.published()
    featured.place(shelf, title=second, by=editor)
    featured.place(shelf, title=first, by=editor, position=0)
    assert shelf.slug not in [row["slug"] for row in get("featured", language="en").json()["data"]]
    data = get("featured", section=shelf.slug, language="fr").json()["data"]
    assert data[0]["heading"] == "À la une"
    assert [item["id"] for item in data[0]["items"]] == [str(first.pk), str(second.pk)]
    assert {item["sponsored"] for item in data[0]["items"]} == {False}


@pytest.mark.parametrize("address", ["titles", "featured"])
def test_public_reads_take_the_same_statements_however_much_there_is(address: str) -> None:
    editor, shelf = staff("editor"), make.section()
    tag = Tag.objects.create(slug="konpa", name_en="Konpa")

    def add() -> None:
        title = make.published(category=Category.objects.get(slug="music"))
        title.tags.add(tag)
        featured.place(shelf, title=title, by=editor)

    add()
    get(address)
    few = count(lambda: get(address))
    for _ in range(4):
        add()
    assert count(lambda: get(address)) == few
    assert few <= 4


@pytest.mark.parametrize("status", ["processing", "error", "quarantined"])
def test_a_poster_that_is_not_ready_takes_no_list_down(status: str) -> None:
    owner = make.creator()
    poster = make.asset(owner.user, "image", status=status)
    title = make.published(owner=owner)
    Title.objects.filter(pk=title.pk).update(poster=poster)
    shelf = make.section()
    featured.place(shelf, title=title, by=staff("editor"))
    assert get("titles").json()["data"][0]["poster_url"] is None
    assert get(f"titles/{title.pk}").json()["data"]["poster_url"] is None
    assert get("featured", section=shelf.slug).json()["data"][0]["items"][0]["poster_url"] is None


@pytest.mark.parametrize("language", ["in", "IN", "e\u0301", "de"])
def test_a_language_without_headings_gets_the_english_ones(language: str) -> None:
    shelf = make.section(heading_en="New this week")
    data = get("featured", section=shelf.slug, language=language).json()["data"]
    assert data[0]["heading"] == "New this week"
