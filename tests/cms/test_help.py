"""Help articles: search, languages and what the public sees."""

import pytest
from django.test import Client
from wagtail.models import Page

from cms.help import queries
from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.home.models import HomePage
from cms.policies.models import PolicyIndexPage, PolicyPage
from cms.services import pages, reference

pytestmark = pytest.mark.django_db


def article(title: str, body: str = "<p>Text</p>", *, language: str = "en", name: str = "") -> HelpArticlePage:
    parent = HelpIndexPage.objects.get(locale__language_code=language)
    return pages.publish(
        parent,
        HelpArticlePage(title=title, body=body, topic="payouts"),
        language=language,
        by=None,
        key=reference.key(name) if name else None,
    )


def test_articles_are_found_by_words_of_their_title_and_text() -> None:
    article("When is my payout due?")
    article("Change your password", "<p>Open your account, then payout is not what you look for.</p>")
    article("Report a title")

    found = [page.title for page in queries.articles(language="en", text="payout")]

    assert set(found) == {"When is my payout due?", "Change your password"}


def test_without_words_every_article_of_the_language_is_listed() -> None:
    article("Payouts")
    article("Vèsman", language="ht")

    assert [page.title for page in queries.articles(language="ht")] == ["Vèsman"]


def test_drafts_are_not_found() -> None:
    draft = article("Secret plans")
    draft.unpublish()

    assert queries.articles(language="en", text="secret") == []
    assert queries.articles(language="en") == []


def test_a_language_without_pages_has_no_articles() -> None:
    assert queries.articles(language="es", text="payout") == []


def test_missing_translations_are_named_until_they_are_published() -> None:
    article("Payouts", name="payouts")
    assert [page.title for page in queries.missing_translations("fr")] == ["Payouts"]

    article("Versements", language="fr", name="payouts")
    assert not queries.missing_translations("fr").exists()


def test_publishing_the_same_page_again_returns_the_one_that_is_there() -> None:
    first = article("Payouts", name="payouts")

    assert article("Something else", name="payouts").pk == first.pk


def test_running_text_keeps_no_script(client: Client) -> None:
    page = article("Payouts", "<p>Fine</p><script>alert(1)</script><img src=x onerror=alert(1)>")

    body = client.get(page.url).content.decode()

    assert "<p>Fine</p>" in body
    assert "onerror" not in body
    assert "<script>alert" not in body


def test_public_pages_show_themselves_in_their_language_with_the_way_to_the_others(client: Client) -> None:
    article("Payouts", name="payouts")
    french = article("Versements", language="fr", name="payouts")

    for page in (
        *HomePage.objects.live(),
        *HelpIndexPage.objects.live(),
        *PolicyIndexPage.objects.live(),
        *HelpArticlePage.objects.live(),
    ):
        response = client.get(page.url)
        assert response.status_code == 200, page.url
        assert f'lang="{page.locale.language_code}"' in response.content.decode()

    body = client.get(french.url).content.decode()
    assert 'hreflang="en"' in body
    assert 'hreflang="ht"' not in body


def test_a_policy_shows_its_version_and_day(client: Client) -> None:
    parent = PolicyIndexPage.objects.get(locale__language_code="en")
    page = pages.publish(
        parent,
        PolicyPage(title="Terms", version="2026-01", effective_from="2026-01-15", body="<p>Be kind.</p>"),
        language="en",
        by=None,
    )

    body = client.get(page.url).content.decode()

    assert "2026-01" in body
    assert "Be kind." in body
    assert "Terms" in client.get(parent.url).content.decode()


def test_the_public_pages_send_the_strict_policy(client: Client) -> None:
    response = client.get(HomePage.objects.get(locale__language_code="en").url)

    assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_the_root_of_the_tree_is_not_a_page_for_anybody(client: Client) -> None:
    assert Page.get_first_root_node().url is None
