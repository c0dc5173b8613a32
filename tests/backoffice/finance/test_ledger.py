"""The ledger's rules, each shown to be the database's own by raw SQL as the application's role."""

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import Account, AccountKind, Balance, Entry, EntryKind, Posting
from backoffice.finance.services import accounts, ledger
from tests import statements
from tests.factories import creators

TODAY = date(2026, 3, 1)
CASH = accounts.platform(AccountKind.PLATFORM_CASH, "USD")
COMMISSION = accounts.platform(AccountKind.PLATFORM_COMMISSION, "USD")


@pytest.fixture
def creator(db: None) -> Creator:
    return creators.creator()


def post(creator: Creator, *lines: tuple[Any, int], key: str = "first", **fields: Any) -> Entry:
    values = {"kind": EntryKind.ADJUSTMENT, "source": creator, "by": None, "effective_date": TODAY, **fields}
    return ledger.post(key=key, postings=list(lines), **values)


def available(creator: Creator, currency: str = "USD") -> accounts.Name:
    return accounts.creator(AccountKind.CREATOR_AVAILABLE, creator, currency)


def balance(creator: Creator, kind: AccountKind = AccountKind.CREATOR_AVAILABLE, currency: str = "USD") -> int:
    return Balance.objects.get(account__creator=creator, account__kind=kind, account__currency=currency).amount


def test_an_entry_has_its_postings_and_moves_the_creators_balance(creator: Creator) -> None:
    entry = post(creator, (CASH, -500), (available(creator), 500))
    assert sorted(entry.postings.values_list("amount", flat=True)) == [-500, 500]
    assert balance(creator) == 500
    assert Entry.objects.get(pk=entry.pk).seal is not None


def test_the_same_key_and_input_give_the_first_entry(creator: Creator) -> None:
    first = post(creator, (CASH, -500), (available(creator), 500))
    again = post(creator, (available(creator), 500), (CASH, -500))
    assert again.pk == first.pk
    assert balance(creator) == 500


def test_the_same_key_with_another_input_is_refused(creator: Creator) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    with pytest.raises(ledger.KeyReused):
        post(creator, (CASH, -501), (available(creator), 501))
    assert balance(creator) == 500


def test_amounts_that_do_not_balance_never_reach_the_database(creator: Creator) -> None:
    with pytest.raises(ledger.Unbalanced):
        post(creator, (CASH, -500), (available(creator), 499))
    with pytest.raises(ledger.Unbalanced):
        post(creator, (CASH, 0), (available(creator), 0))


def test_each_currency_balances_on_its_own(creator: Creator) -> None:
    with pytest.raises(ledger.Unbalanced):
        post(creator, (CASH, -500), (available(creator, "EUR"), 500))
    lines = ledger.exchange(source_currency="USD", source_minor=500, target_currency="EUR", target_minor=460)
    post(creator, (CASH, -500), *lines, (available(creator, "EUR"), 460))
    assert balance(creator, currency="EUR") == 460


def test_an_entry_is_reversed_once(creator: Creator) -> None:
    entry = post(creator, (CASH, -500), (available(creator), 500))
    ledger.reverse(entry=entry, key="undo", source=creator, by=None, effective_date=TODAY)
    assert balance(creator) == 0
    with pytest.raises(ledger.AlreadyReversed):
        ledger.reverse(entry=entry, key="undo-again", source=creator, by=None, effective_date=TODAY)
    assert balance(creator) == 0


def test_available_money_never_falls_below_zero(creator: Creator) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    with pytest.raises(ledger.Overdrawn):
        post(creator, (CASH, 501), (available(creator), -501), key="too much")
    assert balance(creator) == 500


def test_what_a_creator_owes_cannot_be_paid_back_beyond_nothing(creator: Creator) -> None:
    receivable = accounts.creator(AccountKind.CREATOR_RECEIVABLE, creator, "USD")
    post(creator, (COMMISSION, 300), (receivable, -300))
    with pytest.raises(ledger.Overdrawn):
        post(creator, (CASH, -301), (receivable, 301), key="too much")


def test_posting_takes_a_fixed_number_of_statements(creator: Creator) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    # Finding the accounts, the savepoint, the entry with postings and seal, the release of the savepoint.
    assert statements.count(lambda: post(creator, (CASH, -5), (available(creator), 5), key="next")) == 4


# --- The database itself ----------------------------------------------------------------------------------------------


