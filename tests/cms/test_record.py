"""What editors do in Wagtail is on record."""

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.audit.models import AuditEntry
from cms.help.models import HelpIndexPage
from tests.factories.accounts import sign_in, staff

pytestmark = pytest.mark.django_db


def test_every_action_on_a_page_is_on_record_with_who_did_it(client: Client) -> None:
    editor = staff("editor")
    sign_in(client, editor)
    page = HelpIndexPage.objects.first()
    assert page is not None
    client.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))
    page.refresh_from_db()
    assert page.live is False
    entry = AuditEntry.objects.get(action="cms.unpublish")
    assert entry.actor == editor
    assert (entry.data["kind"], entry.data["key"], entry.data["title"]) == (
        "cms.helpindexpage",
        str(page.pk),
        page.title,
    )
