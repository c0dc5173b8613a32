"""Changing a payout method: one person proposes, another approves (N-006 to N-011, PG-010)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.audit import entries
from backoffice.core import clock, countries
from backoffice.core.errors import Conflict, Invalid
from backoffice.finance.models import PayoutMethod
from backoffice.finance.policies import fingerprints
from backoffice.finance.policies import payout_methods as policy
from backoffice.finance.policies.payout_methods import Settings

KIND = "payout_method"
EDIT, APPROVE = "fees.edit", "fees.approve"


def propose(
    *, method: PayoutMethod, settings: Settings, reason: str, by: User, at: datetime | None = None
) -> ApprovalRequest:
    """Asks for a change of a method; needs ``fees.edit`` and a reason.

    Raises Invalid with the field, or AlreadyAsked when a change of this method waits.
    """
    at = at or clock.now()
    permissions.require(by, EDIT)
    policy.check(settings, countries=countries.codes())
    before = Settings.of(method)
    if settings == before:
        raise Invalid(_("Nothing was changed."), code="unchanged")
    if not reason.strip():
        raise Invalid(_("Say why the method changes: the approver reads it."), field="reason")
    return requests.open(
        kind=KIND,
        by=by,
        label=f"{method.name}, {method.currency}",
        payload=settings.as_dict(),
        before=before.as_dict(),
        subject=method,
        reason=reason,
        fingerprint=fingerprints.of(before.as_dict()),
        at=at,
    )


def apply(*, request: ApprovalRequest, by: User, at: datetime | None = None) -> PayoutMethod:
    """Carries an approved change out. Payouts that are under way keep the fee that was fixed with them.

    Raises Conflict when the method is not as it was when the change was proposed, Invalid when it may not be like this.
    """
    at = at or clock.now()
    permissions.require(by, APPROVE)
    with transaction.atomic():
        method = PayoutMethod.objects.select_for_update().get(pk=request.subject_id)
        before = Settings.of(method)
        if fingerprints.of(before.as_dict()) != request.fingerprint:
            raise Conflict(
                _("The method was changed since this was proposed. Look at it and propose the change again."),
                code="method_changed",
            )
        settings = Settings.read(request.payload)
        policy.check(settings, countries=countries.codes())
        changes = settings.as_dict()
        PayoutMethod.objects.filter(pk=method.pk).update(**changes, updated_at=at)
        entries.record(
            action="payout_method.change",
            by=by,
            subject=method,
            before={name: value for name, value in before.as_dict().items() if changes[name] != value},
            after={name: value for name, value in changes.items() if before.as_dict()[name] != value},
            data={"request": request.reference},
            at=at,
        )
        method.refresh_from_db()
    return method
