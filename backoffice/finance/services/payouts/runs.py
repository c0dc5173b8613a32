"""What every step of a payout run shares: locking, the snapshot, giving money back, the work queue, finishing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.core.errors import NotFound
from backoffice.core.states import LostRace, advance
from backoffice.finance.models import AccountKind, Allocation, EntryKind, PayoutItem, PayoutRun
from backoffice.finance.policies import fingerprints
from backoffice.finance.services import accounts, earnings, ledger, sentences
from backoffice.finance.services.payouts import approval
from backoffice.finance.states import ItemStatus, RunStatus
from backoffice.queues import queries as queue_queries
from backoffice.queues.services import items as queue

QUEUE = "payouts"
EXECUTE = "finance.execute_run"
SEND = "finance.send_item"
# It has a request for approval that is not over.
WAITING = (RunStatus.SUBMITTED, RunStatus.APPROVED)
UNFINISHED = (
    ItemStatus.RESERVED,
    ItemStatus.HELD,
    ItemStatus.SUBMITTING,
    ItemStatus.UNKNOWN,
    ItemStatus.NEEDS_HUMAN,
    ItemStatus.SENT,
)


def lock(run_id: UUID | str) -> PayoutRun:
    """The run, locked until the transaction ends; NotFound. Always before its items.

    Its request for approval is locked before it, as everybody does who comes from the request. LostRace when the run
    was submitted while this waited.
    """
    asked = approval.lock(run_id)
    run = lock_alone(run_id)
    if asked is None and run.status in WAITING:
        raise LostRace(_("Somebody was faster: the payout has changed. Please try again."))
    return run


def lock_alone(run_id: UUID | str) -> PayoutRun:
    """The same for whoever holds the lock of its request already."""
    run = PayoutRun.objects.select_for_update(of=("self",)).select_related("method").filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such payout."))
    return run


def lock_item(item_id: UUID) -> PayoutItem:
    """The item with its run, both locked, the run first."""
    run_id = PayoutItem.objects.values_list("run_id", flat=True).get(pk=item_id)
    run = lock(run_id)
    item = (
        PayoutItem.objects.select_for_update(of=("self",))
        .select_related("creator__user", "account__method")
        .get(pk=item_id)
    )
    item.run = run
    return item


def items_of(run: PayoutRun) -> list[PayoutItem]:
    """The items with creators and accounts as they are now, in the order of the creators."""
    return list(run.items.select_related("creator__user", "account__method").order_by("creator_id", "id"))


def snapshot(items: list[PayoutItem]) -> str:
    """The hash of who is paid what where: amounts as pinned, accounts as they are now."""
    return fingerprints.of(
        [
            [
                str(item.pk),
                str(item.creator_id),
                str(item.account_id),
                item.account.version,
                item.account.provider_account_id,
                item.gross_minor,
                item.fee_minor,
                item.withholding_minor,
                item.net_minor,
                item.currency,
            ]
            for item in items
            if item.status != ItemStatus.CANCELLED
        ]
    )


def totals(items: list[PayoutItem]) -> dict[str, int]:
    """Count and sums of the items that are to be paid, minor units."""
    live = [item for item in items if item.status != ItemStatus.CANCELLED]
    return {
        "count": len(live),
        "gross_minor": sum(item.gross_minor for item in live),
        "fee_minor": sum(item.fee_minor for item in live),
        "withholding_minor": sum(item.withholding_minor for item in live),
        "net_minor": sum(item.net_minor for item in live),
    }


def set_aside(item: PayoutItem, *, by: User | None, at: datetime) -> None:
    """Approval: available -> in transit, and the earnings that this payout pays. Raises ledger.Overdrawn."""
    ledger.post(
        key=f"payout-approval:{item.pk}:{item.run.revision}",
        kind=EntryKind.PAYOUT_APPROVAL,
        source=item,
        by=by,
        effective_date=at.date(),
        postings=[
            (accounts.creator(AccountKind.CREATOR_AVAILABLE, item.creator, item.currency), -item.gross_minor),
            (accounts.creator(AccountKind.CREATOR_IN_TRANSIT, item.creator, item.currency), item.gross_minor),
        ],
        memo=item.run.reference,
    )
    taken = earnings.allocate(creator=item.creator, currency=item.currency, amount_minor=item.gross_minor, at=at)
    Allocation.objects.bulk_create(
        [Allocation(item=item, earning=earning, amount_minor=part, created_at=at) for earning, part in taken]
    )
    write(item, at, in_transit_minor=item.gross_minor)


def give_back(item: PayoutItem, *, by: User | None, at: datetime) -> None:
    """In transit -> available, for money that was never sent. Nothing when nothing was set aside."""
    if not item.in_transit_minor:
        return
    ledger.post(
        key=f"payout-void:{item.pk}:{item.run.revision}",
        kind=EntryKind.PAYOUT_VOID,
        source=item,
        by=by,
        effective_date=at.date(),
        postings=[
            (
                accounts.creator(AccountKind.CREATOR_IN_TRANSIT, item.creator, item.currency),
                -item.gross_minor,
            ),
            (accounts.creator(AccountKind.CREATOR_AVAILABLE, item.creator, item.currency), item.gross_minor),
        ],
        memo=item.run.reference,
    )
    for allocation in item.allocations.filter(live=True):
        earnings.give_back(earning_id=allocation.earning_id, amount_minor=allocation.amount_minor, at=at)
    item.allocations.filter(live=True).update(live=False, updated_at=at)
    write(item, at, in_transit_minor=0)


def void_approvals(run: PayoutRun, items: list[PayoutItem], *, reason: str, at: datetime) -> None:
    """What was approved has changed: money set aside goes back, the run waits for approval of its new preview."""
    for item in items:
        item.run = run
        give_back(item, by=None, at=at)
        if item.account_version != item.account.version:
            write(item, at, account_version=item.account.version, account_snapshot=account_snapshot(item))
    advance(
        run,
        "void_approvals",
        by=None,
        at=at,
        reason=reason,
        changes={
            "revision": run.revision + 1,
            "snapshot_hash": snapshot(items),
            "preview": {**run.preview, "totals": totals(items)},
            "approved_at": None,
        },
    )
    approval.renew(run, reason=reason, at=at)
    enter_queue(run, items, extra={"code": "changed", "text": reason, "score": 20}, at=at)


def changed_since_preview(run: PayoutRun, items: list[PayoutItem]) -> str:
    """Why approvals of the preview do not count any more, as a stored sentence; empty when they do."""
    if snapshot(items) != run.snapshot_hash:
        return sentences.ACCOUNT_CHANGED
    if approval.needed(run) > approval.of(run).needed:
        return sentences.MORE_APPROVALS
    return ""


def account_snapshot(item: PayoutItem) -> dict[str, Any]:
    """Where the money goes, as the screen shows it."""
    account = item.account
    return {"method": account.method.code, "masked": account.masked, "country": account.country}


def enter_queue(run: PayoutRun, items: list[PayoutItem], *, at: datetime, extra: dict[str, Any] | None = None) -> None:
    """Asks finance to look, with the reasons why (S-079)."""
    reasons: list[dict[str, Any]] = [extra] if extra else []
    paid_before = set(
        PayoutItem.objects.filter(creator__in=[item.creator_id for item in items], status=ItemStatus.PAID)
        .values_list("creator_id", flat=True)
        .distinct()
    )
    newcomers = sum(item.creator_id not in paid_before for item in items)
    if newcomers:
        reasons.append({"code": "first_payout", "text": sentences.FIRST_PAYOUT(count=newcomers), "score": 10})
    waiting = queue_queries.for_subject(QUEUE, run)
    queue.enqueue(queue=QUEUE, subject=run, label=run.reference, reasons=reasons, at=at)
    if waiting is not None and waiting.state in ("open", "claimed", "paused"):
        told = {reason["code"]: reason for reason in [*waiting.reasons, *reasons]}
        queue.revise(
            queue=QUEUE,
            subject=run,
            reasons=told.values(),
            due_at=waiting.due_at,
            return_to=waiting.return_to,
            show_again=True,
            at=at,
        )


def leave_queue(run: PayoutRun, *, by: User | None, outcome: str, at: datetime) -> None:
    """The decision is made: finishes the work item for whoever holds it, takes it off the queue otherwise."""
    item = queue_queries.for_subject(QUEUE, run)
    if item is not None and by is not None and item.holder_id == by.pk and item.lease_token is not None:
        lease_runs = item.lease_until is not None and item.lease_until >= at
        if item.state == "claimed" and lease_runs:
            queue.complete(item, token=item.lease_token, by=by, outcome=outcome, at=at)
            return
    queue.cancel(queue=QUEUE, subject=run, at=at)


def leave_queue_if_well(run: PayoutRun, *, by: User | None, outcome: str, at: datetime) -> None:
    """The same once nothing of the run waits for a person any more."""
    troubled = run.items.filter(status__in=[ItemStatus.NEEDS_HUMAN, ItemStatus.FAILED, ItemStatus.HELD]).exists()
    if not troubled and run.status != RunStatus.SUBMITTED and not run.stopped_reason:
        leave_queue(run, by=by, outcome=outcome, at=at)


def finish(run: PayoutRun, *, at: datetime) -> None:
    """Ends a run whose every item is over (S-083, S-084)."""
    statuses = set(run.items.values_list("status", flat=True))
    if run.status != RunStatus.EXECUTING or statuses & set(UNFINISHED):
        return
    verb = "settle" if statuses <= {ItemStatus.PAID, ItemStatus.CANCELLED} else "fail_partly"
    advance(run, verb, by=None, at=at, changes={"finished_at": at})


def write(item: PayoutItem, at: datetime, **fields: Any) -> None:
    """Writes plain fields of a locked item."""
    PayoutItem.objects.filter(pk=item.pk).update(updated_at=at, **fields)
    for name, value in fields.items():
        setattr(item, name, value)
