"""What the clock does to tickets by itself: escalate (S-109), warn and note breaches (V-020), close
(S-113)."""

from datetime import datetime, timedelta

from django.db import transaction

from backoffice.configuration import values
from backoffice.core import clock
from backoffice.support import queries
from backoffice.support.models import Ticket
from backoffice.support.services import letters, steps, tickets
from backoffice.support.states import RUNNING, Status

BATCH = 500


def escalate_due(*, at: datetime | None = None, limit: int = BATCH) -> int:
    """Escalates the tickets whose time has come; returns how many. Payment issues went up when they were
    opened."""
    at = at or clock.now()
    return sum(tickets.escalate_by_clock(ticket, at=at) for ticket in queries.to_escalate(at)[:limit])


def close_due(*, at: datetime | None = None, limit: int = BATCH) -> int:
    """Closes resolved tickets whose reopen window is over; returns how many."""
    at = at or clock.now()
    before = at - timedelta(days=values.get("ticket.reopen_days"))
    closed = 0
    for ticket in queries.to_close(before)[:limit]:
        with transaction.atomic():
            steps.lock(ticket, seen=None)
            if ticket.status == Status.RESOLVED and ticket.resolved_at is not None and ticket.resolved_at <= before:
                tickets.close(ticket, at=at)
                closed += 1
    return closed


def watch(*, at: datetime | None = None, limit: int = BATCH) -> int:
    """Tells of due times that are near or missed, each once; returns how many tickets had something to
    tell."""
    at = at or clock.now()
    return sum(_watch(ticket, at=at) for ticket in queries.to_warn(at)[:limit])


def _watch(ticket: Ticket, *, at: datetime) -> bool:
    with transaction.atomic():
        steps.lock(ticket, seen=None)
        if ticket.status not in RUNNING:
            return False
        told = []
        if ticket.response_open():
            told.append(_tell(ticket, "response", due=ticket.first_response_due, at=at))
        if ticket.resolution_due is not None:
            told.append(_tell(ticket, "resolution", due=ticket.resolution_due, at=at))
        if not any(told):
            return False
        # Facts of the clock, not somebody's work: the version stays, so nobody's reply is refused because
        # of them.
        ticket.save(
            update_fields=[
                "response_warn_at",
                "response_breached_at",
                "resolution_warn_at",
                "resolution_breached_at",
                "updated_at",
            ]
        )
        # A late ticket waits for nobody in particular.
        steps.place(ticket, at=at, anybody=True)
        return True


def _tell(ticket: Ticket, name: str, *, due: datetime, at: datetime) -> bool:
    """Warns of one clock, or notes that it was missed; True when there was something to tell."""
    warn_at: datetime | None = getattr(ticket, f"{name}_warn_at")
    text = f"{due:%Y-%m-%d %H:%M} UTC"
    if due <= at and getattr(ticket, f"{name}_breached_at") is None:
        setattr(ticket, f"{name}_breached_at", due)
        setattr(ticket, f"{name}_warn_at", None)
        letters.breached(ticket, clock=name, due=text)
        return True
    if warn_at is not None and warn_at <= at:
        setattr(ticket, f"{name}_warn_at", None)
        letters.at_risk(ticket, clock=name, due=text)
        return True
    return False
