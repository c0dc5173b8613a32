"""Asking, approving, refusing: the one maker-checker mechanism (S-125).

The person who asks never approves; the database refuses it too. An edit makes every approval void. What was asked for
is carried out in the transaction of the last yes.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.approvals import kinds, queries
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.states import Status
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from backoffice.core.states import IllegalTransition, advance

MOST_REASON = 2000


class AlreadyAsked(Conflict):
    """The same thing waits for approval already."""

    default_code = "already_asked"


class AlreadyApproved(Conflict):
    """This person has approved this request as it stands."""

    default_code = "already_approved"


class Changed(Conflict):
    """The request is not what the person saw."""

    default_code = "changed"


def lock(request_id: UUID) -> ApprovalRequest:
    """The request, locked until the transaction ends; NotFound."""
    request = (
        ApprovalRequest.objects.select_for_update(of=("self",))
        .select_related("requested_by")
        .filter(pk=request_id)
        .first()
    )
    if request is None:
        raise NotFound(_("There is no such request."))
    return request


def open(
    *,
    kind: str,
    by: Any,
    label: str,
    payload: dict[str, Any],
    before: dict[str, Any] | None = None,
    subject: models.Model | tuple[str, str] | None = None,
    reason: str = "",
    needed: int = 1,
    fingerprint: str = "",
    days: int | None = None,
    at: datetime | None = None,
) -> ApprovalRequest:
    """Asks for something. Whoever calls has checked that ``by`` may ask.

    ``needed`` people besides ``by`` have to approve; 0 carries it out at once, with the same record. ``days`` until it
    expires: None is the setting `approval.expire_days`, 0 is never. Raises AlreadyAsked when an unfinished request of
    this kind about the same subject exists, and what `Kind.apply` refuses when nobody else is needed.
    """
    at = at or clock.now()
    rule = kinds.KINDS[kind]
    days = values.get("approval.expire_days") if days is None else days
    subject_type, subject_id = queries.key_of(subject) if subject is not None else ("", "")
    with transaction.atomic():
        try:
            with transaction.atomic():
                request = ApprovalRequest.objects.create(
                    kind=kind,
                    subject_type=subject_type,
                    subject_id=subject_id,
                    label=label[:200],
                    payload=entries.plain(payload),
                    before=entries.plain(before) if before is not None else None,
                    fingerprint=fingerprint,
                    needed=needed,
                    requested_by=by,
                    reason=reason.strip(),
                    expires_at=at + timedelta(days=days) if days and needed else None,
                    created_at=at,
                )
        except IntegrityError as error:
            if not subject_id or "approval_request_one_unfinished" not in str(error):
                raise
            raise AlreadyAsked(_("This was asked for already and waits for approval.")) from error
        entries.record(
            action="approval_request.open",
            by=by,
            subject=request,
            reason=reason,
            data={"kind": kind, "needed": needed, "about": f"{subject_type}:{subject_id}", "label": request.label},
            at=at,
        )
        if needed == 0:
            advance(request, "approve", by=by, at=at, changes={"decided_by": by, "decided_at": at})
            rule.apply(request, by=by, at=at)
            if not rule.later:
                _end(request, "apply", by=by, at=at)
    return request


def revise(
    *,
    request: ApprovalRequest,
    by: Any,
    payload: dict[str, Any],
    before: dict[str, Any] | None = None,
    needed: int | None = None,
    fingerprint: str | None = None,
    label: str | None = None,
    reason: str = "",
    days: int | None = None,
    at: datetime | None = None,
) -> ApprovalRequest:
    """An edit: the revision rises and every approval is void. ``by`` None is the system; a person edits their own.

    ``days`` until it expires, counted from now; 0 is never, None leaves the day that was set.
    """
    at = at or clock.now()
    renewed = at + timedelta(days=days) if days else None
    with transaction.atomic():
        request = lock(request.pk)
        if by is not None and by.pk != request.requested_by_id:
            raise Forbidden(_("Only the person who asked can change the request."))
        void = request.approvals.filter(revision=request.revision).count()
        advance(
            request,
            "revise",
            by=by,
            at=at,
            reason=reason,
            changes={
                "payload": entries.plain(payload),
                "before": entries.plain(before) if before is not None else request.before,
                "needed": request.needed if needed is None else needed,
                "fingerprint": request.fingerprint if fingerprint is None else fingerprint,
                "label": request.label if label is None else label[:200],
                "revision": request.revision + 1,
                "expires_at": request.expires_at if days is None else renewed,
                "decided_by": None,
                "decided_at": None,
            },
            note={"revision": request.revision + 1, "void_approvals": void},
        )
    return request


def approve(
    *, request: ApprovalRequest, by: Any, revision: int | None = None, at: datetime | None = None
) -> ApprovalRequest:
    """One person's yes; with enough of them the request is carried out in the same transaction.

    ``revision`` is the one that the person saw. The screen has asked for a fresh second factor before. Raises
    Forbidden (no right, own request, or a part in it), Conflict when whoever asked may not ask for it any more,
    Changed, AlreadyApproved, IllegalTransition when it does not wait any more, and what `Kind.apply` refuses when the
    kind says so.
    """
    at = at or clock.now()
    with transaction.atomic():
        request = lock(request.pk)
        rule = kinds.of(request)
        _may_decide(request, by)
        if request.status != Status.PENDING:
            raise IllegalTransition(
                _("This does not wait for approval any more: it is “%(state)s”.")
                % {"state": request.get_status_display()}
            )
        if request.expires_at is not None and request.expires_at <= at:
            raise IllegalTransition(_("This request has expired; it has to be asked for again."))
        if problem := orphaned(request):
            raise Conflict(problem, code="requester_gone")
        if revision is not None and revision != request.revision:
            raise Changed(_("The request was changed since you opened it. Please read it again."))
        if request.approvals.filter(revision=request.revision, approver=by).exists():
            raise AlreadyApproved(_("You have approved this; it needs another person."))
        approval = Approval.objects.create(
            request=request,
            requester_id=request.requested_by_id,
            approver=by,
            revision=request.revision,
            approved_at=at,
            created_at=at,
        )
        # Somebody who has lost the right meanwhile, or has left, is none of those who are needed.
        count = len(queries.counting(request))
        entries.record(
            action="approval_request.approval",
            by=by,
            subject=request,
            data={"approval": approval.pk, "given": count, "needed": request.needed, "revision": request.revision},
            at=at,
        )
        if count >= request.needed:
            advance(request, "approve", by=by, at=at, changes={"decided_by": by, "decided_at": at})
            _carry_out(request, rule, by=by, at=at)
    return request


def _carry_out(request: ApprovalRequest, rule: kinds.Kind, *, by: Any, at: datetime) -> None:
    if not rule.may_fail:
        rule.apply(request, by=by, at=at)
    else:
        try:
            with transaction.atomic():
                rule.apply(request, by=by, at=at)
        except DomainError as error:
            _end(request, "fail", by=by, at=at, changes={"failure": str(error)}, reason=str(error))
            return
    if not rule.later:
        _end(request, "apply", by=by, at=at)


def reject(*, request: ApprovalRequest, by: Any, reason: str, at: datetime | None = None) -> ApprovalRequest:
    """One person's no ends it. Needs the right to approve and a reason; nobody rejects their own: they withdraw."""
    at = at or clock.now()
    if not reason.strip():
        raise Invalid(_("Say why it is rejected."), field="reason")
    _check_length(reason)
    with transaction.atomic():
        request = lock(request.pk)
        _may_decide(request, by)
        _end(
            request,
            "reject",
            by=by,
            at=at,
            changes={"decided_by": by, "decided_at": at, "decision_reason": reason.strip()},
            reason=reason,
        )
    return request


