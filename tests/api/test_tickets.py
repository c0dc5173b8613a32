"""The customer's side of support (U-050)."""

import pytest

from backoffice.support.models import Ticket
from backoffice.support.services import tickets
from tests.factories import accounts
from tests.factories.support import ticket as open_ticket
from tests.statements import count

pytestmark = pytest.mark.django_db
BODY = {"issue_type": "payment", "subject": "Charged twice", "body": "Two lines on my card."}


def test_a_customer_opens_a_ticket_and_gets_reference_and_due_time():
    customer = accounts.member(language="fr")
    answer = accounts.api_client(customer).post("/api/v1/tickets", BODY, format="json")
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    assert data["reference"].startswith("TK-")
    assert data["status"] == "escalated"
    assert data["first_response_due"] < data["resolution_due"]
    assert data["language"] == "fr"
    assert Ticket.objects.get().requester == customer


@pytest.mark.parametrize("missing", ["subject", "body"])
def test_a_ticket_without_its_text_is_refused_by_field(missing):
    body = {name: value for name, value in BODY.items() if name != missing}
    answer = accounts.api_client(accounts.member()).post("/api/v1/tickets", body, format="json")
    assert answer.status_code == 400
    assert missing in answer.json()["error"]["details"]
    assert not Ticket.objects.exists()


def test_nobody_without_a_token_gets_in():
    client = accounts.api_client()
    assert client.get("/api/v1/tickets").status_code == 401
    assert client.post("/api/v1/tickets", BODY, format="json").status_code == 401


def test_a_customer_sees_only_their_own_tickets_and_never_internal_notes():
    customer, stranger = accounts.member(), accounts.member()
    agent = accounts.staff("customer_support")
    ticket = open_ticket(requester=customer)
    item = tickets.claim(ticket, by=agent)
    tickets.note(ticket, by=agent, body="CANARY-internal")
    tickets.reply(ticket, by=agent, token=item.lease_token, body="Under Profile.")
    mine = accounts.api_client(customer)
    detail = mine.get(f"/api/v1/tickets/{ticket.pk}")
    assert [message["body"] for message in detail.json()["data"]["messages"]] == ["Under Profile."]
    assert b"CANARY" not in detail.content
    assert mine.get("/api/v1/tickets").json()["metadata"]["pagination"]["total"] == 1
    theirs = accounts.api_client(stranger)
    assert theirs.get("/api/v1/tickets").json()["data"] == []
    assert theirs.get(f"/api/v1/tickets/{ticket.pk}").status_code == 403
    for path, body in (("messages", {"body": "Hi"}), ("rating", {"rating": 5})):
        assert theirs.post(f"/api/v1/tickets/{ticket.pk}/{path}", body, format="json").status_code == 403


def test_answering_and_rating_follow_the_tickets_state():
    customer, agent = accounts.member(), accounts.staff("customer_support")
    ticket = open_ticket(requester=customer)
    client = accounts.api_client(customer)
    address = f"/api/v1/tickets/{ticket.pk}"
    assert client.post(f"{address}/rating", {"rating": 5}, format="json").status_code == 409
    item = tickets.claim(ticket, by=agent)
    tickets.resolve(ticket, by=agent, token=item.lease_token, code="solved")
    assert client.post(f"{address}/rating", {"rating": 0}, format="json").status_code == 400
    assert client.post(f"{address}/rating", {"rating": 5}, format="json").status_code == 201
    assert client.post(f"{address}/rating", {"rating": 5}, format="json").status_code == 409
    answer = client.post(f"{address}/messages", {"body": "It is back."}, format="json")
    assert answer.json()["data"]["status"] == "open"
    assert answer.json()["data"]["csat"] == 5


def test_a_link_must_be_the_customers_own_thing():
    from tests.factories import catalogue

    published, hidden = catalogue.published(), catalogue.title()
    client = accounts.api_client(accounts.member())
    ours = {**BODY, "links": [{"kind": "title", "id": str(published.pk)}]}
    answer = client.post("/api/v1/tickets", ours, format="json")
    assert answer.json()["data"]["links"][0]["label"] == published.title
    theirs = {**BODY, "links": [{"kind": "title", "id": str(hidden.pk)}]}
    assert client.post("/api/v1/tickets", theirs, format="json").status_code == 403
    assert Ticket.objects.count() == 1


def test_lists_and_details_send_the_same_number_of_statements_whatever_they_hold():
    customer, agent = accounts.member(), accounts.staff("customer_support")
    client = accounts.api_client(customer)
    ticket = open_ticket(requester=customer)
    client.get("/api/v1/tickets")
    few = (
        count(lambda: client.get("/api/v1/tickets")),
        count(lambda: client.get(f"/api/v1/tickets/{ticket.pk}")),
    )
    for _each in range(8):
        open_ticket(requester=customer)
        tickets.note(ticket, by=agent, body="x")
        tickets.answer(ticket, by=customer, body="y")
    many = (
        count(lambda: client.get("/api/v1/tickets")),
        count(lambda: client.get(f"/api/v1/tickets/{ticket.pk}")),
    )
    assert few == many
