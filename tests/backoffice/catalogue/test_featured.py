"""Featured sections and slots (E-033, S-117)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from backoffice.catalogue import queries
from backoffice.catalogue.models import FeaturedSlot, Title
from backoffice.catalogue.services import featured
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from tests.factories import catalogue as make
from tests.factories.accounts import staff
from tests.statements import count

pytestmark = pytest.mark.django_db

NOW = clock.now()
DAY = timedelta(days=1)


def raw_slot(section: object, title: Title, start: object, end: object, **fields: object) -> FeaturedSlot:
    return FeaturedSlot.objects.create(section=section, title=title, starts_at=start, ends_at=end, **fields)


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW, NOW + DAY), (NOW - DAY, NOW + DAY / 2), (NOW + DAY / 2, None), (NOW - DAY, None)],
)
def test_the_table_refuses_the_same_title_twice_at_once_in_a_section(start: object, end: object) -> None:
    section, title = make.section(), make.published()
    raw_slot(section, title, NOW, NOW + DAY)
    with pytest.raises(IntegrityError, match="slot_same_title_no_overlap"), transaction.atomic():
        raw_slot(section, title, start, end)


def test_one_slot_may_follow_another_and_removed_ones_do_not_count() -> None:
    section, title = make.section(), make.published()
    raw_slot(section, title, NOW, NOW + DAY)
    raw_slot(section, title, NOW + DAY, None)
    raw_slot(section, title, NOW, NOW + DAY, removed_at=NOW)
    raw_slot(make.section(), title, NOW, NOW + DAY)
    assert FeaturedSlot.objects.count() == 4


def test_the_table_refuses_a_slot_that_ends_before_it_starts() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_slot(make.section(), make.published(), NOW, NOW - DAY)


def test_the_table_refuses_a_fee_on_an_editorial_slot() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_slot(make.section(), make.published(), NOW, None, fee_minor=100, fee_currency="USD")


def test_an_editor_places_a_title_and_readers_see_it() -> None:
    section, title, editor = make.section(), make.published(), staff("editor")
    slot = featured.place(section, title=title, by=editor, at=NOW)
    assert slot.curated_by == editor
    shelf = queries.featured_now(section.slug, at=NOW)[0]
    assert [shown.title for shown in shelf.slots] == [title]


def test_overlap_is_a_sentence_for_the_editor() -> None:
    section, title, editor = make.section(), make.published(), staff("editor")
    featured.place(section, title=title, by=editor, at=NOW)
    with pytest.raises(Conflict) as refused:
        featured.place(section, title=title, by=editor, at=NOW)
    assert refused.value.code == "slot_overlap"


def test_only_published_titles_are_featured() -> None:
    with pytest.raises(Conflict):
        featured.place(make.section(), title=make.title(), by=staff("editor"), at=NOW)


def test_a_title_may_be_placed_for_the_time_after_its_unlocking() -> None:
    title = make.published(unlock_at=NOW + DAY)
    section, editor = make.section(), staff("editor")
    with pytest.raises(Conflict):
        featured.place(section, title=title, by=editor, at=NOW)
    slot = featured.place(section, title=title, by=editor, starts_at=NOW + DAY, at=NOW)
    assert slot.state(NOW) == "scheduled"
    assert slot.state(NOW + DAY) == "live"


def test_moderators_do_not_curate() -> None:
    with pytest.raises(Forbidden):
        featured.place(make.section(), title=make.published(), by=staff("content_moderator"), at=NOW)


def test_a_paid_slot_is_shown_with_its_label_once_the_fee_is_in() -> None:
    section, editor = make.section(), staff("editor")
    with pytest.raises(Invalid):
        featured.place(section, title=make.published(), by=editor, kind="paid", at=NOW)
    slot = featured.place(
        section, title=make.published(), by=editor, kind="paid", fee_minor=50_00, fee_currency="USD", at=NOW
    )
    assert slot.state(NOW) == "unpaid"
    assert queries.featured_now(section.slug, at=NOW)[0].slots == []
    featured.record_fee(slot, by=None, reference="PM-1", at=NOW)
    shown = queries.featured_now(section.slug, at=NOW)[0].slots[0]
    assert shown.is_sponsored


def test_ending_and_rescheduling_keep_the_history() -> None:
    section, editor = make.section(), staff("editor")
    live = featured.place(section, title=make.published(), by=editor, at=NOW)
    coming = featured.place(section, title=make.published(), by=editor, starts_at=NOW + DAY, at=NOW)
    featured.schedule(coming, by=editor, starts_at=NOW + 2 * DAY, ends_at=NOW + 3 * DAY, at=NOW)
    live = featured.end(live, by=editor, at=NOW + DAY)
    assert live.state(NOW + DAY) == "ended"
    with pytest.raises(Conflict):
        featured.end(live, by=editor, at=NOW + DAY)
    assert featured.end(coming, by=editor, at=NOW + DAY).state(NOW + DAY) == "removed"
    assert FeaturedSlot.objects.count() == 2


def test_reordering_and_inserting_give_every_slot_its_place() -> None:
    section, editor = make.section(), staff("editor")
    a, b, c = (featured.place(section, title=make.published(), by=editor, at=NOW) for _ in range(3))
    featured.reorder(section, slots=[c, a.id], by=editor, at=NOW)
    d = featured.place(section, title=make.published(), by=editor, position=1, at=NOW)
    shown = queries.featured_now(section.slug, at=NOW)[0].slots
    assert [slot.id for slot in shown] == [c.id, d.id, a.id, b.id]


def test_a_stale_order_is_refused() -> None:
    section, editor = make.section(), staff("editor")
    other = featured.place(make.section(), title=make.published(), by=editor, at=NOW)
    with pytest.raises(Invalid):
        featured.reorder(section, slots=[other], by=editor, at=NOW)


def test_a_section_shows_no_more_than_its_maximum_and_only_to_its_audience() -> None:
    section = make.section(max_items=1, languages=["ht"], regions=["HT"])
    editor = staff("editor")
    for _ in range(2):
        featured.place(section, title=make.published(), by=editor, at=NOW)
    assert queries.featured_now(section.slug, at=NOW) == []
    assert queries.featured_now(section.slug, language="ht", at=NOW) == []
    assert len(queries.featured_now(section.slug, language="ht", country="HT", at=NOW)[0].slots) == 1


def test_what_is_featured_takes_two_statements_however_much_it_is() -> None:
    editor = staff("editor")
    for _ in range(3):
        section = make.section()
        for _slot in range(3):
            featured.place(section, title=make.published(), by=editor, at=NOW)
    assert count(lambda: [s.title.creator for shelf in queries.featured_now(at=NOW) for s in shelf.slots]) == 2
