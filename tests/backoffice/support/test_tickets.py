"""What can be done to a ticket, by whom, and what it does to its clocks and its place in the queue."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError

from backoffice.audit import queries as audit
from backoffice.core import jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition
from backoffice.notifications.models import Notification
from backoffice.queues import queries as queues
from backoffice.queues.models import WorkItem
from backoffice.queues.services.items import LeaseLost, NotFree
from backoffice.support.models import SlaPolicy, Ticket, TicketMessage
from backoffice.support.services import clocks, reference, tickets
from backoffice.support.services.steps import StaleTicket
from backoffice.support.states import MACHINE, Status
from tests.factories import accounts
from tests.factories.support import ticket as open_ticket

pytestmark = pytest.mark.django_db

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def agent():
    return accounts.staff("customer_support")


@pytest.fixture
def supervisor():
    return accounts.staff("ops_manager")


def test_the_table_of_due_times_is_the_specification(db):
    rows = {
        row.issue_type: (row.priority, row.respond_within, row.resolve_within, row.escalate_after)
        for row in SlaPolicy.objects.all()
    }
    assert rows == {
        "payment": ("critical", 60, 24 * 60, 0),
        "account": ("high", 2 * 60, 24 * 60, 4 * 60),
        "content": ("medium", 4 * 60, 48 * 60, 24 * 60),
        "general": ("low", 24 * 60, 72 * 60, 48 * 60),
        "feature": ("low", 48 * 60, None, None),
    }


def test_loading_the_reference_data_twice_adds_nothing_and_keeps_edits(db):
    SlaPolicy.objects.filter(issue_type="general").update(respond_within=30)
    assert reference.load() == 0
    assert SlaPolicy.objects.get(issue_type="general").respond_within == 30


@pytest.mark.parametrize(
    ("issue_type", "priority", "respond", "resolve", "escalate"),
    [
        ("payment", "critical", 1, 24, None),  # escalated at once: no time left to wait for
        ("account", "high", 2, 24, 4),
        ("content", "medium", 4, 48, 24),
        ("general", "low", 24, 72, 48),
        ("feature", "low", 48, None, None),
    ],
)
def test_due_times_follow_from_the_issue_type_in_calendar_hours(issue_type, priority, respond, resolve, escalate):
    friday_evening = datetime(2026, 3, 6, 22, 0, tzinfo=UTC)
    ticket = open_ticket(issue_type=issue_type, at=friday_evening)
    assert ticket.priority == priority
    assert ticket.first_response_due == friday_evening + respond * HOUR
    assert ticket.resolution_due == (friday_evening + resolve * HOUR if resolve else None)
    assert ticket.escalate_at == (friday_evening + escalate * HOUR if escalate else None)


def test_a_new_ticket_waits_in_the_queue_with_due_time_and_reasons():
    ticket = open_ticket(issue_type="account", at=T0)
    item = queues.for_subject("tickets", ticket)
    assert item.state == WorkItem.State.OPEN
    assert item.due_at == T0 + 2 * HOUR
    assert item.reasons == [{"code": "priority.high", "text": "High priority", "score": 300}]
    assert item.priority == 300


def test_a_payment_issue_is_escalated_when_it_is_opened_and_the_supervisors_are_told(supervisor):
    ticket = open_ticket(issue_type="payment", at=T0)
    assert (ticket.status, ticket.escalation_level, ticket.escalated_at) == (Status.ESCALATED, 1, T0)
    assert queues.for_subject("tickets", ticket).priority == 900
    assert Notification.objects.filter(user=supervisor, event="ticket.escalated", channel="email").count() == 1


def test_words_decide_what_a_ticket_is_about_when_nobody_says():
    assert open_ticket(issue_type="", subject="Refund please", body="charged twice").issue_type == "payment"
    assert open_ticket(issue_type="", subject="Mot de passe", body="perdu").issue_type == "account"
    assert open_ticket(issue_type="", subject="Fim nan pa mache", body="ekran nwa").issue_type == "content"
    assert open_ticket(issue_type="", subject="Bonjour", body="une question").issue_type == "general"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"subject": "  "}, "subject"),
        ({"body": ""}, "body"),
        ({"issue_type": "weather"}, "issue_type"),
        ({"language": "de"}, "language"),
        ({"subject": "x" * 201}, "subject"),
    ],
)
def test_a_ticket_with_bad_input_is_refused_and_leaves_no_row(fields, field):
    with pytest.raises(Invalid) as refusal:
        open_ticket(**fields)
    assert refusal.value.field == field
    assert not Ticket.objects.exists()


def test_claiming_takes_the_ticket_and_records_it(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0 + HOUR)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee) == (Status.OPEN, agent)
    assert item.holder == agent
    assert [entry.action for entry in audit.for_subject(ticket)] == ["ticket.claim", "ticket.open"]


def test_two_agents_do_not_get_the_same_ticket(agent):
    colleague = accounts.staff("customer_support", display_name="Rose Pierre")
    ticket = open_ticket()
    tickets.claim(ticket, by=colleague)
    with pytest.raises(NotFree, match="Rose Pierre"):
        tickets.claim(ticket, by=agent)
    assert tickets.claim_next(by=agent) is None


def test_the_most_urgent_ticket_is_handed_out_first(agent):
    general, payment, account = (open_ticket(issue_type=kind, at=T0) for kind in ("general", "payment", "account"))
    given = [tickets.claim_next(by=agent, at=T0)[0] for _turn in range(3)]
    assert given == [payment, account, general]


def test_a_reply_goes_out_by_mail_and_stops_the_first_clock(agent):
    customer = accounts.member(language="fr")
    ticket = open_ticket(requester=customer, at=T0)
    item = tickets.claim(ticket, by=agent, at=T0 + HOUR)
    tickets.reply(ticket, by=agent, token=item.lease_token, body="It's under Profile.", then="wait", at=T0 + HOUR)
    assert ticket.first_responded_at == T0 + HOUR
    assert ticket.status == Status.PENDING_CUSTOMER
    jobs.run_due()
    letter = next(message for message in mail.outbox if message.subject.startswith("Re"))
    assert letter.to == [customer.email]
    assert "It's under Profile." in letter.body
    assert ticket.reference in letter.subject


def test_the_resolution_clock_stands_while_the_customer_is_asked(agent):
    ticket = open_ticket(issue_type="content", at=T0)
    item = tickets.claim(ticket, by=agent, at=T0 + HOUR)
    tickets.reply(ticket, by=agent, token=item.lease_token, body="Which device?", then="wait", at=T0 + HOUR)
    assert queues.for_subject("tickets", ticket).state == WorkItem.State.PAUSED
    later = T0 + HOUR + timedelta(days=3)
    assert ticket.resolution_left(later) == timedelta(hours=47)
    tickets.answer(ticket, by=ticket.requester, body="A phone.", at=later)
    assert ticket.status == Status.OPEN
    assert ticket.paused_seconds == 3 * 24 * 3600
    assert ticket.resolution_due == T0 + 48 * HOUR + timedelta(days=3)
    assert ticket.escalate_at == T0 + 24 * HOUR + timedelta(days=3)
    item = queues.for_subject("tickets", ticket)
    assert (item.state, item.return_to) == (WorkItem.State.OPEN, agent)
    assert item.due_at == ticket.resolution_due


def test_the_clock_runs_on_while_a_ticket_is_on_hold(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    tickets.hold(ticket, by=agent, token=item.lease_token, reason="Bank answers on Monday", at=T0)
    tickets.resume(ticket, by=agent, at=T0 + 10 * HOUR)
    assert (ticket.status, ticket.paused_seconds) == (Status.OPEN, 0)
    assert ticket.resolution_due == T0 + 72 * HOUR


def test_nobody_waits_for_a_customer_who_was_not_written_to(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    with pytest.raises(Conflict, match="Write to the customer"):
        tickets.wait(ticket, by=agent, token=item.lease_token, at=T0)


def test_an_answer_comes_back_to_the_same_agent_before_anything_else(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    tickets.reply(ticket, by=agent, token=item.lease_token, body="Which page?", then="wait", at=T0)
    open_ticket(issue_type="payment", at=T0)
    tickets.answer(ticket, by=ticket.requester, body="The first one.", at=T0 + HOUR)
    assert tickets.claim_next(by=accounts.staff("customer_support"), at=T0 + HOUR)[0] != ticket
    assert tickets.claim_next(by=agent, at=T0 + HOUR)[0] == ticket


def test_a_ticket_whose_agent_left_or_let_it_get_late_goes_to_anybody(agent):
    colleague = accounts.staff("customer_support")
    left, late = (open_ticket(issue_type="account", at=T0) for _each in range(2))
    for ticket in (left, late):
        item = tickets.claim(ticket, by=agent, at=T0)
        tickets.reply(ticket, by=agent, token=item.lease_token, body="Which address?", then="wait", at=T0)
    tickets.answer(late, by=late.requester, body="This one.", at=T0)
    assert tickets.claim_next(by=colleague, at=T0) is None
    clocks.watch(at=T0 + 20 * HOUR)
    assert tickets.claim_next(by=colleague, at=T0 + 20 * HOUR)[0] == late
    agent.is_active = False
    agent.save()
    tickets.answer(left, by=left.requester, body="That one.", at=T0 + 20 * HOUR)
    assert tickets.claim_next(by=colleague, at=T0 + 20 * HOUR)[0] == left


def test_a_customer_opens_a_resolved_ticket_again_within_the_window(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0 + HOUR)
    tickets.resolve(ticket, by=agent, token=item.lease_token, code="answered", at=T0 + HOUR)
    assert queues.for_subject("tickets", ticket).state == WorkItem.State.DONE
    tickets.answer(ticket, by=ticket.requester, body="Still not.", at=T0 + HOUR + timedelta(days=6))
    assert (ticket.status, ticket.resolved_at) == (Status.OPEN, None)
    assert ticket.resolution_due == T0 + 72 * HOUR + timedelta(days=6)
    item = queues.for_subject("tickets", ticket)
    assert (item.state, item.return_to) == (WorkItem.State.OPEN, agent)
    assert "reopened" in {reason["code"] for reason in item.reasons}


def test_after_the_window_an_answer_is_refused_even_before_the_job_closed_the_ticket(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    tickets.resolve(ticket, by=agent, token=item.lease_token, code="answered", at=T0)
    with pytest.raises(Conflict, match="closed"):
        tickets.answer(ticket, by=ticket.requester, body="Hello?", at=T0 + timedelta(days=7))
    assert not ticket.messages.filter(side="customer").exists()


def test_the_close_job_closes_what_nobody_answered(agent):
    old, fresh = open_ticket(at=T0), open_ticket(at=T0)
    for ticket, at in ((old, T0), (fresh, T0 + timedelta(days=1))):
        item = tickets.claim(ticket, by=agent, at=at)
        tickets.resolve(ticket, by=agent, token=item.lease_token, code="solved", at=at)
    assert clocks.close_due(at=T0 + timedelta(days=7)) == 1
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.status, fresh.status) == (Status.CLOSED, Status.RESOLVED)
    assert old.closed_at == T0 + timedelta(days=7)


def test_the_escalation_job_raises_what_waited_too_long_once(supervisor):
    account = open_ticket(issue_type="account", at=T0)
    feature = open_ticket(issue_type="feature", at=T0)
    assert clocks.escalate_due(at=T0 + 4 * HOUR - timedelta(seconds=1)) == 0
    assert clocks.escalate_due(at=T0 + 4 * HOUR) == 1
    assert clocks.escalate_due(at=T0 + 5 * HOUR) == 0
    account.refresh_from_db()
    feature.refresh_from_db()
    assert (account.status, feature.status) == (Status.ESCALATED, Status.NEW)
    assert queues.for_subject("tickets", account).priority == 300 + 500 + 250  # late with its answer, too


def test_only_a_supervisor_hands_an_escalated_ticket_to_an_agent(agent, supervisor):
    ticket = open_ticket(issue_type="payment", at=T0)
    with pytest.raises(Forbidden):
        tickets.reassign(ticket, to=agent, by=agent)
    tickets.reassign(ticket, to=agent, by=supervisor, at=T0 + HOUR)
    assert (ticket.status, ticket.assignee) == (Status.OPEN, agent)
    assert tickets.claim_next(by=agent, at=T0 + HOUR)[0] == ticket
    assert clocks.escalate_due(at=T0 + timedelta(days=2)) == 0  # payment issues go up once, at the start


def test_a_ticket_is_not_handed_to_somebody_who_cannot_work_on_it(supervisor):
    ticket = open_ticket(issue_type="payment")
    with pytest.raises(Invalid, match="cannot work"):
        tickets.reassign(ticket, to=accounts.staff("editor"), by=supervisor)


def test_near_and_missed_due_times_are_told_once_each(agent, supervisor):
    ticket = open_ticket(issue_type="account", at=T0)
    assert clocks.watch(at=T0 + timedelta(minutes=95)) == 0
    assert clocks.watch(at=T0 + timedelta(minutes=96)) == 1  # 80 % of two hours
    assert clocks.watch(at=T0 + timedelta(minutes=97)) == 0
    assert clocks.watch(at=T0 + 2 * HOUR) == 1
    assert clocks.watch(at=T0 + 3 * HOUR) == 0
    told = list(
        Notification.objects.filter(user=supervisor, channel="in_app")
        .order_by("created_at")
        .values_list("event", flat=True)
    )
    assert told == ["ticket.sla_at_risk", "ticket.sla_breached"]
    ticket.refresh_from_db()
    assert ticket.response_breached_at == T0 + 2 * HOUR
    assert ticket.version == 1  # the clock's notes do not make anybody's screen stale
    assert "late" in {reason["code"] for reason in queues.for_subject("tickets", ticket).reasons}


def test_a_waiting_ticket_is_not_late(agent):
    ticket = open_ticket(issue_type="account", at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    tickets.reply(ticket, by=agent, token=item.lease_token, body="Which address?", then="wait", at=T0)
    assert clocks.watch(at=T0 + timedelta(days=9)) == 0
    assert not ticket.is_breached(T0 + timedelta(days=9))


def test_a_stale_reply_sends_nothing_and_says_what_version_it_missed(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    seen = Ticket.objects.get(pk=ticket.pk).version
    tickets.answer(ticket, by=ticket.requester, body="Found it myself!", at=T0)
    with pytest.raises(StaleTicket) as refusal:
        tickets.reply(ticket, by=agent, token=item.lease_token, seen=seen, body="Look under Profile.", at=T0)
    assert (refusal.value.seen, refusal.value.version) == (seen, seen + 1)
    assert not ticket.messages.filter(side="agent").exists()
    assert not Notification.objects.filter(event="ticket.replied").exists()


def test_a_lost_lease_cannot_reply_and_names_the_colleague(agent):
    colleague = accounts.staff("customer_support", display_name="Rose Pierre")
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    tickets.claim(ticket, by=colleague, at=T0 + HOUR)
    with pytest.raises(LeaseLost, match="Rose Pierre"):
        tickets.reply(ticket, by=agent, token=item.lease_token, body="Hello", at=T0 + HOUR)
    assert not TicketMessage.objects.exists()


def test_people_without_the_right_can_do_nothing(db):
    ticket = open_ticket()
    editor, stranger = accounts.staff("editor"), accounts.member()
    with pytest.raises(Forbidden):
        tickets.claim(ticket, by=editor)
    with pytest.raises(Forbidden):
        tickets.note(ticket, by=editor, body="Hm")
    with pytest.raises(Forbidden):
        tickets.answer(ticket, by=stranger, body="Me too")
    with pytest.raises(Forbidden):
        tickets.rate(ticket, by=stranger, score=1)


def test_resolving_asks_for_an_outcome(agent):
    ticket = open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    with pytest.raises(Invalid, match="outcome"):
        tickets.reply(ticket, by=agent, token=item.lease_token, body="Done.", then="resolve", at=T0)
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN
    assert not ticket.messages.exists()


def test_a_rating_is_given_once_and_only_after_the_solution(agent):
    ticket = open_ticket(at=T0)
    with pytest.raises(Conflict, match="when it is resolved"):
        tickets.rate(ticket, by=ticket.requester, score=5)
    item = tickets.claim(ticket, by=agent, at=T0)
    tickets.resolve(ticket, by=agent, token=item.lease_token, code="solved", at=T0)
    with pytest.raises(Invalid, match="1 to 5"):
        tickets.rate(ticket, by=ticket.requester, score=6)
    tickets.rate(ticket, by=ticket.requester, score=4, comment="Quick", at=T0)
    assert (ticket.csat, ticket.csat_comment) == (4, "Quick")
    with pytest.raises(Conflict, match="already"):
        tickets.rate(ticket, by=ticket.requester, score=1)


def test_merging_closes_one_ticket_and_leaves_its_text_on_the_other(agent):
    customer = accounts.member()
    first, second = (open_ticket(requester=customer, subject=text, at=T0) for text in ("No sound", "Still no sound"))
    item = tickets.claim(second, by=agent, at=T0)
    tickets.dismiss(second, by=agent, token=item.lease_token, dismissal="merged", into=first, at=T0)
    assert (second.status, second.merged_into) == (Status.CLOSED, first)
    note = first.messages.get()
    assert note.visibility == "internal"
    assert second.reference in note.body
    assert queues.for_subject("tickets", second).state == WorkItem.State.DONE
    assert Notification.objects.filter(user=customer, event="ticket.closed_as_same").exists()


def test_a_ticket_is_not_merged_into_a_strangers_or_a_closed_one(agent):
    ticket, others = open_ticket(at=T0), open_ticket(at=T0)
    item = tickets.claim(ticket, by=agent, at=T0)
    for into in (others, ticket, None):
        with pytest.raises(Invalid):
            tickets.dismiss(ticket, by=agent, token=item.lease_token, dismissal="duplicate", into=into, at=T0)
    tickets.dismiss(ticket, by=agent, token=item.lease_token, dismissal="spam", at=T0)
    assert ticket.merged_into is None


def test_an_agent_can_keep_a_reply_open_and_get_another_ticket_next(agent):
    first, second = open_ticket(at=T0), open_ticket(at=T0 + HOUR)
    item = tickets.claim(first, by=agent, at=T0 + HOUR)
    tickets.reply(first, by=agent, token=item.lease_token, body="I am asking a colleague.", at=T0 + HOUR)
    tickets.release(first, by=agent, token=item.lease_token, skip=True, at=T0 + HOUR)
    assert tickets.claim_next(by=agent, at=T0 + HOUR)[0] == second
    tickets.answer(first, by=first.requester, body="And?", at=T0 + 2 * HOUR)
    assert tickets.claim_next(by=agent, at=T0 + 2 * HOUR)[0] == first


STATES = {
    Status.NEW: {},
    Status.OPEN: {},
    Status.PENDING_CUSTOMER: {"paused_since": T0},
    Status.ON_HOLD: {},
    Status.ESCALATED: {},
    Status.RESOLVED: {"resolution_code": "solved", "resolved_at": T0},
    Status.CLOSED: {"closed_at": T0},
}


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("verb", MACHINE.verbs)
def test_every_verb_in_every_state_goes_where_the_table_says_or_nowhere(state, verb):
    from backoffice.core.states import advance

    ticket = open_ticket(at=T0)
    Ticket.objects.filter(pk=ticket.pk).update(status=state, **STATES[state])
    ticket.refresh_from_db()
    row = MACHINE.find(state, verb)
    changes = {"paused_since": T0 if row and row.target == Status.PENDING_CUSTOMER else None}
    if row and row.target == Status.RESOLVED:
        changes["resolution_code"] = "solved"
    if row is None:
        with pytest.raises(IllegalTransition):
            advance(ticket, verb, by=None, at=T0, changes=changes)
    else:
        advance(ticket, verb, by=None, at=T0, changes=changes)
        ticket.refresh_from_db()
        assert ticket.status == row.target


def test_the_database_refuses_to_change_or_delete_a_message():
    ticket = open_ticket()
    message = tickets.answer(ticket, by=ticket.requester, body="More")
    for statement in ("UPDATE support_ticketmessage SET body = 'x'", "DELETE FROM support_ticketmessage"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(TypeError):
        message.delete()


def test_the_database_refuses_a_resolved_ticket_without_outcome():
    ticket = open_ticket()
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(status=Status.RESOLVED)
