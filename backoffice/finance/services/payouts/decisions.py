"""Deciding about payouts: approve, reject, cancel, hold, release (S-078, S-080, S-081, S-087)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.core import clock, jobs, stored
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition, advance
from backoffice.finance.models import PayoutItem, PayoutRun
from backoffice.finance.policies import payouts as policy
from backoffice.finance.services import ledger, sentences
from backoffice.finance.services.payouts import approval, runs
from backoffice.finance.states import ItemStatus, RunStatus
from backoffice.notifications.services import notify

EXPIRED = gettext_lazy("Nobody approved it in time. Please ask for it again.")


class PreviewChanged(Conflict):
    """What would be paid is not what was previewed; approvals are void and the preview is new."""

    default_code = "preview_changed"


def approve(*, run: PayoutRun, by: User, snapshot_hash: str | None = None, at: datetime | None = None) -> PayoutRun:
    """One person's yes. With enough of them (two above `payout.dual_approval_over`, N-016) the money is set aside
    and the run is sent by a job.

    Needs ``payouts.approve``; never the requester nor anybody who is paid by it. ``snapshot_hash`` is the preview that
    the person saw. The screen has asked for a fresh second factor before. Raises Forbidden, PreviewChanged,
    AlreadyApproved, IllegalTransition, or ledger.Overdrawn when a balance no longer covers its payout.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.approve")
    with transaction.atomic():
        run = runs.lock(run.pk)
        _must_wait(run)
        items = runs.items_of(run)
        policy.check_approver(run, by, creator_users=[item.creator.user_id for item in items])
        changed = runs.changed_since_preview(run, items)
        if changed:
            runs.void_approvals(run, items, reason=changed, at=at)
        elif snapshot_hash is not None and snapshot_hash != run.snapshot_hash:
            raise PreviewChanged(_("The preview has changed since you opened it. Please read it again."))
        else:
            revision = run.revision
            requests.approve(request=approval.of(run), by=by, at=at)
            run.refresh_from_db()
            if run.revision != revision:
                changed = sentences.ACCOUNT_CHANGED
    if changed:
        raise PreviewChanged(f"{stored.shown(changed)} {_('Please read it again.')}")
    return run


def set_aside(*, run_id: UUID | str, by: User, at: datetime) -> None:
    """What the last yes brings about: available -> in transit for everybody in the run, and a job that sends it.

    Approvals of a preview that does not hold any more are void instead. Raises ledger.Overdrawn.
    """
    run = runs.lock(run_id)
    items = runs.items_of(run)
    changed = runs.changed_since_preview(run, items)
    if changed:
        runs.void_approvals(run, items, reason=changed, at=at)
        return
    for item in items:
        if item.status in (ItemStatus.RESERVED, ItemStatus.HELD):
            item.run = run
            try:
                runs.set_aside(item, by=by, at=at)
            except ledger.Overdrawn as error:
                raise ledger.Overdrawn(
                    _("The balance of %(creator)s no longer covers this payout.") % {"creator": item.creator.reference}
                ) from error
    advance(run, "approve", by=by, at=at, changes={"approved_at": at, "stopped_reason": ""})
    runs.leave_queue(run, by=by, outcome="approved", at=at)
    jobs.enqueue(runs.EXECUTE, {"run_id": str(run.pk)}, key=str(run.pk), by=by)


