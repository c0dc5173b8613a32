"""The steps that the verbs of `tickets` share. Each expects an open transaction and, after `lock`, a locked
ticket."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.accounts import duty, permissions
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.queues import queries as queue_queries
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from backoffice.queues.worker import Worker
from backoffice.support import policies
from backoffice.support.models import Resolution, Ticket, TicketMessage
from backoffice.support.services import letters
from backoffice.support.states import DECIDE, QUEUE, SUPERVISE, Status


class StaleTicket(Conflict):
    """The ticket changed since the actor looked at it. ``seen`` and ``version`` say from where to where."""

    default_code = "stale_ticket"

    def __init__(self, *, seen: int, version: int) -> None:
        super().__init__(_("This ticket has changed since you opened it. Nothing was sent."))
        self.seen = seen
        self.version = version


def work_item(ticket: Ticket) -> WorkItem:
    """The ticket's unfinished work item; Conflict when it has none."""
    item = queue_queries.for_subject(QUEUE, ticket)
    if item is None or item.state in (WorkItem.State.DONE, WorkItem.State.CANCELLED):
        raise Conflict(_("Nobody has to work on this ticket now."), code="no_work_item")
    return item


def worker(by: User) -> Worker:
    """The agent as the queue sees them."""
    return duty.worker(by, queue=QUEUE, decide=DECIDE, supervise=SUPERVISE)


def place(
    ticket: Ticket,
    *,
    at: datetime,
    return_to: User | None = None,
    anybody: bool = False,
    show_again: bool = False,
) -> None:
    """Puts the ticket into the queue, or brings its place there up to date.

    ``return_to`` is offered it first and alone; ``anybody`` ends that, so that no ticket waits for one person.
    """
    reasons = policies.reasons(ticket, at=at)
    due_at = ticket.next_due()
    known = items.revise(
        queue=QUEUE,
        subject=ticket,
        reasons=reasons,
        due_at=due_at,
        return_to=return_to,
        anybody=anybody,
        show_again=show_again,
        at=at,
    )
    if known is None:
        items.enqueue(
            queue=QUEUE,
            subject=ticket,
            label=f"{ticket.reference} · {ticket.subject}",
            reasons=reasons,
            due_at=due_at,
            language=ticket.language,
            group=str(ticket.requester_id),
            return_to=return_to,
            at=at,
        )


def lock(ticket: Ticket, *, seen: int | None) -> None:
    """Locks the row and reads it afresh; StaleTicket when it has moved past the version the actor saw."""
    ticket.refresh_from_db(from_queryset=Ticket.objects.select_for_update())
    if seen is not None and seen != ticket.version:
        raise StaleTicket(seen=seen, version=ticket.version)


def work_on(ticket: Ticket, *, by: User, token: UUID | str, seen: int | None, at: datetime) -> WorkItem:
    """Locks the ticket and renews the lease; LeaseLost when somebody else holds it now."""
    permissions.require(by, DECIDE)
    lock(ticket, seen=seen)
    return items.heartbeat(work_item(ticket), token=token, by=by, at=at)


def take(ticket: Ticket, *, by: User, at: datetime) -> None:
    if ticket.status == Status.NEW:
        move(ticket, "claim", by=by, at=at, changes={"assignee": by})
    elif ticket.assignee_id != by.pk:
        before = ticket.assignee_id
        change(ticket, assignee=by)
        entries.record(
            action="ticket.assign",
            by=by,
            subject=ticket,
            at=at,
            before={"assignee": before},
            after={"assignee": by.pk},
            data={"version": ticket.version},
        )


def say(
    ticket: Ticket,
    *,
    by: User | None,
    side: str,
    body: str,
    at: datetime,
    internal: bool = False,
    template_code: str = "",
) -> TicketMessage:
    return TicketMessage.objects.create(
        ticket=ticket,
        author=by,
        side=side,
        visibility=TicketMessage.Visibility.INTERNAL if internal else TicketMessage.Visibility.PUBLIC,
        body=body,
        template_code=template_code,
        at=at,
    )


def change(ticket: Ticket, **fields: Any) -> None:
    """Writes fields of a locked ticket and moves its version on."""
    for name, value in fields.items():
        setattr(ticket, name, value)
    ticket.version += 1
    ticket.save(update_fields=[*fields, "version", "updated_at"])


def move(
    ticket: Ticket,
    verb: str,
    *,
    by: User | None,
    at: datetime,
    reason: str = "",
    changes: dict[str, Any] | None = None,
    note: dict[str, Any] | None = None,
) -> None:
    """Moves a locked ticket along its machine and its version on."""
    version = ticket.version + 1
    advance(
        ticket,
        verb,
        by=by,
        at=at,
        reason=reason,
        changes={**(changes or {}), "version": version},
        note={**(note or {}), "version": version},
    )


def clock_runs_again(ticket: Ticket, *, at: datetime) -> dict[str, Any]:
    """The fields that make up for the time in which the clock stood: since the pause, or since the
    solution."""
    since = ticket.paused_since or ticket.resolved_at
    if since is None:  # on hold: the clock ran
        return {}
    stood = max(at - since, timedelta())
    moved = {
        name: getattr(ticket, name) + stood
        for name in ("resolution_due", "resolution_warn_at", "escalate_at")
        if getattr(ticket, name) is not None
    }
    return {
        **moved,
        "paused_since": None,
        "paused_seconds": ticket.paused_seconds + int(stood.total_seconds()),
    }


def wait(ticket: Ticket, item: WorkItem, *, by: User, at: datetime) -> None:
    policies.check_may_wait(ticket)
    move(ticket, "wait", by=by, at=at, changes={"paused_since": at})
    items.pause(
        item,
        token=item.lease_token or "",
        by=by,
        reason=gettext_noop("Waiting for the customer"),
        return_to=by,
        at=at,
    )


def hold(ticket: Ticket, item: WorkItem, *, by: User, reason: str, at: datetime) -> None:
    reason = policies.check_text(reason, field="reason", limit=500)
    move(ticket, "hold", by=by, at=at, reason=reason)
    items.pause(item, token=item.lease_token or "", by=by, reason=reason, return_to=by, at=at)


def resolve(ticket: Ticket, item: WorkItem, *, by: User, code: str, at: datetime) -> None:
    if code not in Resolution.values:
        raise Invalid(_("Choose an outcome."), code="unknown_outcome", field="resolution_code")
    move(
        ticket,
        "resolve",
        by=by,
        at=at,
        reason=code,
        changes={"resolution_code": code, "resolved_at": at},
    )
    items.complete(item, token=item.lease_token or "", by=by, at=at)


def escalate(ticket: Ticket, *, by: User | None, at: datetime, reason: str) -> None:
    move(
        ticket,
        "escalate",
        by=by,
        at=at,
        reason=reason,
        changes={
            "escalated_at": at,
            "escalate_at": None,
            "escalation_level": ticket.escalation_level + 1,
        },
    )
    letters.escalated(ticket, reason=reason, by=by)
