"""Sending payouts by the crash protocol (money.md): nobody is paid twice, whenever a process dies.

Transaction A commits an attempt; the provider is called with its key outside any transaction; transaction B writes
down what the provider said. Whoever finds an open attempt asks the provider by the attempt's id before anything else.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.approvals.services import requests
from backoffice.audit import entries
from backoffice.configuration import switches
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import LostRace, advance
from backoffice.finance.models import Attempt, PayoutItem, PayoutMethod, PayoutRun
from backoffice.finance.policies import payouts as policy
from backoffice.finance.queries import balances
from backoffice.finance.services import attempts, providers, sentences
from backoffice.finance.services.payouts import approval, decisions, runs, settling
from backoffice.finance.services.payouts.steps import STEPS, Made, Step, take_back
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import AttemptStatus, ItemStatus, Operation, RunStatus
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Refused, StripeFailure, Unknown

log = structlog.get_logger(__name__)

# An item that waits longer than this for its next step has lost its job; one that was sent, its webhook.
STUCK_AFTER = timedelta(minutes=2)
SILENT_AFTER = timedelta(hours=1)
ASKED_AT_ONCE = 200


def execute(*, run: PayoutRun, at: datetime | None = None) -> PayoutRun:
    """Starts an approved run: checks that nothing changed and that ledger, items and provider agree, then asks for a
    job per payout (S-082).

    A changed preview voids the approvals. A difference stops the run, with the reason on it, and sends nothing; it
    can be started again when the reason is gone. Raises ProviderUnavailable when the provider's balance cannot be read.
    While the kill switch is off the run stays approved; `recover` asks again (C-005).
    """
    at = at or clock.now()
    if not switches.is_on(switches.PAYOUTS):
        return run
    try:
        provider = providers.stripe().retrieve_balance()
    except StripeFailure as error:
        raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
    with transaction.atomic():
        run = runs.lock(run.pk)
        if run.status != RunStatus.APPROVED:
            return run
        asked = approval.of(run)
        items = runs.items_of(run)
        if runs.snapshot(items) != run.snapshot_hash:
            runs.void_approvals(run, items, reason=sentences.ACCOUNT_CHANGED_LATE, at=at)
            return run
        differences = _drift(run, items, provider.available.get(run.currency, 0))
        if differences:
            _stop(run, differences, at)
            return run
        for item in items:
            reasons = policy.person_reasons(item.creator, at=at)
            if item.status == ItemStatus.RESERVED and reasons:
                _hold_back(item, reasons[0].kept, at)
                item.status = ItemStatus.HELD
        advance(run, "execute", by=None, at=at, changes={"executed_at": at, "stopped_reason": ""})
        requests.mark_applied(request=asked, at=at)
        for item in items:
            if item.status == ItemStatus.RESERVED:
                jobs.enqueue(runs.SEND, {"item_id": str(item.pk)}, key=str(item.pk))
        runs.finish(run, at=at)
    return run


def run_again(*, run: PayoutRun, by: User, at: datetime | None = None) -> None:
    """Starts a stopped run once more, after its reason was dealt with."""
    at = at or clock.now()
    permissions.require(by, "payouts.decide")
    with transaction.atomic():
        run = runs.lock(run.pk)
        if run.status != RunStatus.APPROVED:
            raise Conflict(_("Only an approved run can be started."), code="not_approved")
        entries.record(action="payout_run.start_again", by=by, subject=run, at=at)
        PayoutRun.objects.filter(pk=run.pk).update(stopped_reason="", updated_at=at)
        run.stopped_reason = ""
        runs.leave_queue_if_well(run, by=by, outcome="started_again", at=at)
        jobs.enqueue(runs.EXECUTE, {"run_id": str(run.pk)}, key=str(run.pk), by=by)


def _drift(run: PayoutRun, items: list[PayoutItem], provider_available: int) -> list[str]:
    """Where ledger, items and provider differ, as stored sentences; empty when they agree."""
    found = []
    if not run.method.enabled:
        found.append(sentences.METHOD_OFF)
    if run.method.transport != PayoutMethod.Transport.STRIPE:
        found.append(sentences.NO_TRANSPORT)
    people = [item.creator_id for item in items]
    by_creator = balances.for_creators(people)
    # A payout that bounced is in transit beside the one of this run.
    on_their_way = dict(
        PayoutItem.objects.filter(creator__in=people, currency=run.currency)
        .values_list("creator")
        .annotate(total=Sum("in_transit_minor"))
    )
    to_send = 0
    for item in items:
        if item.status == ItemStatus.CANCELLED:
            continue
        to_send += item.net_minor
        balance = by_creator.get(item.creator_id, {}).get(item.currency)
        in_transit = balance.in_transit if balance else 0
        if in_transit != on_their_way.get(item.creator_id, 0) or item.in_transit_minor != item.gross_minor:
            found.append(
                sentences.IN_TRANSIT(
                    creator=item.creator.reference,
                    ledger=in_transit,
                    item=on_their_way.get(item.creator_id, 0) - item.in_transit_minor + item.gross_minor,
                )
            )
    if provider_available < to_send:
        found.append(sentences.BALANCE_SHORT(balance=provider_available, need=to_send))
    return found


def _stop(run: PayoutRun, differences: list[str], at: datetime) -> None:
    text = "\n".join(differences)
    PayoutRun.objects.filter(pk=run.pk).update(stopped_reason=text, updated_at=at)
    run.stopped_reason = text
    entries.record(action="payout_run.stop", by=None, subject=run, reason=text, at=at)
    runs.enter_queue(run, runs.items_of(run), extra={"code": "stopped", "text": text, "score": 50}, at=at)


def send_item(*, item_id: Any, at: datetime | None = None) -> PayoutItem:
    """Moves one payout as far as it gets: transfer to the creator's account, then payout to the bank.

    Can be called again at any time, by any number of workers. Raises ProviderUnavailable when the provider's answer
    is missing; the item is `unknown` then and the next call asks first.
    """
    at = at or clock.now()
    for step in STEPS:
        if not _perform(item_id, step, at):
            break
    return PayoutItem.objects.select_related("run").get(pk=item_id)


def _perform(item_id: Any, step: Step, at: datetime) -> bool:
    """Carries one step to its end. True when it is done and the next may follow."""
    claimed = _claim(item_id, step, at)
    if claimed is None:
        return False
    attempt, is_first = claimed
    if attempt.status == AttemptStatus.DONE:
        return True
    client = providers.stripe()
    try:
        made = None if is_first else _look_up(client, step, attempt)
        if made is None:
            if not is_first:
                if not attempts.may_resend(attempt, at=at):
                    _needs_human(item_id, sentences.NO_TRACE, at)
                    return False
                attempts.again(attempt=attempt, at=at)
            made = step.send(client, attempt)
    except Refused as error:
        with transaction.atomic():
            item = _in_hand(item_id, at)
            if item is not None and attempts.refuse(attempt=attempt, code=error.code, error=error.message, at=at):
                step.refused(item, error, at)
                runs.finish(item.run, at=at)
        return False
    except Unknown as error:
        with transaction.atomic():
            item = runs.lock_item(item_id)
            if item.status == ItemStatus.SUBMITTING:
                advance(
                    item,
                    "lose",
                    by=None,
                    at=at,
                    reason=error.message,
                    changes={
                        "failure_code": (error.code or type(error).__name__)[:100],
                        "failure_message": error.message,
                    },
                )
        raise ProviderUnavailable(f"{type(error).__name__}: {error.message}") from error
    return record_made(item_id=item_id, attempt=attempt, step=step, made=made, at=at)


def _look_up(client: StripeClient, step: Step, attempt: Attempt) -> Made | None:
    """What the provider has of an attempt. A refusal to answer says nothing about the money: Unknown, never Refused."""
    try:
        return step.find(client, attempt)
    except Refused as error:
        raise Unknown(error.message, code=error.code, status=error.status, request_id=error.request_id) from error


def record_made(*, item_id: Any, attempt: Attempt, step: Step, made: Made, at: datetime) -> bool:
    """Transaction B: the provider's id, the ledger, the item. Whoever comes second finds it written."""
    with transaction.atomic():
        item = _in_hand(item_id, at)
        if item is None:
            return Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.DONE).exists()
        if (made.amount, made.currency) != (attempt.request["amount"], attempt.request["currency"]):
            _hand_over(item, sentences.OTHER_AMOUNT(id=made.id), at)
            return False
        if attempts.finish(attempt=attempt, provider_id=made.id, at=at):
            step.book(item, made, at)
    return True


