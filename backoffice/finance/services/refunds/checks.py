"""What the verifier asks about refunds: requests, their approvals and calls, postings, and what came back.

Rule, what the rows are called, SQL whose rows are (id, detail), as in `services.verification`.
"""

CHECKS: list[tuple[str, str, str]] = [
    (
        # Everything that staff gave back is counted, and once.
        "refund_request_not_counted",
        "payment",
        """SELECT payment.reference, 'requests gave back ' || sum(request.amount_minor) || ', counted '
                || payment.refunded_minor
            FROM finance_refundrequest request JOIN finance_payment payment ON payment.id = request.payment_id
            WHERE request.status = 'succeeded'
            GROUP BY payment.id HAVING sum(request.amount_minor) > payment.refunded_minor""",
    ),
    (
        "refund_request_posting_differs",
        "refund request",
        """SELECT request.reference, request.status || ', posting ' || coalesce(refund.id::text, 'none')
            FROM finance_refundrequest request
            LEFT JOIN finance_refund refund ON refund.id = request.refund_id AND refund.payment_id = request.payment_id
              AND NOT EXISTS (SELECT 1 FROM finance_refundreversal back WHERE back.refund_id = refund.id)
            LEFT JOIN finance_entry entry ON entry.id = refund.entry_id AND entry.kind = 'refund'
              AND entry.source_id = request.payment_id::text
            WHERE (request.status = 'succeeded') <> (entry.id IS NOT NULL)""",
    ),
    (
        # What went back hangs on a call that was made for exactly this.
        "refund_request_call_differs",
        "refund request",
        """SELECT request.reference, request.status || ', ' || request.provider_refund_id || ' was not called for '
                || request.amount_minor || ' ' || request.currency
            FROM finance_refundrequest request
            WHERE (request.status = 'succeeded' OR request.provider_refund_id <> '') AND NOT EXISTS (
              SELECT 1 FROM finance_attempt attempt
               WHERE attempt.subject_id = request.id AND attempt.operation = 'refund'
                 AND attempt.provider_id = request.provider_refund_id AND attempt.status IN ('done', 'undone')
                 AND (attempt.request->>'amount')::bigint = request.amount_minor
                 AND attempt.request->>'currency' = request.currency)""",
    ),
    (
        "refund_approval_missing",
        "refund request",
        """SELECT request.reference, request.status || ' without the approvals that it needs'
            FROM finance_refundrequest request
            LEFT JOIN approvals_approvalrequest approval ON approval.id = request.approval_id
              AND approval.kind = 'refund' AND approval.subject_id = request.id::text
              AND approval.requested_by_id = request.requested_by_id
              AND (approval.payload->>'amount_minor')::bigint = request.amount_minor
            WHERE request.status IN ('approved', 'processing', 'unknown', 'needs_human', 'succeeded')
              AND (approval.id IS NULL OR approval.status NOT IN ('approved', 'applied')
                   OR (approval.needed = 0 AND NOT request.is_single_handed)
                   OR approval.needed > (SELECT count(DISTINCT given.approver_id) FROM approvals_approval given
                        JOIN finance_payment payment ON payment.id = request.payment_id
                        WHERE given.request_id = approval.id AND given.revision = approval.revision
                          AND given.approver_id NOT IN (request.requested_by_id, payment.user_id)))""",
    ),
    (
        "refund_asked_for_more_than_paid",
        "payment",
        """SELECT payment.reference, 'asked for ' || sum(request.amount_minor) || ', paid ' || payment.amount_minor
            FROM finance_refundrequest request JOIN finance_payment payment ON payment.id = request.payment_id
            WHERE request.status IN ('requested', 'approved', 'processing', 'unknown', 'needs_human', 'succeeded')
            GROUP BY payment.id HAVING sum(request.amount_minor) > payment.amount_minor""",
    ),
    (
        "refund_reversal_differs",
        "refund",
        """SELECT back.refund_id, 'came back, but entry ' || back.entry_id || ' does not reverse its posting'
            FROM finance_refundreversal back
            JOIN finance_refund refund ON refund.id = back.refund_id
            JOIN finance_entry entry ON entry.id = back.entry_id
            WHERE entry.reverses_id IS DISTINCT FROM refund.entry_id""",
    ),
    (
        "refund_reversal_without_row",
        "entry",
        """SELECT entry.id, 'reverses refund entry ' || entry.reverses_id || ', no row says so'
            FROM finance_entry entry JOIN finance_refund refund ON refund.entry_id = entry.reverses_id
            WHERE NOT EXISTS (SELECT 1 FROM finance_refundreversal back WHERE back.entry_id = entry.id)""",
    ),
]
