"""What the verbs of an application share: who owns it, its locked row, its work item, how a verification ends."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.accounts import duty
from backoffice.configuration import values
from backoffice.core.errors import Forbidden, NotFound
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator, CreatorApplication
from backoffice.creators.services import documents
from backoffice.queues import queries as work
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from backoffice.queues.worker import Worker

QUEUE = queries.QUEUE
RELEASED: dict[str, Any] = {"reviewer": None, "claimed_at": None}
# What makes an application wait less long: score and sentence per reason.
SCORE_REAPPLICATION = 5
AUDIENCE_STEPS = ((1_000_000, 30), (100_000, 20), (10_000, 10))


def check_owner(application: CreatorApplication, by: Any) -> None:
    if by is None or application.applicant_id != by.pk:
        raise Forbidden(_("This application is not yours."))


def locked(application: CreatorApplication) -> CreatorApplication:
    return (
        CreatorApplication.objects.select_for_update(of=("self",))
        .select_related("applicant", "creator")
        .get(pk=application.pk)
    )


def item(application: CreatorApplication) -> WorkItem:
    found = work.for_subject(QUEUE, application)
    if found is None:
        raise NotFound(_("This application is in no queue."))
    return found


def worker(by: Any) -> Worker:
    """The reviewer as the queue sees them."""
    return duty.worker(by, queue=QUEUE, decide=states.DECIDE, supervise=states.SUPERVISE)


def place(application: CreatorApplication, *, at: dt.datetime, extra: dict[str, Any] | None = None) -> WorkItem:
    """Puts a submitted application into the queue with its due time and reasons."""
    return items.enqueue(
        queue=QUEUE,
        subject=application,
        label=f"{application.reference} {application.stage_name}",
        reasons=[*_reasons(application), *([extra] if extra else [])],
        due_at=at + dt.timedelta(hours=values.get("application.due_hours")),
        language=application.languages[0],
        at=at,
    )


def end_verification(application: CreatorApplication, *, by: Any, at: dt.datetime) -> None:
    documents.schedule_purge(subject=application.applicant, at=at)
    creator = Creator.objects.filter(
        user=application.applicant, is_active=False, verification_status=states.VerificationStatus.PENDING
    ).first()
    if creator is not None:
        advance(creator, "reject", by=by, at=at, changes={"refused_at": at})  # S-013


def reapply_date(application: CreatorApplication) -> str:
    again = policies.may_reapply_at(application)
    return again.date().isoformat() if again else ""


def _reasons(application: CreatorApplication) -> list[dict[str, Any]]:
    """Why the item waits and how much each reason counts; the texts are source strings, which the queue translates."""
    reasons: list[dict[str, Any]] = [
        {"code": "new_application", "text": gettext_noop("New application"), "score": 10},
    ]
    followers = sum(application.social_accounts.values_list("follower_count", flat=True))
    for step, score in AUDIENCE_STEPS:
        if followers >= step:
            text = gettext_noop("%(count)s followers on the accounts named")
            reasons.append({"code": "audience", "text": text, "data": {"count": followers}, "score": score})
            break
    if application.reapplication_of_id:
        reasons.append({"code": "reapplication", "text": gettext_noop("Applies again"), "score": SCORE_REAPPLICATION})
    return reasons