def _claim(item_id: Any, step: Step, at: datetime) -> tuple[Attempt, bool] | None:
    """Transaction A: takes the item and commits the attempt. None when there is nothing to send.

    The second value says that no call was made under this attempt before.
    """
    # Durable: what follows this block is a call that a rollback could not take back.
    with transaction.atomic(durable=True):
        item = runs.lock_item(item_id)
        if not switches.is_on(switches.PAYOUTS):
            return None
        existing = attempts.live(item, step.operation)
        if existing is not None and existing.status == AttemptStatus.DONE:
            return existing, False
        if item.status == ItemStatus.RESERVED:
            if item.run.status != RunStatus.EXECUTING or item.in_transit_minor != item.gross_minor:
                return None
            reasons = policy.sending_reasons(item, at=at)
            if reasons:
                _hold_back(item, reasons[0].text, at)
                return None
            advance(item, "submit", by=None, at=at)
        elif item.status == ItemStatus.UNKNOWN:
            advance(item, "resume", by=None, at=at)
        elif item.status != ItemStatus.SUBMITTING:
            return None
        if existing is not None:
            return existing, False
        attempt = attempts.begin(
            subject=item,
            operation=step.operation,
            provider=providers.STRIPE,
            request=step.request(item),
            at=at,
        )
        return attempt, True


