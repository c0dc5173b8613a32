"""Changing the table of due times (E-066, C-022). Open tickets keep the times they were given."""

from datetime import datetime

from django.db import transaction

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.support.models import SlaPolicy

FIELDS = ("priority", "respond_within", "resolve_within", "escalate_after", "active")


def change(
    policy: SlaPolicy,
    *,
    by: User,
    priority: str,
    respond_within: int,
    resolve_within: int | None,
    escalate_after: int | None,
    active: bool,
    reason: str = "",
    at: datetime | None = None,
) -> SlaPolicy:
    """Sets the targets of one issue type, in minutes. ValidationError names the field that does not fit."""
    permissions.require(by, "tickets.edit")
    at = at or clock.now()
    before = {name: getattr(policy, name) for name in FIELDS}
    policy.priority, policy.active = priority, active
    policy.respond_within, policy.resolve_within, policy.escalate_after = (
        respond_within,
        resolve_within,
        escalate_after,
    )
    policy.full_clean()
    with transaction.atomic():
        policy.save()
        entries.record(
            action="sla_policy.change",
            by=by,
            subject=policy,
            reason=reason,
            at=at,
            before=before,
            after={name: getattr(policy, name) for name in FIELDS},
        )
    return policy
