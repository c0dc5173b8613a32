"""Work that is given back is on record."""

import pytest

from backoffice.audit.models import AuditEntry
from backoffice.queues.services import items
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("verb", ["release", "skip"])
def test_giving_work_back_says_who_gave_back_what(verb: str) -> None:
    person, subject = staff("editor"), member()
    item = items.claim(items.enqueue(queue="tickets", subject=subject, label="TK-1"), by=person)
    getattr(items, verb)(item, token=item.lease_token, by=person)
    entry = AuditEntry.objects.get(action=f"work_item.{verb}")
    assert (entry.actor, entry.data["subject"], entry.data["label"]) == (person, str(subject.pk), "TK-1")