def _hold_back(item: PayoutItem, why: str, at: datetime) -> None:
    """Keeps the money here until a person has looked."""
    decisions.hold(item=item, by=None, reason=why, at=at)
    runs.enter_queue(item.run, [item], extra={"code": "held", "text": why, "score": 40}, at=at)


def _in_hand(item_id: Any, at: datetime) -> PayoutItem | None:
    """The item, locked and `submitting`, whatever another worker has made of it; None when it is past that."""
    item = runs.lock_item(item_id)
    if item.status in (ItemStatus.UNKNOWN, ItemStatus.NEEDS_HUMAN):
        advance(item, "resume", by=None, at=at)
    return item if item.status == ItemStatus.SUBMITTING else None


def _needs_human(item_id: Any, why: str, at: datetime) -> None:
    with transaction.atomic():
        item = runs.lock_item(item_id)
        if item.status == ItemStatus.SUBMITTING:
            _hand_over(item, why, at)


def _hand_over(item: PayoutItem, why: str, at: datetime) -> None:
    """Nothing more is tried until a person has looked."""
    advance(item, "escalate", by=None, at=at, reason=why, changes={"failure_message": why})
    runs.enter_queue(item.run, [item], extra={"code": "needs_human", "text": why, "score": 80}, at=at)


def retry(*, item: PayoutItem, by: User, reason: str = "", at: datetime | None = None) -> PayoutItem:
    """Pays a bounced payout once more from the creator's account with the provider (S-085). The account has to be
    verified again first; the payout is pinned to it as it is now. The old payout came back, so a new attempt is safe.
    Conflict while another payout of the creator is open, or while the creator is held, suspended or gone.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.decide")
    with transaction.atomic():
        item = runs.lock_item(item.pk)
        _check_payable(item, at)
        changes = {
            "payout_id": "",
            "sent_at": None,
            "account_version": item.account.version,
            "account_snapshot": runs.account_snapshot(item),
        }
        try:
            with transaction.atomic():
                advance(item, "retry", by=by, at=at, reason=reason, changes=changes)
        except IntegrityError as error:
            raise policy.open_reason().as_error() from error
        if item.run.status in (RunStatus.SETTLED, RunStatus.PARTIALLY_FAILED):
            advance(item.run, "reopen", by=by, at=at, reason=reason, changes={"finished_at": None})
        runs.leave_queue_if_well(item.run, by=by, outcome="paid_again", at=at)
        jobs.enqueue(runs.SEND, {"item_id": str(item.pk)}, key=str(item.pk), by=by)
    return item


def resume(
    *, item: PayoutItem, by: User, reason: str, is_absent: bool = False, at: datetime | None = None
) -> PayoutItem:
    """A person has looked into a payout that needed one, and sends it on its way again.

    ``is_absent`` is that person's word that the provider never did it: when the provider says the same, the open
    attempt is closed and a new key is used; Conflict when the provider has it. A creator who cannot be paid by now gets
    the amount back on the balance instead (the item is ``returned``, S-086); Forbidden when the provider has made the
    transfer already. Without it the provider is asked once more and the old key is kept.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.decide")
    if not reason.strip():
        raise Invalid(_("Say what you found out."), field="reason")
    looked_up = _check_absent(item) if is_absent else set()
    with transaction.atomic():
        item = runs.lock_item(item.pk)
        against = _reasons_against(item, at) if is_absent else []
        if against and (item.status != ItemStatus.NEEDS_HUMAN or _has_moved(item)):
            raise against[0].as_error()
        if is_absent and not _unmade(item) <= looked_up:
            raise LostRace(_("Somebody was faster: the payout has changed. Please try again."))
        advance(item, "resume", by=by, at=at, reason=reason, note={"is_absent": is_absent})
        if is_absent:
            for operation in (Operation.TRANSFER, Operation.PAYOUT):
                attempt = attempts.live(item, operation)
                if attempt is not None and attempt.status == AttemptStatus.OPEN:
                    attempts.refuse(attempt=attempt, code="absent", error=reason, at=at)
        if against:
            take_back(item, code=against[0].code, why=against[0].kept, by=by, at=at)
            runs.finish(item.run, at=at)
            runs.leave_queue_if_well(item.run, by=by, outcome="returned", at=at)
            return item
        runs.leave_queue_if_well(item.run, by=by, outcome="resumed", at=at)
        jobs.enqueue(runs.SEND, {"item_id": str(item.pk)}, key=str(item.pk), by=by)
    return item


