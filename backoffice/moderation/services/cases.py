"""Cases: opening, handing out, deciding, undoing and settling them (S-064 to S-072).

A decision completes the work item at once, so nobody else is given the case, and takes effect when the undo window
is over: `settle` is what changes the title and tells the creator. Rows are locked in one order: work item, case,
title.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import duty
from backoffice.accounts.models import User
from backoffice.accounts.permissions import require
from backoffice.catalogue import policies as title_policies
from backoffice.catalogue.models import Title
from backoffice.catalogue.services import titles
from backoffice.catalogue.states import Moderation, Processing
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden
from backoffice.core.states import advance
from backoffice.moderation import policies, queries
from backoffice.moderation.models import Case, Decision, Enforcement, PolicyRule
from backoffice.moderation.queries import QUEUE
from backoffice.notifications import services as notifications
from backoffice.queues import queries as queue_queries
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from backoffice.queues.worker import Worker

SETTLE = "moderation.settle"
# A reviewer's own titles are passed over; nobody has more of them in line than this.
PASSED_OVER_AT_MOST = 50


def open_for_title(title: Title, *, at: datetime | None = None) -> Case | None:
    """Opens a case for a submitted title whose video is ready, and queues it or, where policy allows, approves it.

    Due after `moderation.decision_hours` (N-022). Returns the open case when there is one, None when the title does
    not wait for review (any more), so it may be called again.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = Title.objects.select_for_update(of=("self",)).select_related("creator__user").get(pk=title.pk)
        if (
            found.moderation_status != Moderation.PENDING
            or found.processing_status != Processing.READY
            or found.submitted_at is None
        ):
            return None
        existing = Case.objects.open().filter(title=found).first()
        if existing is not None:
            return existing
        before = queries.record_of(found)
        source = policies.source_of(
            found, first_upload=before.approved_titles == 0, rejected_before=before.rejected_cases > 0
        )
        flags = policies.flags_of(found)
        reasons = policies.reasons_of(found, source=source, flags=flags, strikes=before.strikes, at=at)
        case = Case.objects.create(
            title=found,
            source=source,
            language=found.language,
            flags=flags,
            cultural_review=policies.needs_cultural_review(found),
            priority=sum(row["score"] for row in reasons),
            reasons=reasons,
            due_at=at + timedelta(hours=values.get("moderation.decision_hours")),
            created_at=at,
        )
        automatic = policies.may_auto_approve(found, source=source, flags=flags, strikes=before.strikes)
        if automatic and not title_policies.why_not_approve(found):
            _approve_by_policy(case, at=at)
        else:
            advance(case, "queue", by=None, at=at, note={"reasons": [row["code"] for row in reasons]})
            _queue(case, at=at)
    return case


def claim_next(*, by: User, at: datetime | None = None) -> Case | None:
    """Hands out the case that this moderator should look at next, claimed; None when nothing waits for them.

    Raises OffDuty and AtCapacity of the queue.
    """
    require(by, "cases.decide")
    at = at or clock.now()
    worker = _worker(by)
    with transaction.atomic():
        for _attempt in range(PASSED_OVER_AT_MOST):
            item = items.claim_next(queues=[QUEUE], by=worker, at=at)
            if item is None:
                return None
            case = _locked(item.subject_id)
            try:
                policies.check_claim(case, by, escalated_by=queries.escalated_by(case))
            except Forbidden:
                items.skip(item, token=_token(item), by=by, at=at)
                continue
            return _take(case, by=by, at=at)
    return None


def claim(case: Case, *, by: User, at: datetime | None = None) -> Case:
    """Claims one particular case. Raises Conflict, naming who holds or decided it, when it is not free."""
    require(by, "cases.decide")
    at = at or clock.now()
    with transaction.atomic():
        items.claim(_item(case), by=_worker(by), at=at)
        found = _locked(case.pk)
        policies.check_claim(found, by, escalated_by=queries.escalated_by(found))
        return _take(found, by=by, at=at)


