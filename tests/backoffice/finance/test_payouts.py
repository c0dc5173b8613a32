"""Asking for payouts, deciding about them, and sending them by the crash protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from backoffice.accounts.models import User
from backoffice.approvals import kinds
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.services.requests import AlreadyApproved
from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid
from backoffice.core.models import Job
from backoffice.core.states import IllegalTransition, advance
from backoffice.creators.models import Creator
from backoffice.creators.services import creators as creator_services
from backoffice.finance.models import Allocation, Attempt, Entry, PayoutAccount, PayoutItem, PayoutRun
from backoffice.finance.policies import payouts as policy
from backoffice.finance.queries import balances
from backoffice.finance.services import (
    attempts,
    ledger,
    payments,
    payout_accounts,
    payouts,
    providers,
    verification,
)
from backoffice.finance.services.payouts.decisions import PreviewChanged
from backoffice.finance.services.payouts.requests import KeyReused
from backoffice.finance.services.providers import ProviderUnavailable
from backoffice.finance.states import ACCOUNT, ITEM, RUN, ItemStatus
from backoffice.notifications.models import Notification
from backoffice.queues import queries as queue
from integrations.stripe.client import StripeClient
from integrations.stripe.fake.running import RunningFake
from tests.backoffice.finance.test_events import take_all
from tests.factories import creators, finance
from tests.factories.accounts import staff
from tests.machines import forbidden


def balance(creator: Creator) -> balances.CreatorBalance:
    return balances.of(creator, "USD")


def item_of(run: PayoutRun) -> PayoutItem:
    return PayoutItem.objects.select_related("creator", "run").get(run=run)


def request_of(run: PayoutRun) -> ApprovalRequest:
    return ApprovalRequest.objects.get(subject_type="finance.payoutrun", subject_id=str(run.pk))


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_a_request_freezes_fee_and_net_and_waits_for_finance(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.requested(creator, 100_00)
    item = item_of(run)
    # The fee is 0.25 percent and 25 cents.
    assert (item.gross_minor, item.fee_minor, item.net_minor) == (100_00, 50, 99_50)
    assert run.status == "submitted"
    assert (balance(creator).available, balance(creator).reserved, balance(creator).free) == (200_00, 100_00, 100_00)
    assert queue.for_subject("payouts", run) is not None
    assert not Entry.objects.filter(kind="payout_approval").exists()


def test_the_same_key_gives_the_same_request_and_other_input_is_refused(db: None) -> None:
    creator = finance.payable(200_00)
    first = finance.requested(creator, 100_00, key="k1")
    assert finance.requested(creator, 100_00, key="k1").pk == first.pk
    with pytest.raises(KeyReused):
        finance.requested(creator, 99_00, key="k1")


def refuse_hold(creator: Creator) -> None:
    creator_services.hold_payouts(creator=creator, by=None, reason="AML")


def refuse_tax(creator: Creator) -> None:
    creator_services.record_tax_form(creator=creator, status="expired", by=None)


def refuse_suspended(creator: Creator) -> None:
    creator_services.suspend(creator=creator, by=None, reason="alert")


def refuse_account(creator: Creator) -> None:
    PayoutAccount.objects.filter(creator=creator).update(status="pending")


def refuse_disabled(creator: Creator) -> None:
    payout_accounts.disable(account=finance.account_of(creator), by=None, reason="bounced")


def refuse_method(creator: Creator) -> None:
    method = finance.method()
    method.enabled = False
    method.save()


def refuse_owing(creator: Creator) -> None:
    ledger.post(
        key="owing",
        kind=ledger.EntryKind.ADJUSTMENT,
        source=creator,
        by=None,
        effective_date=clock.now().date(),
        postings=[
            (ledger.accounts.platform(ledger.AccountKind.PLATFORM_CASH, "USD"), 1),
            (ledger.accounts.creator(ledger.AccountKind.CREATOR_RECEIVABLE, creator, "USD"), -1),
        ],
    )


def refuse_open(creator: Creator) -> None:
    finance.requested(creator, 20_00)


@pytest.mark.parametrize(
    ("spoil", "amount", "code", "kind"),
    [
        (None, 9_99, "below_minimum", Invalid),
        (None, 200_01, "above_available", Invalid),
        (None, 0, "amount_not_positive", Invalid),
        (None, -5_00, "amount_not_positive", Invalid),
        (refuse_hold, 100_00, "payout_hold", Forbidden),
        (refuse_tax, 100_00, "tax_form_missing", Forbidden),
        (refuse_suspended, 100_00, "not_active", Forbidden),
        (refuse_account, 100_00, "account_unverified", Forbidden),
        (refuse_disabled, 100_00, "account_disabled", Forbidden),
        (refuse_method, 100_00, "method_disabled", Forbidden),
        (refuse_owing, 100_00, "receivable", Forbidden),
        (refuse_open, 100_00, "already_open", Conflict),
    ],
)
def test_a_request_is_refused_with_its_reason(
    db: None, spoil: Any, amount: int, code: str, kind: type[DomainError]
) -> None:
    creator = finance.payable(200_00)
    if spoil is not None:
        spoil(creator)
    before = PayoutRun.objects.count()
    with pytest.raises(kind) as refusal:
        finance.requested(creator, amount)
    assert refusal.value.code == code
    assert str(refusal.value)
    assert PayoutRun.objects.count() == before


def test_only_the_creator_asks_and_only_for_an_own_account(db: None) -> None:
    creator, other = finance.payable(200_00), finance.payable()
    for by, account in ((other.user, finance.account_of(creator)), (creator.user, finance.account_of(other))):
        with pytest.raises(DomainError):
            payouts.request(creator=creator, amount_minor=50_00, account=account, by=by, key="k")


def test_the_database_refuses_a_second_open_payout_of_a_creator(db: None) -> None:
    creator = finance.payable(200_00)
    item = item_of(finance.requested(creator, 100_00))
    other = PayoutRun.objects.create(
        origin="batch", method=finance.method(), currency="USD", requested_by=finance.finance_person()
    )
    item.pk, item.run, item._state.adding = None, other, True
    item.id = PayoutItem().id
    with pytest.raises(IntegrityError, match="payout_item_one_active_per_creator"), transaction.atomic():
        item.save()


# --- Runs of finance --------------------------------------------------------------------------------------------------


def test_a_run_takes_everybody_who_can_be_paid_and_says_why_the_others_were_left_out(
    db: None, stripe: RunningFake
) -> None:
    paid, small, held = finance.payable(300_00), finance.payable(5_00), finance.payable(100_00)
    refuse_hold(held)
    without = creators.creator()
    finance.money_for(without, 80_00)
    run = payouts.draft(method=finance.method(), by=finance.finance_person())
    assert [item.creator_id for item in run.items.all()] == [paid.pk]
    reasons = {entry["creator"]: entry["reasons"] for entry in run.preview["left_out"]}
    assert reasons[str(small.pk)] == ["below_minimum"]
    assert reasons[str(held.pk)] == ["payout_hold"]
    assert set(reasons[str(without.pk)]) == {"tax_form_missing", "no_account"}
    assert run.preview["totals"]["net_minor"] == 300_00 - 100
    assert run.preview["provider_balance"]["available_minor"] == 10_000_000


@pytest.mark.parametrize(
    ("schedule", "later", "reasons"),
    [
        ("on_demand", timedelta(0), ["on_demand"]),
        ("weekly", timedelta(days=4, hours=14), ["not_due"]),  # Sunday evening
        ("weekly", timedelta(days=4, hours=16), []),  # Monday
        ("monthly", timedelta(days=26, hours=14), ["not_due"]),  # the last of the month
        ("monthly", timedelta(days=26, hours=16), []),  # the first
    ],
)
def test_a_run_takes_whom_their_schedule_says(
    db: None, stripe: RunningFake, schedule: str, later: timedelta, reasons: list[str]
) -> None:
    wednesday = datetime(2026, 8, 5, 9, tzinfo=UTC)
    maker, creator = finance.finance_person(), finance.payable(300_00)
    first = payouts.draft(method=finance.method(), by=maker, at=wednesday)
    assert first.items.count() == 1
    # Paid, while more has come in.
    first.items.update(status=ItemStatus.PAID)
    Creator.objects.filter(pk=creator.pk).update(payout_schedule=schedule)
    run = payouts.draft(method=finance.method(), by=maker, at=wednesday + later)
    assert [entry["reasons"] for entry in run.preview["left_out"]] == ([reasons] if reasons else [])
    assert run.items.count() == (0 if reasons else 1)


@pytest.mark.parametrize("status", ["failed", "returned", "cancelled"])
def test_a_payout_that_came_to_nothing_is_made_up_for_in_the_next_run(
    db: None, stripe: RunningFake, status: str
) -> None:
    maker = finance.finance_person()
    finance.payable(300_00)
    payouts.draft(method=finance.method(), by=maker).items.update(status=status)
    run = payouts.draft(method=finance.method(), by=maker)
    if status == "failed":  # which is tried again before anything else is paid
        assert [entry["reasons"] for entry in run.preview["left_out"]] == [["already_open"]]
    else:
        assert run.items.count() == 1


def test_an_empty_run_is_not_submitted(db: None, stripe: RunningFake) -> None:
    by = finance.finance_person()
    with pytest.raises(Conflict):
        payouts.submit(run=payouts.draft(method=finance.method(), by=by), by=by)


def test_a_run_is_filled_and_submitted_by_its_maker_only(db: None, stripe: RunningFake) -> None:
    maker, colleague = finance.finance_person(), finance.finance_person()
    finance.payable(200_00)
    run = payouts.draft(method=finance.method(), by=maker)
    for act in (payouts.preview, payouts.submit):
        with pytest.raises(Forbidden) as refusal:
            act(run=run, by=colleague)
        assert refusal.value.code == "not_the_maker"
    run = payouts.submit(run=run, by=maker)
    assert payouts.approve(run=run, by=colleague).status == "approved"


def test_a_provider_that_does_not_answer_is_said_in_the_preview(db: None, stripe: RunningFake) -> None:
    stripe.fault("error_before", method="GET")
    run = payouts.draft(method=finance.method(), by=finance.finance_person())
    assert run.preview["provider_balance"]["available_minor"] is None


# --- Approving --------------------------------------------------------------------------------------------------------


def test_an_approval_sets_the_money_aside_and_asks_for_the_run(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.approved(creator, 150_00)
    assert run.status == "approved"
    assert (balance(creator).available, balance(creator).in_transit) == (50_00, 150_00)
    assert Job.objects.filter(kind="finance.execute_run", state="due").count() == 1
    found = queue.for_subject("payouts", run)
    assert found is not None
    assert found.state == "cancelled"
    assert verification.run() == []


def test_the_requester_never_approves(db: None) -> None:
    by = finance.finance_person()
    creator = finance.payable(200_00)
    creator.user.is_staff = True
    creator.user.save()
    creator.user.groups.set(by.groups.all())
    run = finance.requested(creator, 100_00)
    with pytest.raises(Forbidden) as refusal:
        payouts.approve(run=run, by=creator.user)
    assert refusal.value.code == "own_request"
    given: dict[str, Any] = {"request": request_of(run), "approver": creator.user, "revision": 1}
    for requester, rule in (
        (creator.user, "approved_by_another_person"),
        (finance.finance_person(), "approvals_approval_requester"),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Approval.objects.create(requester=requester, approved_at=clock.now(), **given)


def test_nobody_approves_a_run_that_pays_them(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(200_00)
    maker = finance.finance_person()
    run = payouts.submit(run=payouts.draft(method=finance.method(), by=maker), by=maker)
    creator.user.is_staff = True
    creator.user.save()
    creator.user.groups.set(maker.groups.all())
    with pytest.raises(Forbidden) as refusal:
        payouts.approve(run=run, by=creator.user)
    assert refusal.value.code == "own_payout"


@pytest.mark.parametrize("role", ["ops_manager", "content_moderator", "customer_support", "analyst"])
def test_other_roles_do_not_approve(db: None, role: str) -> None:
    run = finance.requested(finance.payable(200_00), 100_00)
    with pytest.raises(Forbidden):
        payouts.approve(run=run, by=staff(role))


@pytest.mark.parametrize(("amount", "needed"), [(1_000_00, 1), (1_000_01, 2)])
def test_above_the_threshold_two_people_are_needed(db: None, amount: int, needed: int) -> None:
    creator = finance.payable(2_000_00)
    run = finance.requested(creator, amount)
    first, second = finance.finance_person(), finance.finance_person()
    run = payouts.approve(run=run, by=first)
    if needed == 2:
        assert run.status == "submitted"
        assert balance(creator).in_transit == 0
        with pytest.raises(AlreadyApproved):
            payouts.approve(run=run, by=first)
        run = payouts.approve(run=run, by=second)
    assert run.status == "approved"
    assert request_of(run).approvals.count() == needed


def test_currencies_other_than_the_thresholds_need_two() -> None:
    assert policy.approvals_needed(gross_minor=1, currency="EUR", threshold_usd_minor=1_000_00) == 2


def test_a_payout_account_that_changed_voids_the_preview_before_and_after_the_approval(
    db: None, stripe: RunningFake
) -> None:
    creator = finance.payable(2_000_00, connected=True)
    run = finance.requested(creator, 1_500_00)
    payouts.approve(run=run, by=finance.finance_person())
    payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    with pytest.raises(PreviewChanged):
        payouts.approve(run=run, by=finance.finance_person())
    run.refresh_from_db()
    assert (run.status, run.revision) == ("submitted", 2)
    for _turn in range(2):
        run = payouts.approve(run=run, by=finance.finance_person())
    assert (run.status, balance(creator).in_transit) == ("approved", 1_500_00)
    payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    run = payouts.execute(run=run)
    assert (run.status, run.revision, balance(creator).in_transit) == ("submitted", 3, 0)
    assert not stripe.calls("/v1/transfers", method="POST")
    assert not Allocation.objects.filter(live=True).exists()
    assert verification.run() == []


def test_a_stale_screen_is_told_that_the_preview_changed(db: None) -> None:
    run = finance.requested(finance.payable(200_00), 100_00)
    with pytest.raises(PreviewChanged):
        payouts.approve(run=run, by=finance.finance_person(), snapshot_hash="what I saw yesterday")


def test_a_balance_that_no_longer_covers_the_payout_stops_the_approval(db: None) -> None:
    creator = finance.payable()
    finance.earned(creator, 100_00)
    run = finance.requested(creator, 71_80)
    payment = creator.payments.get()
    payments.record_refunded(payment=payment, cumulative_minor=50_00, currency="USD")
    with pytest.raises(ledger.Overdrawn, match=creator.reference):
        payouts.approve(run=run, by=finance.finance_person())
    run.refresh_from_db()
    assert run.status == "submitted"
    assert not request_of(run).approvals.exists()


def test_rejecting_needs_a_reason_tells_the_creator_and_frees_the_amount(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.requested(creator, 100_00)
    with pytest.raises(Invalid):
        payouts.reject(run=run, by=finance.finance_person(), reason=" ")
    payouts.reject(run=run, by=finance.finance_person(), reason="Please call us.")
    assert (item_of(run).status, balance(creator).free) == ("cancelled", 200_00)
    assert "Please call us." in Notification.objects.filter(event="payout.rejected")[0].body


def test_a_creator_cancels_before_the_approval_and_finance_until_it_is_sent(db: None) -> None:
    creator = finance.payable(200_00)
    own = finance.requested(creator, 100_00)
    payouts.cancel(run=own, by=creator.user)
    approved = finance.approved(creator, 100_00)
    with pytest.raises(Forbidden):
        payouts.cancel(run=approved, by=creator.user)
    payouts.cancel(run=approved, by=finance.finance_person(), reason="mistake")
    assert (balance(creator).available, balance(creator).in_transit) == (200_00, 0)
    assert verification.run() == []


# --- The request for approval -----------------------------------------------------------------------------------------


def paid_by_it(run: PayoutRun, creator: Creator) -> User:
    """The creator's user, who also works in finance."""
    creator.user.is_staff = True
    creator.user.save()
    creator.user.groups.set(finance.finance_person().groups.all())
    return creator.user


