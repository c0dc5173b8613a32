"""Changing platform settings: at once, or by two people (E-078, S-126, P-004, P-009, Q-015, X-047, PG-017, PG-018)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.accounts.models import RoleGrant, User
from backoffice.accounts.roles import MATRIX
from backoffice.accounts.services.roles import super_admins
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.configuration import rules, values
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.models import SettingVersion
from backoffice.configuration.setting import TO_APPROVE, TO_CHANGE, Level, Setting
from backoffice.configuration.words import about, in_words
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid, NotFound
from backoffice.notifications.services import notify

SUBJECT = "configuration.setting"
# One kind for each level of approver.
KIND_OF: dict[Level, str] = {
    Level.OPERATIONAL: "setting",
    Level.STANDARD: "setting",
    Level.SECURITY: "security_setting",
    Level.SWITCH: "kill_switch",
}
MOST_REASON = 1000


def find(key: str) -> Setting:
    """The declared setting; NotFound."""
    setting = DEFAULTS.get(key)
    if setting is None:
        raise NotFound(_("There is no setting “%(key)s”.") % {"key": key})
    return setting


def may_see(user: User, setting: Setting) -> bool:
    """Whether this person may look at it: kill switches are not everybody's."""
    return user.may("switches.view" if setting.level == Level.SWITCH else "settings.view")


def may_change(user: User, setting: Setting) -> bool:
    """Whether this person may change it, alone or together with somebody else."""
    return any(user.may(permission) for permission in TO_CHANGE[setting.level])


def waits(setting: Setting, value: Any) -> bool:
    """Whether this value needs a second person. Stopping by a kill switch never waits."""
    return setting.two_people and not (setting.level == Level.SWITCH and value is False)


def others_may_approve(user: User, setting: Setting) -> bool:
    """Whether there is anybody besides this person who could approve a change."""
    area, _dot, verb = TO_APPROVE[setting.level].partition(".")
    roles = [role for role, verbs in MATRIX[area].items() if verb in verbs.split()]
    lapsed = RoleGrant.objects.filter(role__in=roles, ended_at=None, expires_at__lte=clock.now())
    people = User.objects.filter(is_active=True, is_staff=True, groups__name__in=roles)
    return people.exclude(pk=user.pk).exclude(pk__in=lapsed.values("user")).exists()


def propose(
    *,
    key: str,
    value: Any,
    by: User,
    reason: str,
    restored_from: SettingVersion | None = None,
    at: datetime | None = None,
) -> SettingVersion | ApprovalRequest:
    """A new value: in force at once, or a request that a second person has to approve.

    Raises NotFound, Forbidden, Invalid (value, reason, or nothing would change), and AlreadyAsked.
    """
    at = at or clock.now()
    setting = find(key)
    if not may_change(by, setting):
        raise Forbidden(_("Your role does not include a change of this setting."))
    reason = reason.strip()
    if not reason or len(reason) > MOST_REASON:
        raise Invalid(_("Say why, in at most %(most)s characters.") % {"most": MOST_REASON}, field="reason")
    with transaction.atomic():
        rules.check(key, value, current=values.current)
        if not waits(setting, value):
            values.lock()
        before = values.current(key)
        if value == before:
            raise Invalid(_("This is the value in force already."), field="value", code="unchanged")
        if not waits(setting, value):
            version = values.change(key=key, value=value, by=by, reason=reason, restored_from=restored_from, at=at)
            _announce(version)
            return version
        payload = {"value": value, **({"restored_from": restored_from.pk} if restored_from is not None else {})}
        return requests.open(
            kind=KIND_OF[setting.level],
            by=by,
            label=_label(key, setting, before, value),
            payload=payload,
            before={"value": before},
            subject=(SUBJECT, key),
            reason=reason,
            needed=1,
            at=at,
        )


def rollback(
    *, version: SettingVersion, by: User, reason: str, at: datetime | None = None
) -> SettingVersion | ApprovalRequest:
    """Back to the value of an earlier version, as a new version and by the same rules (C-018)."""
    return propose(key=version.key, value=version.value, by=by, reason=reason, restored_from=version, at=at)


def reset(*, key: str, by: User, reason: str, at: datetime | None = None) -> SettingVersion | ApprovalRequest:
    """Back to the default, as a new version and by the same rules."""
    return propose(key=key, value=find(key).default, by=by, reason=reason, at=at)


def apply(request: ApprovalRequest, *, by: User, at: datetime) -> None:
    """Sets the value that was asked for. Conflict when another value than the one then is in force by now."""
    key = request.subject_id
    setting = find(key)
    values.lock()
    now, then = values.current(key), (request.before or {}).get("value")
    if now != then:
        raise Conflict(
            _("“%(key)s” was changed meanwhile: it was %(then)s when this was asked for and is %(now)s now. Ask again.")
            % {"key": key, "then": in_words(setting, then), "now": in_words(setting, now)},
            code="changed_meanwhile",
        )
    restored = request.payload.get("restored_from")
    version = values.change(
        key=key,
        value=request.payload["value"],
        by=request.requested_by,
        reason=request.reason,
        approved_by=by,
        source=request.reference,
        restored_from=SettingVersion.objects.get(pk=restored) if restored else None,
        at=at,
    )
    _announce(version)


def asker_permission(request: ApprovalRequest) -> tuple[str, ...]:
    """What it takes to ask for this setting, as it is classified now; of one that is gone, applying it says so."""
    setting = DEFAULTS.get(request.subject_id)
    return TO_CHANGE[setting.level] if setting is not None else ()


def check_approver(request: ApprovalRequest, by: User) -> None:
    """Forbidden for who may not approve this setting, as it is classified now."""
    if not by.may(TO_APPROVE[find(request.subject_id).level]):
        raise Forbidden(_("Your role does not include the approval of this setting."))


def _label(key: str, setting: Setting, before: Any, value: Any) -> str:
    """What lists and mails call the request; in English, as it is stored."""
    with translation.override("en"):
        return f"{key}: {in_words(setting, before)} → {in_words(setting, value)}"


def _announce(version: SettingVersion) -> None:
    """Tells every Super Admin who had no part in it of a changed security setting or kill switch."""
    setting = find(version.key)
    if setting.level not in (Level.SECURITY, Level.SWITCH):
        return
    event = "setting.security_changed"
    if setting.level == Level.SWITCH:
        event = "switch.released" if version.value else "switch.stopped"
    people = {version.changed_by_id, version.approved_by_id} - {None}
    for person in super_admins().exclude(pk__in=people).order_by("pk"):
        with translation.override(person.language):
            facts = {
                "key": version.key,
                "about": about(setting),
                "before": in_words(setting, version.previous),
                "after": in_words(setting, version.value),
                "name": str(version.changed_by or _("the system")),
                "approver": str(version.approved_by or ""),
                "reason": version.reason,
            }
        notify(user=person, event=event, data=facts, by=version.approved_by or version.changed_by)
