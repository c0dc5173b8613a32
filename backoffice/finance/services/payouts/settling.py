"""The end of a payout: it arrived, or it came back (S-083, S-084)."""

from datetime import datetime

from django.db import transaction

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.states import advance
from backoffice.creators.services import creators
from backoffice.finance.models import AccountKind, Attempt, Entry, EntryKind, PayoutItem
from backoffice.finance.services import accounts, attempts, ledger, providers, sentences
from backoffice.finance.services.payouts import runs
from backoffice.finance.states import AttemptStatus, ItemStatus, Operation, RunStatus
from backoffice.notifications.services import notify
from integrations.stripe.types import Payout

CAME_BACK = ("failed", "canceled")
# Failure codes of payouts of which provider and ledger say different things.
FLAGS = ("transfer_reversed", "contradiction")


def settle_from_provider(*, payout: Payout, at: datetime | None = None) -> bool:
    """Takes over how a payout stands at the provider, read just now. False when that is nothing new or not ours.

    Called for every event about it and by the hourly check, in any order.
    """
    at = at or clock.now()
    attempt = Attempt.objects.filter(operation=Operation.PAYOUT, provider_id=payout.id).first()
    if attempt is None and payout.attempt_id:
        attempt = Attempt.objects.filter(operation=Operation.PAYOUT, pk=payout.attempt_id).first()
    if attempt is None:
        return False
    if attempt.status == AttemptStatus.REFUSED:
        return flag_contradiction(attempt=attempt, provider_id=payout.id, at=at)
    if payout.status not in ("paid", *CAME_BACK):
        return False
    with transaction.atomic():
        item = runs.lock_item(attempt.subject_id)
        attempt.refresh_from_db()
        if attempt.status == AttemptStatus.OPEN:
            _adopt(item, attempt, payout, at)
        if item.payout_id != payout.id:
            return False  # an earlier payout of this item, which came back and was tried again
        if payout.status == "paid":
            return settle(item=item, bank_reference=payout.trace_id or payout.id, at=at)
        return _bounce(item, attempt, payout, at)


def settle(*, item: PayoutItem, bank_reference: str, by: User | None = None, at: datetime | None = None) -> bool:
    """The creator has the money: in transit is closed against the provider, fee and tax are earned (S-083).

    Once per provider payout: False when it is settled already or was not sent.
    """
    at = at or clock.now()
    with transaction.atomic():
        item = runs.lock_item(item.pk)
        if item.status != ItemStatus.SENT:
            return False
        currency = item.currency
        ledger.post(
            key=f"payout-paid:{item.pk}:{item.payout_id}",
            kind=EntryKind.PAYOUT_PAID,
            source=item,
            by=by,
            effective_date=at.date(),
            postings=[
                (accounts.creator(AccountKind.CREATOR_IN_TRANSIT, item.creator, currency), -item.gross_minor),
                (accounts.clearing(providers.STRIPE_CONNECT, currency), item.net_minor),
                (accounts.platform(AccountKind.PAYOUT_FEES, currency), item.fee_minor),
                (accounts.platform(AccountKind.WITHHOLDING, currency), item.withholding_minor),
            ],
            memo=bank_reference[:300],
        )
        advance(
            item,
            "settle",
            by=by,
            at=at,
            changes={"paid_at": at, "bank_reference": bank_reference, "in_transit_minor": 0},
        )
        runs.finish(item.run, at=at)
        notify(
            user=item.creator.user,
            event="payout.paid",
            data={
                "reference": item.run.reference,
                "amount_minor": item.net_minor,
                "currency": currency,
                "account": item.account_snapshot.get("masked", ""),
                "bank_reference": bank_reference,
            },
        )
    return True


def _adopt(item: PayoutItem, attempt: Attempt, payout: Payout, at: datetime) -> None:
    """The event was faster than the worker that made the call, or that worker is dead: writes down what it would."""
    if item.status in (ItemStatus.UNKNOWN, ItemStatus.NEEDS_HUMAN):
        advance(item, "resume", by=None, at=at)
    if item.status == ItemStatus.SUBMITTING and attempts.finish(attempt=attempt, provider_id=payout.id, at=at):
        advance(item, "send", by=None, at=at, changes={"payout_id": payout.id, "sent_at": at})


def _bounce(item: PayoutItem, attempt: Attempt, payout: Payout, at: datetime) -> bool:
    """The bank sent it back: the money lies on the creator's account with the provider (S-084)."""
    if item.status == ItemStatus.PAID:
        paid = Entry.objects.get(key=f"payout-paid:{item.pk}:{payout.id}")
        ledger.reverse(
            entry=paid,
            key=f"payout-bounce:{item.pk}:{payout.id}",
            source=item,
            by=None,
            effective_date=at.date(),
            memo=payout.failure_code,
            kind=EntryKind.PAYOUT_BOUNCE,
        )
    elif item.status != ItemStatus.SENT:
        return False
    attempts.undo(attempt=attempt, code=payout.failure_code, error=payout.failure_message, at=at)
    advance(
        item,
        "bounce",
        by=None,
        at=at,
        reason=payout.failure_message or payout.status,
        changes={
            "failure_code": payout.failure_code or payout.status,
            "failure_message": payout.failure_message,
            "bounces": item.bounces + 1,
            "in_transit_minor": item.gross_minor,
            "paid_at": None,
            "bank_reference": "",
        },
    )
    if item.run.status == RunStatus.SETTLED:
        advance(item.run, "reopen", by=None, at=at, changes={"finished_at": None})
    runs.finish(item.run, at=at)
    text = payout.failure_message or payout.failure_code
    runs.enter_queue(item.run, [item], extra={"code": "bounced", "text": text, "score": 60}, at=at)
    notify(
        user=item.creator.user,
        event="payout.failed",
        data={
            "reference": item.run.reference,
            "amount_minor": item.net_minor,
            "currency": item.currency,
            "reason": text,
            "is_returned": False,
        },
    )
    return True


def flag_reversed(*, transfer_id: str, at: datetime | None = None) -> bool:
    """Somebody took a transfer back at the provider: never done here, so finance has to look."""
    at = at or clock.now()
    with transaction.atomic():
        item = PayoutItem.objects.filter(transfer_id=transfer_id).select_related("run", "creator").first()
        if item is None:
            return False
        _flag(item, "transfer_reversed", sentences.REVERSED(id=transfer_id), at)
    return True


def flag_contradiction(*, attempt: Attempt, provider_id: str, at: datetime | None = None) -> bool:
    """The provider has done what was closed here as not done: the money may have left twice. Nothing more goes to the
    creator until finance has looked.
    """
    at = at or clock.now()
    with transaction.atomic():
        item = runs.lock_item(attempt.subject_id)
        text = sentences.CONTRADICTION(id=provider_id, code=attempt.error_code)
        if item.failure_message != text:
            _flag(item, "contradiction", text, at)
            creators.hold_payouts(creator=item.creator, by=None, reason=text, at=at)
    return True


def _flag(item: PayoutItem, code: str, text: str, at: datetime) -> None:
    """Writes it on the payout and asks finance to look."""
    runs.write(item, at, failure_code=code, failure_message=text)
    entries.record(action=f"payout_item.{code}", by=None, subject=item, reason=text, at=at)
    runs.enter_queue(item.run, [item], extra={"code": code, "text": text, "score": 90}, at=at)
