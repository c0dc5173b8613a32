"""The ticket queue and workspace, driven like a browser would."""

import re

import pytest
from django.urls import reverse

from backoffice.commerce.services import purchases
from backoffice.support.models import SlaPolicy, Ticket, TicketMessage
from backoffice.support.services import tickets
from backoffice.support.states import Status
from tests.factories import accounts, catalogue
from tests.factories.support import ticket as open_ticket
from tests.statements import count

pytestmark = pytest.mark.django_db


def page(client, ticket):
    return client.get(reverse("desk:ticket", args=[ticket.pk]))


def hidden(html, name):
    return re.search(rf'name="{name}" value="([^"]*)"', html).group(1)


def reply(client, ticket, **fields):
    html = page(client, ticket).content.decode()
    given = {"body": "Look under Profile.", "then": "wait", "after": "stay", **fields}
    form = {"token": hidden(html, "token"), "seen": hidden(html, "seen"), **given}
    return client.post(reverse("desk:ticket_reply", args=[ticket.pk]), form)


def test_the_tabs_hold_what_they_say(desk):
    agent = desk("customer_support")
    mine, _unassigned, waiting = (open_ticket(subject=text) for text in ("Mine", "Nobody has it", "Asked back"))
    tickets.claim(mine, by=agent.person)
    item = tickets.claim(waiting, by=accounts.staff("customer_support"))
    tickets.reply(waiting, by=item.holder, token=item.lease_token, body="Which?", then="wait")
    expected = {"mine": {"Mine"}, "unassigned": {"Nobody has it"}, "waiting": {"Asked back"}}
    for tab, subjects in expected.items():
        html = agent.get(reverse("desk:ticket_list"), {"tab": tab}).content.decode()
        assert {text for text in ("Mine", "Nobody has it", "Asked back") if f">{text}</a>" in html} == subjects


def test_search_finds_words_references_and_addresses_and_an_empty_result_says_so(desk):
    agent = desk("customer_support")
    ticket = open_ticket(subject="Subtitles out of step")
    for words in ("subtitles", ticket.reference.lower(), ticket.requester.email):
        answer = agent.get(reverse("desk:ticket_list"), {"tab": "all", "words": words})
        assert "Subtitles out of step" in answer.content.decode()
    nothing = agent.get(reverse("desk:ticket_list"), {"tab": "all", "words": "zzz"}).content.decode()
    assert "No ticket fits these filters." in nothing


