"""The title list and the title page (W-005)."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.catalogue.models import Category, Tag
from backoffice.media.models import ProcessingStep
from tests.factories import catalogue as make
from tests.factories import moderation as moderate
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    return sign_in(client, staff("content_moderator"))


def test_the_list_is_narrowed_by_three_states_and_a_name(desk: Client) -> None:
    shown = make.published(title="Lanmè a pale", owner=make.creator(stage_name="Boukan"))
    failed = make.title(title="Broken film", video_status="error", visibility="private")
    for query, found, missing in (
        ({"moderation": "approved"}, shown, failed),
        ({"processing": "error"}, failed, shown),
        ({"visibility": "private"}, failed, shown),
        ({"q": "lanmè"}, shown, failed),
        ({"q": "bouk"}, shown, failed),
        ({"moderation": "pending", "visibility": "private"}, failed, shown),
    ):
        page = desk.get(reverse("desk:title_list"), query).content.decode()
        assert found.title in page
        assert missing.title not in page


def test_nonsense_filters_narrow_nothing(desk: Client) -> None:
    title = make.title()
    page = desk.get(reverse("desk:title_list"), {"moderation": "x", "after": "garbage"})
    assert title.title in page.content.decode()


def test_the_page_shows_files_with_their_checklist_and_offers_a_retry(desk: Client) -> None:
    title = make.title(video_status="error")
    ProcessingStep.objects.create(asset=title.video, name="probe", position=1, state="failed", detail="No picture")
    page = desk.get(reverse("desk:title", args=[title.pk])).content.decode()
    assert "No picture" in page
    retry = reverse("desk:title_retry", args=[title.pk])
    assert retry in page
    desk.post(retry)
    title.refresh_from_db()
    assert title.processing_status == "processing"
    assert desk.post(retry).status_code == 409


def test_taking_down_needs_a_reason_and_restoring_puts_back(desk: Client) -> None:
    title = make.published()
    down = reverse("desk:title_take_down", args=[title.pk])
    answer = desk.post(down, {"reason": " "})
    assert answer.status_code == 400
    assert "Say why." in answer.content.decode()
    desk.post(down, {"reason": "Court order"})
    title.refresh_from_db()
    assert title.removed_at is not None
    assert desk.post(down, {"reason": "Again"}).status_code == 409
    desk.post(reverse("desk:title_restore", args=[title.pk]), {"reason": "Order lifted"})
    title.refresh_from_db()
    assert (title.moderation_status, title.removed_at) == ("approved", None)


def test_category_and_tags_are_changed(desk: Client) -> None:
    title = make.title()
    category = Category.objects.get(slug="music")
    tag = Tag.objects.create(slug="konpa", name_en="Konpa")
    desk.post(reverse("desk:title_classify", args=[title.pk]), {"category": category.pk, "tags": [tag.pk]})
    title.refresh_from_db()
    assert (title.category, list(title.tags.all())) == (category, [tag])
    bad = desk.post(reverse("desk:title_classify", args=[title.pk]), {"category": title.pk})
    assert bad.status_code == 400


@pytest.mark.parametrize(
    ("role", "see", "decide"),
    [
        ("content_moderator", 200, 302),
        ("ops_manager", 200, 302),
        ("customer_support", 200, 403),
        ("editor", 200, 403),
        ("financial_admin", 403, 403),
        ("verification_reviewer", 403, 403),
        ("analyst", 403, 403),
    ],
)
def test_only_the_roles_of_the_matrix_see_and_decide(client: Client, role: str, see: int, decide: int) -> None:
    title = make.published()
    sign_in(client, staff(role))
    assert client.get(reverse("desk:title_list")).status_code == see
    assert client.get(reverse("desk:title", args=[title.pk])).status_code == see
    answer = client.post(reverse("desk:title_take_down", args=[title.pk]), {"reason": "x"})
    assert answer.status_code == decide


def test_moderators_see_no_sales(desk: Client, client: Client) -> None:
    address = reverse("desk:title", args=[make.published().pk])
    assert "<dt>Sales</dt>" not in desk.get(address).content.decode()
    assert "<dt>Sales</dt>" in sign_in(Client(), staff("admin")).get(address).content.decode()


def test_categories_are_renamed_by_those_who_edit_titles_and_never_deleted(client: Client) -> None:
    category = Category.objects.get(slug="music")
    change = reverse("admin:catalogue_category_change", args=[category.pk])
    sign_in(client, staff("admin"))
    fields: dict[str, Any] = {
        "slug": "music",
        "name_en": "Music and sound",
        "name_fr": "Musique",
        "name_ht": "Mizik",
        "kind": "title",
        "parent": "",
        "position": 1,
        "is_active": "on",
    }
    client.post(change, fields)
    category.refresh_from_db()
    assert category.name_en == "Music and sound"
    assert client.post(reverse("admin:catalogue_category_delete", args=[category.pk])).status_code == 403
    sign_in(client, staff("content_moderator"))
    client.post(change, fields | {"name_en": "Noise"})
    category.refresh_from_db()
    assert category.name_en == "Music and sound"


def test_list_and_page_take_the_same_statements_however_much_there_is(desk: Client) -> None:
    title = moderate.case().title
    addresses = [reverse("desk:title_list"), reverse("desk:title", args=[title.pk])]

    def all_of() -> list[int]:
        return [count(lambda url=url: desk.get(url)) for url in addresses]

    all_of()
    few = all_of()
    for _ in range(4):
        make.published()
        Tag.objects.create(slug=f"tag-{_}", name_en=f"Tag {_}")
    title.tags.set(Tag.objects.all())
    make.asset(title.creator.user, "thumbnail", parent=title.video)
    assert all_of() == few