def withdraw(*, request: ApprovalRequest, by: Any, reason: str = "", at: datetime | None = None) -> ApprovalRequest:
    """Takes a request back: whoever asked, or the system (None) when there is nothing to decide any more."""
    at = at or clock.now()
    _check_length(reason)
    with transaction.atomic():
        request = lock(request.pk)
        if by is not None and by.pk != request.requested_by_id:
            raise Forbidden(_("Only the person who asked can withdraw the request."))
        changes = {"decided_by": by, "decided_at": at, "decision_reason": reason.strip()}
        _end(request, "withdraw", by=by, at=at, changes=changes, reason=reason)
    return request


def mark_applied(*, request: ApprovalRequest, by: Any = None, at: datetime | None = None) -> ApprovalRequest:
    """What an approved request of a `later` kind started is done."""
    with transaction.atomic():
        request = lock(request.pk)
        _end(request, "apply", by=by, at=at or clock.now())
    return request


def mark_failed(
    *, request: ApprovalRequest, reason: str, by: Any = None, at: datetime | None = None
) -> ApprovalRequest:
    """What an approved request of a `later` kind started cannot be done; ``reason`` is a sentence for people."""
    with transaction.atomic():
        request = lock(request.pk)
        _end(request, "fail", by=by, at=at or clock.now(), changes={"failure": reason}, reason=reason)
    return request