def test_next_claims_the_most_urgent_and_opens_it_with_a_composer(desk):
    agent = desk("customer_support")
    open_ticket()
    urgent = open_ticket(issue_type="payment")
    answer = agent.post(reverse("desk:ticket_next"), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("desk:ticket", args=[urgent.pk])
    html = answer.content.decode()
    assert 'name="body"' in html
    assert "data-lease-until" in html
    assert "payment-checking" in html


def test_a_templated_reply_with_status_goes_out_and_the_next_ticket_opens(desk):
    agent = desk("customer_support")
    first, second = open_ticket(issue_type="payment"), open_ticket()
    agent.post(reverse("desk:ticket_next"))
    answer = reply(
        agent, first, then="resolve", resolution_code="solved", after="next", template_code="payment-checking"
    )
    assert answer.url == reverse("desk:ticket", args=[second.pk])
    first.refresh_from_db()
    assert first.status == Status.RESOLVED
    assert first.messages.get().template_code == "payment-checking"


def test_a_stale_submit_sends_nothing_shows_who_did_what_and_keeps_the_text(desk):
    agent = desk("customer_support")
    customer = accounts.member(display_name="Jean Valcin")
    ticket = open_ticket(requester=customer)
    tickets.claim(ticket, by=agent.person)
    html = page(agent, ticket).content.decode()
    stale = {
        "token": hidden(html, "token"),
        "seen": hidden(html, "seen"),
        "body": "My careful words",
        "then": "wait",
    }
    tickets.answer(ticket, by=customer, body="Never mind!")
    answer = agent.post(reverse("desk:ticket_reply", args=[ticket.pk]), stale)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "This ticket has changed since you opened it." in html
    assert "Jean Valcin wrote, as the customer" in re.sub(r"\s+", " ", html)
    assert "My careful words" in html
    assert not TicketMessage.objects.filter(side="agent").exists()
    again = {**stale, "seen": hidden(html, "seen"), "token": hidden(html, "token")}
    assert agent.post(reverse("desk:ticket_reply", args=[ticket.pk]), again).status_code == 302


def test_a_lost_lease_names_the_colleague_and_keeps_the_text(desk):
    agent = desk("customer_support")
    ticket = open_ticket()
    item = tickets.claim(ticket, by=agent.person)
    html = page(agent, ticket).content.decode()
    form = {
        "token": hidden(html, "token"),
        "seen": hidden(html, "seen"),
        "body": "My careful words",
        "then": "",
    }
    tickets.release(ticket, by=agent.person, token=item.lease_token)
    colleague = accounts.staff("customer_support", display_name="Rose Pierre")
    tickets.claim(ticket, by=colleague)
    form["seen"] = Ticket.objects.get(pk=ticket.pk).version
    answer = agent.post(reverse("desk:ticket_reply", args=[ticket.pk]), form)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Rose Pierre is working on this" in html
    assert "My careful words" in html
    assert not TicketMessage.objects.exists()


def test_the_heartbeat_keeps_the_lease_and_says_when_it_is_lost(desk):
    agent = desk("customer_support")
    ticket = open_ticket()
    item = tickets.claim(ticket, by=agent.person)
    address = reverse("desk:ticket_heartbeat", args=[ticket.pk])
    assert agent.post(address, {"token": str(item.lease_token)}).json()["until"] > item.lease_until.isoformat()
    tickets.release(ticket, by=agent.person, token=item.lease_token)
    assert agent.post(address, {"token": str(item.lease_token)}).status_code == 409


def test_dialogs_come_back_with_the_reason_and_what_was_typed(desk):
    agent = desk("customer_support")
    ticket = open_ticket()
    item = tickets.claim(ticket, by=agent.person)
    ticket.refresh_from_db()
    form = {"verb": "dismiss", "dismissal": "duplicate", "into": "TK-NOPE", "token": str(item.lease_token)}
    form["seen"] = ticket.version
    answer = agent.post(reverse("desk:ticket_status", args=[ticket.pk]), form)
    html = answer.content.decode()
    assert answer.status_code == 400
    assert "There is no ticket with this reference." in html
    assert "TK-NOPE" in html
    assert re.search(r'id="dismiss"[^>]*data-open', html)


def test_money_on_the_side_panel_follows_the_readers_roles(desk):
    customer = accounts.member()
    title = catalogue.published(access_model="purchase", price_minor=499, title="Lavi nan mòn yo")
    purchases.start(title=title, by=customer)
    ticket = open_ticket(requester=customer)
    support = page(desk("customer_support"), ticket).content.decode()
    assert "Lavi nan mòn yo" in support
    assert "<h3>Payments</h3>" not in support
    assert "<h3>Payments</h3>" in page(desk("admin"), ticket).content.decode()


def test_finance_reads_payment_tickets_only_and_moderators_their_own(desk):
    finance, moderator = desk("financial_admin"), desk("content_moderator")
    payment, general = open_ticket(issue_type="payment"), open_ticket()
    assert page(finance, payment).status_code == 200
    assert page(finance, general).status_code == 404
    assert page(moderator, general).status_code == 404
    Ticket.objects.filter(pk=general.pk).update(assignee=moderator.person)
    assert page(moderator, general).status_code == 200
    assert moderator.post(reverse("desk:ticket_claim", args=[general.pk])).status_code == 403


def test_beside_a_ticket_stand_only_tickets_that_the_reader_may_open(desk):
    moderator, customer = desk("content_moderator"), accounts.member()
    mine = open_ticket(requester=customer, subject="Playback stops early", issue_type="content")
    Ticket.objects.filter(pk=mine.pk).update(assignee=moderator.person)
    open_ticket(requester=customer, subject="My private refund", issue_type="payment")
    open_ticket(subject="Playback stops somewhere", issue_type="content")
    html = page(moderator, mine).content.decode()
    assert "My private refund" not in html
    assert "Playback stops somewhere" not in html
    html = page(desk("customer_support"), mine).content.decode()
    assert "My private refund" in html
    assert "Playback stops somewhere" in html


@pytest.mark.parametrize("role", ["editor", "verification_reviewer", "analyst"])
def test_other_roles_do_not_get_in(desk, role):
    ticket = open_ticket()
    client = desk(role)
    assert client.get(reverse("desk:ticket_list")).status_code == 403
    assert page(client, ticket).status_code == 403
    for name in (
        "ticket_claim",
        "ticket_release",
        "ticket_reply",
        "ticket_note",
        "ticket_status",
        "ticket_heartbeat",
    ):
        assert client.post(reverse(f"desk:{name}", args=[ticket.pk])).status_code == 403


def test_nothing_changes_by_a_plain_get(desk):
    agent = desk("customer_support")
    ticket = open_ticket()
    for name in ("ticket_claim", "ticket_release", "ticket_reply", "ticket_note", "ticket_status"):
        assert agent.get(reverse(f"desk:{name}", args=[ticket.pk])).status_code == 405
    assert agent.get(reverse("desk:ticket_next")).status_code == 405


def test_what_a_customer_writes_is_text_and_not_markup(desk):
    agent = desk("customer_support")
    ticket = open_ticket(subject="<script>alert(1)</script>", body="</textarea><img src=x onerror=alert(2)>")
    tickets.claim(ticket, by=agent.person)
    html = page(agent, ticket).content.decode()
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html


def test_the_queue_and_the_workspace_send_the_same_number_of_statements_whatever_they_hold(desk):
    agent = desk("admin")
    ticket = open_ticket(subject="Playback stops after the intro")
    tickets.claim(ticket, by=agent.person)
    queue, workspace = reverse("desk:ticket_list") + "?tab=all", reverse("desk:ticket", args=[ticket.pk])
    agent.get(queue), agent.get(workspace)
    few = count(lambda: agent.get(queue)), count(lambda: agent.get(workspace))
    for number in range(12):
        other = open_ticket(requester=ticket.requester, subject=f"Playback stops again {number}")
        tickets.claim(other, by=agent.person)
        tickets.note(ticket, by=agent.person, body="x")
        tickets.answer(ticket, by=ticket.requester, body="y")
    many = count(lambda: agent.get(queue)), count(lambda: agent.get(workspace))
    assert few == many
    assert many[0] <= 20
    assert many[1] <= 32


def test_templates_and_due_times_are_edited_on_screens(desk):
    lead = desk("admin")
    form = {
        "code": "hello",
        "language": "en",
        "subject": "Hi",
        "body": "Dear {nobody}",
        "category": "",
        "active": "on",
    }
    refused = lead.post(reverse("desk:response_template_new"), form)
    assert refused.status_code == 400
    assert "is not a placeholder" in refused.content.decode()
    form["body"] = "Dear {customer_name}"
    assert lead.post(reverse("desk:response_template_new"), form).status_code == 302
    assert "hello" in lead.get(reverse("desk:response_template_list")).content.decode()
    row = SlaPolicy.objects.get(issue_type="general")
    targets = {"priority": "low", "respond_within": 120, "resolve_within": 60, "reason": "x", "active": "on"}
    assert lead.post(reverse("desk:sla", args=[row.pk]), targets).status_code == 400
    targets["resolve_within"] = 600
    assert lead.post(reverse("desk:sla", args=[row.pk]), targets).status_code == 302
    assert desk("ops_manager").get(reverse("desk:sla", args=[row.pk])).status_code == 403
    assert "10 h" in desk("ops_manager").get(reverse("desk:sla_list")).content.decode()
