"""The reviewer's side before the decision: claiming, keeping findings, asking (S-003 to S-005)."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Invalid
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import CreatorApplication
from backoffice.creators.services import reviews
from backoffice.creators.services.applications import steps
from backoffice.creators.states import ApplicationStatus, InfoItem
from backoffice.notifications.services import notify
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items


def claim(
    *, application: CreatorApplication, by: Any, at: dt.datetime | None = None
) -> tuple[CreatorApplication, WorkItem]:
    """Takes one application for review under a lease (S-003); again for the holder gives a fresh token.

    Raises `queues.services.items.NotFree` naming who has it, NotFound when it is in no queue.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        item = steps.item(application)
        item = items.claim(item, by=steps.worker(by), at=at)
        return _into_review(application.pk, by=by, at=at), item


def claim_next(*, by: Any, at: dt.datetime | None = None) -> tuple[CreatorApplication, WorkItem] | None:
    """The next application this reviewer may take, claimed; None when nothing waits for them.

    Raises OffDuty and AtCapacity of the queue.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    worker = steps.worker(by)
    with transaction.atomic():
        item = items.claim_next(queues=[steps.QUEUE], by=worker, at=at)
        if item is not None and policies.is_own(CreatorApplication.objects.get(pk=item.subject_id), by):
            # A person has one open application at most, so the next one is somebody else's.
            items.skip(item, token=item.lease_token or "", by=by, at=at)
            item = items.claim_next(queues=[steps.QUEUE], by=worker, at=at)
        if item is None:
            return None
        return _into_review(UUID(item.subject_id), by=by, at=at), item


def _into_review(pk: UUID, *, by: Any, at: dt.datetime) -> CreatorApplication:
    """Brings a just claimed application into review; an abandoned review is ended first (S-004)."""
    application = CreatorApplication.objects.select_for_update().get(pk=pk)
    policies.check_reviewer(application, by)
    if application.status == ApplicationStatus.IN_REVIEW:
        if application.reviewer_id == by.pk:
            return application
        advance(application, "release", by=None, at=at, reason="lease ran out", changes=steps.RELEASED)
    advance(application, "claim", by=by, at=at, changes={"reviewer": by, "claimed_at": at})
    return application


def release(
    *, application: CreatorApplication, by: Any, token: UUID | str, at: dt.datetime | None = None
) -> CreatorApplication:
    """Gives a claimed application back to the queue (S-004). Raises LeaseLost without the lease."""
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.release(steps.item(application), token=token, by=by, at=at)
        application = steps.locked(application)
        advance(application, "release", by=by, at=at, changes=steps.RELEASED)
    return application


def skip(
    *, application: CreatorApplication, by: Any, token: UUID | str, at: dt.datetime | None = None
) -> CreatorApplication:
    """Gives it back and is not given it again (S-004). Raises LeaseLost without the lease."""
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.skip(steps.item(application), token=token, by=by, at=at)
        application = steps.locked(application)
        advance(application, "release", by=by, at=at, reason="skip", changes=steps.RELEASED)
    return application


def escalate(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    reason: str,
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Passes it on to the supervisors with a note and the findings so far; it waits for them alone.

    Raises LeaseLost without the lease, Invalid without a reason.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.escalate(steps.item(application), token=token, by=by, reason=reason, at=at)
        application = steps.locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        advance(application, "release", by=by, at=at, reason=reason.strip(), changes=steps.RELEASED)
    return application


def escalate_due(*, at: dt.datetime | None = None) -> int:
    """Passes applications that nobody took for too long to the supervisors; returns how many."""
    return items.escalate_due(queues=[steps.QUEUE], percent=values.get("queue.escalate_percent"), at=at)


def return_abandoned(*, at: dt.datetime | None = None) -> int:
    """Puts applications whose lease ran out back to submitted (S-004); returns how many. Every minute."""
    at = at or clock.now()
    items.expire_leases(queues=[steps.QUEUE], at=at)
    done = 0
    for application in queries.abandoned(at=at):
        with transaction.atomic():
            current = steps.locked(application)
            if current.status == ApplicationStatus.IN_REVIEW and queries.is_abandoned(current, at=at):
                advance(current, "release", by=None, at=at, reason="lease ran out", changes=steps.RELEASED)
                done += 1
    return done


def save_review(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    findings: reviews.Findings,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Keeps findings without deciding; renews the lease. Raises LeaseLost without it."""
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    with transaction.atomic():
        items.heartbeat(steps.item(application), token=token, by=by, at=at)
        application = steps.locked(application)
        reviews.save(application=application, findings=findings, by=by, at=at)
    return application


def request_info(
    *,
    application: CreatorApplication,
    by: Any,
    token: UUID | str,
    text: str = "",
    asked: Sequence[str] = (),
    findings: reviews.Findings | None = None,
    at: dt.datetime | None = None,
) -> CreatorApplication:
    """Asks the applicant for `asked` (codes of `InfoItem`) and pauses the clock (S-005).

    An empty text is written from the codes in the applicant's language. The answer returns to this reviewer.
    Raises LeaseLost without the lease, Invalid when neither text nor codes are given.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    bad = [code for code in asked if code not in InfoItem.values]
    if bad:
        raise Invalid(_("There is no such thing to ask for."), field="asked")
    if not text.strip() and not asked:
        raise Invalid(_("Say what is missing."), field="text")
    with transaction.atomic():
        items.pause(steps.item(application), token=token, by=by, reason=_("the applicant"), return_to=by, at=at)
        application = steps.locked(application)
        if findings is not None:
            reviews.save(application=application, findings=findings, by=by, at=at)
        codes = list(dict.fromkeys(asked)) or [InfoItem.NOTE.value]
        text = text.strip() or reviews.request_text(codes, language=application.applicant.language)
        advance(
            application,
            "request_info",
            by=by,
            at=at,
            reason=text,
            changes={
                "info_requested": text,
                "info_items": codes,
                "info_requested_at": at,
                "answer": "",
                "last_activity_at": at,
            },
            note={"asked": codes},
        )
        notify(
            user=application.applicant,
            event="application.info_requested",
            data={"reference": application.reference, "stage_name": application.stage_name, "text": text},
            by=by,
        )
    return application
