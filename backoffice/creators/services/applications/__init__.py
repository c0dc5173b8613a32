"""The application to become a creator, verb by verb (S-001 to S-011)."""

from backoffice.creators.services.applications.applying import answer, start, submit, update
from backoffice.creators.services.applications.deciding import SETTLE, approve, reject, settle, settle_due, undo
from backoffice.creators.services.applications.ending import activate, activate_ready, lapse, lapse_due
from backoffice.creators.services.applications.reviewing import (
    claim,
    claim_next,
    escalate,
    escalate_due,
    release,
    request_info,
    return_abandoned,
    save_review,
    skip,
)

__all__ = [
    "SETTLE",
    "activate",
    "activate_ready",
    "answer",
    "approve",
    "claim",
    "claim_next",
    "escalate",
    "escalate_due",
    "lapse",
    "lapse_due",
    "reject",
    "release",
    "request_info",
    "return_abandoned",
    "save_review",
    "settle",
    "settle_due",
    "skip",
    "start",
    "submit",
    "undo",
    "update",
]
