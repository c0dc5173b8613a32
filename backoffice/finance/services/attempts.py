"""The crash protocol's row: written and committed before a call, closed by whoever learns how the call ended."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction

from backoffice.core import clock
from backoffice.core.ids import uuid7
from backoffice.finance.models import Attempt
from backoffice.finance.policies import fingerprints
from backoffice.finance.states import AttemptStatus, Operation

# Stripe forgets idempotency keys after 24 hours; an hour less, so that clocks need not agree.
KEY_LIFETIME = timedelta(hours=23)


def live(subject: models.Model, operation: Operation) -> Attempt | None:
    """The attempt of this operation that is open or done, if there is one."""
    return Attempt.objects.filter(
        subject_id=subject.pk, operation=operation, status__in=[AttemptStatus.OPEN, AttemptStatus.DONE]
    ).first()


def begin(
    *,
    subject: models.Model,
    operation: Operation,
    provider: str,
    request: Mapping[str, Any],
    at: datetime | None = None,
) -> Attempt:
    """Inserts the attempt of a call that is about to be made. The caller commits before it calls.

    The one that is there already is returned instead: an operation never has two live attempts (partial unique
    index), whoever comes second works with the first one's key.
    """
    at = at or clock.now()
    number = Attempt.objects.filter(subject_id=subject.pk, operation=operation).count() + 1
    identity = uuid7()
    try:
        with transaction.atomic():
            return Attempt.objects.create(
                id=identity,
                provider=provider,
                operation=operation,
                subject_type=subject._meta.label_lower,
                subject_id=subject.pk,
                number=number,
                key=f"{operation}:{identity}",
                request=dict(request),
                request_hash=fingerprints.of(dict(request)),
                first_sent_at=at,
                last_sent_at=at,
            )
    except IntegrityError:
        existing = live(subject, operation)
        if existing is None:
            raise
        return existing


def again(*, attempt: Attempt, at: datetime | None = None) -> None:
    """Notes that the same request goes out once more under the same key."""
    at = at or clock.now()
    Attempt.objects.filter(pk=attempt.pk).update(last_sent_at=at, sends=models.F("sends") + 1, updated_at=at)


def finish(*, attempt: Attempt, provider_id: str, at: datetime | None = None) -> bool:
    """The provider has done it. False when that was known."""
    at = at or clock.now()
    fields: dict[str, Any] = {"status": AttemptStatus.DONE, "provider_id": provider_id, "finished_at": at}
    return _close(attempt, fields, at)


def refuse(*, attempt: Attempt, code: str, error: str, at: datetime | None = None) -> bool:
    """The provider looked and said no: nothing happened. False when the attempt is closed already."""
    at = at or clock.now()
    fields: dict[str, Any] = {
        "status": AttemptStatus.REFUSED,
        "error_code": code[:100],
        "error": error,
        "finished_at": at,
    }
    return _close(attempt, fields, at)


def undo(*, attempt: Attempt, code: str, error: str, at: datetime | None = None) -> None:
    """What the provider did, it gave back (a payout that the bank refused): a new attempt may follow."""
    at = at or clock.now()
    Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.DONE).update(
        status=AttemptStatus.UNDONE, error_code=code[:100], error=error, updated_at=at
    )


def may_resend(attempt: Attempt, *, at: datetime) -> bool:
    """Whether the provider still knows the key, so that sending again cannot do it twice."""
    return at - attempt.first_sent_at < KEY_LIFETIME


def _close(attempt: Attempt, fields: dict[str, Any], at: datetime) -> bool:
    changed = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.OPEN).update(updated_at=at, **fields)
    if changed:
        for name, value in fields.items():
            setattr(attempt, name, value)
    return bool(changed)
