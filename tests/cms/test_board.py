"""The featured board: what editors do there, what is refused, and who may."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.accounts.roles import ROLES
from backoffice.audit.models import AuditEntry
from backoffice.catalogue.models import FeaturedSection, FeaturedSlot
from backoffice.catalogue.services import featured
from backoffice.core import clock
from cms.featured import queries
from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.services import pages
from tests.factories import creators, sales
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
BOARD = "/cms/featured/"


@pytest.fixture
def editor(client: Client) -> Client:
    return sign_in(client, staff("editor"))


@pytest.fixture
def hero() -> FeaturedSection:
    return FeaturedSection.objects.get(slug="home-hero")


def titles_in(section: FeaturedSection) -> list[str]:
    slots = section.slots.open(clock.now()).order_by("position", "starts_at")
    return [slot.title.title for slot in slots.select_related("title")]


def place(client: Client, section: FeaturedSection, title: Any, **fields: Any) -> Any:
    return client.post(
        reverse("cms_featured_place"), {"title": str(title.pk), "section": section.slug, "q": "", **fields}
    )


def test_a_published_title_is_found_by_name_or_creator_and_placed(editor: Client, hero: FeaturedSection) -> None:
    title = sales.published(creators.creator(stage_name="Ti Joslin"), title="Dlo Cho")
    sales.published(title="Something else")

    for text in ("dlo", "joslin"):
        page = editor.get(BOARD, {"q": text}).content.decode()
        assert "Dlo Cho" in page
        assert "Something else" not in page
    response = place(editor, hero, title)

    slot = hero.slots.get()
    assert response.headers["Location"] == f"{BOARD}#slot-{slot.pk}"
    assert (slot.title, slot.kind, slot.ends_at) == (title, "editorial", None)
    assert "Dlo Cho" in editor.get(BOARD).content.decode()
    assert AuditEntry.objects.filter(action="featured.place", subject_id=str(slot.pk)).exists()


def test_a_title_that_is_not_published_is_not_offered(editor: Client) -> None:
    title = sales.published(title="Hidden thing", visibility="private")

    assert "No published title" in editor.get(BOARD, {"q": "hidden"}).content.decode()
    assert "not published" in editor.get(BOARD, {"only": str(title.pk)}).content.decode()


def test_a_link_from_a_title_brings_it_chosen(editor: Client) -> None:
    title = sales.published(title="Dlo Cho")

    page = editor.get(BOARD, {"only": str(title.pk)}).content.decode()

    assert f'value="{title.pk}" required checked' in page
    assert 'data-digit="1"' in page


def test_front_and_dates_are_kept(editor: Client, hero: FeaturedSection) -> None:
    first, second = sales.published(title="First"), sales.published(title="Second")
    place(editor, hero, first)

    place(editor, hero, second, where="front", starts_at="2030-01-02T10:00", ends_at="2030-02-01T10:00")

    assert titles_in(hero) == ["Second", "First"]
    slot = hero.slots.get(title=second)
    assert slot.starts_at == dt.datetime(2030, 1, 2, 10, tzinfo=dt.UTC)
    assert slot.state(clock.now()) == FeaturedSlot.State.SCHEDULED


def test_an_overlap_is_said_on_the_board_and_nothing_typed_is_lost(editor: Client, hero: FeaturedSection) -> None:
    title = sales.published(title="Dlo Cho")
    place(editor, hero, title)

    response = place(editor, hero, title, q="dlo", starts_at="2030-01-02T10:00", where="front")

    page = response.content.decode()
    assert response.status_code == 422
    assert "already in this section at that time" in page
    assert 'value="2030-01-02T10:00"' in page
    assert f'value="{title.pk}" required checked' in page
    assert 'value="dlo"' in page
    assert hero.slots.count() == 1


def test_an_end_before_the_start_is_said_beside_the_end(editor: Client, hero: FeaturedSection) -> None:
    response = place(
        editor,
        hero,
        sales.published(title="Dlo Cho"),
        q="dlo",
        starts_at="2030-01-02T10:00",
        ends_at="2030-01-01T10:00",
    )

    assert 'id="id_ends_at_error">The end lies before the start.' in response.content.decode()
    assert not hero.slots.exists()


def test_a_paid_slot_wears_its_label_and_waits_for_its_fee(editor: Client, hero: FeaturedSection) -> None:
    place(editor, hero, sales.published(), kind="paid", fee="250.00", fee_currency="USD")

    slot = hero.slots.get()
    page = editor.get(BOARD).content.decode()
    assert (slot.fee_minor, slot.fee_currency) == (25_000, "USD")
    assert "Sponsored" in page
    assert "Waiting for its fee" in page


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "paid"}, "fee"),
        ({"kind": "paid", "fee": "a lot", "fee_currency": "USD"}, "fee"),
        ({"kind": "paid", "fee": "5", "fee_currency": "XXQ"}, "fee_currency"),
        ({"kind": "editorial", "fee": "5", "fee_currency": "USD"}, "fee"),
        ({"starts_at": "tomorrow"}, "starts_at"),
    ],
)
def test_wrong_input_is_said_beside_its_field(
    editor: Client, hero: FeaturedSection, fields: dict[str, str], field: str
) -> None:
    response = place(editor, hero, sales.published(title="Dlo Cho"), q="dlo", **fields)

    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not hero.slots.exists()


def test_slots_move_up_and_down_one_place(editor: Client, hero: FeaturedSection) -> None:
    slots = [featured.place(hero, title=sales.published(title=name), by=None) for name in "ABC"]
    order = [str(slot.pk) for slot in slots]
    address = reverse("cms_featured_reorder", args=[hero.slug])

    editor.post(address, {"slots": order, "move": f"{order[2]}:up"})
    assert titles_in(hero) == ["A", "C", "B"]

    editor.post(address, {"slots": [order[0], order[2], order[1]], "move": f"{order[0]}:down"})
    assert titles_in(hero) == ["C", "A", "B"]


def test_dragging_sends_the_whole_order(editor: Client, hero: FeaturedSection) -> None:
    slots = [featured.place(hero, title=sales.published(title=name), by=None) for name in "ABC"]

    editor.post(
        reverse("cms_featured_reorder", args=[hero.slug]),
        {"slots": [str(slot.pk) for slot in reversed(slots)]},
    )

    assert titles_in(hero) == ["C", "B", "A"]


def test_an_order_with_a_slot_that_is_gone_changes_nothing_and_says_so(editor: Client, hero: FeaturedSection) -> None:
    slots = [featured.place(hero, title=sales.published(title=name), by=None) for name in "AB"]
    featured.end(slots[1], by=None)

    response = editor.post(
        reverse("cms_featured_reorder", args=[hero.slug]),
        {"slots": [str(slots[1].pk), str(slots[0].pk)]},
        follow=True,
    )

    assert titles_in(hero) == ["A"]
    assert "The section has changed" in response.content.decode()


@pytest.mark.parametrize("wrong", [{"slots": ["x"]}, {"slots": [], "move": "x:up"}])
def test_a_broken_order_is_answered_with_the_board(
    editor: Client, hero: FeaturedSection, wrong: dict[str, Any]
) -> None:
    response = editor.post(reverse("cms_featured_reorder", args=[hero.slug]), wrong, follow=True)

    assert "here it is as it stands now" in response.content.decode()


def test_ending_keeps_the_slot_as_history(editor: Client, hero: FeaturedSection) -> None:
    slot = featured.place(
        hero,
        title=sales.published(title="Dlo Cho"),
        by=None,
        starts_at=clock.now() - DAY,
        at=clock.now() - DAY,
    )

    response = editor.post(reverse("cms_featured_end", args=[slot.pk]), follow=True)

    slot.refresh_from_db()
    assert slot.state(clock.now()) == FeaturedSlot.State.ENDED
    assert "Latest ended" in response.content.decode()

    again = editor.post(reverse("cms_featured_end", args=[slot.pk]), follow=True)
    assert "already over" in again.content.decode()


def test_dates_of_a_slot_change_and_a_refused_change_stays_open(editor: Client, hero: FeaturedSection) -> None:
    slot = featured.place(hero, title=sales.published(), by=None)
    address = reverse("cms_featured_schedule", args=[slot.pk])

    def change(start: str, end: str) -> Any:
        return editor.post(address, {f"{slot.pk}-starts_at": start, f"{slot.pk}-ends_at": end})

    assert change("2030-01-01T00:00", "2030-01-05T00:00").status_code == 302
    slot.refresh_from_db()
    assert slot.ends_at == dt.datetime(2030, 1, 5, tzinfo=dt.UTC)

    refused = change("2030-01-05T00:00", "2030-01-01T00:00")
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "The end lies before the start." in page
    assert '<details class="slot__dates" open>' in page


def test_a_preview_shows_another_day_and_another_visitor(editor: Client, hero: FeaturedSection) -> None:
    FeaturedSection.objects.filter(slug="from-haiti").update(languages=["ht"], regions=["HT"])
    featured.place(
        hero,
        title=sales.published(title="Christmas film"),
        by=None,
        starts_at=dt.datetime(2030, 12, 1, tzinfo=dt.UTC),
    )

    today = queries.board(at=clock.now())
    then = queries.board(at=dt.datetime(2030, 12, 24, tzinfo=dt.UTC), language="fr", country="FR")

    assert [card.state for card in today[0].open] == ["scheduled"]
    assert [card.state for card in then[0].open] == ["live"]
    assert then[0].heading == "À la une"
    assert "from-haiti" not in [shelf.section.slug for shelf in then]
    page = editor.get(BOARD, {"on": "2030-12-24T20:00", "language": "fr", "country": "fr"}).content.decode()
    assert "This is a preview" in page
    assert "from-haiti" not in page


def test_slots_beyond_the_sections_room_say_so(editor: Client, hero: FeaturedSection) -> None:
    FeaturedSection.objects.filter(pk=hero.pk).update(max_items=1)
    for name in ("First", "Second"):
        featured.place(hero, title=sales.published(title=name), by=None)

    shelf = queries.board(at=clock.now())[0]

    assert [card.fits for card in shelf.open] == [True, False]
    assert shelf.live == 1
    assert editor.get(BOARD).content.decode().count("No room: not shown") == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"super_admin", "admin", "editor"}))
def test_nobody_else_sees_or_changes_the_board(client: Client, hero: FeaturedSection, role: str) -> None:
    title = sales.published(title="Dlo Cho")
    slot = featured.place(hero, title=title, by=None)
    outsider = sign_in(client, staff(role))
    attempts: list[Callable[[], Any]] = [
        lambda: outsider.get(BOARD),
        lambda: place(outsider, FeaturedSection.objects.get(slug="new-this-week"), title),
        lambda: outsider.post(reverse("cms_featured_end", args=[slot.pk])),
        lambda: outsider.post(reverse("cms_featured_reorder", args=[hero.slug]), {"slots": [str(slot.pk)]}),
        lambda: outsider.post(reverse("cms_featured_schedule", args=[slot.pk]), {}),
    ]

    for attempt in attempts:
        response = attempt()
        assert response.status_code in (302, 403)
        assert "Dlo Cho" not in response.content.decode()

    assert FeaturedSlot.objects.count() == 1
    slot.refresh_from_db()
    assert slot.ends_at is None


def test_a_person_with_wagtail_but_without_the_right_is_refused(client: Client) -> None:
    from django.contrib.auth.models import Permission

    person = staff("analyst")
    person.user_permissions.add(Permission.objects.get(codename="access_admin"))

    assert sign_in(client, person).get(BOARD).status_code == 403


def test_what_changes_something_takes_post_only(editor: Client, hero: FeaturedSection) -> None:
    slot = featured.place(hero, title=sales.published(), by=None)

    for name, args in (
        ("cms_featured_place", []),
        ("cms_featured_end", [slot.pk]),
        ("cms_featured_schedule", [slot.pk]),
        ("cms_featured_reorder", [hero.slug]),
    ):
        assert editor.get(reverse(name, args=args)).status_code == 405


def test_a_form_without_its_token_is_refused(hero: FeaturedSection) -> None:
    strict = sign_in(Client(enforce_csrf_checks=True), staff("editor"))

    assert place(strict, hero, sales.published()).status_code == 403
    assert not hero.slots.exists()


def test_the_board_asks_three_statements_however_full(hero: FeaturedSection) -> None:
    def read() -> list[Any]:
        return [card.slot.title.creator.stage_name for s in queries.board(at=clock.now()) for card in s.open]

    few = count(read)
    for _ in range(5):
        featured.place(hero, title=sales.published(), by=None)

    assert few == count(read) == 3


def test_the_first_page_names_what_is_not_translated(editor: Client) -> None:
    parent = HelpIndexPage.objects.get(locale__language_code="en")
    pages.publish(parent, HelpArticlePage(title="Payouts", body="<p>x</p>"), language="en", by=None)

    page = editor.get(reverse("wagtailadmin_home")).content.decode()

    assert page.count("Translate “Payouts”") == 2


def test_the_menu_has_the_board_and_the_way_back_and_nothing_that_the_desk_does(editor: Client) -> None:
    page = editor.get(reverse("wagtailadmin_home")).content.decode()

    assert "/cms/featured/" in page
    assert reverse("desk:work") in page
    assert reverse("wagtailusers_users:index") not in page
    assert "desk/cms.css" in page


def test_a_title_leads_to_the_board_with_one_key(editor: Client) -> None:
    title = sales.published(title="Dlo Cho")

    page = editor.get(reverse("desk:title", args=[title.pk])).content.decode()

    assert f'href="{BOARD}?only={title.pk}" data-key="f"' in page


def test_a_zero_byte_in_the_search_is_refused(editor: Client) -> None:
    assert editor.get(BOARD, {"q": "a\x00"}).status_code == 400
