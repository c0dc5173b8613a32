"""The verifier names every row about refunds that was tampered with behind the application's back."""

import psycopg
import pytest

from backoffice.finance.models import RefundReversal
from backoffice.finance.services import refunds, verification
from integrations.stripe.fake.running import RunningFake
from tests.factories import refunds as made

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> set[str]:
    return {problem.rule for problem in verification.run()}


@pytest.fixture
def history(stripe: RunningFake) -> None:
    """A refund that lasted, one that came back, one that waits."""
    payment = made.paid(stripe)
    for amount in (30_00, 20_00):
        request = refunds.send(request_id=made.approved(payment, amount).pk)
    stripe.fail_refund(request.provider_refund_id)
    made.tell(stripe)
    made.asked(payment, 10_00)


def test_a_history_of_refunds_is_sound(history: None) -> None:
    assert found() == set()
    assert RefundReversal.objects.count() == 1


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (
            "UPDATE finance_refundrequest SET amount_minor = 31_00 WHERE status = 'succeeded'",
            "refund_request_not_counted",
        ),
        (
            "UPDATE finance_refundrequest SET amount_minor = 29_00 WHERE status = 'succeeded'",
            "refund_request_call_differs",
        ),
        (
            "UPDATE finance_refundrequest SET status = 'withdrawn' WHERE status = 'succeeded'",
            "refund_request_posting_differs",
        ),
        (
            "UPDATE finance_refundrequest SET refund_id = (SELECT refund_id FROM finance_refundreversal)"
            " WHERE status = 'succeeded'",
            "refund_request_posting_differs",
        ),
        (
            "UPDATE finance_refundrequest SET provider_refund_id = 're_other' WHERE status = 'succeeded'",
            "refund_request_call_differs",
        ),
        ("DELETE FROM finance_attempt WHERE operation = 'refund'", "refund_request_call_differs"),
        ("DELETE FROM approvals_approval", "refund_approval_missing"),
        (
            "UPDATE approvals_approvalrequest SET needed = 0",
            "refund_approval_missing",
        ),
        (
            "UPDATE approvals_approvalrequest SET payload = '{\"amount_minor\": 1}'",
            "refund_approval_missing",
        ),
        (
            "UPDATE finance_payment SET user_id = (SELECT approver_id FROM approvals_approval LIMIT 1)",
            "refund_approval_missing",
        ),
        (
            "UPDATE finance_refundrequest SET amount_minor = 70_01 WHERE status = 'requested'",
            "refund_asked_for_more_than_paid",
        ),
        ("DELETE FROM finance_refundreversal", "refund_reversal_without_row"),
        (
            "UPDATE finance_refundreversal SET entry_id = (SELECT min(id) FROM finance_entry)",
            "refund_reversal_differs",
        ),
    ],
)
def test_a_tampered_refund_is_named(
    history: None, owner_connection: psycopg.Connection, statement: str, rule: str
) -> None:
    owner_connection.execute(statement)
    assert rule in found()