def run(statement: str, arguments: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else []


def raw_entry(key: str = "raw", **fields: Any) -> int:
    values = {"kind": "adjustment", "reverses": None, **fields}
    rows = run(
        "INSERT INTO finance_entry (key, input_hash, kind, effective_date, posted_at, source_type, source_id, memo,"
        " data, reverses_id) VALUES (%s, 'x', %s, %s, %s, 'test', '1', '', '{}', %s) RETURNING id",
        [key, values["kind"], TODAY, clock.now(), values["reverses"]],
    )
    return int(rows[0][0])


def raw_posting(entry: int, account: Account, amount: int, currency: str = "USD") -> None:
    run(
        "INSERT INTO finance_posting (entry_id, account_id, amount, currency) VALUES (%s, %s, %s, %s)",
        [entry, account.pk, amount, currency],
    )


def raw_seal(entry: int) -> None:
    run("INSERT INTO finance_seal (entry_id) VALUES (%s)", [entry])


@pytest.fixture
def cash(db: None) -> Account:
    return accounts.resolve(CASH)[CASH]


@pytest.fixture
def commission(db: None) -> Account:
    return accounts.resolve(COMMISSION)[COMMISSION]


def refused(message: str) -> Any:
    return pytest.raises(DatabaseError, match=message)


def test_the_tests_run_as_the_application_role(db: None) -> None:
    assert run("SELECT current_user, usesuper FROM pg_user WHERE usename = current_user") == [("backlot_app", False)]


def test_the_database_refuses_a_seal_over_an_unbalanced_entry(cash: Account, commission: Account) -> None:
    entry = raw_entry()
    raw_posting(entry, cash, -100)
    raw_posting(entry, commission, 99)
    with refused("does not balance: -1 USD left over"):
        raw_seal(entry)


def test_the_database_refuses_a_seal_over_a_single_posting(cash: Account) -> None:
    entry = raw_entry()
    raw_posting(entry, cash, 1)
    with refused("has 1 postings"):
        raw_seal(entry)


def test_the_database_refuses_a_seal_that_balances_only_across_currencies(cash: Account, creator: Creator) -> None:
    euros = accounts.platform(AccountKind.PLATFORM_CASH, "EUR")
    entry = raw_entry()
    raw_posting(entry, cash, -100)
    raw_posting(entry, accounts.resolve(euros)[euros], 100, "EUR")
    with refused("does not balance"):
        raw_seal(entry)


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_to_commit_an_entry_without_a_seal() -> None:
    names = accounts.resolve(CASH, COMMISSION)
    with refused("finance_entry_sealed"), transaction.atomic():
        entry = raw_entry()
        raw_posting(entry, names[CASH], -100)
        raw_posting(entry, names[COMMISSION], 100)
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_posting_after_the_seal() -> None:
    creator = creators.creator()
    entry = post(creator, (CASH, -500), (available(creator), 500))
    with refused("is sealed and takes no further posting"):
        raw_posting(entry.pk, accounts.resolve(CASH)[CASH], 1)
    with refused("finance_seal_pkey"):
        raw_seal(entry.pk)


def test_the_database_refuses_a_posting_in_another_currency_than_its_account(cash: Account) -> None:
    entry = raw_entry()
    with refused("finance_posting_account_currency"):
        raw_posting(entry, cash, 100, "EUR")


def test_the_database_refuses_a_posting_of_nothing(cash: Account) -> None:
    entry = raw_entry()
    with refused("posting_not_zero"):
        raw_posting(entry, cash, 0)


@pytest.mark.parametrize("table", ["finance_entry", "finance_posting", "finance_seal", "finance_account"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_change_what_is_written(creator: Creator, table: str, statement: str) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    column = "entry_id" if table == "finance_seal" else "id"
    with refused("permission denied"):
        run(statement.format(table, column, column))


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_even_the_owner_of_the_tables_meets_the_triggers(
    transactional_db: None, statement: str, owner_connection: Any
) -> None:
    creator = creators.creator()
    post(creator, (CASH, -500), (available(creator), 500))
    owner_connection.execute("SET session_replication_role = origin")
    with pytest.raises(Exception, match="rows of this table are written once"):
        owner_connection.execute(statement.format("finance_posting"))


def test_the_database_refuses_a_second_reversal(creator: Creator) -> None:
    entry = post(creator, (CASH, -500), (available(creator), 500))
    ledger.reverse(entry=entry, key="undo", source=creator, by=None, effective_date=TODAY)
    with refused("finance_entry_reverses_id_key"):
        raw_entry(kind="reversal", reverses=entry.pk)


def test_the_database_refuses_a_repeated_key(creator: Creator) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    with refused("key"):
        raw_entry(key="first")


def test_the_database_refuses_an_overdraft_whoever_posts(creator: Creator, cash: Account) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    entry = raw_entry()
    raw_posting(entry, cash, 501)
    raw_posting(entry, accounts.resolve(available(creator))[available(creator)], -501)
    with refused("balance_not_below_floor"):
        raw_seal(entry)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE finance_balance SET amount = 1000000",
        "UPDATE finance_balance SET floor = NULL",
        "DELETE FROM finance_balance",
        "INSERT INTO finance_balance (account_id, amount) SELECT id, 5 FROM finance_account",
    ],
)
def test_the_application_cannot_write_balances(creator: Creator, statement: str) -> None:
    post(creator, (CASH, -500), (available(creator), 500))
    with refused("permission denied"):
        run(statement)


def test_an_account_belongs_to_whom_its_kind_asks_for(creator: Creator) -> None:
    with refused("account_owner_fits_kind"):
        Account.objects.create(kind=AccountKind.CREATOR_AVAILABLE, currency="USD")


def test_rows_refuse_to_be_saved_again_or_deleted(creator: Creator) -> None:
    entry = post(creator, (CASH, -500), (available(creator), 500))
    stored = Posting.objects.filter(entry=entry).first()
    assert stored is not None
    with pytest.raises(TypeError, match="written once"):
        stored.save()
    with pytest.raises(TypeError, match="never deleted"):
        stored.delete()
