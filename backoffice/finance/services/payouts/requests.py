"""Asking for payouts: a creator's own request, or a run put together by finance."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, NotFound
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Balance, PayoutAccount, PayoutItem, PayoutMethod, PayoutRun
from backoffice.finance.policies import fingerprints
from backoffice.finance.policies import payouts as policy
from backoffice.finance.queries import balances
from backoffice.finance.services import providers
from backoffice.finance.services.payouts import approval, runs
from backoffice.finance.states import CALLED_OFF, LIVE_ITEMS, AccountStatus, ItemStatus, RunStatus
from backoffice.notifications.services import notify
from integrations.stripe.errors import StripeFailure


class KeyReused(Conflict):
    """The idempotency key belongs to another request."""

    default_code = "idempotency_key_reused"


def request(
    *,
    creator: Creator,
    amount_minor: int,
    account: PayoutAccount,
    by: User,
    key: str,
    at: datetime | None = None,
) -> PayoutRun:
    """A creator asks for ``amount_minor`` (gross, minor units of the account's currency): a run of one (S-077).

    Fee and net are frozen now; the money stays available until the approval but cannot be asked for twice. The same
    key with the same input gives the same run. Raises the first reason of `policies.payouts` that stands against it
    (Invalid, Forbidden or Conflict, with the reason's code), or KeyReused.
    """
    at = at or clock.now()
    if creator.user_id != by.pk:
        raise Forbidden(_("Only the creator can ask for a payout."), code="not_the_creator")
    if account.creator_id != creator.pk:
        raise NotFound(_("There is no such payout account."))
    stored_key = f"{creator.pk}:{key}"
    digest = fingerprints.of([amount_minor, str(account.pk)])
    with transaction.atomic():
        # One request per creator at a time; what is read below cannot change under it.
        creator = Creator.objects.select_for_update(of=("self",), no_key=True).get(pk=creator.pk)
        known = PayoutRun.objects.filter(key=stored_key).first()
        if known is not None:
            if known.input_hash != digest:
                raise KeyReused(_("This Idempotency-Key was used for another request."))
            return known
        account = PayoutAccount.objects.select_related("method").get(pk=account.pk)
        reasons = _reasons(creator, account, amount_minor, at)
        if reasons:
            raise reasons[0].as_error()
        run = PayoutRun.objects.create(
            origin=PayoutRun.Origin.REQUEST,
            method=account.method,
            currency=account.method.currency,
            requested_by=by,
            key=stored_key,
            input_hash=digest,
            created_at=at,
        )
        try:
            with transaction.atomic():
                _add_item(run, creator, account, amount_minor, at)
        except IntegrityError as error:
            raise policy.open_reason().as_error() from error
        _preview(run, left_out=[], provider_balance=None, by=by, at=at)
        _submit(run, by=by, at=at)
        notify(
            user=by,
            event="payout.requested",
            data={"reference": run.reference, "amount_minor": amount_minor, "currency": run.currency},
            by=by,
        )
    return run


def draft(*, method: PayoutMethod, by: User, key: str | None = None, at: datetime | None = None) -> PayoutRun:
    """Finance puts together a run of everybody who can be paid by this method now, each with all that is free.

    A creator is in one run per week or month, as their schedule says; who is paid on demand asks for it.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.edit")
    if key is not None:
        known = PayoutRun.objects.filter(key=f"run:{key}").first()
        if known is not None:
            return known
    with transaction.atomic():
        run = PayoutRun.objects.create(
            origin=PayoutRun.Origin.BATCH,
            method=method,
            currency=method.currency,
            requested_by=by,
            key=f"run:{key}" if key is not None else None,
            created_at=at,
        )
    return preview(run=run, by=by, at=at)


def preview(*, run: PayoutRun, by: User, at: datetime | None = None) -> PayoutRun:
    """Collects the run anew and freezes what an approver will see: sums, the provider's balance, and everybody who was
    left out and why. Only before it is submitted, and only by whoever put it together.
    """
    at = at or clock.now()
    permissions.require(by, "payouts.edit")
    provider_balance = _provider_balance(run.currency)
    with transaction.atomic():
        run = runs.lock(run.pk)
        _check_maker(run, by)
        left_out: list[dict[str, Any]] = []
        if run.origin == PayoutRun.Origin.BATCH and run.status in (RunStatus.DRAFT, RunStatus.PREVIEWED):
            # A payout that somebody holds stays as it is: collecting anew must not end the hold.
            run.items.exclude(status=ItemStatus.HELD).delete()
            left_out = _collect(run, at)
        _preview(run, left_out=left_out, provider_balance=provider_balance, by=by, at=at)
    return run


def submit(*, run: PayoutRun, by: User, at: datetime | None = None) -> PayoutRun:
    """Hands a previewed run to the approvers; only whoever put it together does. Conflict when it is empty."""
    at = at or clock.now()
    permissions.require(by, "payouts.edit")
    with transaction.atomic():
        run = runs.lock(run.pk)
        _check_maker(run, by)
        _submit(run, by=by, at=at)
    return run


def _check_maker(run: PayoutRun, by: User) -> None:
    """The run is asked for in its maker's name: a colleague who could fill and submit it could also approve it."""
    if run.requested_by_id != by.pk:
        raise Forbidden(
            _("Somebody else put this run together. Take it back and put together one of your own."),
            code="not_the_maker",
        )


def _submit(run: PayoutRun, *, by: User, at: datetime) -> None:
    items = runs.items_of(run)
    if not items:
        raise Conflict(_("Nobody is in this run."), code="empty_run")
    advance(run, "submit", by=by, at=at, changes={"submitted_at": at})
    approval.open_for(run, by=run.requested_by, at=at)
    runs.enter_queue(run, items, at=at)


def _preview(
    run: PayoutRun,
    *,
    left_out: list[dict[str, Any]],
    provider_balance: dict[str, Any] | None,
    by: User,
    at: datetime,
) -> None:
    items = runs.items_of(run)
    content = {
        "method": run.method.code,
        "currency": run.currency,
        "totals": runs.totals(items),
        "left_out": left_out,
        "provider_balance": provider_balance,
        "previewed_at": at.isoformat(),
    }
    advance(run, "preview", by=by, at=at, changes={"preview": content, "snapshot_hash": runs.snapshot(items)})


def _reasons(creator: Creator, account: PayoutAccount, amount_minor: int, at: datetime) -> list[policy.Reason]:
    """Everything that stands against a creator's own request, the open payout first."""
    currency = account.method.currency
    if PayoutItem.objects.filter(creator=creator, currency=currency, status__in=LIVE_ITEMS).exists():
        return [policy.open_reason()]
    balance = balances.of(creator, currency)
    return [
        *policy.person_reasons(creator, at=at),
        *policy.account_reasons(account, account.method),
        *policy.amount_reasons(
            amount_minor=amount_minor,
            available_minor=balance.free,
            owed_minor=balance.owed,
            method=account.method,
        ),
    ]


def _add_item(run: PayoutRun, creator: Creator, account: PayoutAccount, amount_minor: int, at: datetime) -> PayoutItem:
    terms = policy.terms(run.method, amount_minor)
    item = PayoutItem(
        run=run,
        creator=creator,
        account=account,
        account_version=account.version,
        gross_minor=terms.gross_minor,
        fee_minor=terms.fee_minor,
        withholding_minor=terms.withholding_minor,
        net_minor=terms.net_minor,
        currency=run.currency,
        created_at=at,
    )
    item.account_snapshot = runs.account_snapshot(item)
    item.save(force_insert=True)
    return item


def _collect(run: PayoutRun, at: datetime) -> list[dict[str, Any]]:
    """Items for everybody who can be paid and whose schedule says now; the others with their reasons. A fixed number of
    reads.
    """
    owners = Balance.objects.filter(
        account__kind=AccountKind.CREATOR_AVAILABLE, account__currency=run.currency, amount__gt=0
    ).values_list("account__creator", flat=True)
    held = run.items.values_list("creator", flat=True)
    people = list(
        Creator.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=set(owners) - set(held))
        .order_by("id")
    )
    by_creator = balances.for_creators([creator.pk for creator in people])
    accounts = {
        account.creator_id: account
        for account in PayoutAccount.objects.filter(creator__in=people, method=run.method)
        .exclude(status=AccountStatus.DISABLED)
        .select_related("method")
    }
    busy = set(
        PayoutItem.objects.filter(creator__in=people, currency=run.currency, status__in=LIVE_ITEMS).values_list(
            "creator_id", flat=True
        )
    )
    in_runs = PayoutItem.objects.filter(
        creator__in=people, currency=run.currency, run__origin=PayoutRun.Origin.BATCH
    ).exclude(status__in=CALLED_OFF)
    last_run = dict(in_runs.order_by().values_list("creator").annotate(Max("created_at")))
    left_out = []
    for creator in people:
        balance = by_creator[creator.pk][run.currency]
        account = accounts.get(creator.pk)
        if creator.pk in busy:
            reasons = [policy.open_reason()]
        else:
            reasons = policy.schedule_reasons(creator, last_run_at=last_run.get(creator.pk), at=at)
        reasons += policy.person_reasons(creator, at=at)
        reasons += policy.account_reasons(account, run.method)
        if balance.free:
            reasons += policy.amount_reasons(
                amount_minor=balance.free,
                available_minor=balance.free,
                owed_minor=balance.owed,
                method=run.method,
            )
        if reasons or account is None:
            left_out.append(
                {
                    "creator": str(creator.pk),
                    "reference": creator.reference,
                    "available_minor": balance.available,
                    "reasons": [reason.code for reason in reasons],
                }
            )
        else:
            _add_item(run, creator, account, balance.free, at)
    return left_out


def _provider_balance(currency: str) -> dict[str, Any]:
    """The platform's balance with the provider, minor units; says so when it cannot be read."""
    try:
        balance = providers.stripe().retrieve_balance()
    except (StripeFailure, providers.ProviderUnavailable) as error:
        return {"available_minor": None, "error": type(error).__name__}
    return {"available_minor": balance.available.get(currency, 0), "error": ""}
