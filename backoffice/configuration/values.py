"""Reading and changing settings.

Every process keeps the values it has read. A mark in the shared cache says which state of the settings they belong to:
whoever changes a setting replaces the mark after the commit, and everybody else reads again. The mark is taken before
the values are read, so values from before a change can only be kept under the mark from before it.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.db import connection, transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration import rules
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.models import SettingVersion
from backoffice.configuration.setting import Level
from backoffice.core import clock
from backoffice.core.errors import Invalid

MARK = "settings:mark"
# Only for a process that died between its commit and the new mark; everything else is seen at once (N-071).
KEPT_SECONDS = 60
LOCK = "SELECT pg_advisory_xact_lock(hashtext('configuration.settings'))"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one process knows: the values that differ from their defaults, under the mark of that state."""

    mark: str
    until: float
    values: dict[str, Any]


_kept = Kept("", 0, {})


def get(key: str) -> Any:
    """The value in force. KeyError for a key that is not declared in `defaults`.

    A transaction that has changed settings itself sees its own changes, and nobody else does before its commit.
    """
    global _kept
    setting = DEFAULTS[key]
    if _changed_here():
        return current(key)
    mark, known = _mark(), _kept
    if known.mark != mark or known.until < time.monotonic():
        newest = SettingVersion.objects.order_by("key", "-created_at", "-id").distinct("key")
        known = Kept(mark, time.monotonic() + KEPT_SECONDS, dict(newest.values_list("key", "value")))
        _kept = known
    value = known.values.get(key, setting.default)
    return list(value) if isinstance(value, list) else value


def current(key: str) -> Any:
    """The value in force, read from the database."""
    setting = DEFAULTS[key]
    row = newest(key)
    return row.value if row is not None else setting.default


def newest(key: str) -> SettingVersion | None:
    """The version that counts; None while the default is in force."""
    return SettingVersion.objects.filter(key=key).order_by("-created_at", "-id").first()


def lock() -> None:
    """Lets changes of settings wait for each other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)


def change(
    *,
    key: str,
    value: Any,
    by: Any,
    reason: str,
    approved_by: Any = None,
    source: str = "",
    restored_from: SettingVersion | None = None,
    at: datetime | None = None,
) -> SettingVersion:
    """Sets a new value, in force on commit. Asks nobody: who may is decided by whoever calls.

    ``by`` wanted it, ``approved_by`` said yes and so carried it out; ``source`` is the reference of that request.
    Invalid, with the key in its sentence, when there is no such setting or it does not allow the value.
    """
    setting = DEFAULTS.get(key)
    if setting is None:
        raise Invalid(_("There is no setting “%(key)s”.") % {"key": key}, field="key")
    with transaction.atomic():
        lock()
        rules.check(key, value, current=current)
        last = newest(key)
        before = last.value if last is not None else setting.default
        at = at or clock.now()
        if last is not None and last.created_at >= at:
            # Another machine's clock is ahead: the newest version stays the newest.
            at = last.created_at + timedelta(microseconds=1)
        row = SettingVersion.objects.create(
            key=key,
            value=value,
            previous=before,
            reason=reason,
            changed_by=by,
            approved_by=approved_by,
            source=source,
            restored_from=restored_from,
            created_at=at,
        )
        entries.record(
            action=_action(setting.level, value),
            by=approved_by or by,
            subject=row,
            reason=reason,
            before={"value": before},
            after={"value": value},
            data={
                **({"asked_by": by} if approved_by is not None else {}),
                **({"request": source} if source else {}),
                **({"restored_from": restored_from} if restored_from is not None else {}),
            },
            at=at,
        )
        transaction.on_commit(_new_mark, robust=True)
    return row


def _action(level: Level, value: Any) -> str:
    if level != Level.SWITCH:
        return "setting.change"
    return "switch.release" if value else "switch.stop"


def _mark() -> str:
    """The mark of the present state. One that the cache has lost is replaced, and everybody reads again."""
    mark: str | None = cache.get(MARK)
    if mark is None:
        mark = uuid4().hex
        if not cache.add(MARK, mark, None):
            mark = cache.get(MARK) or mark
    return mark


def _new_mark() -> None:
    cache.set(MARK, uuid4().hex, None)


def _changed_here() -> bool:
    """Whether the open transaction has changed settings; what is rolled back takes its hook with it."""
    return any(entry[1] is _new_mark for entry in connection.run_on_commit)
