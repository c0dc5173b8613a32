"""What a person's profile and roles mean to the queues (E-008, S-067, R-028)."""

from datetime import timedelta

import pytest

from backoffice.accounts import duty
from backoffice.accounts.models import StaffProfile, User
from backoffice.accounts.services import duty as switching
from backoffice.accounts.services import roles
from backoffice.accounts.services import staff as profiles
from backoffice.core import clock
from backoffice.core.errors import Forbidden
from backoffice.queues.models import Absence
from backoffice.queues.worker import Worker
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db


def before_cases(person: User) -> Worker:
    return duty.worker(person, queue="moderation", decide="cases.decide", supervise="cases.supervise")


def test_without_a_profile_its_defaults_hold() -> None:
    worker = before_cases(staff("content_moderator"))
    assert (worker.languages, worker.skills, worker.capacity, worker.on_duty) == (None, frozenset(), 10, True)
    assert worker.supervises == frozenset()


def test_the_profile_says_languages_skills_room_and_duty() -> None:
    person = staff("content_moderator")
    StaffProfile.objects.create(
        user=person, languages=["ht", "fr"], skills=["tax"], cultural_reviewer=True, max_open_items=3, on_duty=False
    )
    worker = before_cases(person)
    assert worker.languages == {"ht", "fr", ""}
    assert worker.skills == {"tax", "cultural"}
    assert (worker.capacity, worker.on_duty) == (3, False)


def test_supervisors_are_given_every_language_and_what_was_passed_on() -> None:
    person = staff("ops_manager")
    StaffProfile.objects.create(user=person, languages=["fr"])
    worker = before_cases(person)
    assert (worker.languages, worker.supervises) == (None, {"moderation"})


def test_a_role_limited_to_languages_limits_strictly() -> None:
    person = staff()
    StaffProfile.objects.create(user=person, languages=["en"])
    until = clock.now() + timedelta(days=7)
    boss = staff("super_admin")
    roles.give(user=person, role="content_moderator", by=boss, reason="Festival", until=until, languages=["ht"])
    assert before_cases(User.objects.get(pk=person.pk)).languages == {"ht"}


def test_everybody_switches_for_themselves_only() -> None:
    person, boss = staff("content_moderator"), staff("super_admin")
    with pytest.raises(Forbidden):
        switching.switch(user=person, on=False, by=boss)
    customer = member()
    with pytest.raises(Forbidden):
        switching.switch(user=customer, on=False, by=customer)


def test_an_administrator_who_changes_the_profile_tells_the_queues_too() -> None:
    person, boss = staff("content_moderator"), staff("super_admin")
    profiles.update_profile(user=person, by=boss, on_duty=False)
    assert Absence.objects.filter(user=person).exists()
    profiles.update_profile(user=person, by=boss, max_open_items=4)
    assert Absence.objects.filter(user=person).exists()
    profiles.update_profile(user=person, by=boss, on_duty=True)
    assert not Absence.objects.filter(user=person).exists()


def test_nothing_waits_for_a_closed_account_until_it_is_open_again() -> None:
    person, boss = staff("content_moderator"), staff("super_admin")
    profiles.deactivate(user=person, by=boss, reason="Left")
    assert Absence.objects.filter(user=person).exists()
    profiles.reactivate(user=person, by=boss, reason="Came back")
    assert not Absence.objects.filter(user=person).exists()
