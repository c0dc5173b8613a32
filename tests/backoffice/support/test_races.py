"""Two people at the same ticket at the same moment, on real connections."""

import threading
from collections import Counter

import pytest
from django.db import connection

from backoffice.core.errors import DomainError
from backoffice.support.models import Ticket, TicketMessage
from backoffice.support.services import tickets
from backoffice.support.states import Status
from tests.factories import accounts
from tests.factories.support import ticket as open_ticket


def race(*actions):
    """Runs the actions at once, each on its own connection; what each returned or raised."""
    gate = threading.Barrier(len(actions))
    results = [None] * len(actions)

    def run(index, action):
        try:
            gate.wait(timeout=60)
            results[index] = action()
        except DomainError as error:
            results[index] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(index, action), name=f"race-{index}") for index, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.mark.django_db(transaction=True)
def test_six_agents_asking_for_the_next_ticket_get_different_ones():
    agents = [accounts.staff("customer_support") for _each in range(6)]
    for _each in range(4):
        open_ticket()
    given = race(*[lambda agent=agent: tickets.claim_next(by=agent) for agent in agents])
    taken = [found[0].pk for found in given if found is not None]
    assert len(taken) == len(set(taken)) == 4


@pytest.mark.django_db(transaction=True)
def test_of_two_windows_that_send_at_once_only_one_reply_goes_out():
    agent = accounts.staff("customer_support")
    ticket = open_ticket()
    item = tickets.claim(ticket, by=agent)
    seen = Ticket.objects.get(pk=ticket.pk).version

    def send():
        found = Ticket.objects.get(pk=ticket.pk)
        return tickets.reply(
            found,
            by=agent,
            token=item.lease_token,
            seen=seen,
            body="Hello",
            then="resolve",
            resolution_code="solved",
        )

    results = race(send, send, send)
    assert Counter(isinstance(result, TicketMessage) for result in results) == {True: 1, False: 2}
    assert TicketMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_racing_with_a_resolution_is_never_lost():
    agent = accounts.staff("customer_support")
    customer = accounts.member()
    ticket = open_ticket(requester=customer)
    item = tickets.claim(ticket, by=agent)

    def resolve():
        tickets.resolve(Ticket.objects.get(pk=ticket.pk), by=agent, token=item.lease_token, code="solved")

    def answer():
        return tickets.answer(Ticket.objects.get(pk=ticket.pk), by=customer, body="One more thing")

    race(resolve, answer)
    ticket.refresh_from_db()
    assert TicketMessage.objects.filter(side="customer").count() == 1
    # Either the answer came first and the ticket is resolved after it, or it opened the resolved ticket
    # again.
    assert ticket.status in (Status.RESOLVED, Status.OPEN)
