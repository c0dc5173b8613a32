"""The demo's training, and what its creators did with it."""

from datetime import timedelta

import pytest

from backoffice.core import clock
from backoffice.creators import policies, queries
from backoffice.creators.models import TrainingModule
from deploy.demo import lessons
from tests.factories import creators as make
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db


def test_the_lessons_are_published_once_in_three_languages() -> None:
    editor = staff("editor")
    assert lessons.publish(by=editor) == lessons.publish(by=editor) == 3 * len(lessons.LESSONS)
    assert TrainingModule.objects.filter(is_active=True).count() == len(lessons.LESSONS)
    assert TrainingModule.objects.get(position=1).title == "A walk through your studio"


def test_a_demo_creator_takes_the_training_and_is_welcomed() -> None:
    lessons.publish(by=staff("editor"))
    creator, at = make.creator(), clock.now() - timedelta(days=30)
    lessons.take(creator, at=at)
    lessons.take(creator, at=at)
    assert "training" not in {item.code for item in policies.missing_to_activate(creator)}
    lessons.welcome(creator, by=staff("ops_manager"), at=at)
    lessons.offer(creator, index=3, at=at)
    lessons.recognise(creator, by=staff("admin"), badge="cultural_expert", at=at)
    lessons.recognise(creator, by=staff("admin"), badge="cultural_expert", at=at)
    assert creator.onboarding_steps.count() == 5
    assert [row.price_minor for row in creator.offerings.all()] == [30_00, 40_00, 75_00]
    assert {given.badge for given in queries.badges_of(creator)} == {"verified", "cultural_expert"}
