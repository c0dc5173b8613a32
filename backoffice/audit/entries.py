"""Writing audit rows: always inside the transaction of the change that they tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils.functional import Promise

from backoffice.audit.models import AuditEntry
from backoffice.core import clock, context
from backoffice.core.states import Machine, Transition


@dataclass(frozen=True, slots=True)
class Named:
    """What an audit row is about where there is no row to hand over: an object that another log tells of."""

    kind: str  # app.model
    key: str
    label: str


class OutsideTransaction(RuntimeError):
    """An audit row was asked for outside a transaction: it could outlive, or miss, the change it tells of."""


def plain(value: Any) -> Any:
    """A value as JSON can hold it; a row becomes its kind and key, never its text."""
    if isinstance(value, models.Model):
        return f"{value._meta.label_lower}:{value.pk}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal | Promise):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def _named(subject: models.Model) -> Named:
    return Named(subject._meta.label_lower, str(subject.pk), str(subject))


def record(
    *,
    action: str,
    by: Any,
    subject: models.Model | Named | None = None,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> AuditEntry:
    """Writes one audit row. ``action`` is ``noun.verb``; ``by`` is the person, None for the system.

    Raises OutsideTransaction when no transaction is open.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(action)
    origin = context.current()
    about = _named(subject) if isinstance(subject, models.Model) else subject or Named("", "", "")
    return AuditEntry.objects.create(
        at=at or clock.now(),
        action=action,
        actor=by,
        actor_roles=list(by.role_codes) if by is not None else [],
        subject_type=about.kind,
        subject_id=about.key,
        subject_label=about.label[:200],
        reason=reason,
        before=plain(before) if before is not None else None,
        after=plain(after) if after is not None else None,
        data=plain(data or {}),
        ip=origin.ip,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
    )


def record_each(
    *,
    action: str,
    by: Any,
    subjects: Sequence[models.Model],
    data: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """The same audit row about each of many objects, in batches; for imports and other bulk work.

    Raises OutsideTransaction when no transaction is open.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(action)
    origin, at, roles = context.current(), at or clock.now(), list(by.role_codes) if by is not None else []
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(
                at=at,
                action=action,
                actor=by,
                actor_roles=roles,
                subject_type=subject._meta.label_lower,
                subject_id=str(subject.pk),
                subject_label=str(subject)[:200],
                data=plain(data or {}),
                ip=origin.ip,
                user_agent=origin.user_agent,
                request_id=origin.request_id,
            )
            for subject in subjects
        ),
        batch_size=1000,
    )


def record_transition(
    *,
    obj: models.Model,
    transition: Transition,
    by: Any,
    at: datetime,
    reason: str,
    note: Mapping[str, Any],
    machine: Machine,
) -> None:
    """What every machine calls inside the transaction of a move."""
    record(
        action=f"{machine.name}.{transition.verb}",
        by=by,
        subject=obj,
        reason=reason,
        before={machine.field: transition.source},
        after={machine.field: transition.target},
        data=note,
        at=at,
    )
