"""`GET /api/v1/help` (U-052)."""

import pytest
from django.test import Client

from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.services import pages
from tests.statements import count

pytestmark = pytest.mark.django_db


def article(title: str, *, language: str = "en", body: str = "<p>Text</p>") -> HelpArticlePage:
    parent = HelpIndexPage.objects.get(locale__language_code=language)
    return pages.publish(parent, HelpArticlePage(title=title, body=body), language=language, by=None)


def titles(client: Client, **query: str) -> list[str]:
    return [found["title"] for found in client.get("/api/v1/help", query).json()["data"]]


def test_anybody_searches_articles_of_a_language(client: Client) -> None:
    article("When is my payout due?")
    article("Change your password")
    article("Kilè y ap peye m?", language="ht")

    assert titles(client, q="payout") == ["When is my payout due?"]
    assert titles(client, language="ht") == ["Kilè y ap peye m?"]
    assert client.get("/api/v1/help", headers={"Accept-Language": "ht"}).json()["data"][0]["title"] == (
        "Kilè y ap peye m?"
    )


def test_an_article_comes_with_its_text_and_the_address_of_its_page(client: Client) -> None:
    page = article("Payouts", body="<h2>When</h2><p>Weekly.</p>")

    found = client.get("/api/v1/help").json()["data"][0]

    assert found["body"] == "<h2>When</h2><p>Weekly.</p>"
    assert found["url"].endswith("/en/pages/help/payouts/")
    assert found["id"] == str(page.translation_key)
    assert found.keys() == {"id", "title", "kind", "topic", "summary", "body", "video_url", "url"}


@pytest.mark.parametrize(
    ("query", "field"), [({"language": "xx"}, "language"), ({"q": "x" * 201}, "q"), ({"q": "a\x00"}, "q")]
)
def test_wrong_input_names_its_field(client: Client, query: dict[str, str], field: str) -> None:
    response = client.get("/api/v1/help", query)

    assert response.status_code == 400
    assert field in response.content.decode()


@pytest.mark.parametrize("text", ["'", "%", "a:* & !", "<script>", "😀"])
def test_strange_words_find_nothing_and_break_nothing(client: Client, text: str) -> None:
    assert client.get("/api/v1/help", {"q": text}).status_code == 200


def test_the_statements_do_not_grow_with_the_articles(client: Client) -> None:
    article("One")
    client.get("/api/v1/help")
    few = count(lambda: client.get("/api/v1/help"))
    for number in range(4):
        article(f"More {number}")

    assert count(lambda: client.get("/api/v1/help")) == few