def reject(*, run: PayoutRun, by: User, reason: str, at: datetime | None = None) -> PayoutRun:
    """Refuses a submitted run; the creators are told the reason and keep their balance (S-081). Nobody refuses what
    they asked for: they cancel it.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.decide")
    if not reason.strip():
        raise Invalid(_("Say why the payout is rejected."), field="reason")
    with transaction.atomic():
        run = runs.lock(run.pk)
        _must_wait(run)
        requests.reject(request=approval.of(run), by=by, reason=reason, at=at)
        run.refresh_from_db()
    return run


def cancel(*, run: PayoutRun, by: User, reason: str = "", at: datetime | None = None) -> PayoutRun:
    """Takes a run back before it is sent: the creator who asked, before approval; finance until it is executed (S-078).

    Money that was set aside goes back to the balances.
    """
    at = at or clock.now()
    with transaction.atomic():
        run = runs.lock(run.pk)
        _check_taker(run, by)
        was_asked = run.status in runs.WAITING
        _cancel(run, by=by, reason=reason, at=at)
        if was_asked:
            approval.withdraw(run, by=by, reason=reason, at=at)
    return run


def close(*, request: ApprovalRequest, by: User | None, at: datetime) -> None:
    """The request for approval ended without a yes: rejected, withdrawn, or nobody decided in time. The run with it,
    unless it was the run that ended the request.
    """
    run = runs.lock_alone(request.subject_id)
    if run.status not in runs.WAITING:
        return
    if request.status == Status.WITHDRAWN:
        _check_taker(run, by)
        _cancel(run, by=by, reason=request.decision_reason, at=at)
    elif request.status == Status.EXPIRED:
        items = _reject(run, by=None, reason=str(EXPIRED), outcome="expired", at=at)
        _tell_expired(run, items)
    else:
        items = _reject(run, by=by, reason=request.decision_reason, outcome="rejected", at=at)
        for item in items:
            _tell_rejected(run, item, reason=request.decision_reason, by=by)


def _must_wait(run: PayoutRun) -> None:
    if run.status != RunStatus.SUBMITTED:
        raise IllegalTransition(_("This run is not waiting for approval: it is “%(state)s”.") % {"state": run.status})


def _check_taker(run: PayoutRun, by: User | None) -> None:
    """Raises Forbidden when this person may not take the run back; the system may."""
    if by is None:
        return
    is_own_request = run.origin == PayoutRun.Origin.REQUEST and run.requested_by_id == by.pk
    if not is_own_request:
        permissions.require(by, "payouts.decide")
    elif run.status == RunStatus.APPROVED:
        raise Forbidden(_("This payout is approved already."), code="already_approved")


def _cancel(run: PayoutRun, *, by: User | None, reason: str, at: datetime) -> None:
    advance(run, "cancel", by=by, at=at, reason=reason)
    _cancel_items(run, runs.items_of(run), by=by, reason=reason, at=at)
    runs.leave_queue(run, by=by, outcome="cancelled", at=at)


def _reject(run: PayoutRun, *, by: User | None, reason: str, outcome: str, at: datetime) -> list[PayoutItem]:
    advance(run, "reject", by=by, at=at, reason=reason, changes={"rejected_reason": reason})
    items = runs.items_of(run)
    _cancel_items(run, items, by=by, reason=reason, at=at)
    runs.leave_queue(run, by=by, outcome=outcome, at=at)
    return items


def _tell_rejected(run: PayoutRun, item: PayoutItem, *, reason: str, by: User | None) -> None:
    notify(
        user=item.creator.user,
        event="payout.rejected",
        data={
            "reference": run.reference,
            "amount_minor": item.gross_minor,
            "currency": item.currency,
            "reason": reason,
        },
        by=by,
    )


def _tell_expired(run: PayoutRun, items: list[PayoutItem]) -> None:
    """Whoever asked: the creator of a request of their own, the person of finance who put the run together."""
    if run.origin == PayoutRun.Origin.BATCH:
        facts = {**run.preview["totals"], "reference": run.reference, "currency": run.currency}
        notify(user=run.requested_by, event="payout.run_expired", data=facts)
        return
    for item in items:
        with translation.override(item.creator.user.language):
            reason = str(EXPIRED)
        _tell_rejected(run, item, reason=reason, by=None)


def hold(
    *, item: PayoutItem, by: User | None, reason: str, caused_by: User | None = None, at: datetime | None = None
) -> PayoutItem:
    """Keeps one payout back without losing its reservation (S-087); ``by`` None is the system. ``caused_by`` is whoever
    decided elsewhere what the system holds it for: they do not end it either.
    """
    at = at or clock.now()
    if by is not None:
        permissions.require(by, "payouts.decide")
    if not reason.strip():
        raise Invalid(_("Say why the payout is held."), field="reason")
    with transaction.atomic():
        item = runs.lock_item(item.pk)
        advance(
            item,
            "hold",
            by=by,
            at=at,
            reason=reason,
            changes={"hold_reason": reason.strip(), "held_by": by or caused_by},
        )
    return item


def release(*, item: PayoutItem, by: User, reason: str = "", at: datetime | None = None) -> PayoutItem:
    """Ends a hold; somebody else than who set it (S-087). A run that is being sent takes the payout along, unless its
    account is not the approved one any more: then it can only be taken out, and the creator asks again.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.decide")
    with transaction.atomic():
        item = runs.lock_item(item.pk)
        if item.held_by_id == by.pk:
            raise Forbidden(_("You set this hold: somebody else has to end it."), code="own_hold")
        is_being_sent = item.run.status == RunStatus.EXECUTING
        check = policy.sending_reasons(item, at=at) if is_being_sent else policy.person_reasons(item.creator, at=at)
        if check:
            raise check[0].as_error()
        advance(item, "release", by=by, at=at, reason=reason, changes={"hold_reason": "", "held_by": None})
        if is_being_sent:
            runs.leave_queue_if_well(item.run, by=by, outcome="released", at=at)
            jobs.enqueue(runs.SEND, {"item_id": str(item.pk)}, key=str(item.pk), by=by)
    return item


def drop(*, item: PayoutItem, by: User, reason: str, at: datetime | None = None) -> PayoutItem:
    """Takes one payout out of its run before it is sent; what was set aside goes back. Approvals of a run that still
    waits become void: it pays something else now.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.decide")
    if not reason.strip():
        raise Invalid(_("Say why the payout is taken out."), field="reason")
    with transaction.atomic():
        item = runs.lock_item(item.pk)
        run = item.run
        runs.give_back(item, by=by, at=at)
        advance(item, "cancel", by=by, at=at, reason=reason)
        items = runs.items_of(run)
        if run.status in runs.WAITING:
            if all(other.status == ItemStatus.CANCELLED for other in items):
                advance(run, "cancel", by=by, at=at, reason=reason)
                approval.withdraw(run, by=by, reason=reason, at=at)
                runs.leave_queue(run, by=by, outcome="cancelled", at=at)
            else:
                runs.void_approvals(run, items, reason=reason, at=at)
        if run.status == RunStatus.EXECUTING:
            runs.leave_queue_if_well(run, by=by, outcome="taken_out", at=at)
        runs.finish(run, at=at)
    return item


def _cancel_items(run: PayoutRun, items: list[PayoutItem], *, by: User | None, reason: str, at: datetime) -> None:
    for item in items:
        if item.status in (ItemStatus.RESERVED, ItemStatus.HELD):
            item.run = run
            runs.give_back(item, by=by, at=at)
            advance(item, "cancel", by=by, at=at, reason=reason)
