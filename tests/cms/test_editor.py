"""What an editor does in Wagtail besides the board, and which of Wagtail's doors stay shut."""

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from wagtail.models import Page

from backoffice.accounts.roles import ROLES
from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.home.models import HomePage
from cms.services import pages
from tests.factories.accounts import member, sign_in, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    return sign_in(client, staff("editor"))


def test_an_article_is_written_and_published(editor: Client) -> None:
    index = HelpIndexPage.objects.get(locale__language_code="fr")
    address = reverse("wagtailadmin_pages:add", args=["cms", "helparticlepage", index.pk])
    assert editor.get(address).status_code == 200

    response = editor.post(
        address,
        {
            "title": "Versements",
            "slug": "versements",
            "kind": "faq",
            "topic": "payouts",
            "summary": "Quand et comment.",
            "body": '{"blocks":[{"key":"a","text":"Chaque semaine.","type":"unstyled","depth":0,'
            '"inlineStyleRanges":[],"entityRanges":[]}],"entityMap":{}}',
            "video_url": "",
            "comments-TOTAL_FORMS": "0",
            "comments-INITIAL_FORMS": "0",
            "action-publish": "1",
        },
    )

    assert response.status_code == 302
    article = HelpArticlePage.objects.get(slug="versements")
    assert article.live
    assert article.locale.language_code == "fr"
    assert "Chaque semaine." in Client().get(article.url).content.decode()


def test_a_page_is_put_into_another_language_as_a_draft(editor: Client) -> None:
    parent = HelpIndexPage.objects.get(locale__language_code="en")
    page = pages.publish(parent, HelpArticlePage(title="Payouts", body="<p>x</p>"), language="en", by=None)
    creole = HelpIndexPage.objects.get(locale__language_code="ht").locale

    editor.post(reverse("simple_translation:submit_page_translation", args=[page.pk]), {"locales": [creole.pk]})

    draft = HelpArticlePage.objects.get(translation_key=page.translation_key, locale=creole)
    assert not draft.live
    assert Client().get(f"/ht/pages/ed/{draft.slug}/").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "wagtailadmin_home",
        "wagtailadmin_explore_root",
        "wagtailadmin_account",
        "cms_featured",
    ],
)
def test_the_pages_that_editors_have_open(editor: Client, name: str) -> None:
    assert editor.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("role", ["editor", "admin", "super_admin"])
@pytest.mark.parametrize(
    "name",
    [
        "wagtailusers_users:index",
        "wagtailusers_users:add",
        "wagtailusers_groups:index",
        "wagtailusers_groups:add",
        "wagtailsites:index",
        "wagtaillocales:index",
        "wagtailadmin_workflows:index",
        "wagtailadmin_collections:index",
        "wagtailsnippets:index",
    ],
)
def test_people_roles_and_settings_are_not_wagtails_to_change(client: Client, role: str, name: str) -> None:
    assert sign_in(client, staff(role)).get(reverse(name)).status_code == 404


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"super_admin", "admin", "editor"}))
def test_other_staff_do_not_come_in(client: Client, role: str) -> None:
    assert sign_in(client, staff(role)).get(reverse("wagtailadmin_home")).status_code == 403


def test_members_and_visitors_do_not_come_in(client: Client) -> None:
    assert client.get(reverse("wagtailadmin_home")).status_code == 302
    client.force_login(member(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("wagtailadmin_home")).status_code in (302, 403)


def test_staff_without_their_factor_do_not_come_in(client: Client) -> None:
    response = sign_in(client, staff("editor"), factor_age=None).get("/cms/featured/")

    assert response.status_code == 302
    assert "/cms/" not in response.headers["Location"].split("?")[0]


def test_no_home_page_can_be_added_beside_the_languages(editor: Client) -> None:
    root = Page.get_first_root_node()

    assert editor.get(reverse("wagtailadmin_pages:add", args=["cms", "homepage", root.pk])).status_code == 302
    assert HomePage.objects.count() == 3


def test_the_chart_script_comes_from_its_package_and_nothing_else_of_it_does() -> None:
    assert finders.find("plotly/plotly.min.js")
    assert finders.find("plotly/widgetbundle.js") is None
    assert finders.find("plotly/../plotly/plotly.min.js") is None
    assert finders.find("cms/board.js")
