"""What can be done to a ticket (S-105 to S-114). Every verb locks the ticket, checks what the actor has
seen, changes it
and writes its audit row in one transaction; e-mails go out by jobs after the commit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.ids import reference
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from backoffice.support import policies
from backoffice.support.models import (
    Channel,
    Dismissal,
    IssueType,
    SlaPolicy,
    Ticket,
    TicketLink,
    TicketMessage,
)
from backoffice.support.services import letters, links, steps
from backoffice.support.states import DECIDE, QUEUE, SUPERVISE, Status

Side = TicketMessage.Side


def open(
    *,
    requester: User,
    subject: str,
    body: str,
    by: User | None,
    issue_type: str = "",
    language: str = "",
    channel: str = Channel.SITE,
    about: Iterable[tuple[str, UUID]] = (),
    tags: Iterable[str] = (),
    at: datetime | None = None,
) -> Ticket:
    """Opens a ticket and puts it into the queue (S-105).

    ``by`` is the customer, a staff person, or None for the system. Without ``issue_type`` the words decide
    (F-039);
    ``about`` are (kind, key) pairs of things of the customer. Due times come from the table row of the
    issue type
    (N-017 to N-021), payment issues are escalated at once. Raises Invalid, or Forbidden for somebody else's
    things.
    """
    at = at or clock.now()
    subject = policies.check_text(" ".join(subject.split()), field="subject", limit=200)
    body = policies.check_text(body, field="body")
    if issue_type and issue_type not in IssueType.values:
        raise Invalid(
            _("Choose what the ticket is about."),
            code="unknown_issue_type",
            field="issue_type",
        )
    issue_type = issue_type or policies.suggest_issue_type(f"{subject}\n{body}")
    language = language or requester.language
    if language not in ("en", "fr", "ht"):
        raise Invalid(
            _("The language is en, fr or ht."),
            code="unknown_language",
            field="language",
        )
    sla = SlaPolicy.objects.filter(issue_type=issue_type, active=True).first()
    if sla is None:
        raise Invalid(
            _("No due times are set for this kind of ticket."),
            code="no_sla",
            field="issue_type",
        )
    due = policies.clocks(sla, at=at)
    with transaction.atomic():
        ticket = Ticket.objects.create(
            reference=reference("TK"),
            requester=requester,
            issue_type=issue_type,
            priority=sla.priority,
            channel=channel,
            language=language,
            subject=subject,
            body=body,
            tags=sorted({tag.strip().lower()[:40] for tag in tags if tag.strip()}),
            first_response_due=due.first_response_due,
            response_warn_at=due.response_warn_at,
            resolution_due=due.resolution_due,
            resolution_warn_at=due.resolution_warn_at,
            escalate_at=due.escalate_at,
            created_at=at,
        )
        found = [links.resolve(requester=requester, kind=kind, key=key) for kind, key in dict.fromkeys(about)]
        TicketLink.objects.bulk_create(
            TicketLink(ticket=ticket, kind=link.kind, subject_id=link.key, label=link.label) for link in found
        )
        entries.record(
            action="ticket.open",
            by=by,
            subject=ticket,
            at=at,
            after={
                "issue_type": issue_type,
                "priority": ticket.priority,
                "channel": channel,
            },
        )
        if due.escalate_at is not None and due.escalate_at <= at:
            steps.escalate(ticket, by=None, at=at, reason=gettext_noop("Escalated at once"))
        steps.place(ticket, at=at)
        letters.created(ticket, by=by)
    return ticket


def claim(ticket: Ticket, *, by: User, at: datetime | None = None) -> WorkItem:
    """Takes the ticket's work item for ``by``; a new ticket becomes theirs and open (S-106).

    Returns the work item with the lease token that the other verbs ask for. Raises Conflict when somebody
    holds it.
    """
    permissions.require(by, DECIDE)
    at = at or clock.now()
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        item = items.claim(steps.work_item(ticket), by=steps.worker(by), at=at)
        steps.take(ticket, by=by, at=at)
    return item


def claim_next(*, by: User, at: datetime | None = None) -> tuple[Ticket, WorkItem] | None:
    """The highest ticket that nobody holds and ``by`` may take, taken for them; None when nothing waits.

    Raises OffDuty and AtCapacity of the queue.
    """
    permissions.require(by, DECIDE)
    at = at or clock.now()
    # Two transactions: every other verb locks the ticket before its work item, so this one must not hold
    # the item's
    # row while it waits for the ticket's.
    item = items.claim_next(queues=[QUEUE], by=steps.worker(by), at=at)
    if item is None:
        return None
    ticket = Ticket.objects.get(pk=item.subject_id)
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        steps.take(ticket, by=by, at=at)
    return ticket, item


def release(
    ticket: Ticket,
    *,
    by: User,
    token: UUID | str,
    skip: bool = False,
    at: datetime | None = None,
) -> None:
    """Gives the work item back. With ``skip`` it is not handed to the same person as the next one."""
    at = at or clock.now()
    item = steps.work_item(ticket)
    if skip:
        items.skip(item, token=token, by=by, at=at)
    else:
        items.release(item, token=token, by=by, at=at)


def heartbeat(ticket: Ticket, *, by: User, token: UUID | str, at: datetime | None = None) -> WorkItem:
    """Renews the lease. LeaseLost names who has the ticket now."""
    return items.heartbeat(steps.work_item(ticket), token=token, by=by, at=at)


def reply(
    ticket: Ticket,
    *,
    by: User,
    token: UUID | str,
    body: str,
    seen: int | None = None,
    then: str = "",
    resolution_code: str = "",
    reason: str = "",
    template_code: str = "",
    at: datetime | None = None,
) -> TicketMessage:
    """Answers the customer by e-mail and keeps the message; ``then`` sets the status with it.

    ``then`` is "" (unchanged), "wait" (S-107), "hold" (S-108, needs ``reason``) or "resolve" (S-111, needs
    ``resolution_code``). ``seen`` is the version on the actor's screen. Raises StaleTicket, LeaseLost,
    Invalid.
    """
    at = at or clock.now()
    body = policies.check_text(body, field="body")
    with transaction.atomic():
        item = steps.work_on(ticket, by=by, token=token, seen=seen, at=at)
        if ticket.status not in (Status.OPEN, Status.ESCALATED):
            raise Conflict(
                _("Take the ticket out of its waiting state before you answer."),
                code="ticket_waits",
            )
        message = steps.say(
            ticket,
            by=by,
            side=Side.AGENT,
            body=body,
            template_code=template_code,
            at=at,
        )
        first = ticket.first_responded_at is None
        steps.change(
            ticket,
            **({"first_responded_at": at, "response_warn_at": None} if first else {}),
        )
        entries.record(
            action="ticket.reply",
            by=by,
            subject=ticket,
            at=at,
            data={
                "message": str(message.id),
                "first": first,
                "template": template_code,
                "version": ticket.version,
            },
        )
        if then == "resolve":
            steps.resolve(ticket, item, by=by, code=resolution_code, at=at)
            letters.resolved(ticket, body=body, by=by)
        else:
            if then == "wait":
                steps.wait(ticket, item, by=by, at=at)
            elif then == "hold":
                steps.hold(ticket, item, by=by, reason=reason, at=at)
            elif then:
                raise Invalid(_("Unknown status."), code="unknown_status", field="then")
            else:
                steps.place(ticket, at=at)
            letters.replied(ticket, body=body, by=by)
    return message


def note(ticket: Ticket, *, by: User, body: str, at: datetime | None = None) -> TicketMessage:
    """Adds an internal note. Needs no lease: a colleague may be asked. The customer never sees it."""
    permissions.require(by, DECIDE)
    at = at or clock.now()
    body = policies.check_text(body, field="body")
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        message = steps.say(ticket, by=by, side=Side.AGENT, body=body, internal=True, at=at)
        steps.change(ticket)
        entries.record(
            action="ticket.note",
            by=by,
            subject=ticket,
            at=at,
            data={"message": str(message.id), "version": ticket.version},
        )
    return message


def wait(
    ticket: Ticket,
    *,
    by: User,
    token: UUID | str,
    seen: int | None = None,
    at: datetime | None = None,
) -> None:
    """Waits for the customer; the resolution clock stands (S-107). Conflict when nobody has written yet."""
    at = at or clock.now()
    with transaction.atomic():
        steps.wait(
            ticket,
            steps.work_on(ticket, by=by, token=token, seen=seen, at=at),
            by=by,
            at=at,
        )


def hold(
    ticket: Ticket,
    *,
    by: User,
    token: UUID | str,
    reason: str,
    seen: int | None = None,
    at: datetime | None = None,
) -> None:
    """Waits for a third party, with the reason; the clock runs (S-108)."""
    at = at or clock.now()
    with transaction.atomic():
        steps.hold(
            ticket,
            steps.work_on(ticket, by=by, token=token, seen=seen, at=at),
            by=by,
            reason=reason,
            at=at,
        )


def resume(ticket: Ticket, *, by: User, seen: int | None = None, at: datetime | None = None) -> None:
    """Takes a waiting ticket back to work without an answer (S-107, S-108)."""
    permissions.require(by, DECIDE)
    at = at or clock.now()
    with transaction.atomic():
        steps.lock(ticket, seen=seen)
        steps.move(
            ticket,
            "resume",
            by=by,
            at=at,
            changes=steps.clock_runs_again(ticket, at=at),
        )
        items.resume(queue=QUEUE, subject=ticket, at=at)
        steps.place(ticket, at=at)


def escalate(
    ticket: Ticket,
    *,
    by: User,
    reason: str,
    token: UUID | str | None = None,
    seen: int | None = None,
    at: datetime | None = None,
) -> None:
    """Hands the ticket to the supervisors, with the reason (S-109); ``token`` gives the actor's lease
    back."""
    permissions.require(by, DECIDE)
    at = at or clock.now()
    reason = policies.check_text(reason, field="reason", limit=500)
    with transaction.atomic():
        steps.lock(ticket, seen=seen)
        steps.escalate(ticket, by=by, at=at, reason=reason)
        if token:
            items.escalate(steps.work_item(ticket), token=token, by=by, reason=reason, at=at)
        else:
            items.escalate_subject(queue=QUEUE, subject=ticket, by=by, reason=reason, at=at)
        steps.place(ticket, at=at, anybody=True)


def reassign(
    ticket: Ticket,
    *,
    to: User,
    by: User,
    reason: str = "",
    token: UUID | str | None = None,
    seen: int | None = None,
    at: datetime | None = None,
) -> None:
    """A supervisor gives an escalated ticket to an agent (S-110); its escalation clock starts anew."""
    permissions.require(by, SUPERVISE)
    at = at or clock.now()
    if not to.is_active or not to.may(DECIDE):
        raise Invalid(_("This person cannot work on tickets."), code="not_an_agent", field="to")
    with transaction.atomic():
        steps.lock(ticket, seen=seen)
        sla = SlaPolicy.objects.filter(issue_type=ticket.issue_type).first()
        again = sla.escalate_after if sla else None
        steps.move(
            ticket,
            "reassign",
            by=by,
            at=at,
            reason=reason,
            changes={
                "assignee": to,
                "escalate_at": at + timedelta(minutes=again) if again else None,
            },
            note={"to": to.pk},
        )
        if token:
            items.release(steps.work_item(ticket), token=token, by=by, at=at)
        items.hand_down(queue=QUEUE, subject=ticket, by=by, to=to, reason=reason, at=at)
        steps.place(ticket, at=at, return_to=to, show_again=True)
        letters.assigned(ticket, to=to, by=by)


def resolve(
    ticket: Ticket,
    *,
    by: User,
    token: UUID | str,
    code: str,
    seen: int | None = None,
    at: datetime | None = None,
) -> None:
    """Ends the work with an outcome and asks the customer for a rating (S-111)."""
    at = at or clock.now()
    with transaction.atomic():
        steps.resolve(
            ticket,
            steps.work_on(ticket, by=by, token=token, seen=seen, at=at),
            by=by,
            code=code,
            at=at,
        )
        letters.resolved(ticket, body="", by=by)


def dismiss(
    ticket: Ticket,
    *,
    by: User,
    token: UUID | str,
    dismissal: str,
    into: Ticket | None = None,
    seen: int | None = None,
    at: datetime | None = None,
) -> None:
    """Closes a ticket as spam, duplicate or merged (S-114).

    Duplicate and merged need ``into``: another ticket of the same customer that is not closed. Merging
    leaves a note
    with the text on the other ticket, so that its agent sees both.
    """
    at = at or clock.now()
    if dismissal not in Dismissal.values:
        raise Invalid(
            _("Choose why the ticket is closed."),
            code="unknown_reason",
            field="dismissal",
        )
    if dismissal == Dismissal.SPAM:
        into = None
    elif into is None:
        raise Invalid(_("Name the other ticket."), code="other_missing", field="into")
    with transaction.atomic():
        if into is not None:
            # Both rows are locked in the order of their keys, so that merging A into B and B into A cannot
            # deadlock.
            list(Ticket.objects.select_for_update().filter(pk__in=[ticket.pk, into.pk]).order_by("pk"))
            into.refresh_from_db()
            if into.pk == ticket.pk or into.requester_id != ticket.requester_id:
                raise Invalid(
                    _("The other ticket must be another one of the same customer."),
                    code="other",
                    field="into",
                )
            if into.status == Status.CLOSED:
                raise Invalid(_("The other ticket is closed."), code="other_closed", field="into")
        item = steps.work_on(ticket, by=by, token=token, seen=seen, at=at)
        steps.move(
            ticket,
            "dismiss",
            by=by,
            at=at,
            reason=dismissal,
            changes={
                "closed_at": at,
                "dismissal": dismissal,
                "merged_into": into,
                "escalate_at": None,
                "response_warn_at": None,
                "resolution_warn_at": None,
            },
            note={"into": into.reference} if into else None,
        )
        items.complete(item, token=token, by=by, at=at)
        if into is not None and dismissal == Dismissal.MERGED:
            steps.say(
                into,
                by=by,
                side=Side.SYSTEM,
                internal=True,
                at=at,
                body=f"{ticket.reference}: {ticket.subject}\n\n{ticket.body}",
            )
            steps.change(into)
            entries.record(
                action="ticket.merge",
                by=by,
                subject=into,
                at=at,
                data={"from": ticket.reference, "version": into.version},
            )
        if into is not None:
            letters.closed_as_same(ticket, into=into, by=by)


def answer(ticket: Ticket, *, by: User, body: str, at: datetime | None = None) -> TicketMessage:
    """The customer writes. A waiting ticket goes back to its agent (S-107), a resolved one opens again within
    `ticket.reopen_days` (S-112); afterwards Conflict. Forbidden for anybody but the customer."""
    at = at or clock.now()
    if by.pk != ticket.requester_id:
        raise Forbidden(_("This is not your ticket."))
    body = policies.check_text(body, field="body")
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        policies.check_may_answer(ticket, at=at)
        message = steps.say(ticket, by=by, side=Side.CUSTOMER, body=body, at=at)
        if ticket.status == Status.PENDING_CUSTOMER:
            steps.move(
                ticket,
                "answer",
                by=by,
                at=at,
                changes=steps.clock_runs_again(ticket, at=at),
            )
            items.resume(queue=QUEUE, subject=ticket, at=at)
        elif ticket.status == Status.RESOLVED:
            changes = {**steps.clock_runs_again(ticket, at=at), "resolved_at": None}
            steps.move(ticket, "reopen", by=by, at=at, changes=changes)
        else:
            steps.change(ticket)
            entries.record(
                action="ticket.answer",
                by=by,
                subject=ticket,
                at=at,
                data={"message": str(message.id), "version": ticket.version},
            )
        agent = ticket.assignee if ticket.status == Status.OPEN else None
        if agent is not None and not (agent.is_active and agent.may(DECIDE)):
            agent = None
        steps.place(ticket, at=at, return_to=agent, anybody=agent is None, show_again=True)
        letters.answered(ticket, body=body, by=by)
    return message


def rate(
    ticket: Ticket,
    *,
    by: User,
    score: int,
    comment: str = "",
    at: datetime | None = None,
) -> None:
    """The customer's rating, 1 to 5, once (E-064). Forbidden for anybody but the customer."""
    at = at or clock.now()
    if by.pk != ticket.requester_id:
        raise Forbidden(_("This is not your ticket."))
    if isinstance(score, bool) or not isinstance(score, int) or not 1 <= score <= 5:
        raise Invalid(_("The rating is a number from 1 to 5."), code="rating", field="rating")
    comment = policies.check_text(comment, field="comment", limit=2_000) if comment.strip() else ""
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        policies.check_may_rate(ticket)
        steps.change(ticket, csat=score, csat_comment=comment, csat_at=at)
        entries.record(
            action="ticket.rate",
            by=by,
            subject=ticket,
            at=at,
            data={"rating": score, "version": ticket.version},
        )


def close(ticket: Ticket, *, by: User | None = None, at: datetime | None = None) -> None:
    """Closes a resolved ticket whose reopen window is over (S-113)."""
    at = at or clock.now()
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        until = policies.reopen_until(ticket)
        if until is None or at < until:
            raise Conflict(_("The customer may still answer."), code="reopen_window")
        steps.move(ticket, "close", by=by, at=at, changes={"closed_at": at})


def escalate_by_clock(ticket: Ticket, *, at: datetime) -> bool:
    """Escalates a ticket whose time is up (S-109). False when it moved on meanwhile."""
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        due = ticket.escalate_at is not None and ticket.escalate_at <= at
        if not due or not ticket.machine.allows(ticket.status, "escalate"):
            return False
        steps.escalate(ticket, by=None, at=at, reason=gettext_noop("Not solved in time"))
        steps.place(ticket, at=at, anybody=True)
    return True
