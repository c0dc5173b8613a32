"""The decision and its undo window (S-007, S-008, S-012, S-013).

A decision finishes the work item at once, so nobody else is given the application, and takes effect when
`application.undo_seconds` are over: until then the application stays in review, nobody is told and no creator is made.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import CreatorApplication
from backoffice.creators.services import creators, reviews
from backoffice.creators.services.applications import steps
from backoffice.creators.states import ApplicationStatus, RejectReason
from backoffice.notifications.services import notify
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items

Verdict = CreatorApplication.Verdict
SETTLE = "creators.settle"
UNDECIDED: dict[str, Any] = {"verdict": "", "verdict_by": None, "verdict_note": {}, "effective_at": None}


def approve(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    findings: reviews.Findings | None = None,
    undo_seconds: int | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Decides for the applicant (S-007, S-012); the verified, not yet active creator is made when it takes effect.

    `findings` are saved first. `undo_seconds`: default the setting; 0 takes effect at once. Raises LeaseLost without
    the lease, `policies.NotReady` naming each open guard.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        window = _complete(application, token=token, by=by, outcome="approved", undo_seconds=undo_seconds, at=at)
        application = steps.locked(application)
        judged = reviews.Judged()
        if findings is not None:
            judged = reviews.save(application=application, findings=findings, by=by, at=at)
        unmet = policies.missing_to_approve(application)
        if unmet:
            raise policies.NotReady(_("The application cannot be approved yet."), unmet=unmet)
        return _decide(application, Verdict.APPROVE, by=by, window=window, at=at, note=judged.as_note())


def reject(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    code: str,
    text: str = "",
    findings: reviews.Findings | None = None,
    undo_seconds: int | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Decides against the applicant with a reason code and a text for them (S-008).

    Documents get their purge date when it takes effect. An empty text is the code's sentence in the applicant's
    language. `undo_seconds` as in `approve`. Raises LeaseLost without the lease.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    if code not in states.STAFF_REJECT_REASONS:
        raise Invalid(_("Choose a reason."), field="code")
    if code == RejectReason.OTHER and not text.strip():
        raise Invalid(_("Say what the reason is."), field="text")
    with transaction.atomic():
        outcome = f"rejected: {code}"
        window = _complete(application, token=token, by=by, outcome=outcome, undo_seconds=undo_seconds, at=at)
        application = steps.locked(application)
        judged, had_failed = reviews.Judged(), application.identity_failed
        if findings is not None:
            judged = reviews.save(application=application, findings=findings, by=by, at=at)
        text = text.strip() or reviews.rejection_text(code, language=application.applicant.language)
        note = {"code": code, "text": text, "identity_had_failed": had_failed, **judged.as_note()}
        return _decide(application, Verdict.REJECT, by=by, window=window, at=at, note=note)


def undo(
    *, application: CreatorApplication, by: Any, at: dt.datetime | None = None
) -> tuple[CreatorApplication, WorkItem]:
    """Takes a decision back before it takes effect; the application is in this reviewer's hands again.

    What the decision verified is to be judged again, and what it corrected or took back stands as before. Raises
    Conflict when the window is over or the decision is somebody else's.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        item = items.undo(steps.item(application), by=by, at=at)
        application = steps.locked(application)
        if not application.verdict or application.status != ApplicationStatus.IN_REVIEW:
            raise Conflict(_("The decision has taken effect."), code="not_undoable")
        verdict, note = application.verdict, application.verdict_note
        judged = reviews.Judged.from_note(note)
        # An ID that is verified again did not fail the check.
        failed = {"identity_failed": note["identity_had_failed"]} if judged.withdrawn else {}
        _write(application, at, **UNDECIDED, **failed)
        reviews.take_back(judged, by=by, reason="decision taken back", at=at)
        entries.record(action="application.undo", by=by, subject=application, data={"verdict": verdict}, at=at)
    return application, item


