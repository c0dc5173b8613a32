"""Daily sums of the platform's accounts (money.md: snapshot plus tail)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Sum

from backoffice.core import clock
from backoffice.finance.models import Account, AccountSnapshot, Posting
from backoffice.finance.models.ledger import BALANCED_KINDS

# Ids are given out before they are committed; whatever is older than this has been committed or rolled back.
SETTLED_AFTER = timedelta(hours=1)


def take(*, at: datetime | None = None) -> int:
    """One snapshot per platform account that moved and has none of today; how many were taken."""
    at = at or clock.now()
    through = Posting.objects.filter(entry__posted_at__lt=at - SETTLED_AFTER).aggregate(last=Max("id"))["last"]
    if through is None:
        return 0
    taken = 0
    accounts = Account.objects.exclude(kind__in=[str(kind) for kind in BALANCED_KINDS]).exclude(
        snapshots__taken_on=at.date()
    )
    for account in accounts:
        with transaction.atomic():
            last = account.snapshots.order_by("-through_id").first()
            start, amount = (last.through_id, last.amount) if last else (0, 0)
            tail = Posting.objects.filter(account=account, id__gt=start, id__lte=through)
            moved = tail.aggregate(total=Sum("amount"))["total"]
            if moved is not None:
                AccountSnapshot.objects.create(
                    account=account, through_id=through, amount=amount + moved, taken_on=at.date()
                )
                taken += 1
    return taken