def _check_payable(item: PayoutItem, at: datetime) -> None:
    """A new attempt is a new payment: what has come up since the approval counts."""
    reasons = _reasons_against(item, at)
    if reasons:
        raise reasons[0].as_error()


def _reasons_against(item: PayoutItem, at: datetime) -> list[policy.Reason]:
    return policy.account_reasons(item.account, item.account.method) + policy.person_reasons(item.creator, at=at)


def _has_moved(item: PayoutItem) -> bool:
    """Whether money has left the platform for this payout, or may have: then it does not go back to the balance."""
    transfers = Attempt.objects.filter(subject_id=item.pk, operation=Operation.TRANSFER)
    is_made = transfers.filter(status__in=[AttemptStatus.DONE, AttemptStatus.UNDONE]).exists()
    return is_made or bool(item.transfer_id) or item.failure_code in settling.FLAGS


def _unmade(item: PayoutItem) -> set[UUID]:
    """The attempts of which the provider has to say that it did nothing: open ones, and transfers closed as not done,
    which may have been carried out late.
    """
    mine = Attempt.objects.filter(subject_id=item.pk)
    found = mine.filter(operation__in=[step.operation for step in STEPS], status=AttemptStatus.OPEN) | mine.filter(
        operation=Operation.TRANSFER, status=AttemptStatus.REFUSED
    )
    return set(found.values_list("pk", flat=True))


