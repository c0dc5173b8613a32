"""A cultural reviewer is handed, and decides, titles in their own languages only (R-028)."""

from datetime import timedelta

import pytest

from backoffice.accounts import scopes
from backoffice.accounts.models import User
from backoffice.accounts.services import roles
from backoffice.core import clock
from backoffice.core.errors import Forbidden
from backoffice.moderation.services import cases
from tests.factories import moderation as moderate
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db


def reviewer(*languages: str) -> User:
    person = staff()
    roles.give(
        user=person,
        role="content_moderator",
        by=staff("super_admin"),
        reason="Festival",
        until=clock.now() + timedelta(days=7),
        languages=languages,
    )
    return User.objects.get(pk=person.pk)


def test_only_titles_in_their_languages_are_handed_out() -> None:
    english, creole = moderate.case(language="en"), moderate.case(language="ht")
    assert cases.claim_next(by=reviewer("fr")) is None
    assert cases.claim_next(by=reviewer("ht")) == creole
    assert cases.claim_next(by=staff("content_moderator")) == english


def test_a_title_in_another_language_cannot_be_claimed_by_its_address() -> None:
    english = moderate.case(language="en")
    with pytest.raises(Forbidden, match="other languages"):
        cases.claim(english, by=reviewer("ht", "fr"))


def test_a_role_without_a_limit_covers_every_language() -> None:
    person = reviewer("ht")
    assert scopes.languages(person, "cases.decide") == {"ht"}
    roles.give(user=person, role="ops_manager", by=staff("super_admin"), reason="Promoted")
    assert scopes.languages(person, "cases.decide") is None
    assert scopes.languages(staff("content_moderator"), "cases.decide") is None
