"""Payouts of which something is not as it was, or not known: nothing is sent twice, and somebody is asked to look."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from backoffice.audit.models import AuditEntry
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden
from backoffice.core.states import LostRace
from backoffice.creators.models import Creator
from backoffice.creators.services import creators
from backoffice.finance.models import Attempt, PayoutItem, PayoutRun
from backoffice.finance.queries import balances
from backoffice.finance.services import attempts, events, payout_accounts, payouts, providers, verification
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import Operation
from backoffice.notifications.models import Notification
from backoffice.queues import queries as queue
from integrations.stripe.client import StripeClient
from integrations.stripe.errors import Refused
from integrations.stripe.fake.running import RunningFake
from integrations.stripe.types import Payout, Transfer
from tests.backoffice.finance.test_events import take, take_all
from tests.factories import finance


class Tightlipped(StripeClient):
    """Refuses to look anything up."""

    def find_transfer(self, attempt_id: str) -> Transfer | None:
        raise Refused("No such account.", code="resource_missing", status=404)

    def find_payout(self, attempt_id: str, *, account: str, since: int | None = None) -> Payout | None:
        raise Refused("No such account.", code="resource_missing", status=404)


class Overtaken(StripeClient):
    """While it looks, somebody else closes the attempt and a new one is begun."""

    def find_transfer(self, attempt_id: str) -> Transfer | None:
        closed = Attempt.objects.get(pk=attempt_id)
        item = PayoutItem.objects.get(pk=closed.subject_id)
        attempts.refuse(attempt=closed, code="absent", error="none there")
        attempts.begin(subject=item, operation=Operation.TRANSFER, provider="stripe", request=closed.request)
        return None


def item_of(run: PayoutRun) -> PayoutItem:
    return PayoutItem.objects.select_related("creator", "run", "account").get(run=run)


def transfers(stripe: RunningFake) -> int:
    return len(stripe.engine.store.rows("SELECT 1 FROM object WHERE kind = 'transfer'"))


def lost(stripe: RunningFake, fault: str, creator: Creator, path: str = "/v1/transfers") -> PayoutItem:
    """A payout of which a call got no answer."""
    item = item_of(payouts.execute(run=finance.approved(creator, 100_00)))
    stripe.fault(fault, path=path)
    with pytest.raises(ProviderUnavailable):
        payouts.send_item(item_id=item.pk)
    return item_of(item.run)


def queue_codes(run: PayoutRun) -> set[str]:
    found = queue.for_subject("payouts", run)
    assert found is not None
    return {reason["code"] for reason in found.reasons} if found.state in ("open", "claimed") else set()


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/payouts"])
def test_a_refusal_to_look_up_is_no_proof_that_nothing_was_done(
    db: None, stripe: RunningFake, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator = finance.payable(100_00, connected=True)
    item = lost(stripe, "reset_after", creator, path)
    with monkeypatch.context() as patch:
        patch.setattr(providers, "_client", lambda key, url: Tightlipped(key, url))
        with pytest.raises(ProviderUnavailable):
            payouts.send_item(item_id=item.pk)
    assert item_of(item.run).status == "unknown"
    assert (balances.of(creator, "USD").available, balances.of(creator, "USD").in_transit) == (0, 100_00)
    assert payouts.send_item(item_id=item.pk).status == "sent"
    assert transfers(stripe) == 1
    assert verification.run() == []


def test_a_persons_word_that_it_is_absent_is_checked_at_the_provider(db: None, stripe: RunningFake) -> None:
    item = lost(stripe, "reset_after", finance.payable(100_00, connected=True))
    PayoutItem.objects.filter(pk=item.pk).update(status="needs_human")
    with pytest.raises(Conflict) as refusal:
        payouts.resume(item=item, by=finance.finance_person(), reason="I saw none", is_absent=True)
    assert refusal.value.code == "not_absent"
    assert item_of(item.run).status == "needs_human"
    payouts.resume(item=item, by=finance.finance_person(), reason="ask again")
    jobs.run_due(kinds=["finance.send_item"])
    assert item_of(item.run).status == "sent"
    assert transfers(stripe) == 1


def test_nothing_is_sent_anew_to_a_creator_who_is_held_meanwhile(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    item = lost(stripe, "reset_before", creator)
    PayoutItem.objects.filter(pk=item.pk).update(status="needs_human")
    creators.hold_payouts(creator=creator, by=finance.finance_person(), reason="identity in doubt")
    person = finance.finance_person()
    item = payouts.resume(item=item, by=person, reason="I saw none", is_absent=True)
    jobs.run_due(kinds=["finance.send_item"])
    assert (item_of(item.run).status, item.failure_code, transfers(stripe)) == ("returned", "payout_hold", 0)
    assert Attempt.objects.get(operation="transfer").status == "refused"
    balance = balances.of(creator, "USD")
    assert (balance.available, balance.in_transit) == (100_00, 0)
    assert PayoutRun.objects.get(pk=item.run_id).status == "partially_failed"
    assert queue_codes(item.run) == set()
    trail = AuditEntry.objects.filter(subject_id=str(item.pk), actor=person)
    assert dict(trail.values_list("action", "reason")) == {
        "payout_item.resume": "I saw none",
        "payout_item.refuse": "Payouts of this creator are on hold.",
    }
    told = Notification.objects.filter(user=creator.user, event="payout.failed").first()
    assert told is not None
    assert "The amount is back in your balance." in told.body
    assert verification.run() == []


def test_an_attempt_begun_while_the_provider_was_asked_is_not_closed_unseen(
    db: None, stripe: RunningFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator = finance.payable(100_00, connected=True)
    item = lost(stripe, "reset_before", creator)
    PayoutItem.objects.filter(pk=item.pk).update(status="needs_human")
    creators.hold_payouts(creator=creator, by=finance.finance_person(), reason="identity in doubt")
    monkeypatch.setattr(providers, "_client", lambda key, url: Overtaken(key, url))
    with pytest.raises(LostRace):
        payouts.resume(item=item, by=finance.finance_person(), reason="I saw none", is_absent=True)
    assert (item_of(item.run).status, balances.of(creator, "USD").in_transit) == ("needs_human", 100_00)
    assert Attempt.objects.filter(operation="transfer", status="open").count() == 1


def test_money_that_lies_with_the_provider_stays_there_while_the_creator_is_held(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    item = lost(stripe, "reset_before", creator, "/v1/payouts")
    PayoutItem.objects.filter(pk=item.pk).update(status="needs_human")
    creators.hold_payouts(creator=creator, by=finance.finance_person(), reason="identity in doubt")
    with pytest.raises(Forbidden) as refusal:
        payouts.resume(item=item, by=finance.finance_person(), reason="I saw none", is_absent=True)
    assert refusal.value.code == "payout_hold"
    assert item_of(item.run).status == "needs_human"
    assert Attempt.objects.get(operation="payout").status == "open"
    assert balances.of(creator, "USD").in_transit == 100_00


def test_a_transfer_made_after_it_was_closed_as_absent_never_brings_the_money_back(
    db: None, stripe: RunningFake
) -> None:
    creator = finance.payable(100_00, connected=True)
    item = lost(stripe, "reset_after", creator)
    Attempt.objects.filter(operation="transfer").update(status="refused", error_code="absent")
    PayoutItem.objects.filter(pk=item.pk).update(status="needs_human")
    creators.hold_payouts(creator=creator, by=finance.finance_person(), reason="identity in doubt")
    with pytest.raises(Conflict) as refusal:
        payouts.resume(item=item, by=finance.finance_person(), reason="I saw none", is_absent=True)
    assert refusal.value.code == "not_absent"
    assert (item_of(item.run).status, balances.of(creator, "USD").in_transit) == ("needs_human", 100_00)


def test_what_came_back_is_not_paid_again_to_a_creator_who_is_held(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True, bank=finance.CLOSED_BANK)
    item = item_of(payouts.execute(run=finance.approved(creator, 100_00)))
    payouts.send_item(item_id=item.pk)
    stripe.run_scheduled()
    take_all(stripe)
    payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    creators.hold_payouts(creator=creator, by=finance.finance_person(), reason="identity in doubt")
    with pytest.raises(Forbidden) as refusal:
        payouts.retry(item=item, by=finance.finance_person())
    assert refusal.value.code == "payout_hold"
    assert item_of(item.run).status == "failed"


def test_while_the_provider_is_silent_nobody_can_say_that_it_is_absent(db: None, stripe: RunningFake) -> None:
    item = lost(stripe, "reset_before", finance.payable(100_00, connected=True))
    PayoutItem.objects.filter(pk=item.pk).update(status="needs_human")
    stripe.fault("error_before", method="GET", path="/v1/transfers")
    with pytest.raises(ProviderUnavailable):
        payouts.resume(item=item, by=finance.finance_person(), reason="I saw none", is_absent=True)
    assert Attempt.objects.get(operation="transfer").status == "open"


@pytest.mark.parametrize("kind", ["transfer.created", "payout.paid"])
def test_what_the_provider_did_of_a_closed_attempt_holds_the_creator_and_asks_finance(
    db: None, stripe: RunningFake, kind: str
) -> None:
    creator = finance.payable(100_00, connected=True)
    run = finance.approved(creator, 100_00)
    item = item_of(payouts.execute(run=run))
    payouts.send_item(item_id=item.pk)
    stripe.run_scheduled()
    operation = kind.partition(".")[0]
    Attempt.objects.filter(operation=operation).update(status="refused", provider_id="", error_code="absent")
    (told,) = stripe.events(kind)
    outcome = events.apply(event=take(told)).status
    creator.refresh_from_db()
    assert outcome == "applied"
    assert creator.payout_hold
    assert "contradiction" in queue_codes(run)
    assert item_of(run).failure_code == "contradiction"


def test_a_payout_that_comes_back_while_the_next_is_open_is_taken_back(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    first = item_of(payouts.execute(run=finance.approved(creator, 60_00)))
    payouts.send_item(item_id=first.pk)
    stripe.run_scheduled()
    take_all(stripe)
    second = finance.approved(creator, 40_00)
    stripe.fail_payout(item_of(first.run).payout_id)
    take_all(stripe)
    assert item_of(first.run).status == "failed"
    assert balances.of(creator, "USD").in_transit == 100_00
    payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    # One at a time: the next goes out first, then the one that came back.
    with pytest.raises(Conflict) as refusal:
        payouts.retry(item=first, by=finance.finance_person())
    assert refusal.value.code == "already_open"
    payouts.execute(run=second)
    second = payouts.execute(run=payouts.approve(run=second, by=finance.finance_person()))
    assert (second.status, second.stopped_reason) == ("executing", "")
    payouts.send_item(item_id=item_of(second).pk)
    stripe.run_scheduled()
    take_all(stripe)
    assert item_of(second).status == "paid"
    payouts.retry(item=first, by=finance.finance_person())
    jobs.run_due(kinds=["finance.send_item"])
    stripe.run_scheduled()
    take_all(stripe)
    assert item_of(first.run).status == "paid"
    assert balances.of(creator, "USD").in_transit == 0
    assert verification.run() == []


def test_a_bank_changed_between_the_start_and_the_sending_is_not_paid(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    run = payouts.execute(run=finance.approved(creator, 100_00))
    payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    item = payouts.send_item(item_id=item_of(run).pk)
    assert item.status == "held"
    assert not stripe.calls("/v1/transfers", method="POST")
    assert "held" in queue_codes(run)
    with pytest.raises(Forbidden) as refusal:
        payouts.release(item=item, by=finance.finance_person())
    assert refusal.value.code == "account_changed"
    payouts.drop(item=item, by=finance.finance_person(), reason="asks again")
    assert balances.of(creator, "USD").free == 100_00
    assert queue_codes(run) == set()
    assert verification.run() == []


def test_a_payout_paid_again_names_the_bank_that_it_went_to(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True, bank=finance.CLOSED_BANK)
    item = item_of(payouts.execute(run=finance.approved(creator, 100_00)))
    payouts.send_item(item_id=item.pk)
    stripe.run_scheduled()
    take_all(stripe)
    account = payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    assert "bounced" in queue_codes(item.run)
    payouts.retry(item=item, by=finance.finance_person())
    item = item_of(item.run)
    assert (item.account_version, item.account_snapshot["masked"]) == (account.version, account.masked)
    assert queue_codes(item.run) == set()


def test_collecting_anew_keeps_a_hold(db: None, stripe: RunningFake) -> None:
    held, other = finance.payable(200_00), finance.payable(300_00)
    maker = finance.finance_person()
    run = payouts.draft(method=finance.method(), by=maker)
    payouts.hold(item=run.items.get(creator=held), by=maker, reason="name differs")
    run = payouts.preview(run=run, by=maker)
    assert run.items.get(creator=held).status == "held"
    assert run.items.get(creator=other).status == "reserved"
    assert run.preview["totals"]["count"] == 2


def test_a_second_reason_reaches_whoever_has_the_run_already(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    run = finance.requested(creator, 100_00)
    payouts.approve(run=run, by=finance.finance_person())
    run = payouts.execute(run=run)
    item = item_of(run)
    payouts.send_item(item_id=item.pk)
    payouts.flag_reversed(transfer_id=item_of(run).transfer_id)
    stripe.fail_payout(item_of(run).payout_id)
    take_all(stripe)
    assert {"transfer_reversed", "bounced"} <= queue_codes(run)


def test_a_run_started_again_whose_job_was_lost_is_found(db: None, stripe: RunningFake) -> None:
    stripe.topup(-10_000_000, "usd")
    run = payouts.execute(run=finance.approved(finance.payable(100_00, connected=True), 100_00))
    assert run.stopped_reason
    payouts.run_again(run=run, by=finance.finance_person())
    run.refresh_from_db()
    assert run.stopped_reason == ""
    jobs.Job.objects.all().delete()
    assert payouts.recover(at=clock.now() + timedelta(minutes=5)) == 1


def test_the_database_keeps_who_asked_and_what_is_paid(db: None) -> None:
    run = finance.requested(finance.payable(200_00), 100_00)
    other = finance.finance_person()
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        PayoutRun.objects.filter(pk=run.pk).update(requested_by=other)
    for change in ({"net_minor": 100_00, "fee_minor": 0}, {"currency": "EUR"}, {"creator": finance.payable()}):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            PayoutItem.objects.filter(run=run).update(**change)
