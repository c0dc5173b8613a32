"""The decision (S-007, S-008, S-012, S-013)."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.core import clock
from backoffice.core.errors import Invalid
from backoffice.core.states import advance
from backoffice.creators import policies, states
from backoffice.creators.models import CreatorApplication
from backoffice.creators.services import creators, reviews
from backoffice.creators.services.applications import steps
from backoffice.creators.states import RejectReason
from backoffice.notifications.services import notify
from backoffice.queues.services import items


def approve(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Approves and makes the verified, not yet active creator (S-007, S-012).

    `findings` are saved first. Raises LeaseLost without the lease, `policies.NotReady` naming each open
    guard.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.complete(steps.item(application), token=token, by=by, outcome="approved", at=at)
        application = steps.locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        unmet = policies.missing_to_approve(application)
        if unmet:
            raise policies.NotReady(_("The application cannot be approved yet."), unmet=unmet)
        creator = creators.admit(application=application, by=by, at=at)
        advance(
            application,
            "approve",
            by=by,
            at=at,
            changes={"creator": creator, "decided_at": at, "decided_by": by},
        )
        notify(
            user=application.applicant,
            event="application.approved",
            data={
                "reference": application.reference,
                "stage_name": application.stage_name,
                "steps": [unmet.code for unmet in policies.missing_to_activate(creator)],
            },
            by=by,
        )
    return application


def reject(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    code: str,
    text: str = "",
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Rejects with a reason code and a text for the applicant (S-008); documents get their purge date.

    An empty text is the code's sentence in the applicant's language. Raises LeaseLost without the lease.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    if code not in states.STAFF_REJECT_REASONS:
        raise Invalid(_("Choose a reason."), field="code")
    if code == RejectReason.OTHER and not text.strip():
        raise Invalid(_("Say what the reason is."), field="text")
    with transaction.atomic():
        items.complete(steps.item(application), token=token, by=by, outcome=f"rejected: {code}", at=at)
        application = steps.locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        text = text.strip() or reviews.rejection_text(code, language=application.applicant.language)
        advance(
            application,
            "reject",
            by=by,
            at=at,
            reason=text,
            changes={"decision_code": code, "decision_reason": text, "decided_at": at, "decided_by": by},
            note={"code": code},
        )
        steps.end_verification(application, by=by, at=at)
        notify(
            user=application.applicant,
            event="application.rejected",
            data={
                "reference": application.reference,
                "stage_name": application.stage_name,
                "text": text,
                "again_from": steps.reapply_date(application),
            },
            by=by,
        )
    return application
