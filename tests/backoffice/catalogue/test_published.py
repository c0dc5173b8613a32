"""Section 4.5: a title is public when every one of its conditions holds, and only then."""

from datetime import timedelta

import pytest

from backoffice.catalogue import queries
from backoffice.catalogue.models import Title
from backoffice.core import clock
from backoffice.creators.models import Creator
from tests.factories import catalogue as make

pytestmark = pytest.mark.django_db

NOW = clock.now()

# what is changed on a published title, the caller's country, whether it is public, whether it is listed
MATRIX = [
    ({}, None, True, True),
    ({"moderation_status": "pending"}, None, False, False),
    ({"moderation_status": "rejected"}, None, False, False),
    ({"moderation_status": "rejected", "removed_at": NOW}, None, False, False),
    ({"processing_status": "processing"}, None, False, False),
    ({"processing_status": "error"}, None, False, False),
    ({"visibility": "private"}, None, False, False),
    ({"unlock_at": NOW + timedelta(seconds=1)}, None, False, True),
    ({"unlock_at": NOW}, None, True, True),
    ({"geo_deny": ["US"]}, "US", False, False),
    ({"geo_deny": ["US"]}, "HT", True, True),
    ({"geo_deny": ["US"]}, None, True, True),
    ({"geo_allow": ["HT"]}, "HT", True, True),
    ({"geo_allow": ["HT"]}, "US", False, False),
    ({"geo_allow": ["HT"]}, None, False, False),
    ({"creator": {"is_active": False}}, None, False, False),
    ({"creator": {"verification_status": "suspended", "suspension_reason": "x"}}, None, False, False),
    ({"creator": {"verification_status": "rejected"}}, None, False, False),
    ({"creator": {"verification_status": "pending"}}, None, True, True),
    ({"creator": None}, None, True, True),
]


@pytest.mark.parametrize(("change", "country", "public", "listed"), MATRIX)
def test_the_published_rule(change: dict[str, object], country: str | None, public: bool, listed: bool) -> None:
    title = make.published()
    standing = change.get("creator", {})
    if standing:
        Creator.objects.filter(pk=title.creator_id).update(**standing)  # type: ignore[arg-type]
    plain = {name: value for name, value in change.items() if name != "creator" or value is None}
    Title.objects.filter(pk=title.pk).update(**plain)
    fresh = Title.objects.select_related("creator").get(pk=title.pk)

    assert queries.published(NOW, country=country).filter(pk=title.pk).exists() is public
    assert fresh.is_published(NOW, country=country) is public
    assert queries.listed(country=country).filter(pk=title.pk).exists() is listed
    assert fresh.is_listed(country=country) is listed


def test_search_finds_by_part_of_the_name_and_by_the_creator() -> None:
    by_name = make.published(title="Chanson pou Lanmè")
    by_creator = make.published(owner=make.creator(stage_name="Lanmèrie Band"))
    make.published(title="Unrelated")
    found = queries.search(queries.published(), "lanmè")
    assert set(found) == {by_name, by_creator}


def test_search_without_words_narrows_nothing() -> None:
    make.published()
    assert queries.search(queries.published(), "  ").count() == 1