def claim_group(case: Case, *, by: User, at: datetime | None = None) -> list[Case]:
    """Claims all waiting cases of this case's creator that the moderator may decide, as many as they may hold.

    They are decided one after another, each with a record of its own; a heartbeat on one keeps all. Raises OffDuty
    and AtCapacity of the queue.
    """
    require(by, "cases.decide")
    at = at or clock.now()
    group = policies.group_of(case.title)
    taken = []
    with transaction.atomic():
        for item in items.claim_group(queue=QUEUE, group=group, by=_worker(by), at=at) if group else []:
            found = _locked(item.subject_id)
            try:
                policies.check_claim(found, by, escalated_by=queries.escalated_by(found))
            except Forbidden:
                items.skip(item, token=_token(item), by=by, at=at)
            else:
                taken.append(_take(found, by=by, at=at))
    return taken


def heartbeat(case: Case, *, token: UUID | str, by: User, at: datetime | None = None) -> WorkItem:
    """Renews the lease on a case in review. Raises LeaseLost naming who has it now."""
    return items.heartbeat(_item(case), token=token, by=by, at=at)


def release(case: Case, *, token: UUID | str, by: User, at: datetime | None = None) -> Case:
    """Gives a case back to the queue."""
    at = at or clock.now()
    with transaction.atomic():
        items.release(_item(case), token=token, by=by, at=at)
        found = _locked(case.pk)
        advance(found, "release", by=by, at=at, changes={"assignee": None, "claimed_at": None})
    return found


def skip(case: Case, *, token: UUID | str, by: User, at: datetime | None = None) -> Case:
    """Gives a case back to the queue and does not offer it to this moderator again."""
    at = at or clock.now()
    with transaction.atomic():
        items.skip(_item(case), token=token, by=by, at=at)
        found = _locked(case.pk)
        advance(found, "release", by=by, at=at, reason="skip", changes={"assignee": None, "claimed_at": None})
    return found


def approve(
    case: Case,
    *,
    token: UUID | str,
    by: User,
    revision: int,
    reason: str = "",
    timecodes: Sequence[int] = (),
    undo_seconds: int | None = None,
    at: datetime | None = None,
) -> Decision:
    """Decides that the title may be shown (S-068, S-050). Takes effect after `undo_seconds` (default: the setting).

    `revision` is the title's revision that the moderator looked at. Raises LeaseLost without the lease, Conflict
    when the title changed, is not ready, or lacks its proof of rights.
    """
    return _decide(
        case,
        Decision(
            verdict=Decision.Verdict.APPROVE,
            reason=reason,
            timecodes=list(timecodes),
            title_revision=revision,
        ),
        token=token,
        by=by,
        undo_seconds=undo_seconds,
        at=at or clock.now(),
    )


def reject(
    case: Case,
    *,
    token: UUID | str,
    by: User,
    revision: int,
    policy: PolicyRule,
    message: str,
    reason: str = "",
    timecodes: Sequence[int] = (),
    undo_seconds: int | None = None,
    at: datetime | None = None,
) -> Decision:
    """Decides that the title may not be shown (S-068, S-051): a policy, and the message that the creator will read.

    `timecodes` are whole seconds into the video. Raises as `approve` does, Invalid when the message is empty.
    """
    policies.check_rejection(policy, message)
    owner = titles.owner_of(case.title)
    decision = Decision(
        verdict=Decision.Verdict.REJECT,
        policy=policy,
        reason=reason,
        message=message.strip(),
        message_language=owner.language if owner else "en",
        timecodes=list(timecodes),
        title_revision=revision,
    )
    return _decide(case, decision, token=token, by=by, undo_seconds=undo_seconds, at=at or clock.now())