def _check_absent(item: PayoutItem) -> set[UUID]:
    """A new key, or the money back, only after proof: a person's mistake must not pay twice. The attempts that the
    provider was asked about.
    """
    asked = _unmade(item)
    steps = {step.operation: step for step in STEPS}
    for attempt in Attempt.objects.filter(pk__in=asked):
        try:
            made = steps[Operation(attempt.operation)].find(providers.stripe(), attempt)
        except StripeFailure as error:
            raise ProviderUnavailable(_("The payment provider does not answer. Please try again.")) from error
        if made is not None:
            text = _("The provider did it: %(id)s. Nothing is sent again.") % {"id": made.id}
            raise Conflict(text, code="not_absent")
    return asked


def adopt_transfer(*, attempt_id: str, transfer_id: str, at: datetime | None = None) -> bool:
    """A transfer became known by its event. When its attempt is still open the item is looked after soon; False when
    it is known or nobody's.
    """
    at = at or clock.now()
    attempt = Attempt.objects.filter(pk=attempt_id, operation=Operation.TRANSFER).first()
    if attempt is not None and attempt.status == AttemptStatus.REFUSED:
        return settling.flag_contradiction(attempt=attempt, provider_id=transfer_id, at=at)
    if attempt is None or attempt.status != AttemptStatus.OPEN:
        return False
    # Usually the worker that made the call is about to write it down: give it a minute.
    with transaction.atomic():
        jobs.enqueue(
            runs.SEND,
            {"item_id": str(attempt.subject_id)},
            key=str(attempt.subject_id),
            run_after=at + timedelta(minutes=1),
        )
    return True


def recover(*, at: datetime | None = None) -> int:
    """Looks after payouts that nobody is looking after: a lost job is asked for again, a lost webhook is asked for at
    the provider. How many were touched.
    """
    at = at or clock.now()
    touched = 0
    waiting = PayoutRun.objects.filter(status=RunStatus.APPROVED, stopped_reason="", approved_at__lt=at - STUCK_AFTER)
    for run_id in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            jobs.enqueue(runs.EXECUTE, {"run_id": str(run_id)}, key=str(run_id))
        touched += 1
    stuck = PayoutItem.objects.filter(
        status__in=[ItemStatus.SUBMITTING, ItemStatus.UNKNOWN], updated_at__lt=at - STUCK_AFTER
    ) | PayoutItem.objects.filter(
        status=ItemStatus.RESERVED, run__status=RunStatus.EXECUTING, updated_at__lt=at - STUCK_AFTER
    )
    for item_id in stuck.values_list("pk", flat=True):
        with transaction.atomic():
            jobs.enqueue(runs.SEND, {"item_id": str(item_id)}, key=str(item_id))
        touched += 1
    # A bank takes days: those that were asked about longest ago come first, a bounded number each time.
    silent = PayoutItem.objects.filter(
        status=ItemStatus.SENT, sent_at__lt=at - SILENT_AFTER, updated_at__lt=at - SILENT_AFTER
    )
    for item in silent.select_related("account").order_by("updated_at")[:ASKED_AT_ONCE]:
        try:
            payout = providers.stripe().retrieve_payout(item.payout_id, account=item.account.provider_account_id)
        except StripeFailure as error:
            # The next run asks again; the other payouts do not wait for this one.
            log.warning("payout_not_read", item=str(item.pk), error=type(error).__name__)
            continue
        PayoutItem.objects.filter(pk=item.pk, status=ItemStatus.SENT).update(updated_at=at)
        touched += settling.settle_from_provider(payout=payout, at=at)
    return touched
