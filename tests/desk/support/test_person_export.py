"""The screen on which support takes out one person's data."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.audit.models import AuditEntry, ExportRecord
from backoffice.support.services import tickets
from tests.desk.clients import Desk
from tests.factories import support
from tests.factories.accounts import member, staff


def address(person: User) -> str:
    return reverse("desk:person_data_export", args=[person.pk])


@pytest.mark.parametrize("role", ROLES)
def test_the_screen_is_for_support_and_admins(desk: Callable[..., Desk], role: str) -> None:
    held = {"users.export", "users.export_one"} & set(permissions_of(role))
    assert desk(role).get(address(member())).status_code == (200 if held else 403)


def test_the_way_from_the_ticket_to_the_file(desk: Callable[..., Desk]) -> None:
    agent = desk("customer_support")
    ticket = support.ticket()
    tickets.claim(ticket, by=agent.person)
    link = f"{address(ticket.requester)}?ticket={ticket.reference}"
    assert link in agent.get(reverse("desk:ticket", args=[ticket.pk])).content.decode()
    form = agent.get(link)
    assert f'value="{ticket.reference}"' in form.content.decode()
    fields = {"ticket": ticket.reference, "reason": "asked for a copy", "format": "csv"}
    answer: Any = agent.post(address(ticket.requester), fields)
    content = b"".join(answer.streaming_content).decode()
    assert ticket.requester.email in content
    record = ExportRecord.objects.get()
    assert (record.user, record.ticket) == (agent.person, ticket.reference)
    assert (record.rows or 0) > 6
    entry = AuditEntry.objects.get(action="person.export")
    assert (entry.subject_id, entry.data["ticket"]) == (str(ticket.requester.pk), ticket.reference)


def test_a_refusal_keeps_what_was_typed(desk: Callable[..., Desk]) -> None:
    agent = desk("customer_support")
    fields = {"ticket": "TK-NOTTHERE", "reason": "asked for a copy", "format": "csv"}
    answer = agent.post(address(member()), fields)
    assert answer.status_code == 400
    assert "asked for a copy" in answer.content.decode()
    assert "TK-NOTTHERE" in answer.content.decode()
    assert agent.post(address(staff("editor")), fields).status_code == 403
    assert not ExportRecord.objects.exists()


def test_it_asks_for_the_factor(desk: Callable[..., Desk]) -> None:
    answer = desk("customer_support", factor_age=600).get(address(member()))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))


def test_the_link_is_not_shown_to_who_may_not(desk: Callable[..., Desk]) -> None:
    ticket = support.ticket()
    page = desk("ops_manager").get(reverse("desk:ticket", args=[ticket.pk])).content.decode()
    assert address(ticket.requester) not in page
