"""Payouts of the demo: months of paid ones made on their day, and today's that wait for people."""

import json
import random
import urllib.request
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from backoffice.accounts.models import User
from backoffice.creators.models import Creator
from backoffice.finance.models import PayoutAccount, PayoutItem, PayoutRun
from backoffice.finance.queries import balances
from backoffice.finance.services import payouts, providers

SMALLEST = 25_00


def lever(name: str, **arguments: Any) -> None:
    """Pulls a lever of the loopback Stripe."""
    request = urllib.request.Request(
        f"{settings.STRIPE_BASE_URL}/_fake/{name}",
        data=json.dumps(arguments).encode(),
        headers={"Authorization": f"Bearer {settings.STRIPE_API_KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def fill_provider() -> None:
    """Gives the loopback Stripe the money that the demo's sales would have brought it."""
    for currency in ("usd", "cad", "eur"):
        lever("topup", amount=50_000_00, currency=currency)


def _available(creator: Creator) -> int:
    return sum(row.available for row in balances.for_creator(creator) if row.currency == creator.currency)


def _ask(creator: Creator, amount: int, at: datetime) -> PayoutRun:
    account = PayoutAccount.objects.get(creator=creator, status="verified")
    return payouts.request(
        creator=creator, amount_minor=amount, account=account, by=creator.user, key=f"demo-{at:%Y%m%d}", at=at
    )


def month(rng: random.Random, at: datetime, people: list[User]) -> int:
    """What creators were paid at the end of one month; returns how many."""
    made = 0
    for creator in Creator.objects.filter(is_active=True, activated_at__lt=at).select_related("user").order_by("slug"):
        available = _available(creator)
        if available < SMALLEST or rng.random() < 0.25:
            continue
        day = at + timedelta(hours=rng.randrange(8, 60))
        run = _ask(creator, available if rng.random() < 0.6 else available // 100 * 80, day)
        for person in people:
            run.refresh_from_db()
            if run.status != "submitted":
                break
            payouts.approve(run=run, by=person, at=day + timedelta(hours=5))
        run.refresh_from_db()
        payouts.execute(run=run, at=day + timedelta(hours=6))
        for item in PayoutItem.objects.filter(run=run):
            payouts.send_item(item_id=item.pk, at=day + timedelta(hours=6, minutes=1))
        made += 1
    lever("run_scheduled")
    client = providers.stripe()
    for item in PayoutItem.objects.filter(status="sent").select_related("account"):
        payout = client.retrieve_payout(item.payout_id, account=item.account.provider_account_id)
        payouts.settle_from_provider(payout=payout, at=at + timedelta(days=4))
    return made


def waiting(now: datetime, people: list[User]) -> int:
    """Today's: some to approve, one on hold, one that was refused."""
    candidates = [
        creator
        for creator in Creator.objects.filter(is_active=True).select_related("user").order_by("slug")
        if _available(creator) >= SMALLEST
    ]
    candidates.sort(key=_available, reverse=True)
    chosen = candidates[:8]
    for number, creator in enumerate(chosen):
        run = _ask(creator, _available(creator), now - timedelta(hours=3 + 5 * number))
        # The two smallest; whatever is left waits for its approval.
        if number == len(chosen) - 1 and number > 0:
            item = PayoutItem.objects.get(run=run)
            payouts.hold(item=item, by=people[0], reason="Name on the bank account differs from the ID.", at=now)
        if number == len(chosen) - 2 and number > 0:
            payouts.reject(run=run, by=people[1], reason="Asked twice by mistake, as agreed on the phone.", at=now)
    return len(chosen)
