"""Wagtail speaks the editor's language and keeps the editor's time."""

import datetime as dt

import pytest
from django.test import Client
from wagtail.users.models import UserProfile

from backoffice.accounts.models import User
from backoffice.catalogue.models import FeaturedSection
from backoffice.catalogue.services import featured
from tests.factories import sales
from tests.factories.accounts import sign_in, staff

pytestmark = pytest.mark.django_db

BOARD = "/cms/featured/"


@pytest.fixture
def editor() -> User:
    return staff("editor", timezone="America/New_York", language="fr")


def test_the_board_shows_the_editors_own_time(client: Client, editor: User) -> None:
    starts_at = dt.datetime(2031, 7, 1, 12, 30, tzinfo=dt.UTC)
    section = FeaturedSection.objects.get(slug="home-hero")
    featured.place(section, title=sales.published(), by=editor, starts_at=starts_at)

    page = sign_in(client, editor).get(BOARD)

    assert page.context["zone"] == "America/New_York"
    assert 'value="2031-07-01T08:30"' in page.content.decode()


def test_wagtails_own_pages_and_mails_follow_the_person(client: Client, editor: User) -> None:
    sign_in(client, editor)
    assert '<html lang="fr"' in client.get("/cms/").content.decode()
    profile = UserProfile.objects.get(user=editor)
    assert (profile.preferred_language, profile.current_time_zone) == ("fr", "America/New_York")

    editor.timezone, editor.language = "Europe/Paris", "en"
    editor.save()
    client.get("/cms/")

    profile.refresh_from_db()
    assert (profile.preferred_language, profile.current_time_zone) == ("en", "Europe/Paris")


def test_a_language_chosen_in_the_switcher_wins_without_being_kept(client: Client, editor: User) -> None:
    sign_in(client, editor)
    client.cookies["django_language"] = "en"

    assert '<html lang="en"' in client.get("/cms/").content.decode()
    assert UserProfile.objects.get(user=editor).preferred_language == "fr"


def test_an_editor_may_speak_creole_though_wagtail_does_not(client: Client) -> None:
    creole = staff("editor", language="ht")

    page = sign_in(client, creole).get("/cms/")

    assert page.status_code == 200
    assert '<html lang="ht"' in page.content.decode()


def test_a_zone_that_does_not_exist_is_the_platforms(client: Client) -> None:
    lost = staff("editor", timezone="Atlantis/Capital")

    assert sign_in(client, lost).get(BOARD).context["zone"] == "UTC"


def test_wagtail_does_not_ask_for_what_is_chosen_elsewhere(client: Client, editor: User) -> None:
    page = sign_in(client, editor).get("/cms/account/").content.decode()

    assert "current_time_zone" not in page
    assert "preferred_language" not in page
