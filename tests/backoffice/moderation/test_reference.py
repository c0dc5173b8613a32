"""The content policy as rows."""

import pytest

from backoffice.moderation import queries
from backoffice.moderation.models import PolicyRule
from backoffice.moderation.services import reference

pytestmark = pytest.mark.django_db


def test_loading_again_changes_nothing() -> None:
    before = set(PolicyRule.objects.values_list("id", flat=True))
    assert reference.load() == 0
    assert set(PolicyRule.objects.values_list("id", flat=True)) == before


def test_every_rule_has_its_key_and_its_words_in_three_languages() -> None:
    rules = queries.policies_in_force()
    assert sorted(rule.digit for rule in rules) == list(range(10))
    for rule in rules:
        for language in ("en", "fr", "ht"):
            assert rule.name_in(language)
            assert rule.message_in(language)
        assert len({rule.message_in(language) for language in ("en", "fr", "ht")}) == 3


def test_a_changed_rule_becomes_a_new_version_and_the_old_one_stays() -> None:
    PolicyRule.objects.filter(code="rights").update(message_en="Old words")
    assert reference.load() == 1
    assert list(PolicyRule.objects.filter(code="rights").order_by("version").values_list("version", "is_active")) == [
        (1, False),
        (2, True),
    ]


def test_a_rule_that_left_the_policy_is_no_longer_in_force() -> None:
    PolicyRule.objects.create(code="gone", severity="low", digit=0, is_active=False)
    PolicyRule.objects.filter(code="other").update(is_active=False)
    PolicyRule.objects.filter(code="gone").update(is_active=True)
    reference.load()
    assert not PolicyRule.objects.get(code="gone").is_active
    assert PolicyRule.objects.get(code="other", is_active=True).version == 2
