"""The two calls that pay a creator: the transfer to the creator's account, and from there to the bank."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import translation

from backoffice.accounts.models import User
from backoffice.core import stored
from backoffice.core.states import advance
from backoffice.finance.models import Attempt, EntryKind, PayoutItem
from backoffice.finance.services import accounts, ledger, providers
from backoffice.finance.services.payouts import runs
from backoffice.finance.states import ItemStatus, Operation
from backoffice.notifications.services import notify
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Refused
from integrations.stripe.types import Payout, Transfer

type Made = Transfer | Payout


@dataclass(frozen=True, slots=True)
class Step:
    """One call that moves money: how to ask for it, how to make it, what to write down."""

    operation: Operation
    request: Callable[[PayoutItem], dict[str, Any]]
    find: Callable[[StripeClient, Attempt], Made | None]
    send: Callable[[StripeClient, Attempt], Made]
    book: Callable[[PayoutItem, Made, datetime], None]
    refused: Callable[[PayoutItem, Refused, datetime], None]


def _transfer_request(item: PayoutItem) -> dict[str, Any]:
    return {
        "amount": item.net_minor,
        "currency": item.currency,
        "destination": item.account.provider_account_id,
        "description": item.run.reference,
        "metadata": {"payout_run": item.run.reference, "payout_item": str(item.pk)},
    }


def _send_transfer(client: StripeClient, attempt: Attempt) -> Transfer:
    request = attempt.request
    return client.create_transfer(
        amount=request["amount"],
        currency=request["currency"],
        destination=request["destination"],
        description=request["description"],
        metadata=request["metadata"],
        attempt_id=str(attempt.pk),
        idempotency_key=attempt.key,
    )


def _book_transfer(item: PayoutItem, made: Made, at: datetime) -> None:
    """The money has left the platform's balance and lies on the creator's account with the provider."""
    ledger.post(
        key=f"payout-transfer:{item.pk}",
        kind=EntryKind.PAYOUT_TRANSFER,
        source=item,
        by=None,
        effective_date=at.date(),
        postings=[
            (accounts.clearing(providers.STRIPE, item.currency), item.net_minor),
            (accounts.clearing(providers.STRIPE_CONNECT, item.currency), -item.net_minor),
        ],
        memo=made.id,
    )
    runs.write(item, at, transfer_id=made.id, failure_code="", failure_message="")


def _transfer_refused(item: PayoutItem, error: Refused, at: datetime) -> None:
    """Nothing moved. Our own lack of funds waits for a person; otherwise the creator gets it back (S-086)."""
    changes = {"failure_code": error.code[:100], "failure_message": error.message}
    if error.is_insufficient_funds:
        advance(item, "escalate", by=None, at=at, reason=error.message, changes=changes)
        runs.enter_queue(
            item.run, [item], extra={"code": "insufficient_funds", "text": error.message, "score": 80}, at=at
        )
        return
    take_back(item, code=error.code, why=error.message, by=None, at=at)


def take_back(item: PayoutItem, *, code: str, why: str, by: User | None, at: datetime) -> None:
    """Nothing was transferred and nothing will be: the amount goes back to the balance and the creator is told (S-086).

    ``item`` is locked and ``submitting``; ``why`` is kept and read by the creator.
    """
    runs.give_back(item, by=by, at=at)
    changes = {"failure_code": code[:100], "failure_message": why}
    advance(item, "refuse", by=by, at=at, reason=why, changes=changes)
    _tell_failed(item)


def _payout_request(item: PayoutItem) -> dict[str, Any]:
    return {
        "amount": item.net_minor,
        "currency": item.currency,
        "account": item.account.provider_account_id,
        "description": item.run.reference,
        "metadata": {"payout_run": item.run.reference, "payout_item": str(item.pk)},
    }


def _find_payout(client: StripeClient, attempt: Attempt) -> Payout | None:
    # A day earlier than the first call: clocks need not agree.
    since = int((attempt.first_sent_at - timedelta(days=1)).timestamp())
    return client.find_payout(str(attempt.pk), account=attempt.request["account"], since=since)


def _send_payout(client: StripeClient, attempt: Attempt) -> Payout:
    request = attempt.request
    return client.create_payout(
        account=request["account"],
        amount=request["amount"],
        currency=request["currency"],
        description=request["description"],
        metadata=request["metadata"],
        attempt_id=str(attempt.pk),
        idempotency_key=attempt.key,
    )


def _book_payout(item: PayoutItem, made: Made, at: datetime) -> None:
    """The provider has taken the order to pay the bank; its webhook says when it arrived."""
    advance(
        item,
        "send",
        by=None,
        at=at,
        changes={"payout_id": made.id, "sent_at": at, "failure_code": "", "failure_message": ""},
    )


def _payout_refused(item: PayoutItem, error: Refused, at: datetime) -> None:
    """The money lies on the creator's account with the provider; a person repairs the account and tries again."""
    advance(
        item,
        "bounce",
        by=None,
        at=at,
        reason=error.message,
        changes={"failure_code": error.code[:100], "failure_message": error.message},
    )
    runs.enter_queue(item.run, [item], extra={"code": "payout_refused", "text": error.message, "score": 60}, at=at)
    _tell_failed(item)


def _tell_failed(item: PayoutItem) -> None:
    with translation.override(item.creator.user.language):
        reason = stored.shown(item.failure_message)
    notify(
        user=item.creator.user,
        event="payout.failed",
        data={
            "reference": item.run.reference,
            "amount_minor": item.net_minor,
            "currency": item.currency,
            "reason": reason,
            "is_returned": item.status == ItemStatus.RETURNED,
        },
    )


TRANSFER = Step(
    operation=Operation.TRANSFER,
    request=_transfer_request,
    find=lambda client, attempt: client.find_transfer(str(attempt.pk)),
    send=_send_transfer,
    book=_book_transfer,
    refused=_transfer_refused,
)
PAYOUT = Step(
    operation=Operation.PAYOUT,
    request=_payout_request,
    find=_find_payout,
    send=_send_payout,
    book=_book_payout,
    refused=_payout_refused,
)
STEPS = (TRANSFER, PAYOUT)
