"""What the finance screens read."""

import pytest

from backoffice.core import clock
from backoffice.creators.services import creators as creator_services
from backoffice.finance.models import Payment
from backoffice.finance.queries import balances, ledger, payments, payouts
from backoffice.finance.services import earnings, events, payout_accounts
from backoffice.finance.services import payouts as service
from backoffice.finance.services.payouts.decisions import PreviewChanged
from integrations.stripe.fake.running import RunningFake
from tests import statements
from tests.backoffice.finance.test_events import paid, take, take_all
from tests.factories import finance


def test_a_payment_is_traced_from_the_checkout_page_to_the_bank(db: None, stripe: RunningFake) -> None:
    payment = paid(stripe)
    take_all(stripe)
    creator = payment.creator
    assert creator is not None
    creator_services.record_tax_form(creator=creator, status="submitted", by=None)
    payout_accounts.connect(creator=creator, by=creator.user, bank=finance.BANK)
    earning = payment.earning
    earnings.release_due(at=earning.available_at)
    run = service.execute(run=finance.approved(creator, 71_80))
    item = run.items.get()
    service.send_item(item_id=item.pk, at=clock.now())
    stripe.run_scheduled()
    take_all(stripe)

    traced = payments.trace(Payment.objects.get(pk=payment.pk))
    assert [attempt.operation for attempt in traced.attempts] == ["checkout"]
    assert "checkout.session.completed" in {outcome.event.type for outcome in traced.events}
    assert {line.component: line.amount_minor for line in traced.commission_lines} == {
        "commission": 25_00,
        "processing": 3_20,
    }
    (allocation,) = traced.payouts
    assert allocation.amount_minor == 71_80
    assert allocation.item.bank_reference
    assert [attempt.operation for attempt in traced.payout_attempts] == ["transfer", "payout"]
    assert [entry.kind for entry in traced.entries] == [
        "sale", "provider_fee", "earning_release", "payout_approval", "payout_transfer", "payout_paid",
    ]  # fmt: skip


def test_a_run_is_read_with_a_fixed_number_of_statements(db: None, stripe: RunningFake) -> None:
    maker = finance.finance_person()
    counted = []
    for _turn in range(2):
        finance.payable(100_00)
        finance.payable(5_00)
        run = service.draft(method=finance.method(), by=maker)
        found = payouts.detail(run)
        counted.append((len(found.items), len(found.left_out), statements.count(lambda run=run: payouts.detail(run))))
        service.cancel(run=run, by=maker)
    assert [row[:2] for row in counted] == [(1, 1), (2, 2)]
    assert counted[0][2] == counted[1][2]


def test_the_detail_tells_counting_from_void_approvals(db: None) -> None:
    run = finance.requested(finance.payable(2_000_00), 1_500_00)
    run = service.approve(run=run, by=finance.finance_person())
    found = payouts.detail(run)
    assert len(found.approvals) == 1
    account = run.items.get().account
    account.version += 1
    account.save()
    with pytest.raises(PreviewChanged):
        service.approve(run=run, by=finance.finance_person())
    run.refresh_from_db()
    found = payouts.detail(run)
    assert (len(found.approvals), len(found.void_approvals)) == (0, 1)
    assert "payout_run.void_approvals" in {entry.action for entry in found.history}


def test_the_trial_balance_sums_to_nothing_in_each_currency(db: None) -> None:
    creator = finance.payable()
    finance.earned(creator, 49_99)
    finance.approved(creator, 20_00)
    lines = balances.trial_balance()
    assert sum(line.total for line in lines) == 0
    assert next(line.shown for line in lines if line.kind == "provider_clearing") == 49_99


def test_entries_are_found_by_what_they_are_about(db: None) -> None:
    creator = finance.payable()
    finance.earned(creator, 49_99)
    payment = Payment.objects.get()
    (sale,) = ledger.of_source(payment)
    assert sum(posting.amount for posting in sale.postings.all()) == 0
    assert payments.listing(text=payment.reference.lower()).get() == payment


def test_failed_events_are_listed_with_their_error(db: None) -> None:
    raw = {
        "id": "evt_1", "type": "charge.refunded", "created": 1,
        "data": {"object": {"id": "ch_1", "metadata": 5}},
    }  # fmt: skip
    with pytest.raises(AttributeError):
        events.apply(event=take(raw))
    assert payments.dead_events().get().error.startswith("AttributeError")
