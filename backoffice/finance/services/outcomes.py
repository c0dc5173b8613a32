"""Telling whoever asked for something how it ended."""

from django.utils import translation

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.states import Status
from backoffice.core import stored
from backoffice.notifications.services import notify


def tell(request: ApprovalRequest) -> None:
    """Tells the requester what became of the request and why. Who withdraws knows it already."""
    if request.status == Status.WITHDRAWN:
        return
    person = request.requested_by
    with translation.override(person.language):
        facts = {
            "kind": str(kinds.of(request).label),
            "reference": request.reference,
            "label": request.label,
            "outcome": str(Status(request.status).label),
            "reason": stored.shown(request.failure or request.decision_reason),
        }
    notify(user=person, event="approval.decided", data=facts, by=request.decided_by)
