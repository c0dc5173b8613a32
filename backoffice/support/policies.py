"""May this be done to this ticket now, and which due times does it get. No writing here."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Formatter

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.configuration import values
from backoffice.core.errors import Conflict, Invalid
from backoffice.support.models import IssueType, Priority, SlaPolicy, Ticket
from backoffice.support.states import Status

PLACEHOLDERS = ("customer_name", "agent_name", "reference", "subject", "issue_type")
"""What a reply template may fill in."""

PRIORITY_SCORE = {
    Priority.CRITICAL: 400,
    Priority.HIGH: 300,
    Priority.MEDIUM: 200,
    Priority.LOW: 100,
}
PRIORITY_TEXT = {
    Priority.CRITICAL: gettext_noop("Critical priority"),
    Priority.HIGH: gettext_noop("High priority"),
    Priority.MEDIUM: gettext_noop("Medium priority"),
    Priority.LOW: gettext_noop("Low priority"),
}
ESCALATED_SCORE = 500
BREACHED_SCORE = 250
REOPENED_SCORE = 50

WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # First match wins: money before the account, the account before content (F-039).
    (
        IssueType.PAYMENT,
        (
            *(
                "payment",
                "paid",
                "charged",
                "refund",
                "invoice",
                "card",
                "payout",
                "moncash",
            ),
            *(
                "paiement",
                "payé",
                "débité",
                "rembours",
                "facture",
                "carte",
                "versement",
            ),
            *("peman", "peye", "lajan", "ranbous", "kat"),
        ),
    ),
    (
        IssueType.ACCOUNT,
        (
            *("password", "log in", "login", "sign in", "locked out", "two-factor"),
            *("mot de passe", "connexion", "connecter", "compte bloqué"),
            *("modpas", "konekte", "kont"),
        ),
    ),
    (
        IssueType.CONTENT,
        (
            *("video", "film", "playback", "subtitle", "sound", "stream", "buffer"),
            *("vidéo", "lecture", "sous-titre", "image", "son"),
            *("videyo", "fim", "son an", "soutit"),
        ),
    ),
    (
        IssueType.FEATURE,
        ("feature", "suggestion", "would be great", "fonctionnalité", "sijesyon"),
    ),
)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The due times of a new ticket, in UTC; None where the table has no target."""

    first_response_due: datetime
    response_warn_at: datetime
    resolution_due: datetime | None
    resolution_warn_at: datetime | None
    escalate_at: datetime | None


def clocks(policy: SlaPolicy, *, at: datetime) -> Clocks:
    """Due times from the moment of opening, in calendar hours (Q-048), and when to warn of them (V-020)."""
    share = values.get("ticket.sla_warn_percent") / 100
    respond = timedelta(minutes=policy.respond_within)
    resolve = timedelta(minutes=policy.resolve_within) if policy.resolve_within else None
    return Clocks(
        first_response_due=at + respond,
        response_warn_at=at + respond * share,
        resolution_due=at + resolve if resolve else None,
        resolution_warn_at=at + resolve * share if resolve else None,
        escalate_at=at + timedelta(minutes=policy.escalate_after) if policy.escalate_after is not None else None,
    )


def suggest_issue_type(text: str) -> IssueType:
    """What a message is about, by its words in English, French or Creole; general when none fits (F-039)."""
    lowered = text.lower()
    for issue_type, words in WORDS:
        if any(re.search(rf"\b{re.escape(word)}", lowered) for word in words):
            return IssueType(issue_type)
    return IssueType.GENERAL


def check_text(text: str, *, field: str, limit: int = 10_000) -> str:
    """The text without outer space; Invalid when it is empty or too long."""
    cleaned = text.replace("\x00", "").strip()
    if not cleaned:
        raise Invalid(_("Write something first."), code="empty", field=field)
    if len(cleaned) > limit:
        raise Invalid(
            _("This is longer than %(limit)d characters.") % {"limit": limit},
            code="too_long",
            field=field,
        )
    return cleaned


def check_may_wait(ticket: Ticket) -> None:
    """A ticket waits for its customer only after somebody wrote to the customer."""
    if ticket.first_responded_at is None:
        raise Conflict(
            _("Write to the customer before waiting for an answer."),
            code="nothing_asked",
        )


def reopen_until(ticket: Ticket) -> datetime | None:
    """Until when the customer's answer opens a resolved ticket again (S-112, `ticket.reopen_days`)."""
    if ticket.status != Status.RESOLVED or ticket.resolved_at is None:
        return None
    return ticket.resolved_at + timedelta(days=values.get("ticket.reopen_days"))


def check_may_answer(ticket: Ticket, *, at: datetime) -> None:
    """Conflict when the customer can no longer write to this ticket."""
    until = reopen_until(ticket)
    if ticket.status == Status.CLOSED or (until is not None and at >= until):
        raise Conflict(_("This ticket is closed. Please open a new one."), code="ticket_closed")


def check_may_rate(ticket: Ticket) -> None:
    """A rating belongs to a ticket that was solved, once."""
    if ticket.resolved_at is None or ticket.dismissal:
        raise Conflict(_("A ticket can be rated when it is resolved."), code="not_resolved")
    if ticket.csat is not None:
        raise Conflict(_("This ticket has been rated already."), code="already_rated")


def placeholders(text: str) -> list[str]:
    """The placeholders of a template's text, in order; Invalid when the braces do not fit together."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise Invalid(
            _("A brace does not belong to a placeholder. Write {{ for a plain brace."),
            code="bad_brace",
        ) from error
    names = []
    for _text, name, spec, conversion in parts:
        if name is None:
            continue
        if spec or conversion or name not in PLACEHOLDERS:
            raise Invalid(
                _("“{%(name)s}” is not a placeholder. Known: %(known)s.")
                % {
                    "name": name,
                    "known": ", ".join(f"{{{each}}}" for each in PLACEHOLDERS),
                },
                code="unknown_placeholder",
            )
        names.append(name)
    return names


def check_template(*, subject: str, body: str) -> None:
    """Invalid, naming the field, when a template's text holds an unknown placeholder (E-067)."""
    for field, text in (("subject", subject), ("body", body)):
        check_text(text, field=field)
        try:
            placeholders(text)
        except Invalid as error:
            raise Invalid(error.message, code=error.code, field=field) from error


def reasons(ticket: Ticket, *, at: datetime) -> list[dict[str, str | int]]:
    """Why the ticket stands where it does in the queue, largest score first.

    The texts are stored, so they are source strings; whoever shows them translates them.
    """
    found: list[dict[str, str | int]] = [
        {
            "code": f"priority.{ticket.priority}",
            "text": PRIORITY_TEXT[Priority(ticket.priority)],
            "score": PRIORITY_SCORE[Priority(ticket.priority)],
        }
    ]
    if ticket.status == Status.ESCALATED:
        found.append(
            {
                "code": "escalated",
                "text": gettext_noop("Escalated"),
                "score": ESCALATED_SCORE,
            }
        )
    if ticket.response_breached_at or ticket.resolution_breached_at or ticket.is_breached(at):
        found.append(
            {
                "code": "late",
                "text": gettext_noop("Past its due time"),
                "score": BREACHED_SCORE,
            }
        )
    if ticket.resolution_code:
        found.append(
            {
                "code": "reopened",
                "text": gettext_noop("Opened again by the customer"),
                "score": REOPENED_SCORE,
            }
        )
    return sorted(found, key=lambda reason: -int(reason["score"]))
