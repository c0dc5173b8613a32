"""The checklist that staff tick off while they help a new creator (F-005)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Invalid
from backoffice.creators import states
from backoffice.creators.models import Creator, OnboardingStep
from backoffice.notifications.services import notify


def tick(*, creator: Creator, code: str, done: bool, by: Any, at: dt.datetime | None = None) -> None:
    """Ticks a step off, or takes the tick back; the same again changes nothing.

    "Launch announced" tells the creator, once the creator is live.
    """
    at = at or clock.now()
    permissions.require(by, states.DECIDE)
    if code not in states.OnboardingHelp.values:
        raise Invalid(_("There is no such step."), field="code")
    with transaction.atomic():
        creator = Creator.objects.select_for_update(of=("self",)).select_related("user").get(pk=creator.pk)
        if done and code == states.OnboardingHelp.LAUNCH and not creator.is_live:
            raise Invalid(_("The launch is announced once the creator is live."), field="code")
        if done:
            _step, changed = OnboardingStep.objects.get_or_create(
                creator=creator, code=code, defaults={"done_by": by, "done_at": at, "created_at": at}
            )
        else:
            deleted, _rows = OnboardingStep.objects.filter(creator=creator, code=code).delete()
            changed = bool(deleted)
        if not changed:
            return
        entries.record(
            action="creator.onboarding_step", by=by, subject=creator, after={"step": code, "done": done}, at=at
        )
        if done and code == states.OnboardingHelp.LAUNCH:
            notify(
                user=creator.user,
                event="creator.launched",
                data={"stage_name": creator.stage_name, "slug": creator.slug},
                by=by,
            )
