"""Looking again at who a creator is: a year later, when an ID ends, when a new one has come (S-017)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator
from backoffice.queues.services import items

QUEUE = queries.REVIEWS


def put_due(*, at: dt.datetime | None = None, limit: int = 500) -> int:
    """Puts creators who are due into the queue of reviews; returns how many came in. Runs hourly.

    A year after the last look (`creator.review_days`), while an ID ends within `document.expiring_days` and no other
    is valid for longer, and when a creator who was asked for an ID has given one.
    """
    at = at or clock.now()
    due_at = at + dt.timedelta(days=values.get("creator.review_due_days"))
    done = 0
    for code, text, creators in (
        ("document_given", gettext_noop("A new ID has come."), queries.answered_reverification()),
        (
            "document_expiring",
            gettext_noop("The ID ends soon."),
            queries.id_ends_soon(at=at, days=values.get("document.expiring_days")),
        ),
        (
            "yearly",
            gettext_noop("Verified a year ago."),
            queries.verified_before(at - dt.timedelta(days=values.get("creator.review_days"))),
        ),
    ):
        for creator in queries.not_in_review(creators)[:limit]:
            items.enqueue(
                queue=QUEUE,
                subject=creator,
                label=creator.reference,
                reasons=[{"code": code, "text": text, "score": 10 if code == "document_given" else 0}],
                due_at=min(due_at, creator.reverify_by) if creator.reverify_by else due_at,
                at=at,
            )
            done += 1
    return done


def end(*, creator: Creator, by: Any, outcome: str, at: dt.datetime) -> None:
    """The review of a creator is over: decided by this person, or without reason to be there when it was the system.

    Part of the decision's transaction.
    """
    if by is None:
        items.cancel(queue=QUEUE, subject=creator, at=at)
    else:
        items.finish(queue=QUEUE, subject=creator, by=by, outcome=outcome, at=at)


def keep(*, creator: Creator, by: Any, note: str = "", at: dt.datetime | None = None) -> None:
    """The reviewer has looked and the verification stands for another year.

    Raises `policies.NotReady` without a verified ID that is still valid, Conflict when the creator is not verified,
    Forbidden for one's own.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    policies.check_not_oneself(creator.user_id, by)
    with transaction.atomic():
        creator = Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        if creator.verification_status != states.VerificationStatus.VERIFIED:
            raise Conflict(_("Only a verified creator can be kept so."), code="not_verified")
        unmet = policies.missing_to_keep(creator, at=at)
        if unmet:
            raise policies.NotReady(_("The identity cannot be confirmed yet."), unmet=unmet)
        before = {"verified_at": creator.verified_at}
        Creator.objects.filter(pk=creator.pk).update(verified_at=at, updated_at=at)
        end(creator=creator, by=by, outcome="kept", at=at)
        entries.record(
            action="creator.review",
            by=by,
            subject=creator,
            reason=note.strip(),
            before=before,
            after={"verified_at": at},
            at=at,
        )
