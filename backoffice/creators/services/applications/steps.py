"""What the verbs of an application share: who owns it, its locked row, its work item, how a verification ends."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from backoffice.core.errors import Forbidden, NotFound
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator, CreatorApplication
from backoffice.creators.services import documents
from backoffice.queues import queries as work
from backoffice.queues.models import WorkItem

QUEUE = queries.QUEUE
RELEASED: dict[str, Any] = {"reviewer": None, "claimed_at": None}


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


def end_verification(application: CreatorApplication, *, by: Any, at: dt.datetime) -> None:
    documents.schedule_purge(subject=application.applicant, at=at)
    creator = Creator.objects.filter(
        user=application.applicant, is_active=False, verification_status=states.VerificationStatus.PENDING
    ).first()
    if creator is not None:
        advance(creator, "reject", by=by, at=at)  # S-013


def reapply_date(application: CreatorApplication) -> str:
    again = policies.may_reapply_at(application)
    return again.date().isoformat() if again else ""
