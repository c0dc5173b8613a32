"""Whoever lost the right to ask for something no longer changes anything by having asked for it once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from backoffice.accounts.models import RoleGrant, User
from backoffice.accounts.services import roles, staff
from backoffice.approvals import kinds
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.finance.models import PayoutMethod, PayoutRun
from backoffice.finance.policies.payout_methods import Settings
from backoffice.finance.services import payout_methods, payouts
from backoffice.finance.states import RefundStatus, RunStatus
from backoffice.journeys.services import platform_settings
from integrations.stripe.fake.running import RunningFake
from tests.backoffice.finance.conftest import stripe  # noqa: F401  a fixture
from tests.factories import accounts, fees, finance, refunds

pytestmark = pytest.mark.django_db
Asks = Callable[[User, RunningFake], ApprovalRequest]


def run_of(asker: User, stripe: RunningFake) -> ApprovalRequest:  # noqa: F811
    finance.payable(50_00)
    run = payouts.draft(method=finance.method(), by=asker)
    payouts.submit(run=run, by=asker)
    return ApprovalRequest.objects.get(kind="payout")


def refund_of(asker: User, stripe: RunningFake) -> ApprovalRequest:  # noqa: F811
    return refunds.approval_of(refunds.asked(refunds.paid(stripe), 20_00, by=asker))


def fee_of(asker: User, stripe: RunningFake) -> ApprovalRequest:  # noqa: F811
    return fees.proposed(fees.terms(), by=asker)


def method_of(asker: User, stripe: RunningFake) -> ApprovalRequest:  # noqa: F811
    method = PayoutMethod.objects.get(code="moncash", currency="USD")
    settings = replace(Settings.of(method), minimum_minor=12_34)
    return payout_methods.propose(method=method, settings=settings, reason="The contract changed", by=asker)


def role_of(asker: User, stripe: RunningFake) -> ApprovalRequest:  # noqa: F811
    asked = roles.give(user=accounts.staff(), role="admin", by=asker, reason="Joins the team")
    assert isinstance(asked, ApprovalRequest)
    return asked


def setting(key: str, value: object) -> Asks:
    def ask(asker: User, stripe: RunningFake) -> ApprovalRequest:  # noqa: F811
        if key.startswith("switch."):
            values.change(key=key, value=False, by=None, reason="test")
        asked = platform_settings.propose(key=key, value=value, by=asker, reason="Board decision")
        assert isinstance(asked, ApprovalRequest)
        return asked

    return ask


# Kind, the role of whoever asks, how, and the role of whoever decides.
CASES: list[tuple[str, str, Asks, str]] = [
    ("payout", "financial_admin", run_of, "financial_admin"),
    ("refund", "customer_support", refund_of, "financial_admin"),
    ("fee_rule", "financial_admin", fee_of, "financial_admin"),
    ("payout_method", "financial_admin", method_of, "financial_admin"),
    ("role", "super_admin", role_of, "super_admin"),
    ("setting", "admin", setting("payout.dual_approval_over", 500_00), "admin"),
    ("security_setting", "super_admin", setting("signin.attempts", 4), "super_admin"),
    ("kill_switch", "super_admin", setting("switch.payouts", True), "super_admin"),
]
every_kind = pytest.mark.parametrize(("kind", "asks", "how", "decides"), CASES, ids=[case[0] for case in CASES])


def test_every_kind_says_who_asks_and_is_tried_here() -> None:
    assert {case[0] for case in CASES} == set(kinds.KINDS)


@every_kind
def test_what_a_demoted_person_asked_for_is_refused_and_stays_as_it_is(
    stripe: RunningFake,  # noqa: F811
    kind: str,
    asks: str,
    how: Asks,
    decides: str,
) -> None:
    asker, decider = accounts.staff(asks), accounts.staff(decides)
    request = how(asker, stripe)
    assert request.kind == kind
    asker.groups.clear()
    with pytest.raises(Conflict, match="may not ask for it any more") as refusal:
        requests.approve(request=request, by=decider)
    assert refusal.value.code == "requester_gone"
    request.refresh_from_db()
    assert (request.status, Approval.objects.count()) == (Status.PENDING, 0)
    assert requests.reject(request=request, by=decider, reason="They moved on").status == Status.REJECTED


@every_kind
def test_taking_the_right_away_withdraws_what_was_asked_for_with_it(
    stripe: RunningFake,  # noqa: F811
    kind: str,
    asks: str,
    how: Asks,
    decides: str,
) -> None:
    boss, asker = accounts.staff("super_admin"), accounts.staff(asks)
    request = how(asker, stripe)
    roles.take(user=asker, role=asks, by=boss, reason="Another team")
    request.refresh_from_db()
    assert (request.status, request.decided_by) == (Status.WITHDRAWN, None)
    assert request.decision_reason.startswith("Whoever asked for this may not ask for it any more")
    entry = AuditEntry.objects.get(action="approval_request.withdraw")
    assert (entry.actor, entry.reason) == (None, request.decision_reason)


def test_the_money_is_free_again_when_its_request_is_withdrawn(stripe: RunningFake) -> None:  # noqa: F811
    boss, agent, clerk = accounts.staff("super_admin"), refunds.support_person(), finance.finance_person()
    refund = refunds.asked(refunds.paid(stripe), 20_00, by=agent)
    run_of(clerk, stripe)
    roles.take(user=agent, role="customer_support", by=boss, reason="Another team")
    staff.deactivate(user=clerk, by=boss, reason="Left")
    refund.refresh_from_db()
    run = PayoutRun.objects.get()
    assert (refund.status, run.status) == (RefundStatus.WITHDRAWN, RunStatus.CANCELLED)
    assert {item.status for item in run.items.all()} == {"cancelled"}


def test_leaving_withdraws_with_its_own_sentence() -> None:
    boss, asker = accounts.staff("super_admin"), accounts.staff("financial_admin")
    request = fees.proposed(fees.terms(), by=asker)
    staff.deactivate(user=asker, by=boss, reason="Left")
    request.refresh_from_db()
    assert request.status == Status.WITHDRAWN
    assert request.decision_reason.startswith("The account of whoever asked for this is closed")


def test_a_role_whose_time_is_over_takes_its_requests_along() -> None:
    asker, now = accounts.staff(), clock.now()
    grant = roles.give(user=asker, role="financial_admin", by=None, until=now + timedelta(hours=1))
    assert isinstance(grant, RoleGrant)
    request = fees.proposed(fees.terms(), by=User.objects.get(pk=asker.pk))
    assert roles.expire_due(at=now + timedelta(minutes=59)) == 0
    request.refresh_from_db()
    assert request.status == Status.PENDING
    RoleGrant.objects.filter(pk=grant.pk).update(expires_at=now - timedelta(seconds=1))
    with pytest.raises(Conflict):
        requests.approve(request=request, by=accounts.staff("financial_admin"))
    assert roles.expire_due() == 1
    request.refresh_from_db()
    assert request.status == Status.WITHDRAWN


def test_another_role_with_the_same_right_keeps_the_request() -> None:
    boss, asker = accounts.staff("super_admin"), accounts.staff("financial_admin", "admin")
    request = fees.proposed(fees.terms(), by=asker)
    roles.take(user=asker, role="financial_admin", by=boss, reason="Another team")
    assert requests.approve(request=request, by=accounts.staff("financial_admin")).status == Status.APPLIED


def test_a_creators_own_payout_needs_no_right_of_the_staff(stripe: RunningFake) -> None:  # noqa: F811
    run = finance.requested(finance.payable(50_00, connected=True), 50_00)
    assert not run.requested_by.may("payouts.edit")
    assert payouts.approve(run=run, by=finance.finance_person()).status == RunStatus.APPROVED
