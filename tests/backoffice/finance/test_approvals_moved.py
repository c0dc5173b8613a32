"""Approvals of payout runs were kept by finance once: nothing that was approved is lost on the way, there and back."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.finance.models import PayoutAccount, PayoutRun
from backoffice.finance.services import payouts, verification
from backoffice.finance.services.payouts.decisions import PreviewChanged
from backoffice.settings import embedded
from integrations.stripe.fake.running import RunningFake
from tests.factories import finance

BEFORE = ("finance", "0004_rule_names_its_request")


@pytest.fixture
def owner(transactional_db: None) -> Iterator[None]:
    """The connection of the tests as the tables' owner, who may migrate."""
    connection.close()
    connection.settings_dict["USER"] = embedded.OWNER
    yield
    connection.close()
    connection.settings_dict["USER"] = embedded.APPLICATION


def migrate(*targets: tuple[str, str]) -> None:
    MigrationExecutor(connection).migrate(list(targets))


def rows(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def requests() -> dict[str, tuple[object, ...]]:
    """Every request by its run, with who has approved which revision."""
    return {
        request.label: (
            request.status,
            request.revision,
            request.needed,
            request.fingerprint,
            request.payload,
            request.requested_by_id,
            request.decided_by_id if request.status in ("approved", "applied") else None,
            request.decision_reason if request.status == "rejected" else "",
            sorted(request.approvals.values_list("revision", "approver", "approved_at")),
        )
        for request in ApprovalRequest.objects.filter(kind="payout")
    }


@pytest.mark.slow
def test_every_yes_goes_back_and_forth_with_its_run(owner: None, stripe: RunningFake) -> None:
    people = [finance.finance_person() for _number in range(3)]

    def asked(minor: int = 50_00) -> PayoutRun:
        return finance.requested(finance.payable(minor, connected=True), minor)

    waiting = asked(2_000_00)
    payouts.approve(run=waiting, by=people[0])
    PayoutAccount.objects.filter(creator=waiting.items.get().creator).update(version=7)
    with pytest.raises(PreviewChanged):
        payouts.approve(run=waiting, by=people[1])
    payouts.approve(run=waiting, by=people[2])
    large = asked(3_000_00)
    for person in people[:2]:
        payouts.approve(run=large, by=person)
    payouts.execute(run=payouts.approve(run=asked(), by=people[0]))
    payouts.reject(run=asked(), by=people[0], reason="Please call us.")
    own = asked()
    payouts.cancel(run=own, by=own.requested_by)
    payouts.approve(run=asked(), by=people[1])
    payouts.draft(method=finance.method(), by=people[0])
    known = requests()
    assert len(known) == 6
    assert verification.run() == []

    ends = MigrationExecutor(connection).loader.graph.leaf_nodes()
    migrate(BEFORE)
    assert rows("SELECT count(*) FROM finance_approval") == [(6,)]
    assert rows("SELECT count(*) FROM approvals_approvalrequest WHERE kind = 'payout'") == [(0,)]
    wrong = "SELECT count(*) FROM finance_approval a JOIN finance_payoutrun r ON r.id = a.run_id WHERE "
    assert rows(f"{wrong} a.revision = r.revision AND a.snapshot_hash <> r.snapshot_hash") == [(0,)]
    assert rows(f"{wrong} a.requester_id <> r.requested_by_id") == [(0,)]
    migrate(*ends)

    assert requests() == known
    assert verification.run() == []
    assert payouts.approve(run=waiting, by=people[0]).status == "approved"
    assert Approval.objects.filter(request__label=waiting.reference).count() == 3
