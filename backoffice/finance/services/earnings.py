"""What creators earn: from the refund window to the balance, and out of it into payouts (F-026, Q-023)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from backoffice.accounts.models import User
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Earning, EntryKind
from backoffice.finance.policies.rounding import ratio
from backoffice.finance.services import accounts, ledger
from backoffice.finance.states import EarningStatus

BATCH = 200


def release_due(*, at: datetime | None = None, limit: int | None = None) -> int:
    """Makes every earning available whose refund window is over; how many. Safe beside another run of itself."""
    at = at or clock.now()
    done = 0
    while limit is None or done < limit:
        size = BATCH if limit is None else min(BATCH, limit - done)
        due = Earning.objects.filter(status=EarningStatus.PENDING, available_at__lte=at)
        ids = list(due.order_by("available_at", "id").values_list("id", flat=True)[:size])
        released = sum(release(earning_id=earning_id, at=at) for earning_id in ids)
        done += released
        if len(ids) < size or not released:
            break
    return done


def release(*, earning_id: UUID, by: User | None = None, at: datetime | None = None) -> bool:
    """Moves one earning from pending to available, once. False when it was, or when somebody else is doing it.

    What the creator owes is paid back first, up to the share `payout.recovery_percent`.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = Earning.objects.select_related("creator").filter(pk=earning_id, status=EarningStatus.PENDING).first()
        if found is None:
            return False
        creator, currency = found.creator, found.currency
        pending = accounts.creator(AccountKind.CREATOR_PENDING, creator, currency)
        available = accounts.creator(AccountKind.CREATOR_AVAILABLE, creator, currency)
        receivable = accounts.creator(AccountKind.CREATOR_RECEIVABLE, creator, currency)
        rows = accounts.resolve(pending, available, receivable)
        owed = -ledger.lock(*rows.values())[rows[receivable].pk]
        earning = (
            Earning.objects.select_for_update(skip_locked=True)
            .filter(pk=earning_id, status=EarningStatus.PENDING)
            .first()
        )
        if earning is None:
            return False
        amount = earning.amount_minor - earning.refunded_minor
        recovered = min(owed, ratio(amount, values.get("payout.recovery_percent"), 100))
        if amount:
            ledger.post(
                key=f"earning-release:{earning.pk}",
                kind=EntryKind.EARNING_RELEASE,
                source=earning,
                by=by,
                effective_date=at.date(),
                postings=[
                    (rows[pending], -amount),
                    (rows[available], amount - recovered),
                    (rows[receivable], recovered),
                ],
            )
        Earning.objects.filter(pk=earning.pk).update(
            status=EarningStatus.RELEASED, released_at=at, allocated_minor=recovered, updated_at=at
        )
    return True


def allocate(*, creator: Creator, currency: str, amount_minor: int, at: datetime) -> list[tuple[Earning, int]]:
    """Takes ``amount_minor`` out of the creator's released earnings, oldest first; what was taken of which.

    Less than asked for when adjustments, not sales, make up part of the balance.
    """
    left = amount_minor
    taken: list[tuple[Earning, int]] = []
    rows = (
        Earning.objects.select_for_update()
        .filter(
            creator=creator,
            currency=currency,
            status=EarningStatus.RELEASED,
            allocated_minor__lt=F("amount_minor") - F("refunded_minor"),
        )
        .order_by("released_at", "id")
    )
    for earning in rows.iterator(chunk_size=200):
        part = min(left, earning.amount_minor - earning.refunded_minor - earning.allocated_minor)
        Earning.objects.filter(pk=earning.pk).update(allocated_minor=F("allocated_minor") + part, updated_at=at)
        taken.append((earning, part))
        left -= part
        if not left:
            break
    return taken


def give_back(*, earning_id: UUID, amount_minor: int, at: datetime) -> None:
    """Undoes an allocation: the payout that took it did not happen."""
    Earning.objects.filter(pk=earning_id).update(allocated_minor=F("allocated_minor") - amount_minor, updated_at=at)


def stand_down(*, creator: Creator, currency: str, amount_minor: int, at: datetime) -> int:
    """Earnings that stand in for something else than a payout, a refund or a debt, are free again; how much of
    ``amount_minor``. The newest first; what payouts have taken stays theirs.
    """
    left = amount_minor
    standing = (
        Earning.objects.select_for_update(of=("self",))
        .filter(creator=creator, currency=currency, status=EarningStatus.RELEASED, allocated_minor__gt=0)
        .order_by("-released_at", "-id")
    )
    for earning in standing.iterator(chunk_size=200):
        if not left:
            break
        in_payouts = earning.allocations.filter(live=True).aggregate(total=Sum("amount_minor"))["total"] or 0
        part = min(left, earning.allocated_minor - in_payouts)
        if part > 0:
            Earning.objects.filter(pk=earning.pk).update(allocated_minor=F("allocated_minor") - part, updated_at=at)
            left -= part
    return amount_minor - left