def escalate(case: Case, *, token: UUID | str, by: User, reason: str, at: datetime | None = None) -> Decision:
    """Passes a case on to the supervisors (S-070); the reason is for them."""
    require(by, "cases.decide")
    title_policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        items.escalate(_item(case), token=token, by=by, reason=reason, at=at)
        found = _locked(case.pk)
        decision = Decision.objects.create(
            case=found,
            verdict=Decision.Verdict.ESCALATE,
            reason=reason.strip(),
            title_revision=found.title.revision,
            by=by,
            decided_at=at,
            effective_at=at,
        )
        advance(found, "escalate", by=by, at=at, reason=reason, changes={"assignee": None, "claimed_at": None})
    return decision


def undo(decision: Decision, *, by: User, at: datetime | None = None) -> Case:
    """Takes a decision back before it takes effect; the case is in this moderator's hands again.

    Raises Conflict when the window is over or the decision is somebody else's.
    """
    require(by, "cases.decide")
    at = at or clock.now()
    with transaction.atomic():
        case = _locked(decision.case_id)
        decision = Decision.objects.select_related("enforcement").get(pk=decision.pk)
        if why := policies.why_not_undo(decision, by=by, at=at):
            raise Conflict(why, code="not_undoable")
        Enforcement.objects.create(decision=decision, effect=Enforcement.Effect.UNDONE, by=by, at=at)
        advance(
            case,
            "undo",
            by=by,
            at=at,
            changes={"assignee": by, "claimed_at": at, "decided_at": None, "decided_by": None},
        )
        items.undo(_item(case), by=by, at=at)
    return case


def settle(decision: Decision, *, at: datetime | None = None) -> Enforcement | None:
    """Lets a decision take effect once its undo window is over: title, message to the creator, final case state.

    Void, and the case queued again, when the title changed meanwhile, cannot be approved any more, or the moderator
    lost the right to decide. Returns the enforcement, None while the window is open. May be called again.
    """
    at = at or clock.now()
    with transaction.atomic():
        case = _locked(decision.case_id)
        decision = Decision.objects.select_related("by", "policy", "enforcement").get(pk=decision.pk)
        if hasattr(decision, "enforcement"):
            return decision.enforcement
        if at < decision.effective_at:
            return None
        title = case.title
        if why := _why_void(decision, title):
            return _void(case, decision, why=why, at=at)
        if decision.verdict == Decision.Verdict.APPROVE:
            titles.approve(title, by=decision.by, at=at)
            advance(case, "approve", by=decision.by, at=at)
            _tell(title, "title.approved", decision)
        else:
            staff_reason = decision.reason or f"{decision.policy.code}: {decision.message}"  # type: ignore[union-attr]
            titles.reject(title, by=decision.by, reason=staff_reason, at=at)
            advance(case, "reject", by=decision.by, at=at, reason=staff_reason)
            _tell(title, "title.rejected", decision)
        return Enforcement.objects.create(decision=decision, effect=Enforcement.Effect.APPLIED, by=decision.by, at=at)


def settle_due(*, at: datetime | None = None, limit: int = 200) -> int:
    """Settles every decision whose window is over; returns how many took effect or became void."""
    at = at or clock.now()
    due = queries.unsettled(at)[:limit]
    return sum(settle(decision, at=at) is not None for decision in due)


def _decide(
    case: Case, decision: Decision, *, token: UUID | str, by: User, undo_seconds: int | None, at: datetime
) -> Decision:
    require(by, "cases.decide")
    window = values.get("moderation.undo_seconds") if undo_seconds is None else undo_seconds
    with transaction.atomic():
        effective_at = at + timedelta(seconds=window)
        undo_until = effective_at if window else None
        items.complete(_item(case), token=token, by=by, outcome=decision.verdict, undo_until=undo_until, at=at)
        found = _locked(case.pk)
        policies.check_claim(found, by, escalated_by=None)
        policies.check_revision(found.title, decision.title_revision)
        if decision.verdict == Decision.Verdict.APPROVE:
            title_policies.check_approve(found.title)
        decision.case, decision.by = found, by
        decision.decided_at, decision.effective_at = at, effective_at
        decision.save()
        advance(
            found,
            "decide",
            by=by,
            at=at,
            reason=decision.reason,
            changes={"decided_at": at, "decided_by": by},
            note={"verdict": decision.verdict, "policy": decision.policy.code if decision.policy else None},
        )
        if window == 0:
            settle(decision, at=at)
        else:
            jobs.enqueue(
                SETTLE,
                {"decision_id": str(decision.id)},
                key=str(decision.id),
                run_after=decision.effective_at,
                by=by,
            )
    return decision


