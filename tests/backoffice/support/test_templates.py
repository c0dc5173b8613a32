"""Reply templates: checked when saved, filled in for a ticket."""

import pytest

from backoffice.audit.models import AuditEntry
from backoffice.core.errors import Forbidden, Invalid
from backoffice.support import queries
from backoffice.support.models import ResponseTemplate, SlaPolicy
from backoffice.support.services import sla, templates
from tests.factories import accounts
from tests.factories.support import ticket as open_ticket

pytestmark = pytest.mark.django_db
GOOD = {
    "code": "hello",
    "language": "en",
    "subject": "Hello",
    "body": "Dear {customer_name}, about {reference}.",
}


@pytest.mark.parametrize(
    ("field", "text", "cause"),
    [
        ("body", "Dear {first_name}", "first_name"),
        ("subject", "About {customer_name.email}", "customer_name.email"),
        ("body", "Dear {customer_name", "brace"),
        ("body", "Dear {customer_name!r}", "customer_name"),
        ("body", "Dear {0}", "0"),
        ("body", "  ", "Write something"),
    ],
)
def test_a_template_with_an_unknown_placeholder_is_refused_by_field(field, text, cause):
    with pytest.raises(Invalid, match=cause) as refusal:
        templates.save(by=accounts.staff("customer_support"), **{**GOOD, field: text})
    assert refusal.value.field == field
    assert not ResponseTemplate.objects.filter(code="hello").exists()


def test_a_template_is_filled_in_for_the_ticket_and_the_agent():
    agent = accounts.staff("customer_support", display_name="Rose")
    template = templates.save(by=agent, **{**GOOD, "body": "{{ok}} {customer_name}, {reference}. {agent_name}"})
    ticket = open_ticket(requester=accounts.member(display_name="Jean {x}"))
    assert templates.fill(template, ticket=ticket, by=agent) == f"{{ok}} Jean {{x}}, {ticket.reference}. Rose"


def test_the_same_code_twice_in_a_language_is_refused():
    agent = accounts.staff("customer_support")
    templates.save(by=agent, **GOOD)
    with pytest.raises(Invalid, match="with this code"):
        templates.save(by=agent, **GOOD)
    templates.save(by=agent, **{**GOOD, "language": "fr"})


def test_changing_a_template_is_audited_with_before_and_after():
    agent = accounts.staff("customer_support")
    template = templates.save(by=agent, **GOOD)
    templates.save(by=agent, template=template, **{**GOOD, "subject": "Good day"})
    entry = AuditEntry.objects.get(action="response_template.change")
    assert (entry.before["subject"], entry.after["subject"]) == ("Hello", "Good day")


def test_templates_come_in_the_tickets_language_with_english_for_what_it_lacks():
    agent = accounts.staff("customer_support")
    templates.save(by=agent, **GOOD)
    ticket = open_ticket(issue_type="account", language="ht", requester=accounts.member(language="ht"))
    found = queries.templates_for(ticket)
    assert found[0].code == "account-reset"
    assert {row.language for row in found if row.code != "hello"} == {"ht"}
    assert [row.language for row in found if row.code == "hello"] == ["en"]


def test_the_table_of_due_times_is_changed_by_the_support_lead_only_and_open_tickets_keep_theirs():
    row = SlaPolicy.objects.get(issue_type="general")
    ticket = open_ticket()
    new = {
        "priority": "low",
        "respond_within": 30,
        "resolve_within": 60,
        "escalate_after": None,
        "active": True,
    }
    with pytest.raises(Forbidden):
        sla.change(row, by=accounts.staff("ops_manager"), **new)
    sla.change(row, by=accounts.staff("admin"), reason="New promise", **new)
    due = ticket.first_response_due
    ticket.refresh_from_db()
    assert ticket.first_response_due == due
    assert (open_ticket().first_response_due - ticket.first_response_due).total_seconds() < 0
    assert AuditEntry.objects.get(action="sla_policy.change").before["respond_within"] == 24 * 60
