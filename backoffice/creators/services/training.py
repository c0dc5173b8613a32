"""Onboarding training: modules that editors publish, and how far each creator is (E-018, S-128)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, NotFound
from backoffice.core.states import advance
from backoffice.creators import policies
from backoffice.creators.models import Creator, TrainingModule, TrainingProgress
from backoffice.creators.states import ApplicationStatus, TrainingStatus
from backoffice.notifications.services import notify


def declare(*, code: str, title: str, position: int, required: bool, by: Any) -> TrainingModule:
    """An editor published the module's page: makes the module, or brings it up to date."""
    fields = {"title": title, "position": position, "required": required, "is_active": True}
    with transaction.atomic():
        module = TrainingModule.objects.select_for_update().filter(code=code).first()
        if module is None:
            module = TrainingModule.objects.create(code=code, **fields)
            entries.record(action="training.declare", by=by, subject=module, after=fields)
            return module
        before = {name: getattr(module, name) for name in fields}
        if before != fields:
            for name, value in fields.items():
                setattr(module, name, value)
            module.save(update_fields=[*fields, "updated_at"])
            entries.record(action="training.declare", by=by, subject=module, before=before, after=fields)
    return module


def retire(*, code: str, by: Any) -> None:
    """The module's last page is gone: nobody has to take it any more. What was completed stays on record."""
    with transaction.atomic():
        module = TrainingModule.objects.select_for_update().filter(code=code, is_active=True).first()
        if module is not None:
            module.is_active = False
            module.save(update_fields=["is_active", "updated_at"])
            entries.record(action="training.retire", by=by, subject=module)


def start(*, creator: Creator, code: str, by: Any, at: dt.datetime | None = None) -> TrainingProgress:
    """The creator opens a module. Required ones are taken in their order; Conflict names what comes first."""
    at = at or clock.now()
    with transaction.atomic():
        Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        module = _module(code)
        progress, _made = TrainingProgress.objects.get_or_create(creator=creator, module=module)
        if progress.status != TrainingStatus.NOT_STARTED:
            return progress
        first = TrainingModule.objects.still_open(creator).first()
        if module.required and first is not None and first.pk != module.pk:
            raise Conflict(
                _("First comes “%(title)s”: the modules are taken in their order.") % {"title": first.title},
                code="out_of_order",
            )
        advance(progress, "start", by=by, at=at, changes={"started_at": at}, note={"module": code})
    return progress


def complete(*, creator: Creator, code: str, by: Any, at: dt.datetime | None = None) -> TrainingProgress:
    """The creator is through with a module that they have begun; a second time changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        progress = TrainingProgress.objects.filter(creator=creator, module=_module(code)).first()
        if progress is None or progress.status == TrainingStatus.NOT_STARTED:
            raise Conflict(_("Open the module before completing it."), code="not_started")
        if progress.status == TrainingStatus.IN_PROGRESS:
            advance(progress, "complete", by=by, at=at, changes={"completed_at": at}, note={"module": code})
    return progress


def remind_due(*, at: dt.datetime | None = None) -> int:
    """Reminds approved creators of what they still lack before going live (V-014), at most every
    `training.remind_days`; returns how many.
    """
    at = at or clock.now()
    before = at - dt.timedelta(days=values.get("training.remind_days"))
    waiting = Creator.objects.filter(
        applications__status=ApplicationStatus.APPROVED, applications__decided_at__lt=before
    ).exclude(onboarding_reminded_at__gte=before)
    done = 0
    for key in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            creator = (
                Creator.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("user")
                .filter(pk=key)
                .exclude(onboarding_reminded_at__gte=before)
                .first()
            )
            missing = policies.missing_to_activate(creator) if creator is not None else []
            if creator is None or not missing:
                continue
            Creator.objects.filter(pk=key).update(onboarding_reminded_at=at, updated_at=at)
            closes_on = policies.activation_ends_at(creator)
            notify(
                user=creator.user,
                event="application.onboarding_reminder",
                data={
                    "stage_name": creator.stage_name,
                    "codes": [item.code for item in missing],
                    "closes_on": closes_on.date().isoformat() if closes_on is not None else "",
                },
            )
            done += 1
    return done


def _module(code: str) -> TrainingModule:
    module = TrainingModule.objects.filter(code=code, is_active=True).first()
    if module is None:
        raise NotFound(_("There is no such module."))
    return module