def batch(maker: User) -> PayoutRun:
    return payouts.submit(run=payouts.draft(method=finance.method(), by=maker), by=maker)


def test_a_submitted_run_asks_for_approval_of_exactly_its_preview(db: None) -> None:
    at = clock.now()
    run = finance.requested(finance.payable(2_000_00), 1_500_00)
    request = request_of(run)
    assert (request.kind, request.status, request.requested_by_id) == ("payout", "pending", run.requested_by_id)
    assert (request.label, request.fingerprint, request.needed) == (run.reference, run.snapshot_hash, 2)
    assert request.payload["totals"] == run.preview["totals"]
    assert request.expires_at is not None
    assert timedelta(days=30) <= request.expires_at - at < timedelta(days=30, minutes=1)
    lines = {str(line.label): line.after for line in (kinds.of(request).lines or list)(request)}
    assert (lines["Gross"], lines["Fees"], lines["Payouts"]) == ("$1,500.00", "$4.00", "1")


def test_the_list_of_all_requests_is_a_door_to_the_same_decision(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.requested(creator, 150_00)
    requests.approve(request=request_of(run), by=finance.finance_person())
    run.refresh_from_db()
    assert (run.status, request_of(run).status, balance(creator).in_transit) == ("approved", "approved", 150_00)
    assert Job.objects.filter(kind="finance.execute_run", state="due").count() == 1
    assert verification.run() == []


def test_that_door_refuses_whoever_is_paid_and_what_the_balance_does_not_cover(db: None, stripe: RunningFake) -> None:
    creator = finance.payable()
    finance.earned(creator, 100_00)
    run = batch(finance.finance_person())
    with pytest.raises(Forbidden) as refusal:
        requests.approve(request=request_of(run), by=paid_by_it(run, creator))
    assert refusal.value.code == "own_payout"
    payments.record_refunded(payment=creator.payments.get(), cumulative_minor=50_00, currency="USD")
    with pytest.raises(ledger.Overdrawn, match=creator.reference):
        requests.approve(request=request_of(run), by=finance.finance_person())
    assert not request_of(run).approvals.exists()


def test_that_door_approves_nothing_when_an_account_was_changed(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.requested(creator, 150_00)
    PayoutAccount.objects.filter(creator=creator).update(version=7)
    requests.approve(request=request_of(run), by=finance.finance_person())
    run.refresh_from_db()
    request = request_of(run)
    assert (run.status, run.revision, balance(creator).in_transit) == ("submitted", 2, 0)
    assert (request.status, request.revision, request.fingerprint) == ("pending", 2, run.snapshot_hash)
    assert not Job.objects.filter(kind="finance.execute_run").exists()
    requests.approve(request=request, by=finance.finance_person())
    run.refresh_from_db()
    assert run.status == "approved"


def test_rejecting_there_tells_the_creator_and_frees_the_amount(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.requested(creator, 100_00)
    requests.reject(request=request_of(run), by=finance.finance_person(), reason="Please call us.")
    run.refresh_from_db()
    assert (run.status, run.rejected_reason, balance(creator).free) == ("rejected", "Please call us.", 200_00)
    assert "Please call us." in Notification.objects.filter(event="payout.rejected")[0].body
    found = queue.for_subject("payouts", run)
    assert found is not None
    assert found.state == "cancelled"


def test_nobody_rejects_what_they_asked_for_but_takes_it_back(db: None, stripe: RunningFake) -> None:
    creator, maker = finance.payable(200_00), finance.finance_person()
    run = batch(maker)
    with pytest.raises(Forbidden) as refusal:
        payouts.reject(run=run, by=maker, reason="mistake")
    assert refusal.value.code == "own_request"
    requests.withdraw(request=request_of(run), by=maker, reason="mistake")
    run.refresh_from_db()
    assert (run.status, item_of(run).status, balance(creator).free) == ("cancelled", "cancelled", 200_00)


def test_a_creator_takes_nothing_back_by_that_door_that_is_approved(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.approved(creator, 100_00)
    with pytest.raises(Forbidden) as refusal:
        requests.withdraw(request=request_of(run), by=creator.user)
    assert refusal.value.code == "already_approved"
    assert (request_of(run).status, balance(creator).in_transit) == ("approved", 100_00)


def test_the_request_ends_with_its_run(db: None, stripe: RunningFake) -> None:
    own = finance.requested(finance.payable(100_00), 50_00)
    payouts.cancel(run=own, by=own.requested_by)
    taken, taker = finance.requested(finance.payable(100_00), 50_00), finance.finance_person()
    payouts.cancel(run=taken, by=taker, reason="not now")
    dropped = finance.requested(finance.payable(100_00), 50_00)
    payouts.drop(item=item_of(dropped), by=finance.finance_person(), reason="wrong person")
    sent = payouts.execute(run=finance.approved(finance.payable(100_00, connected=True), 50_00))
    assert [request_of(run).status for run in (own, taken, dropped, sent)] == [*["withdrawn"] * 3, "applied"]
    # Nobody withdraws what they did not ask for: the run says who cancelled it.
    assert (request_of(own).decided_by, request_of(taken).decided_by) == (own.requested_by, None)
    assert AuditEntry.objects.filter(action="payout_run.cancel", subject_id=str(taken.pk), actor=taker).exists()


def test_a_run_that_nobody_approved_in_time_is_rejected_and_the_creator_is_told(db: None) -> None:
    creator = finance.payable(200_00)
    creator.user.language = "fr"
    creator.user.save()
    run = finance.requested(creator, 100_00)
    assert requests.expire_due(at=clock.now() + timedelta(days=29)) == 0
    assert requests.expire_due(at=clock.now() + timedelta(days=31)) == 1
    run.refresh_from_db()
    assert (run.status, request_of(run).status, item_of(run).status) == ("rejected", "expired", "cancelled")
    assert run.rejected_reason == "Nobody approved it in time. Please ask for it again."
    assert balance(creator).free == 200_00
    told = Notification.objects.filter(event="payout.rejected", user=creator.user)[0]
    assert run.reference in told.subject
    found = queue.for_subject("payouts", run)
    assert found is not None
    assert found.state == "cancelled"
    entry = AuditEntry.objects.get(action="payout_run.reject", subject_id=str(run.pk))
    assert (entry.actor, entry.reason) == (None, run.rejected_reason)
    assert finance.requested(creator, 100_00).status == "submitted"


def test_without_a_time_limit_a_run_waits_for_ever(db: None) -> None:
    values.change(key="payout.approval_days", value=0, by=finance.finance_person(), reason="no limit")
    run = finance.requested(finance.payable(200_00), 100_00)
    assert request_of(run).expires_at is None
    assert requests.expire_due(at=clock.now() + timedelta(days=400)) == 0


def test_whoever_put_a_run_together_is_told_that_nobody_approved_it(db: None, stripe: RunningFake) -> None:
    creator, maker = finance.payable(200_00), finance.finance_person()
    run = batch(maker)
    requests.expire_due(at=clock.now() + timedelta(days=31))
    run.refresh_from_db()
    assert run.status == "rejected"
    assert "$199.25 for 1 creator." in Notification.objects.filter(event="payout.run_expired", user=maker)[0].body
    assert not Notification.objects.filter(user=creator.user, event="payout.rejected").exists()


def test_a_change_gives_the_approvers_new_time(db: None) -> None:
    creator = finance.payable(200_00)
    run = finance.requested(creator, 150_00)
    PayoutAccount.objects.filter(creator=creator).update(version=7)
    later = clock.now() + timedelta(days=29)
    with pytest.raises(PreviewChanged):
        payouts.approve(run=run, by=finance.finance_person(), at=later)
    assert request_of(run).expires_at == later + timedelta(days=30)


def test_a_lower_threshold_asks_for_a_second_person_for_what_waits_already(db: None) -> None:
    run = finance.requested(finance.payable(900_00), 900_00)
    values.change(key="payout.dual_approval_over", value=500_00, by=finance.finance_person(), reason="stricter")
    with pytest.raises(PreviewChanged, match="More people have to approve it now"):
        payouts.approve(run=run, by=finance.finance_person())
    first, second = finance.finance_person(), finance.finance_person()
    assert payouts.approve(run=run, by=first).status == "submitted"
    assert payouts.approve(run=run, by=second).status == "approved"


# --- Holding ----------------------------------------------------------------------------------------------------------


def test_a_held_payout_keeps_its_reservation_and_another_person_releases_it(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(200_00, connected=True)
    run = finance.requested(creator, 100_00)
    holder = finance.finance_person()
    item = payouts.hold(item=item_of(run), by=holder, reason="dispute")
    assert balance(creator).reserved == 100_00
    payouts.approve(run=run, by=finance.finance_person())
    payouts.execute(run=run)
    payouts.send_item(item_id=item.pk)
    assert item_of(run).status == "held"
    assert not stripe.calls("/v1/transfers", method="POST")
    with pytest.raises(Forbidden) as refusal:
        payouts.release(item=item, by=holder)
    assert refusal.value.code == "own_hold"
    payouts.release(item=item, by=finance.finance_person())
    jobs.run_due(kinds=["finance.send_item"])
    assert item_of(run).status == "sent"


def test_a_hold_on_the_creator_after_the_approval_keeps_the_money_here(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(200_00, connected=True)
    run = finance.approved(creator, 100_00)
    refuse_hold(creator)
    run = payouts.execute(run=run)
    assert (item_of(run).status, item_of(run).in_transit_minor) == ("held", 100_00)
    assert not stripe.calls("/v1/transfers", method="POST")


def test_a_payout_taken_out_of_a_run_voids_the_approvals_of_the_rest(db: None, stripe: RunningFake) -> None:
    first, second = finance.payable(200_00), finance.payable(300_00)
    maker = finance.finance_person()
    run = payouts.submit(run=payouts.draft(method=finance.method(), by=maker), by=maker)
    run = payouts.approve(run=run, by=finance.finance_person())
    assert run.status == "approved"
    payouts.drop(item=run.items.get(creator=first), by=finance.finance_person(), reason="wrong person")
    run.refresh_from_db()
    assert (run.status, run.revision) == ("submitted", 2)
    assert (balance(first).available, balance(second).available) == (200_00, 300_00)
    run = payouts.approve(run=run, by=finance.finance_person())
    assert (balance(first).in_transit, balance(second).in_transit) == (0, 300_00)
    assert verification.run() == []


# --- Sending ----------------------------------------------------------------------------------------------------------


def send(run: PayoutRun) -> PayoutItem:
    payouts.execute(run=run)
    jobs.run_due(kinds=["finance.send_item"])
    return item_of(run)


def test_an_approved_payout_is_transferred_and_sent_to_the_bank(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(connected=True)
    finance.earned(creator, 100_00)
    run = finance.approved(creator, 71_80)
    jobs.run_due(kinds=["finance.execute_run", "finance.send_item"])
    item = item_of(run)
    assert item.status == "sent"
    (transfer,) = stripe.calls("/v1/transfers", method="POST")
    attempt = Attempt.objects.get(operation="transfer")
    assert transfer.idempotency_key == attempt.key
    assert (item.transfer_id, item.payout_id.startswith("po_")) == (attempt.provider_id, True)
    clearing = {line.provider: line.shown for line in balances.trial_balance() if line.provider}
    assert clearing["stripe-connect"] == item.net_minor
    assert sum(Allocation.objects.filter(item=item).values_list("amount_minor", flat=True)) == 71_80
    assert verification.run() == []


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "error_after", "reset_before", "rate_limit"])
@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/payouts"])
def test_a_lost_answer_is_unknown_and_the_next_try_pays_once(
    db: None, stripe: RunningFake, fault: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator = finance.payable(100_00, connected=True)
    run = payouts.execute(run=finance.approved(creator, 100_00))
    hurried = StripeClient(stripe.api_key, stripe.url, read_timeout=1.5 if fault == "timeout_after" else 30)
    stripe.fault(fault, path=path, seconds=3)
    with monkeypatch.context() as patch:
        patch.setattr(providers, "_client", lambda key, url: hurried)
        with pytest.raises(ProviderUnavailable):
            payouts.send_item(item_id=item_of(run).pk)
    assert item_of(run).status == "unknown"
    assert payouts.send_item(item_id=item_of(run).pk).status == "sent"
    assert payouts.send_item(item_id=item_of(run).pk).status == "sent"
    assert len(stripe.engine.store.rows("SELECT 1 FROM object WHERE kind = 'transfer'")) == 1
    assert len(stripe.engine.store.rows("SELECT 1 FROM object WHERE kind = 'payout'")) == 1
    assert verification.run() == []


def test_a_key_that_is_too_old_is_never_sent_again(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    run = payouts.execute(run=finance.approved(creator, 100_00))
    item = item_of(run)
    stripe.fault("reset_before", path="/v1/transfers")
    with pytest.raises(ProviderUnavailable):
        payouts.send_item(item_id=item.pk)
    later = clock.now() + timedelta(hours=24)
    assert payouts.send_item(item_id=item.pk, at=later).status == "needs_human"
    assert len(stripe.calls("/v1/transfers", method="POST")) == 1
    assert not attempts.may_resend(Attempt.objects.get(operation="transfer"), at=later)
    payouts.resume(item=item, by=finance.finance_person(), reason="not at the provider", is_absent=True)
    assert payouts.send_item(item_id=item.pk, at=later).status == "sent"
    assert Attempt.objects.filter(operation="transfer").count() == 2
    assert verification.run() == []


def test_an_old_attempt_that_did_go_through_is_adopted(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    item = item_of(payouts.execute(run=finance.approved(creator, 100_00)))
    stripe.fault("reset_after", path="/v1/transfers")
    with pytest.raises(ProviderUnavailable):
        payouts.send_item(item_id=item.pk)
    stripe.forget_keys()
    assert payouts.send_item(item_id=item.pk, at=clock.now() + timedelta(hours=24)).status == "sent"
    assert len(stripe.calls("/v1/transfers", method="POST")) == 1


def test_a_refused_transfer_gives_the_money_back(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00)  # an account that the provider does not know
    run = payouts.execute(run=finance.approved(creator, 100_00))
    item = payouts.send_item(item_id=item_of(run).pk)
    run.refresh_from_db()
    assert (item.status, item.failure_code, run.status) == ("returned", "resource_missing", "partially_failed")
    assert (balance(creator).available, balance(creator).in_transit) == (100_00, 0)
    assert Notification.objects.filter(event="payout.failed").exists()
    assert verification.run() == []


def test_too_little_money_at_the_provider_stops_the_run_before_anything_is_sent(db: None, stripe: RunningFake) -> None:
    stripe.topup(-10_000_000, "usd")
    creator = finance.payable(100_00, connected=True)
    run = payouts.execute(run=finance.approved(creator, 100_00))
    assert (run.status, bool(run.stopped_reason)) == ("approved", True)
    assert not stripe.calls("/v1/transfers", method="POST")
    stripe.topup(10_000_000, "usd")
    payouts.run_again(run=run, by=finance.finance_person())
    jobs.run_due(kinds=["finance.execute_run", "finance.send_item"])
    assert item_of(run).status == "sent"


def test_a_ledger_that_differs_from_the_run_stops_it(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    run = finance.approved(creator, 100_00)
    ledger.post(
        key="drift",
        kind=ledger.EntryKind.ADJUSTMENT,
        source=creator,
        by=None,
        effective_date=clock.now().date(),
        postings=[
            (ledger.accounts.creator(ledger.AccountKind.CREATOR_IN_TRANSIT, creator, "USD"), -1),
            (ledger.accounts.platform(ledger.AccountKind.PLATFORM_CASH, "USD"), 1),
        ],
    )
    run = payouts.execute(run=run)
    assert run.status == "approved"
    assert creator.reference in run.stopped_reason
    assert not stripe.calls("/v1/transfers", method="POST")
    assert "in_transit_differs" in {problem.rule for problem in verification.run()}


def test_a_bounced_payout_is_paid_again_after_the_bank_was_corrected(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True, bank=finance.CLOSED_BANK)
    item = send(finance.approved(creator, 100_00))
    stripe.run_scheduled()
    take_all(stripe)
    item.refresh_from_db()
    assert item.status == "failed"
    account = payout_accounts.change_bank(account=finance.account_of(creator), by=creator.user, bank=finance.BANK)
    assert account.status == "verified"
    payouts.retry(item=item, by=finance.finance_person(), reason="new bank")
    jobs.run_due(kinds=["finance.send_item"])
    stripe.run_scheduled()
    take_all(stripe)
    item.refresh_from_db()
    item.run.refresh_from_db()
    assert (item.status, item.run.status, item.bounces) == ("paid", "settled", 1)
    assert len(stripe.calls("/v1/transfers", method="POST")) == 1
    assert verification.run() == []


def test_a_lost_job_and_a_lost_webhook_are_made_up_for(db: None, stripe: RunningFake) -> None:
    creator = finance.payable(100_00, connected=True)
    run = payouts.execute(run=finance.approved(creator, 100_00))
    Job.objects.all().delete()
    assert payouts.recover(at=clock.now() + timedelta(minutes=5)) == 1
    jobs.run_due(kinds=["finance.send_item"])
    assert item_of(run).status == "sent"
    stripe.run_scheduled()
    assert payouts.recover(at=clock.now() + timedelta(hours=2)) == 1
    assert item_of(run).status == "paid"


@pytest.mark.parametrize(
    ("machine", "model", "state", "verb"),
    [
        (machine, model, state, verb)
        for machine, model in ((RUN, PayoutRun), (ITEM, PayoutItem), (ACCOUNT, PayoutAccount))
        for state, verb in forbidden(machine)
    ],
)
def test_the_machines_refuse_every_other_verb(db: None, machine: Any, model: Any, state: str, verb: str) -> None:
    with pytest.raises(IllegalTransition):
        advance(model(status=state), verb, by=None)


def test_the_threshold_is_a_setting(db: None) -> None:
    assert values.get("payout.dual_approval_over") == 1_000_00