def _approve_by_policy(case: Case, *, at: datetime) -> None:
    decision = Decision.objects.create(
        case=case,
        verdict=Decision.Verdict.APPROVE,
        reason="moderation.auto_approve",
        title_revision=case.title.revision,
        decided_at=at,
        effective_at=at,
    )
    titles.approve(case.title, by=None, at=at)
    advance(case, "auto_approve", by=None, at=at, changes={"decided_at": at})
    Enforcement.objects.create(decision=decision, effect=Enforcement.Effect.APPLIED, at=at)
    _tell(case.title, "title.approved", decision)


def _why_void(decision: Decision, title: Title) -> str:
    if title.revision != decision.title_revision or title.moderation_status != Moderation.PENDING:
        return "changed_in_review"
    if decision.by is None or not decision.by.may("cases.decide"):
        return "moderator_lost_right"
    if decision.verdict == Decision.Verdict.APPROVE:
        return title_policies.why_not_approve(title)
    return ""


def _void(case: Case, decision: Decision, *, why: str, at: datetime) -> Enforcement:
    changes: dict[str, Any] = {"assignee": None, "claimed_at": None, "decided_at": None, "decided_by": None}
    if why == "changed_in_review":
        extra = policies.reason(why)
        changes |= {"reasons": [*case.reasons, extra], "priority": case.priority + extra["score"]}
    advance(case, "void", by=None, at=at, reason=why, changes=changes)
    _queue(case, at=at)
    return Enforcement.objects.create(decision=decision, effect=Enforcement.Effect.VOID, at=at)


def _queue(case: Case, *, at: datetime) -> WorkItem:
    return items.enqueue(
        queue=QUEUE,
        subject=case,
        label=case.title.title,
        reasons=case.reasons,
        due_at=case.due_at,
        language=case.language[:5],
        skills=policies.skills_of(case),
        group=policies.group_of(case.title),
        at=at,
    )


def _worker(by: User) -> Worker:
    return duty.worker(by, queue=QUEUE, decide="cases.decide", supervise="cases.supervise")


def _take(case: Case, *, by: User, at: datetime) -> Case:
    advance(case, "claim", by=by, at=at, changes={"assignee": by, "claimed_at": at})
    return case


def _locked(case_id: UUID | str) -> Case:
    return (
        Case.objects.select_for_update(of=("self",))
        .select_related("title__creator__user", "title__created_by", "title__video", "assignee", "decided_by")
        .get(pk=case_id)
    )


def _item(case: Case) -> WorkItem:
    item = queue_queries.for_subject(QUEUE, case)
    if item is None:
        raise Conflict(_("This case is not in the queue."), code="not_queued")
    return item


def _token(item: WorkItem) -> UUID:
    if item.lease_token is None:
        raise Conflict(_("Nobody holds this case."), code="not_claimed")
    return item.lease_token


def _tell(title: Title, event: str, decision: Decision) -> None:
    owner = titles.owner_of(title)
    if owner is None:
        return
    policy = decision.policy.name_in(owner.language) if decision.policy else ""
    notifications.notify(
        user=owner,
        event=event,
        data={"title": title.title, "slug": title.slug, "policy": policy, "message": decision.message},
        by=decision.by,
    )
