"""The kill switch of payouts: nothing goes out while it is off, and nothing is lost (C-005)."""

from datetime import timedelta

import pytest

from backoffice.configuration import switches, values
from backoffice.core import clock, jobs
from backoffice.core.models import Job
from backoffice.finance.models import Attempt, PayoutItem, PayoutRun
from backoffice.finance.services import payouts, verification
from backoffice.finance.services.providers import ProviderUnavailable
from integrations.stripe.fake.running import RunningFake
from tests.factories import finance

pytestmark = pytest.mark.django_db


def turn(on: bool) -> None:
    values.change(key=switches.PAYOUTS, value=on, by=None, reason="test")


def item_of(run: PayoutRun) -> PayoutItem:
    return PayoutItem.objects.select_related("run").get(run=run)


def later() -> None:
    """What the timetable does some minutes after: asks again for what nobody looks after."""
    Job.objects.filter(kind__startswith="finance.").delete()
    payouts.recover(at=clock.now() + timedelta(minutes=10))
    jobs.run_due(kinds=["finance.execute_run", "finance.send_item"])


def test_an_approved_payout_waits_and_goes_out_when_the_switch_is_on_again(stripe: RunningFake) -> None:
    run = finance.approved(finance.payable(100_00, connected=True), 50_00)
    turn(False)
    assert payouts.execute(run=run).status == "approved"
    later()
    run.refresh_from_db()
    assert (run.status, item_of(run).status) == ("approved", "reserved")
    assert not stripe.calls("/v1/transfers", method="POST")
    turn(True)
    later()
    assert item_of(run).status == "sent"
    assert len(stripe.calls("/v1/transfers", method="POST")) == 1
    assert verification.run() == []


def test_a_payout_that_is_in_line_to_be_sent_is_stopped(stripe: RunningFake) -> None:
    run = payouts.execute(run=finance.approved(finance.payable(100_00, connected=True), 50_00))
    turn(False)
    assert payouts.send_item(item_id=item_of(run).pk).status == "reserved"
    later()
    assert not Attempt.objects.exists()
    assert not stripe.calls("/v1/transfers", method="POST")
    turn(True)
    later()
    assert item_of(run).status == "sent"


def test_an_unanswered_payout_is_not_sent_again_while_the_switch_is_off(stripe: RunningFake) -> None:
    run = payouts.execute(run=finance.approved(finance.payable(100_00, connected=True), 50_00))
    item = item_of(run)
    stripe.fault("reset_before", path="/v1/transfers")
    with pytest.raises(ProviderUnavailable):
        payouts.send_item(item_id=item.pk)
    tried = len(stripe.calls("/v1/transfers", method="POST"))
    turn(False)
    assert payouts.send_item(item_id=item.pk).status == "unknown"
    assert len(stripe.calls("/v1/transfers", method="POST")) == tried
    turn(True)
    assert payouts.send_item(item_id=item.pk).status == "sent"
    assert verification.run() == []


def test_the_second_step_of_a_payout_waits_too(stripe: RunningFake) -> None:
    run = payouts.execute(run=finance.approved(finance.payable(100_00, connected=True), 50_00))
    item = item_of(run)
    stripe.fault("reset_before", path="/v1/payouts")
    with pytest.raises(ProviderUnavailable):
        payouts.send_item(item_id=item.pk)
    assert len(stripe.calls("/v1/transfers", method="POST")) == 1
    turn(False)
    before = len(stripe.calls("/v1/payouts", method="POST"))
    payouts.send_item(item_id=item.pk)
    assert len(stripe.calls("/v1/payouts", method="POST")) == before
    turn(True)
    assert payouts.send_item(item_id=item.pk).status == "sent"
    assert len(stripe.calls("/v1/transfers", method="POST")) == 1
