"""The life of a ticket (S-105 to S-114)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine


class Status(models.TextChoices):
    """Where a ticket stands. Each state says who has to do something next."""

    NEW = "new", _("New")  # nobody has taken it
    OPEN = "open", _("Open")  # the agent
    PENDING_CUSTOMER = (
        "pending_customer",
        _("Waiting for customer"),
    )  # the customer; the resolution clock stands
    ON_HOLD = "on_hold", _("On hold")  # a third party; the clock runs
    ESCALATED = "escalated", _("Escalated")  # a supervisor
    RESOLVED = "resolved", _("Resolved")  # the customer may still answer
    CLOSED = "closed", _("Closed")  # nobody


ACTIVE = (
    Status.NEW,
    Status.OPEN,
    Status.PENDING_CUSTOMER,
    Status.ON_HOLD,
    Status.ESCALATED,
)
"""Not finished: the ticket has a work item."""

RUNNING = (Status.NEW, Status.OPEN, Status.ON_HOLD, Status.ESCALATED)
"""The resolution clock runs (Q-048: around the clock, standing only while the customer is asked)."""

WAITING = (Status.PENDING_CUSTOMER, Status.ON_HOLD)
"""Somebody outside the team is next."""

WORKABLE = (Status.NEW, Status.OPEN, Status.ESCALATED)
"""An agent can take it from the queue now."""

FINISHED = (Status.RESOLVED, Status.CLOSED)

QUEUE = "tickets"
DECIDE = "tickets.decide"
SUPERVISE = "tickets.supervise"

MACHINE = Machine(
    "ticket",
    field="status",
    record=entries.record_transition,
    rows=[
        (Status.NEW, "claim", Status.OPEN, DECIDE),  # S-106
        (Status.OPEN, "wait", Status.PENDING_CUSTOMER, DECIDE),  # S-107
        (Status.PENDING_CUSTOMER, "answer", Status.OPEN, ""),  # S-107, the customer
        (
            Status.PENDING_CUSTOMER,
            "resume",
            Status.OPEN,
            DECIDE,
        ),  # S-107, the agent needs no answer after all
        (Status.OPEN, "hold", Status.ON_HOLD, DECIDE),  # S-108
        (Status.ON_HOLD, "resume", Status.OPEN, DECIDE),  # S-108
        (Status.NEW, "escalate", Status.ESCALATED, DECIDE),  # S-109
        (Status.OPEN, "escalate", Status.ESCALATED, DECIDE),  # S-109
        (Status.ESCALATED, "reassign", Status.OPEN, SUPERVISE),  # S-110
        (Status.OPEN, "resolve", Status.RESOLVED, DECIDE),  # S-111
        (Status.ESCALATED, "resolve", Status.RESOLVED, DECIDE),  # S-111
        (Status.RESOLVED, "reopen", Status.OPEN, ""),  # S-112, the customer
        (Status.RESOLVED, "close", Status.CLOSED, ""),  # S-113, the clock
        (Status.NEW, "dismiss", Status.CLOSED, DECIDE),  # S-114
        (Status.OPEN, "dismiss", Status.CLOSED, DECIDE),  # S-114
    ],
)