def settle(*, application: CreatorApplication, at: dt.datetime | None = None) -> CreatorApplication:
    """Lets a decision take effect once its undo window is over: creator, papers, message to the applicant.

    Void, and the application back in the queue, when a guard of the approval no longer holds or the reviewer lost the
    right to decide. Nothing happens while the window is open or when it took effect already.
    """
    at = at or clock.now()
    with transaction.atomic():
        application = steps.locked(application)
        if (
            not application.verdict
            or application.status != ApplicationStatus.IN_REVIEW
            or application.effective_at is None
            or at < application.effective_at
        ):
            return application
        return _take_effect(application, at=at)


def settle_due(*, at: dt.datetime | None = None) -> int:
    """Settles every decision whose window is over; returns how many."""
    at = at or clock.now()
    done = 0
    for application in queries.unsettled(at):
        settle(application=application, at=at)
        done += 1
    return done


def _complete(
    application: CreatorApplication,
    *,
    token: UUID | str,
    by: Any,
    outcome: str,
    undo_seconds: int | None,
    at: dt.datetime,
) -> dt.timedelta:
    window = dt.timedelta(seconds=values.get("application.undo_seconds") if undo_seconds is None else undo_seconds)
    undo_until = at + window if window else None
    items.complete(steps.item(application), token=token, by=by, outcome=outcome, undo_until=undo_until, at=at)
    return window


def _write(application: CreatorApplication, at: dt.datetime, **fields: Any) -> None:
    CreatorApplication.objects.filter(pk=application.pk).update(updated_at=at, **fields)
    for name, value in fields.items():
        setattr(application, name, value)


def _decide(
    application: CreatorApplication,
    verdict: str,
    *,
    by: Any,
    window: dt.timedelta,
    at: dt.datetime,
    note: dict[str, Any],
) -> CreatorApplication:
    if not application.machine.allows(application.status, verdict):
        raise Conflict(_("This application is not in review."), code="illegal_transition")
    note = {**note, "at": at.isoformat()}
    _write(application, at, verdict=verdict, verdict_by=by, verdict_note=note, effective_at=at + window)
    if not window:
        return _take_effect(application, at=at)
    entries.record(
        action="application.decide",
        by=by,
        subject=application,
        reason=note.get("text", ""),
        data={"verdict": verdict, "code": note.get("code", ""), "effective_at": application.effective_at},
        at=at,
    )
    jobs.enqueue(
        SETTLE,
        {"application_id": str(application.pk)},
        key=f"{application.pk}:{at.isoformat()}",
        run_after=application.effective_at,
        by=by,
    )
    return application


def _take_effect(application: CreatorApplication, *, at: dt.datetime) -> CreatorApplication:
    by = application.verdict_by
    lost_right = by is None or not by.may(states.DECIDE)
    if application.verdict == Verdict.REJECT:
        return _void(application, why="reviewer_lost_right", at=at) if lost_right else _rejected(application, at=at)
    if lost_right or policies.missing_to_approve(application):
        return _void(application, why="reviewer_lost_right" if lost_right else "guard_lost", at=at)
    return _approved(application, at=at)


def _approved(application: CreatorApplication, *, at: dt.datetime) -> CreatorApplication:
    by = application.verdict_by
    creator = creators.admit(application=application, by=by, at=at)
    advance(application, "approve", by=by, at=at, changes={"creator": creator, **_decided(application)})
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


def _rejected(application: CreatorApplication, *, at: dt.datetime) -> CreatorApplication:
    by, code, text = application.verdict_by, application.verdict_note["code"], application.verdict_note["text"]
    advance(
        application,
        "reject",
        by=by,
        at=at,
        reason=text,
        changes={"decision_code": code, "decision_reason": text, **_decided(application)},
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


def _decided(application: CreatorApplication) -> dict[str, Any]:
    decided_at = dt.datetime.fromisoformat(application.verdict_note["at"])
    return {"decided_at": decided_at, "decided_by": application.verdict_by, **UNDECIDED}


def _void(application: CreatorApplication, *, why: str, at: dt.datetime) -> CreatorApplication:
    """The decision cannot stand: the application is looked at again, by whoever is next."""
    advance(application, "release", by=None, at=at, reason=why, changes={**UNDECIDED, **steps.RELEASED})
    text = gettext_noop("The decision could not take effect")
    steps.place(application, at=at, extra={"code": why, "text": text, "score": 20})
    return application
