"""Posting a sale, beside double entry as it is often written first."""

import time
from datetime import date
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F

from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, EntryKind
from backoffice.finance.services import accounts, ledger
from benchmarks.disk import wait_for_disk, words
from benchmarks.measuring import Result, Scale, in_turn, per_second, ratio
from benchmarks.models import PlainAccount, PlainEntry, PlainPosting
from benchmarks.people import creators
from benchmarks.seat import Seat

CREATORS = 50
DAY = date(2026, 1, 15)
PRICE, SHARE, COMMISSION = 10_00, 8_00, 2_00
DATA = {"purchase": "PU-7K2M9QBD", "rule": 4}


def fill() -> None:
    """The creators whose sales are posted."""
    creators(CREATORS)


def _ready(wait: bool) -> list[Creator]:
    """The creators; commits wait for the disk or not, as asked."""
    wait_for_disk(wait)
    return list(Creator.objects.order_by("id")[:CREATORS])


def ours(count: int, wait: bool) -> float:
    """Seconds for so many sales through the ledger, each its own transaction."""
    known = _ready(wait)
    started = time.perf_counter()
    for number in range(count):
        creator = known[number % CREATORS]
        ledger.post(
            key=f"sale:{uuid4()}",
            kind=EntryKind.SALE,
            source=creator,
            by=None,
            effective_date=DAY,
            postings=[
                (accounts.clearing("stripe", "USD"), -PRICE),
                (accounts.creator(AccountKind.CREATOR_PENDING, creator, "USD"), SHARE),
                (accounts.platform(AccountKind.PLATFORM_COMMISSION, "USD"), COMMISSION),
            ],
            data=DATA,
        )
    return time.perf_counter() - started


def plain(count: int, wait: bool) -> float:
    """Seconds for so many sales with the ORM alone."""
    known = _ready(wait)
    started = time.perf_counter()
    for number in range(count):
        _post_plainly(
            source=known[number % CREATORS],
            lines=[
                ("provider_clearing", "stripe", -PRICE),
                ("creator_pending", str(known[number % CREATORS].pk), SHARE),
                ("platform_commission", "", COMMISSION),
            ],
        )
    return time.perf_counter() - started


@transaction.atomic
def _post_plainly(*, source: Any, lines: list[tuple[str, str, int]]) -> PlainEntry:
    if sum(amount for _kind, _owner, amount in lines):
        raise ValueError("the entry does not balance")
    entry = PlainEntry.objects.create(
        key=f"sale:{uuid4()}",
        kind="sale",
        effective_date=DAY,
        posted_at=clock.now(),
        source_type=source._meta.label_lower,
        source_id=str(source.pk),
        data=DATA,
    )
    for kind, owner, amount in lines:
        account, _made = PlainAccount.objects.get_or_create(kind=kind, owner=owner, currency="USD")
        PlainPosting.objects.create(entry=entry, account=account, amount=amount, currency="USD")
        PlainAccount.objects.filter(pk=account.pk).update(balance=F("balance") + amount)
    return entry


def _rate(seats: list[Seat], function: str, **arguments: Any) -> float:
    """Sales per second of all these processes at once."""
    for seat in seats:
        seat.tell(function, **arguments)
    return len(seats) * arguments["count"] / max(seat.hear() for seat in seats)


def measure(scale: Scale) -> list[Result]:
    """One process, then two at once over the same creators; each without and with the wait for the disk."""
    seats = [Seat(), Seat()]
    seats[0].call("ledger.fill")
    results = []
    for wait in (False, True):
        for used, aim in ((1, "5 at least"), (2, "8 at least")):
            arguments = {"count": scale.posts, "wait": wait}
            mine, other = in_turn(
                scale.rounds,
                lambda used=used, arguments=arguments: _rate(seats[:used], "ledger.ours", **arguments),
                lambda used=used, arguments=arguments: _rate(seats[:used], "ledger.plain", **arguments),
            )
            results.append(
                Result(
                    f"Sale of three legs posted, {used} process{'es' if used > 1 else ''}{words(wait)}",
                    per_second(mine),
                    per_second(other),
                    "double entry with the ORM: the same rows, running balances, no rule in the database",
                    ratio(mine, other),
                    "higher is better",
                    "" if wait else aim,
                    "entries sealed and checked by the database, one transaction each"
                    + (", by two workers that meet at the platform's accounts" if used > 1 else "")
                    + ("; the disk takes its time on both sides." if wait else "; the disk is not waited for."),
                )
            )
    for seat in seats:
        seat.close()
    return results
