"""Reading requests: what waits for somebody, what was asked about an object, who has said yes."""

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from backoffice.approvals.kinds import KINDS
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.states import Status


def kinds_of(user: Any) -> list[str]:
    """The kinds that this person may decide about."""
    return [code for code, kind in KINDS.items() if user.may(kind.permission)]


def visible_to(user: Any) -> QuerySet[ApprovalRequest]:
    """What this person may see: what they asked for, and every kind that they decide about."""
    return ApprovalRequest.objects.filter(Q(requested_by=user) | Q(kind__in=kinds_of(user)))


def waiting_for(user: Any, kinds: Collection[str] | None = None) -> QuerySet[ApprovalRequest]:
    """Pending requests that this person may decide: not their own, not yet approved by them; the oldest first."""
    allowed = [code for code in kinds_of(user) if kinds is None or code in kinds]
    given = Approval.objects.filter(request=OuterRef("pk"), approver=user, revision=OuterRef("revision"))
    return (
        ApprovalRequest.objects.filter(~Exists(given), kind__in=allowed, status=Status.PENDING)
        .exclude(requested_by=user)
        .order_by("id")
    )


def of_subject(subject: models.Model | tuple[str, str], kind: str | None = None) -> QuerySet[ApprovalRequest]:
    """Every request about an object, the newest first."""
    subject_type, subject_id = key_of(subject)
    rows = ApprovalRequest.objects.filter(subject_type=subject_type, subject_id=subject_id)
    return rows if kind is None else rows.filter(kind=kind)


def counting(request: ApprovalRequest, among: list[Approval] | None = None) -> list[Approval]:
    """Of what was given for the present revision, what counts: while a request waits, a yes is worth as long as its
    person may still say it. ``among`` are these approvals where they were read already.
    """
    rows = given(request) if among is None else among
    if request.status != Status.PENDING:
        return rows
    return [row for row in rows if row.approver.may(KINDS[request.kind].permission)]


def given(request: ApprovalRequest) -> list[Approval]:
    """The approvals for the present revision, the oldest first, with their people."""
    return list(
        request.approvals.filter(revision=request.revision).select_related("approver").order_by("approved_at", "id")
    )


def key_of(subject: models.Model | tuple[str, str]) -> tuple[str, str]:
    """An object as kind and key."""
    return subject if isinstance(subject, tuple) else (subject._meta.label_lower, str(subject.pk))
