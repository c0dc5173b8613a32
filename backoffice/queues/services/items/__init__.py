"""Handing out work: one item to one person, under a lease that runs out by itself."""

from backoffice.queues.services.items.escalating import escalate, escalate_due, escalate_subject, hand_down
from backoffice.queues.services.items.handout import claim, claim_group, claim_next, expire_leases, lapse_returns
from backoffice.queues.services.items.leases import (
    complete,
    heartbeat,
    pause,
    release,
    skip,
    undo,
)
from backoffice.queues.services.items.placing import cancel, enqueue, finish, resume, revise
from backoffice.queues.services.items.steps import (
    RELEASED,
    UNFINISHED,
    AtCapacity,
    LeaseLost,
    NotFree,
    NotUndoable,
    OffDuty,
)

__all__ = [
    "RELEASED",
    "UNFINISHED",
    "AtCapacity",
    "LeaseLost",
    "NotFree",
    "NotUndoable",
    "OffDuty",
    "cancel",
    "claim",
    "claim_group",
    "claim_next",
    "complete",
    "enqueue",
    "escalate",
    "escalate_due",
    "escalate_subject",
    "expire_leases",
    "finish",
    "hand_down",
    "heartbeat",
    "lapse_returns",
    "pause",
    "release",
    "resume",
    "revise",
    "skip",
    "undo",
]
