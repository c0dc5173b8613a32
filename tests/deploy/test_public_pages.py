"""The demo's help articles and policies."""

import datetime as dt

import pytest
from django.test import Client

from backoffice.audit.models import AuditEntry
from cms.help import queries
from cms.help.models import HelpArticlePage
from cms.policies.models import PolicyPage
from deploy.demo import public_pages
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 1)


def test_they_are_published_once_by_the_editor_and_open_to_everybody(client: Client) -> None:
    editor = staff("editor")

    made = public_pages.publish(by=editor, today=TODAY)
    again = public_pages.publish(by=editor, today=TODAY)

    assert made == again == HelpArticlePage.objects.live().count() + PolicyPage.objects.live().count()
    assert AuditEntry.objects.filter(action="page.publish", actor=editor).count() == made
    for page in [*HelpArticlePage.objects.all(), *PolicyPage.objects.all()]:
        assert client.get(page.url).status_code == 200


def test_search_and_the_list_of_missing_translations_have_something_to_show() -> None:
    public_pages.publish(by=staff("editor"), today=TODAY)

    assert queries.articles(language="fr", text="versement")
    assert [page.title for page in queries.missing_translations("ht")] == ["Uploading a long film over a slow line"]
