"""Who is told of what (V-020). Rows are written in the caller's transaction; the mails go out by jobs."""

from typing import Any

from backoffice.accounts.models import User
from backoffice.notifications import services as notifications
from backoffice.support import queries
from backoffice.support.models import IssueType, Ticket
from backoffice.support.policies import reopen_until


def _facts(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_id": ticket.pk,
        "reference": ticket.reference,
        "subject": ticket.subject,
    }


def created(ticket: Ticket, *, by: User | None) -> None:
    """The customer learns the reference and until when somebody answers."""
    data = {
        **_facts(ticket),
        "answer_by": f"{ticket.first_response_due:%Y-%m-%d %H:%M} UTC",
    }
    notifications.notify(user=ticket.requester, event="ticket.created", data=data, by=by)


def replied(ticket: Ticket, *, body: str, by: User) -> None:
    """The customer gets the answer."""
    data = {**_facts(ticket), "body": body, "agent": by.display_name}
    notifications.notify(user=ticket.requester, event="ticket.replied", data=data, by=by)


def resolved(ticket: Ticket, *, body: str, by: User) -> None:
    """The customer gets the last answer and is asked for a rating."""
    until = reopen_until(ticket)
    data = {
        **_facts(ticket),
        "body": body,
        "agent": by.display_name,
        "reopen_until": f"{until:%Y-%m-%d}" if until else "",
    }
    notifications.notify(user=ticket.requester, event="ticket.resolved", data=data, by=by)


def closed_as_same(ticket: Ticket, *, into: Ticket, by: User) -> None:
    """The customer learns under which reference the matter goes on."""
    data = {**_facts(ticket), "other": into.reference}
    notifications.notify(user=ticket.requester, event="ticket.closed_as_same", data=data, by=by)


def answered(ticket: Ticket, *, body: str, by: User) -> None:
    """The agent learns that the customer wrote."""
    if ticket.assignee is not None and ticket.assignee.is_active:
        data = {**_facts(ticket), "body": body}
        notifications.notify(user=ticket.assignee, event="ticket.answered", data=data, by=by)


def assigned(ticket: Ticket, *, to: User, by: User) -> None:
    """The agent learns that a supervisor handed the ticket over."""
    if to.pk != by.pk:
        notifications.notify(
            user=to,
            event="ticket.assigned",
            data={**_facts(ticket), "supervisor": by.display_name},
            by=by,
        )


def escalated(ticket: Ticket, *, reason: str, by: User | None) -> None:
    """Every supervisor learns of it."""
    data = {
        **_facts(ticket),
        "issue_type": IssueType(ticket.issue_type).label,
        "level": ticket.escalation_level,
        "reason": reason,
    }
    for supervisor in queries.supervisors():
        notifications.notify(user=supervisor, event="ticket.escalated", data=data, by=by)


def at_risk(ticket: Ticket, *, clock: str, due: str) -> None:
    """The agent, or the supervisors of a ticket without one, learn that a due time is near."""
    told = [ticket.assignee] if ticket.assignee is not None else list(queries.supervisors())
    for person in told:
        notifications.notify(
            user=person,
            event="ticket.sla_at_risk",
            data={**_facts(ticket), "clock": clock, "due": due},
        )


def breached(ticket: Ticket, *, clock: str, due: str) -> None:
    """The agent and the supervisors learn that a due time was missed."""
    told = {person.pk: person for person in queries.supervisors()}
    if ticket.assignee is not None:
        told[ticket.assignee.pk] = ticket.assignee
    for person in told.values():
        notifications.notify(
            user=person,
            event="ticket.sla_breached",
            data={**_facts(ticket), "clock": clock, "due": due},
        )
