"""The verifier names every row that was tampered with behind the application's back."""

import json
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command

from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import Earning, Entry, Payment, PayoutItem, Posting
from backoffice.finance.services import payments, payouts, providers, snapshots, verification
from integrations.stripe.fake.running import RunningFake
from tests.factories import finance, sales

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books() -> None:
    creator = finance.payable()
    finance.earned(creator, 100_00)
    finance.approved(creator, 50_00)


def found() -> dict[str, str]:
    return {problem.rule: problem.subject for problem in verification.run()}


@pytest.fixture
def history(stripe: RunningFake) -> None:
    """A payout that arrived, a refund after it, one before the release, a debt and its recovery."""
    creator = finance.payable(connected=True)
    finance.earned(creator, 100_00)
    item = payouts.execute(run=finance.approved(creator, 60_00)).items.get()
    payouts.send_item(item_id=item.pk)
    stripe.run_scheduled()
    item.refresh_from_db()
    payouts.settle_from_provider(
        payout=providers.stripe().retrieve_payout(item.payout_id, account=item.account.provider_account_id)
    )
    first = Payment.objects.get()
    payments.record_refunded(payment=first, cumulative_minor=33_33, currency="USD")
    payments.record_refunded(payment=first, cumulative_minor=100_00, currency="USD")
    finance.earned(creator, 50_00, days_ago=20)
    waiting = sales.sale(sales.published(creator, price_minor=20_00), at=clock.now())
    payments.record_refunded(payment=waiting, cumulative_minor=5_00, currency="USD")


def test_a_history_of_payouts_refunds_and_debts_is_sound(history: None) -> None:
    assert found() == {}
    assert Payment.objects.filter(status="refunded").exists()


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE finance_earning SET refunded_minor = 0", "clawback_differs"),
        ("UPDATE finance_earning SET allocated_minor = 0 WHERE status = 'released'", "allocated_differs"),
        ("UPDATE finance_refund SET amount_minor = amount_minor - 1", "refund_entry_differs"),
        ("DELETE FROM finance_refund", "refund_without_row"),
        ("UPDATE finance_entry SET key = 'other:' || id WHERE kind = 'payout_transfer'", "key_differs"),
        ("UPDATE finance_entry SET key = 'other:' || id WHERE kind = 'sale'", "key_differs"),
        (
            "UPDATE finance_commissionline SET amount_minor = 1 WHERE component = 'commission'",
            "commission_line_altered",
        ),
        ("UPDATE finance_commissionline SET percent_bp = 1000", "commission_line_altered"),
        ("UPDATE finance_payoutitem SET transfer_id = 'tr_other' WHERE transfer_id <> ''", "payout_call_differs"),
        ("UPDATE finance_payoutitem SET payout_id = 'po_other'", "payout_call_differs"),
        ("UPDATE finance_payoutitem SET net_minor = net_minor - 1, fee_minor = fee_minor + 1", "payout_call_differs"),
        ("UPDATE finance_payoutitem SET bank_reference = ''", "paid_without_reference"),
        ("UPDATE finance_payoutitem SET status = 'returned'", "creator_money_differs"),
        ("DELETE FROM finance_attempt WHERE operation = 'payout'", "payout_call_differs"),
        ("DELETE FROM approvals_approval", "payout_approval_missing"),
        ("UPDATE approvals_approval SET revision = 7", "payout_approval_missing"),
        ("UPDATE approvals_approvalrequest SET fingerprint = 'x'", "payout_approval_missing"),
        ("UPDATE approvals_approvalrequest SET revision = 2", "payout_approval_missing"),
        ("UPDATE approvals_approvalrequest SET status = 'withdrawn'", "payout_approval_missing"),
        ("UPDATE approvals_approvalrequest SET subject_id = 'x'", "payout_approval_missing"),
        (
            "UPDATE finance_payoutrun SET requested_by_id = (SELECT approver_id FROM approvals_approval)",
            "payout_approval_missing",
        ),
    ],
)
def test_a_tampered_history_is_named(
    history: None, owner_connection: psycopg.Connection, statement: str, rule: str
) -> None:
    owner_connection.execute(statement)
    assert rule in found()


@pytest.mark.parametrize(
    ("kind", "rule"), [("creator_available", "creator_money_differs"), ("creator_pending", "pending_differs")]
)
def test_an_account_given_to_another_creator_is_named(
    history: None, owner_connection: psycopg.Connection, kind: str, rule: str
) -> None:
    finance.earned(Creator.objects.get(), 80_00, days_ago=20)
    other = finance.payable()
    owner_connection.execute("UPDATE finance_account SET creator_id = %s WHERE kind = %s", [other.pk, kind])
    assert rule in found()


def test_sound_books_have_no_problem(books: None) -> None:
    output = StringIO()
    call_command("verify_ledger", stdout=output)
    assert "The ledger is right." in output.getvalue()


