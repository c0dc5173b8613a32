"""Posting to the ledger: one statement per entry, every rule kept by the database."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import psycopg
from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.finance.models import Account, AccountKind, Entry, EntryKind
from backoffice.finance.policies import fingerprints
from backoffice.finance.services import accounts

type Lines = Iterable[tuple[Account | accounts.Name, int]]


class KeyReused(Conflict):
    """The idempotency key belongs to an entry with other contents."""

    default_code = "ledger_key_reused"


class Overdrawn(Conflict):
    """A creator's or customer's balance would fall below its floor."""

    default_code = "overdrawn"


class AlreadyReversed(Conflict):
    """The entry was reversed before."""

    default_code = "already_reversed"


class Unbalanced(ValueError):
    """The postings do not sum to zero in a currency, or are fewer than two: a mistake in the calling code."""


def post(
    *,
    key: str,
    kind: EntryKind,
    source: models.Model,
    by: User | None,
    effective_date: date,
    postings: Lines,
    memo: str = "",
    data: Mapping[str, Any] | None = None,
    reverses: Entry | None = None,
) -> Entry:
    """Posts and seals one entry; the entry of that key when it was posted before with the same contents.

    ``postings`` are pairs of account (or its name) and signed minor units; positive is a credit. Amounts of zero are
    left out, several on one account are summed. ``by`` is None for the system. ``effective_date`` is the day that it
    counts for; when it was written is always now.
    Raises KeyReused, Overdrawn, AlreadyReversed, or Unbalanced.
    """
    lines = _merge(postings)
    details = json.loads(json.dumps(dict(data or {})))
    source_type, source_id = source._meta.label_lower, str(source.pk)
    digest = fingerprints.entry(
        kind=str(kind),
        effective_date=effective_date,
        source_type=source_type,
        source_id=source_id,
        reverses_id=reverses.pk if reverses else None,
        data=details,
        lines=[(account.pk, account.currency, amount) for account, amount in lines],
    )
    posted_at = clock.now()
    arguments: list[Any] = [
        key,
        digest,
        str(kind),
        effective_date,
        posted_at,
        by.pk if by else None,
        source_type,
        source_id,
        reverses.pk if reverses else None,
        memo,
        json.dumps(details),
        [account.pk for account, _amount in lines],
        [amount for _account, amount in lines],
    ]
    try:
        # A savepoint: a refusal of the database must leave the caller's transaction usable.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT o_id, o_hash, o_fresh FROM finance_post(%s, %s, %s, %s, %s, %s::uuid, %s, %s, %s::bigint,"
                " %s, %s::jsonb, %s::bigint[], %s::bigint[])",
                arguments,
            )
            entry_id, stored, is_new = cursor.fetchone()
    except IntegrityError as error:
        raise _explained(error) from error
    if stored != digest:
        raise KeyReused(_("Another ledger entry has the key “%(key)s”.") % {"key": key})
    if not is_new:
        return Entry.objects.get(pk=entry_id)
    return Entry(
        id=entry_id,
        key=key,
        input_hash=digest,
        kind=str(kind),
        effective_date=effective_date,
        posted_at=posted_at,
        actor=by,
        source_type=source_type,
        source_id=source_id,
        reverses=reverses,
        memo=memo,
        data=details,
    )


def reverse(
    *,
    entry: Entry,
    key: str,
    source: models.Model,
    by: User | None,
    effective_date: date,
    memo: str = "",
    kind: EntryKind = EntryKind.REVERSAL,
) -> Entry:
    """Posts the exact opposite of an entry. An entry is reversed at most once: AlreadyReversed otherwise."""
    lines = [(row.account, -row.amount) for row in entry.postings.select_related("account")]
    return post(
        key=key,
        kind=kind,
        source=source,
        by=by,
        effective_date=effective_date,
        postings=lines,
        memo=memo,
        reverses=entry,
    )


def exchange(
    *, source_currency: str, source_minor: int, target_currency: str, target_minor: int
) -> list[tuple[accounts.Name, int]]:
    """The two postings that turn ``source_minor`` of one currency into ``target_minor`` of another.

    Used when money leaves the rest of the entry in one currency and arrives in the other; the rate, its source and
    time belong into the entry's ``data``.
    """
    return [
        (accounts.platform(AccountKind.FX_TRADING, source_currency), source_minor),
        (accounts.platform(AccountKind.FX_TRADING, target_currency), -target_minor),
    ]


def lock(*of: Account) -> dict[int, int]:
    """Locks the balances of these accounts until the transaction ends; their amounts by account id, minor units.

    Everywhere in this domain the order of locks is: payment or run, balances, earnings.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, amount FROM finance_lock_balances(%s::bigint[])",
            [[account.pk for account in of]],
        )
        return dict(cursor.fetchall())


def _merge(postings: Lines) -> list[tuple[Account, int]]:
    """One line per account in the order of the ids, zeros left out; refuses what cannot balance before asking."""
    given = list(postings)
    known = accounts.resolve(*{account for account, _amount in given if isinstance(account, accounts.Name)})
    totals: dict[Account, int] = {}
    for account, amount in given:
        row = known[account] if isinstance(account, accounts.Name) else account
        totals[row] = totals.get(row, 0) + amount
    lines = sorted(((row, amount) for row, amount in totals.items() if amount), key=lambda line: line[0].pk)
    sums: dict[str, int] = {}
    for row, amount in lines:
        sums[row.currency] = sums.get(row.currency, 0) + amount
    left = {currency: total for currency, total in sums.items() if total}
    if left or len(lines) < 2:
        raise Unbalanced(f"{len(lines)} postings, left over: {left}")
    return lines


def _explained(error: IntegrityError) -> Exception:
    """The database's refusal in the words of this module; the original when there are none for it."""
    cause = error.__cause__
    constraint = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
    if constraint in ("balance_not_below_floor", "balance_not_above_ceiling"):
        return Overdrawn(_("The balance does not cover this amount."))
    if constraint == "finance_entry_reverses_id_key":
        return AlreadyReversed(_("This ledger entry was reversed before."))
    return error
