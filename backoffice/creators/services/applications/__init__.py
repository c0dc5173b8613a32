"""The application to become a creator, verb by verb (S-001 to S-011)."""

from backoffice.creators.services.applications.applying import answer, start, submit, update
from backoffice.creators.services.applications.deciding import approve, reject
from backoffice.creators.services.applications.ending import activate, activate_ready, lapse, lapse_due
from backoffice.creators.services.applications.reviewing import (
    claim,
    claim_next,
    release,
    request_info,
    return_abandoned,
    save_review,
)

__all__ = [
    "activate",
    "activate_ready",
    "answer",
    "approve",
    "claim",
    "claim_next",
    "lapse",
    "lapse_due",
    "reject",
    "release",
    "request_info",
    "return_abandoned",
    "save_review",
    "start",
    "submit",
    "update",
]