SALE = "(SELECT id FROM finance_entry WHERE kind = 'sale')"
CLEARING = f"entry_id = {SALE} AND amount = -10000"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (f"UPDATE finance_posting SET amount = -9999 WHERE {CLEARING}", "entry_unbalanced"),
        (f"UPDATE finance_posting SET amount = -9999 WHERE {CLEARING}", "trial_balance"),
        (f"UPDATE finance_posting SET amount = amount * 2 WHERE entry_id = {SALE}", "entry_altered"),
        (f"UPDATE finance_posting SET amount = amount * 2 WHERE entry_id = {SALE}", "sale_differs"),
        (f"DELETE FROM finance_posting WHERE entry_id = {SALE} AND amount < 0", "entry_unbalanced"),
        (f"DELETE FROM finance_posting WHERE entry_id = {SALE}", "too_few_postings"),
        (f"DELETE FROM finance_seal WHERE entry_id = {SALE}", "entry_not_sealed"),
        ("DELETE FROM finance_entry WHERE kind = 'sale'", "orphan_posting"),
        ("DELETE FROM finance_entry WHERE kind = 'sale'", "seal_without_entry"),
        ("DELETE FROM finance_entry WHERE kind = 'sale'", "payment_without_entry"),
        ("UPDATE finance_entry SET effective_date = '2020-01-01' WHERE kind = 'sale'", "entry_altered"),
        (
            "UPDATE finance_posting SET currency = 'EUR' WHERE id = (SELECT max(id) FROM finance_posting)",
            "wrong_currency",
        ),
        ("UPDATE finance_balance SET amount = amount - 1 WHERE amount > 0", "balance_differs"),
        ("DELETE FROM finance_balance", "balance_differs"),
        ("UPDATE finance_balance SET floor = -100000 WHERE floor = 0", "balance_out_of_bounds"),
        ("UPDATE finance_payment SET amount_minor = 20000", "sale_differs"),
        ("UPDATE finance_payment SET status = 'failed', sale_entry_id = NULL", "sale_without_payment"),
        ("UPDATE finance_payment SET refunded_minor = 1", "refund_differs"),
        ("UPDATE finance_commissionline SET amount_minor = 1 WHERE component = 'processing'", "commission_differs"),
        ("UPDATE finance_earning SET amount_minor = 9999", "earning_differs"),
        ("UPDATE finance_earning SET status = 'pending', released_at = NULL, allocated_minor = 0", "release_differs"),
        ("UPDATE commerce_purchase SET status = 'pending'", "payment_without_purchase"),
        ("UPDATE finance_payment SET status = 'refunded'", "purchase_without_payment"),
        ("UPDATE finance_payoutitem SET in_transit_minor = 0", "in_transit_differs"),
        ("UPDATE finance_payoutitem SET status = 'sent'", "payout_transfer_differs"),
        ("UPDATE finance_payoutitem SET status = 'paid', in_transit_minor = 0", "payout_paid_differs"),
        ("DELETE FROM approvals_approval", "payout_approval_missing"),
        ("UPDATE approvals_approvalrequest SET needed = 2", "payout_approval_missing"),
        ("UPDATE finance_payoutrun SET snapshot_hash = 'x'", "payout_approval_missing"),
        ("UPDATE finance_payoutrun SET currency = 'EUR'", "payout_approval_missing"),
        ("UPDATE finance_allocation SET amount_minor = 99999", "allocation_differs"),
    ],
)
def test_a_tampered_row_is_named(books: None, owner_connection: psycopg.Connection, statement: str, rule: str) -> None:
    owner_connection.execute(statement)
    assert rule in found()


def test_a_second_and_a_false_reversal_are_named(books: None, owner_connection: psycopg.Connection) -> None:
    sale = Entry.objects.get(kind="sale")
    owner_connection.execute("ALTER TABLE finance_entry DROP CONSTRAINT finance_entry_reverses_id_key")
    try:
        owner_connection.execute("UPDATE finance_entry SET reverses_id = %s WHERE kind <> 'sale'", [sale.pk])
        assert {"second_reversal", "reversal_differs"} <= set(found())
    finally:
        owner_connection.execute("UPDATE finance_entry SET reverses_id = NULL")
        owner_connection.execute(
            "ALTER TABLE finance_entry ADD CONSTRAINT finance_entry_reverses_id_key UNIQUE (reverses_id)"
        )


def test_a_false_snapshot_is_named(books: None, owner_connection: psycopg.Connection) -> None:
    assert snapshots.take(at=clock.now() + timedelta(hours=2)) > 0
    assert found() == {}
    owner_connection.execute("UPDATE finance_accountsnapshot SET amount = amount + 1")
    assert "snapshot_differs" in found()


def test_the_command_names_the_row_and_exits_with_1(books: None, owner_connection: psycopg.Connection) -> None:
    sale = Entry.objects.get(kind="sale")
    owner_connection.execute("UPDATE finance_posting SET amount = -9999 WHERE amount = -10000")
    output = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verify_ledger", "--json", stdout=output)
    assert stop.value.code == 1
    report = json.loads(output.getvalue())
    assert report["ok"] is False
    assert {"rule": "entry_unbalanced", "subject": f"entry {sale.pk}", "detail": "1 USD left over"} in report[
        "problems"
    ]


def test_the_books_of_these_tests_are_not_empty(books: None) -> None:
    assert Payment.objects.count() == Earning.objects.count() == PayoutItem.objects.count() == 1
    assert Posting.objects.count() >= 8
