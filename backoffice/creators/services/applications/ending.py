"""What comes after: going live (S-009), and closing what was left alone (S-011)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator, CreatorApplication
from backoffice.creators.services import creators, reviews
from backoffice.creators.services.applications import steps
from backoffice.creators.states import RejectReason
from backoffice.notifications.services import notify
from backoffice.queues.services import items


def activate(*, application: CreatorApplication, by: Any = None, at: dt.datetime | None = None) -> CreatorApplication:
    """Lets the approved creator go live (S-009); `by` None is the system.

    Raises `policies.NotReady` naming each fact that is not there yet.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, states.DECIDE)
    with transaction.atomic():
        application = steps.locked(application)
        if application.creator is None or not application.machine.allows(application.status, "activate"):
            raise Conflict(_("Only an approved application can be activated."), code="illegal_transition")
        creator = Creator.objects.select_for_update(of=("self",)).select_related("user").get(pk=application.creator.pk)
        unmet = policies.missing_to_activate(creator)
        if unmet:
            raise policies.NotReady(_("The creator cannot go live yet."), unmet=unmet)
        advance(application, "activate", by=by, at=at)
        creators.activate(creator=creator, by=by, at=at)
        notify(
            user=application.applicant,
            event="application.activated",
            data={
                "reference": application.reference,
                "stage_name": creator.stage_name,
                "slug": creator.slug,
            },
            by=by,
        )
    application.creator = creator
    return application


def activate_ready(*, at: dt.datetime | None = None) -> int:
    """Activates every approved creator whose facts are all there (S-009, by the system); returns how many."""
    at = at or clock.now()
    done = 0
    for application in queries.awaiting_activation():
        if application.creator is not None and not policies.missing_to_activate(application.creator):
            activate(application=application, by=None, at=at)
            done += 1
    return done


def lapse(*, application: CreatorApplication, at: dt.datetime | None = None) -> CreatorApplication:
    """Closes an application that its applicant left alone (S-011); a paused work item goes with it.

    An approved one takes the verification of its creator, who is not live yet, along.
    """
    at = at or clock.now()
    with transaction.atomic():
        application = steps.locked(application)
        was_approved = application.status == states.ApplicationStatus.APPROVED
        text = reviews.rejection_text(RejectReason.LAPSED, language=application.applicant.language)
        advance(
            application,
            "lapse",
            by=None,
            at=at,
            reason="lapsed",
            changes={
                "decision_code": RejectReason.LAPSED,
                "decision_reason": text,
                "decided_at": at,
                "decided_by": None,
            },
        )
        items.cancel(queue=steps.QUEUE, subject=application, at=at)
        if was_approved and application.creator is not None:
            creators.lapse(creator=Creator.objects.select_for_update().get(pk=application.creator.pk), at=at)
        steps.end_verification(application, by=None, at=at)
        notify(
            user=application.applicant,
            event="application.lapsed",
            data={
                "reference": application.reference,
                "again_from": steps.reapply_date(application),
                "was_approved": was_approved,
            },
        )
    return application


def lapse_due(*, at: dt.datetime | None = None) -> int:
    """Lapses what had no activity for `application.lapse_days`, and what was approved and did not go live within
    `application.activation_days`; returns how many. Runs daily.
    """
    at = at or clock.now()
    left_alone = queries.inactive_since(at - dt.timedelta(days=values.get("application.lapse_days")))
    never_live = queries.approved_before(at - dt.timedelta(days=values.get("application.activation_days")))
    done = 0
    for application in [*left_alone, *never_live]:
        lapse(application=application, at=at)
        done += 1
    return done
