"""Recomputes the books: every rule of the ledger, every balance, and payments, earnings and payouts against entries."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from backoffice.finance.policies import fingerprints
from backoffice.finance.services.refunds import checks


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where: a stable rule code, the table and row, and the numbers."""

    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.detail}"


# rule, what the rows are called, SQL whose rows are (id, detail)
CHECKS: list[tuple[str, str, str]] = [
    (
        "entry_not_sealed",
        "entry",
        """SELECT entry.id, 'kind ' || entry.kind FROM finance_entry entry
            LEFT JOIN finance_seal seal ON seal.entry_id = entry.id WHERE seal.entry_id IS NULL""",
    ),
    (
        "seal_without_entry",
        "seal",
        """SELECT seal.entry_id, 'no such entry' FROM finance_seal seal
            LEFT JOIN finance_entry entry ON entry.id = seal.entry_id WHERE entry.id IS NULL""",
    ),
    (
        "too_few_postings",
        "entry",
        """SELECT entry.id, count(posting.id) || ' postings' FROM finance_entry entry
            LEFT JOIN finance_posting posting ON posting.entry_id = entry.id
            GROUP BY entry.id HAVING count(posting.id) < 2""",
    ),
    (
        "entry_unbalanced",
        "entry",
        """SELECT entry_id, sum(amount) || ' ' || currency || ' left over' FROM finance_posting
            GROUP BY entry_id, currency HAVING sum(amount) <> 0""",
    ),
    (
        "orphan_posting",
        "posting",
        """SELECT posting.id, 'entry ' || posting.entry_id || ', account ' || posting.account_id
            FROM finance_posting posting
            LEFT JOIN finance_entry entry ON entry.id = posting.entry_id
            LEFT JOIN finance_account account ON account.id = posting.account_id
            WHERE entry.id IS NULL OR account.id IS NULL""",
    ),
    (
        "wrong_currency",
        "posting",
        """SELECT posting.id, posting.currency || ' on an account in ' || account.currency
            FROM finance_posting posting JOIN finance_account account ON account.id = posting.account_id
            WHERE posting.currency <> account.currency""",
    ),
    ("zero_posting", "posting", "SELECT id, 'amount 0' FROM finance_posting WHERE amount = 0"),
    (
        "balance_differs",
        "account",
        """SELECT account.id, account.kind || ': balance ' || coalesce(balance.amount::text, 'missing') || ', postings '
                || coalesce(sums.total, 0) || ' ' || account.currency
            FROM finance_account account
            LEFT JOIN finance_balance balance ON balance.account_id = account.id
            LEFT JOIN (SELECT account_id, sum(amount) AS total FROM finance_posting GROUP BY account_id) sums
              ON sums.account_id = account.id
            WHERE account.kind IN ('creator_pending', 'creator_available', 'creator_in_transit', 'creator_receivable',
                                   'customer_credit')
              AND balance.amount IS DISTINCT FROM coalesce(sums.total, 0)""",
    ),
    (
        "balance_out_of_bounds",
        "account",
        """SELECT balance.account_id, account.kind || ': ' || balance.amount || ' ' || account.currency
            FROM finance_balance balance JOIN finance_account account ON account.id = balance.account_id
            WHERE (account.kind <> 'creator_receivable' AND (balance.amount < 0 OR balance.floor IS DISTINCT FROM 0))
               OR (account.kind = 'creator_receivable'
                   AND (balance.amount > 0 OR balance.ceiling IS DISTINCT FROM 0))""",
    ),
    (
        "snapshot_differs",
        "account",
        """SELECT snapshot.account_id, 'snapshot of ' || snapshot.taken_on || ': ' || snapshot.amount || ', postings '
                || coalesce(sum(posting.amount), 0)
            FROM finance_accountsnapshot snapshot
            LEFT JOIN finance_posting posting
              ON posting.account_id = snapshot.account_id AND posting.id <= snapshot.through_id
            GROUP BY snapshot.id HAVING snapshot.amount <> coalesce(sum(posting.amount), 0)""",
    ),
    (
        "trial_balance",
        "currency",
        "SELECT currency, sum(amount) || ' left over' FROM finance_posting GROUP BY currency HAVING sum(amount) <> 0",
    ),
    (
        "second_reversal",
        "entry",
        """SELECT reverses_id, count(*) || ' reversals' FROM finance_entry WHERE reverses_id IS NOT NULL
            GROUP BY reverses_id HAVING count(*) > 1""",
    ),
    (
        "reversal_differs",
        "entry",
        """SELECT entry.id, 'does not undo entry ' || entry.reverses_id FROM finance_entry entry
            WHERE entry.reverses_id IS NOT NULL AND EXISTS (
              SELECT 1 FROM finance_posting posting WHERE posting.entry_id IN (entry.id, entry.reverses_id)
              GROUP BY posting.account_id HAVING sum(posting.amount) <> 0)""",
    ),
    (
        "payment_without_entry",
        "payment",
        """SELECT payment.reference, payment.status || ' without a sale entry' FROM finance_payment payment
            LEFT JOIN finance_entry entry ON entry.id = payment.sale_entry_id AND entry.kind = 'sale'
            WHERE payment.status IN ('captured', 'partially_refunded', 'refunded', 'disputed', 'charged_back')
              AND entry.id IS NULL""",
    ),
    (
        "sale_differs",
        "payment",
        """SELECT payment.reference, 'clearing ' || coalesce(-sums.total, 0) || ', payment ' || payment.amount_minor
            FROM finance_payment payment
            LEFT JOIN LATERAL (
              SELECT sum(posting.amount) AS total FROM finance_posting posting
                JOIN finance_account account ON account.id = posting.account_id
                WHERE posting.entry_id = payment.sale_entry_id AND account.kind = 'provider_clearing'
                  AND account.currency = payment.currency AND account.provider = payment.provider) sums ON true
            WHERE payment.sale_entry_id IS NOT NULL AND coalesce(-sums.total, 0) <> payment.amount_minor""",
    ),
    (
        "sale_without_payment",
        "entry",
        """SELECT entry.id, 'sale entry of no payment' FROM finance_entry entry
            LEFT JOIN finance_payment payment ON payment.sale_entry_id = entry.id
            WHERE entry.kind = 'sale' AND payment.id IS NULL
              AND NOT EXISTS (SELECT 1 FROM finance_entry other WHERE other.reverses_id = entry.id)""",
    ),
    (
        "commission_differs",
        "payment",
        """SELECT payment.reference, 'processing lines ' || sums.lines || ', posted ' || sums.posted
            FROM finance_payment payment
            CROSS JOIN LATERAL (
              SELECT (SELECT coalesce(sum(line.amount_minor), 0) FROM finance_commissionline line
                       WHERE line.payment_id = payment.id AND line.component = 'processing') AS lines,
                     (SELECT coalesce(sum(posting.amount), 0) FROM finance_posting posting
                        JOIN finance_account account ON account.id = posting.account_id
                       WHERE posting.entry_id = payment.sale_entry_id AND account.kind = 'processing_fees') AS posted
            ) sums
            WHERE payment.sale_entry_id IS NOT NULL AND sums.lines <> sums.posted""",
    ),
    (
        # The screen says why a cent went where it went: rate, rule and amount have to agree.
        "commission_line_altered",
        "commission line",
        """SELECT line.id, line.component || ' of payment ' || payment.reference || ': ' || line.amount_minor
            FROM finance_commissionline line
            JOIN finance_payment payment ON payment.id = line.payment_id
            LEFT JOIN finance_ruleversion rule ON rule.id = line.rule_id
            WHERE line.base_minor <> payment.amount_minor OR line.currency <> payment.currency
               OR line.percent_bp IS DISTINCT FROM rule.percent_bp OR line.fixed_minor IS DISTINCT FROM rule.fixed_minor
               OR line.amount_minor <> least(greatest(
                    round(line.base_minor * line.percent_bp / 10000.0) + line.fixed_minor,
                    coalesce(rule.min_minor, -9223372036854775808)), coalesce(rule.max_minor, 9223372036854775807))""",
    ),
    (
        # A key that was changed lets the same fact be posted a second time.
        "key_differs",
        "entry",
        """SELECT entry.id, entry.kind || ' of ' || entry.source_id || ' has the key ' || entry.key
            FROM finance_entry entry
            JOIN (VALUES ('sale', 'sale'), ('provider_fee', 'provider-fee'), ('refund', 'refund'),
                         ('earning_release', 'earning-release'), ('payout_approval', 'payout-approval'),
                         ('payout_void', 'payout-void'), ('payout_transfer', 'payout-transfer'),
                         ('payout_paid', 'payout-paid'), ('payout_bounce', 'payout-bounce')) AS known (kind, prefix)
              ON known.kind = entry.kind
            WHERE entry.key <> known.prefix || ':' || entry.source_id
              AND NOT starts_with(entry.key, known.prefix || ':' || entry.source_id || ':')""",
    ),
    (
        "earning_differs",
        "payment",
        """SELECT payment.reference, 'earning ' || coalesce(earning.amount_minor, 0) || ', posted '
                || coalesce(sums.total, 0)
            FROM finance_payment payment
            LEFT JOIN finance_earning earning ON earning.payment_id = payment.id
            LEFT JOIN LATERAL (
              SELECT sum(posting.amount) AS total FROM finance_posting posting
                JOIN finance_account account ON account.id = posting.account_id
                WHERE posting.entry_id = payment.sale_entry_id AND account.kind = 'creator_pending') sums ON true
            WHERE payment.sale_entry_id IS NOT NULL
              AND coalesce(earning.amount_minor, 0) <> coalesce(sums.total, 0)""",
    ),
    (
        "refund_differs",
        "payment",
        """SELECT payment.reference, 'refunded ' || payment.refunded_minor || ', refunds ' || coalesce(sums.total, 0)
            FROM finance_payment payment
            LEFT JOIN (SELECT refund.payment_id, sum(refund.amount_minor) AS total FROM finance_refund refund
                        WHERE NOT EXISTS (SELECT 1 FROM finance_refundreversal back WHERE back.refund_id = refund.id)
                        GROUP BY refund.payment_id) sums
              ON sums.payment_id = payment.id
            WHERE payment.refunded_minor <> coalesce(sums.total, 0)""",
    ),
    (
        "refund_entry_differs",
        "payment",
        """SELECT payment.reference, 'refund ' || refund.amount_minor || ', posted ' || coalesce(sums.total, 0)
            FROM finance_refund refund JOIN finance_payment payment ON payment.id = refund.payment_id
            LEFT JOIN LATERAL (
              SELECT sum(posting.amount) AS total FROM finance_posting posting
                JOIN finance_account account ON account.id = posting.account_id
                JOIN finance_entry entry ON entry.id = posting.entry_id AND entry.kind = 'refund'
                WHERE posting.entry_id = refund.entry_id AND account.kind = 'provider_clearing'
                  AND account.currency = payment.currency AND account.provider = payment.provider) sums ON true
            WHERE coalesce(sums.total, 0) <> refund.amount_minor""",
    ),
    (
        "refund_without_row",
        "entry",
        """SELECT entry.id, 'refund entry that no refund names' FROM finance_entry entry
            LEFT JOIN finance_refund refund ON refund.entry_id = entry.id
            WHERE entry.kind = 'refund' AND refund.id IS NULL
              AND NOT EXISTS (SELECT 1 FROM finance_entry back WHERE back.reverses_id = entry.id)""",
    ),
    (
        "clawback_differs",
        "earning",
        """SELECT earning.id, 'taken back ' || earning.refunded_minor || ', posted ' || coalesce(-sums.total, 0)
            FROM finance_earning earning
            LEFT JOIN (
              SELECT refund.payment_id, sum(posting.amount) AS total FROM finance_refund refund
                JOIN finance_posting posting ON posting.entry_id = refund.entry_id
                JOIN finance_account account ON account.id = posting.account_id
               WHERE account.kind IN ('creator_pending', 'creator_available', 'creator_receivable')
                 AND NOT EXISTS (SELECT 1 FROM finance_refundreversal back WHERE back.refund_id = refund.id)
               GROUP BY refund.payment_id) sums ON sums.payment_id = earning.payment_id
            WHERE coalesce(-sums.total, 0) <> earning.refunded_minor""",
    ),
    (
        "purchase_without_payment",
        "purchase",
        """SELECT purchase.reference, 'paid without a captured payment' FROM commerce_purchase purchase
            WHERE purchase.status = 'paid' AND NOT EXISTS (
              SELECT 1 FROM finance_payment payment WHERE payment.purchase_id = purchase.id
                AND payment.status IN ('captured', 'partially_refunded', 'disputed'))""",
    ),
    (
        "payment_without_purchase",
        "payment",
        """SELECT payment.reference, 'captured, but purchase ' || purchase.reference || ' is ' || purchase.status
            FROM finance_payment payment JOIN commerce_purchase purchase ON purchase.id = payment.purchase_id
            WHERE payment.status IN ('captured', 'partially_refunded') AND purchase.status <> 'paid'""",
    ),
    (
        "release_differs",
        "earning",
        """SELECT earning.id, earning.status || ', release entry '
                || coalesce(entry.id::text, elsewhere.id::text, 'missing')
            FROM finance_earning earning
            LEFT JOIN finance_entry entry ON entry.key = 'earning-release:' || earning.id
            LEFT JOIN finance_entry elsewhere ON elsewhere.key = 'legacy-paid-out:' || earning.payment_id
            WHERE (earning.status = 'released') <> (entry.id IS NOT NULL OR elsewhere.id IS NOT NULL)
              AND NOT (earning.status = 'released' AND earning.amount_minor - earning.refunded_minor <= 0)""",
    ),
    (
        "pending_differs",
        "creator",
        """SELECT coalesce(ledger.creator_id, earned.creator_id), 'ledger ' || coalesce(ledger.amount, 0)
                || ', earnings in the refund window ' || coalesce(earned.amount, 0) || ' '
                || coalesce(ledger.currency, earned.currency)
            FROM (SELECT account.creator_id, account.currency, sum(posting.amount) AS amount
                    FROM finance_posting posting JOIN finance_account account ON account.id = posting.account_id
                    JOIN finance_entry entry ON entry.id = posting.entry_id
                    LEFT JOIN finance_entry undone ON undone.id = entry.reverses_id
                   WHERE account.kind = 'creator_pending'
                     AND (coalesce(undone.kind, entry.kind) <> 'adjustment'
                          OR starts_with(entry.key, 'legacy-paid-out:'))
                   GROUP BY account.creator_id, account.currency) ledger
            FULL JOIN (SELECT creator_id, currency, sum(amount_minor - refunded_minor) AS amount FROM finance_earning
                        WHERE status = 'pending' GROUP BY creator_id, currency) earned
              ON earned.creator_id = ledger.creator_id AND earned.currency = ledger.currency
            WHERE coalesce(ledger.amount, 0) <> coalesce(earned.amount, 0)""",
    ),
    (
        # What was released and neither refunded nor paid is what the creator has: whoever moved an account, an earning
        # or a payout to another creator is seen here.
        "creator_money_differs",
        "creator",
        """SELECT coalesce(ledger.creator_id, rows.creator_id), 'ledger ' || coalesce(ledger.amount, 0)
                || ', earnings less payouts ' || coalesce(rows.amount, 0) || ' '
                || coalesce(ledger.currency, rows.currency)
            FROM (SELECT account.creator_id, account.currency, sum(posting.amount) AS amount
                    FROM finance_posting posting JOIN finance_account account ON account.id = posting.account_id
                    JOIN finance_entry entry ON entry.id = posting.entry_id
                    LEFT JOIN finance_entry undone ON undone.id = entry.reverses_id
                   WHERE account.kind IN ('creator_available', 'creator_in_transit', 'creator_receivable')
                     AND coalesce(undone.kind, entry.kind) <> 'adjustment'
                   GROUP BY account.creator_id, account.currency) ledger
            FULL JOIN (SELECT creator_id, currency, sum(amount) AS amount FROM (
                         SELECT earning.creator_id, earning.currency, earning.amount_minor - earning.refunded_minor
                                - CASE WHEN elsewhere.on_pending THEN earning.amount_minor ELSE 0 END AS amount
                           FROM finance_earning earning
                           LEFT JOIN LATERAL (
                             SELECT true AS on_pending FROM finance_entry entry
                               JOIN finance_posting posting ON posting.entry_id = entry.id
                               JOIN finance_account account ON account.id = posting.account_id
                              WHERE entry.key = 'legacy-paid-out:' || earning.payment_id
                                AND account.kind = 'creator_pending') elsewhere ON true
                          WHERE earning.status = 'released'
                         UNION ALL
                         SELECT creator_id, currency, -gross_minor FROM finance_payoutitem WHERE status = 'paid'
                       ) parts GROUP BY creator_id, currency) rows
              ON rows.creator_id = ledger.creator_id AND rows.currency = ledger.currency
            WHERE coalesce(ledger.amount, 0) <> coalesce(rows.amount, 0)""",
    ),
    (
        "allocated_differs",
        "earning",
        """SELECT earning.id, 'in payouts ' || earning.allocated_minor || ', payouts name ' || sums.total
            FROM finance_earning earning
            JOIN (SELECT earning_id, sum(amount_minor) AS total FROM finance_allocation WHERE live GROUP BY earning_id)
              sums ON sums.earning_id = earning.id
            WHERE earning.allocated_minor < sums.total""",
    ),
    (
        "in_transit_differs",
        "creator",
        """SELECT coalesce(ledger.creator_id, items.creator_id), 'ledger ' || coalesce(ledger.amount, 0) || ', payouts '
                || coalesce(items.amount, 0) || ' ' || coalesce(ledger.currency, items.currency)
            FROM (SELECT account.creator_id, account.currency, balance.amount FROM finance_balance balance
                    JOIN finance_account account ON account.id = balance.account_id
                   WHERE account.kind = 'creator_in_transit') ledger
            FULL JOIN (SELECT creator_id, currency, sum(in_transit_minor) AS amount FROM finance_payoutitem
                        GROUP BY creator_id, currency) items
              ON items.creator_id = ledger.creator_id AND items.currency = ledger.currency
            WHERE coalesce(ledger.amount, 0) <> coalesce(items.amount, 0)""",
    ),
    (
        "payout_transfer_differs",
        "payout",
        """SELECT item.id, item.status || ', transfer ' || coalesce(nullif(item.transfer_id, ''), 'none')
                || ', entries ' || count(entry.id)
            FROM finance_payoutitem item
            LEFT JOIN finance_entry entry ON entry.kind = 'payout_transfer' AND entry.source_type = 'finance.payoutitem'
              AND entry.source_id = item.id::text
            GROUP BY item.id
            HAVING (item.transfer_id <> '')::int <> count(entry.id)
                OR (item.status IN ('sent', 'paid') AND item.transfer_id = '')""",
    ),
    (
        "payout_paid_differs",
        "payout",
        """SELECT item.id, item.status || ', open paid entries ' || count(entry.id)
            FROM finance_payoutitem item
            LEFT JOIN finance_entry entry ON entry.kind = 'payout_paid' AND entry.source_type = 'finance.payoutitem'
              AND entry.source_id = item.id::text
              AND NOT EXISTS (SELECT 1 FROM finance_entry back WHERE back.reverses_id = entry.id)
            GROUP BY item.id HAVING (item.status = 'paid')::int <> count(entry.id)""",
    ),
    (
        # As many people as were asked for, none of whom asked for it, said yes to exactly this preview.
        "payout_approval_missing",
        "payout run",
        """SELECT run.reference, run.status || ' with ' || coalesce(consent.given, 0) || ' of ' || wanted.people
                || ' approvals by people other than who asked for it'
            FROM finance_payoutrun run
            LEFT JOIN LATERAL (
              SELECT request.needed, (SELECT count(DISTINCT approval.approver_id) FROM approvals_approval approval
                        WHERE approval.request_id = request.id AND approval.revision = request.revision
                          AND approval.approver_id <> run.requested_by_id) AS given
                FROM approvals_approvalrequest request
               WHERE request.kind = 'payout' AND request.subject_type = 'finance.payoutrun'
                 AND request.subject_id = run.id::text AND request.requested_by_id = run.requested_by_id
                 AND request.revision = run.revision AND request.fingerprint = run.snapshot_hash
                 AND request.status IN ('approved', 'applied')
               ORDER BY request.id DESC LIMIT 1) consent ON true
            CROSS JOIN LATERAL (SELECT greatest(
              coalesce(consent.needed, 1), CASE run.currency WHEN 'USD' THEN 1 ELSE 2 END) AS people) wanted
            WHERE coalesce(consent.given, 0) < wanted.people
              AND (run.status IN ('approved', 'executing', 'settled', 'partially_failed') OR EXISTS (
                SELECT 1 FROM finance_payoutitem item WHERE item.run_id = run.id
                   AND (item.in_transit_minor <> 0 OR item.transfer_id <> ''
                        OR item.status IN ('submitting', 'unknown', 'needs_human', 'sent', 'paid', 'failed'))))""",
    ),
    (
        # The bank reference hangs on the provider's ids; they hang on the calls that were made.
        "payout_call_differs",
        "payout",
        """SELECT item.id, item.status || ', ' || wanted.operation || ' ' || wanted.provider_id
                || ' was not called for ' || item.net_minor || ' ' || item.currency
            FROM finance_payoutitem item
            CROSS JOIN LATERAL (VALUES ('transfer', item.transfer_id), ('payout', item.payout_id))
              AS wanted (operation, provider_id)
            WHERE wanted.provider_id <> '' AND NOT EXISTS (
              SELECT 1 FROM finance_attempt attempt
               WHERE attempt.subject_id = item.id AND attempt.operation = wanted.operation
                 AND attempt.provider_id = wanted.provider_id AND attempt.status IN ('done', 'undone')
                 AND (attempt.request->>'amount')::bigint = item.net_minor
                 AND attempt.request->>'currency' = item.currency)""",
    ),
    (
        "paid_without_reference",
        "payout",
        """SELECT item.id, 'paid without a bank reference' FROM finance_payoutitem item
            WHERE item.status = 'paid' AND item.bank_reference = ''""",
    ),
    (
        "allocation_differs",
        "payout",
        """SELECT item.id, 'allocated ' || coalesce(sum(allocation.amount_minor), 0) || ' of ' || item.gross_minor
            FROM finance_payoutitem item
            LEFT JOIN finance_allocation allocation ON allocation.item_id = item.id AND allocation.live
            GROUP BY item.id HAVING coalesce(sum(allocation.amount_minor), 0) > item.gross_minor""",
    ),
]