def expire_due(*, at: datetime | None = None) -> int:
    """Ends pending requests whose time is over; returns how many. One transaction each.

    One that cannot be ended does not keep the others: what went wrong is raised together after the last.
    """
    at = at or clock.now()
    due = ApprovalRequest.objects.filter(status=Status.PENDING, expires_at__lte=at).values_list("pk", flat=True)
    count = 0
    broken: list[Exception] = []
    for key in list(due):
        try:
            with transaction.atomic():
                request = lock(key)
                if request.status == Status.PENDING and request.expires_at is not None and request.expires_at <= at:
                    _end(request, "expire", by=None, at=at, changes={"decided_at": at})
                    count += 1
        except Exception as error:
            error.add_note(f"request {key}")
            broken.append(error)
    if broken:
        raise ExceptionGroup("requests that could not be ended", broken)
    return count


def orphaned(request: ApprovalRequest) -> str:
    """Why nobody can approve this any more because of who asked, as a sentence; empty when that is no obstacle."""
    if kinds.may_still_ask(request):
        return ""
    if not request.requested_by.is_active:
        return _("The account of whoever asked for this is closed: somebody else has to ask for it.")
    return _("Whoever asked for this may not ask for it any more: somebody else has to ask for it.")


def withdraw_orphaned(*, asker: Any, at: datetime | None = None) -> int:
    """Takes back, as the system, what waits in the name of somebody who lost the right to ask; returns how many.

    Whoever takes the right away calls it in the same transaction, with the requests locked before anything else: see
    `lock_asked_by`.
    """
    count = 0
    for request in lock_asked_by(asker):
        if reason := _in_english(request):
            withdraw(request=request, by=None, reason=reason, at=at)
            count += 1
    return count


def lock_asked_by(asker: Any, *, or_else: models.Q | None = None) -> list[ApprovalRequest]:
    """What waits in somebody's name, and what else waits that fits ``or_else``; locked in one order for everybody."""
    wanted = models.Q(requested_by=asker) | (or_else or models.Q(pk=None))
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("requested_by")
    return list(rows.filter(wanted, status=Status.PENDING).order_by("pk"))


def _in_english(request: ApprovalRequest) -> str:
    # Everybody reads what is stored.
    with translation.override("en"):
        return orphaned(request)


def why_not(request: ApprovalRequest, by: Any) -> str:
    """Why this person cannot decide a request that waits, as a sentence; empty when they can."""
    try:
        _may_decide(request, by)
    except Forbidden as refusal:
        return str(refusal)
    if request.approvals.filter(revision=request.revision, approver=by).exists():
        return _("You have approved this; it needs another person.")
    return ""


def _check_length(reason: str) -> None:
    # It is kept three times and mailed.
    if len(reason) > MOST_REASON:
        raise Invalid(_("At most %(most)s characters.") % {"most": MOST_REASON}, field="reason")


def _may_decide(request: ApprovalRequest, by: Any) -> None:
    rule = kinds.of(request)
    if not by.may(rule.permission):
        raise Forbidden(_("Your role does not include this decision."))
    if by.pk == request.requested_by_id:
        raise Forbidden(_("You asked for this: somebody else has to decide."), code="own_request")
    if rule.check is not None:
        rule.check(request, by)


def _end(
    request: ApprovalRequest,
    verb: str,
    *,
    by: Any,
    at: datetime,
    changes: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    advance(request, verb, by=by, at=at, changes=changes, reason=reason)
    rule = kinds.of(request)
    if rule.closed is not None:
        rule.closed(request, by=by, at=at)