HASHES = """
SELECT entry.id, entry.kind, entry.effective_date, entry.source_type, entry.source_id, entry.reverses_id,
       entry.data::text, entry.input_hash,
       (SELECT json_agg(json_build_array(posting.account_id, posting.currency, posting.amount))::text
          FROM finance_posting posting WHERE posting.entry_id = entry.id) AS lines
  FROM finance_entry entry ORDER BY entry.id
"""


def run() -> list[Problem]:
    """Every difference found; empty when the books are right. Each check sees one moment of the database."""
    with transaction.atomic():
        return [*_checks(), *_hashes()]


def _checks() -> Iterator[Problem]:
    with connection.cursor() as cursor:
        for rule, subject, statement in (*CHECKS, *checks.CHECKS):
            cursor.execute(statement)
            for identity, detail in cursor.fetchall():
                yield Problem(rule, f"{subject} {identity}", str(detail))


def _hashes() -> Iterator[Problem]:
    """An entry whose postings were changed and still balance is caught by the hash of what was asked for."""
    with connection.cursor() as outer:
        assert outer.connection is not None
        with outer.connection.cursor(name="finance_verify") as cursor:
            cursor.execute(HASHES)
            while rows := cursor.fetchmany(2000):
                for row in rows:
                    yield from _check_hash(*row)


def _check_hash(
    identity: int,
    kind: str,
    effective_date: Any,
    source_type: str,
    source_id: str,
    reverses_id: int | None,
    data: str,
    stored: str,
    lines: str | None,
) -> Iterator[Problem]:
    expected = fingerprints.entry(
        kind=kind,
        effective_date=effective_date,
        source_type=source_type,
        source_id=source_id,
        reverses_id=reverses_id,
        data=json.loads(data),
        lines=[(account, currency, amount) for account, currency, amount in json.loads(lines or "[]")],
    )
    if expected != stored:
        yield Problem("entry_altered", f"entry {identity}", "its contents are not what was posted")
