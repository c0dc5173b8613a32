"""Maker and checker: two people, edits that void, ends, and what the database refuses by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from backoffice.accounts.models import User
from backoffice.approvals import kinds, queries
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import MACHINE, UNFINISHED, Status
from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import IllegalTransition, advance
from tests.factories import accounts
from tests.machines import forbidden

pytestmark = pytest.mark.django_db


class Desk:
    """What was applied and closed, and whether the next application is refused."""

    def __init__(self) -> None:
        self.applied: list[Any] = []
        self.closed: list[str] = []
        self.refusal = ""
        self.relatives: set[Any] = set()

    def apply(self, request: ApprovalRequest, *, by: Any, at: datetime) -> None:
        self.applied.append(request.payload)
        if self.refusal:
            raise Conflict(self.refusal)

    def close(self, request: ApprovalRequest, *, by: Any, at: datetime) -> None:
        self.closed.append(request.status)

    def check(self, request: ApprovalRequest, by: Any) -> None:
        if by.pk in self.relatives:
            raise Forbidden("You have a part in it.")

    def kind(self, code: str, **fields: Any) -> kinds.Kind:
        return kinds.Kind(
            code=code,
            label=code,
            permission="payouts.approve",
            asker_permission=("payouts.edit",),
            apply=self.apply,
            check=self.check,
            closed=self.close,
            **fields,
        )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Kinds ``plain``, ``strict`` (a refusal goes to the approver) and ``slow`` (applied later)."""
    made = Desk()
    monkeypatch.setitem(kinds.KINDS, "plain", made.kind("plain"))
    monkeypatch.setitem(kinds.KINDS, "strict", made.kind("strict", may_fail=False))
    monkeypatch.setitem(kinds.KINDS, "slow", made.kind("slow", later=True))
    return made


def asked(by: User, **fields: Any) -> ApprovalRequest:
    given: dict[str, Any] = {
        "kind": "plain",
        "label": "Something",
        "payload": {"value": 1},
        "reason": "Needed",
        **fields,
    }
    return requests.open(by=by, **given)


def finance_people(count: int = 3) -> list[User]:
    return [accounts.staff("financial_admin") for _number in range(count)]


def test_the_yes_of_another_person_carries_it_out(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = requests.approve(request=asked(maker), by=checker)
    assert (request.status, desk.applied, desk.closed) == (Status.APPLIED, [{"value": 1}], [Status.APPLIED])
    assert (request.decided_by, [a.approver for a in queries.given(request)]) == (checker, [checker])
    assert list(AuditEntry.objects.filter(subject_id=request.pk).order_by("id").values_list("action", flat=True)) == [
        "approval_request.open",
        "approval_request.approval",
        "approval_request.approve",
        "approval_request.apply",
    ]


def test_nobody_decides_about_their_own_request(desk: Desk) -> None:
    maker, *_others = finance_people()
    request = asked(maker)
    for decide in (
        lambda: requests.approve(request=request, by=maker),
        lambda: requests.reject(request=request, by=maker, reason="No"),
    ):
        with pytest.raises(Forbidden) as refusal:
            decide()
        assert refusal.value.code == "own_request"
    assert not desk.applied
    assert not Approval.objects.exists()


def test_the_right_and_the_kinds_own_check_are_asked(desk: Desk) -> None:
    maker, relative, _other = finance_people()
    desk.relatives = {relative.pk}
    request = asked(maker)
    for person in (relative, accounts.staff("editor")):
        with pytest.raises(Forbidden):
            requests.approve(request=request, by=person)
        assert requests.why_not(request, person)
    assert list(queries.waiting_for(accounts.staff("editor"))) == []


def test_two_are_needed_and_one_counts_once(desk: Desk) -> None:
    maker, first, second = finance_people()
    request = asked(maker, needed=2)
    requests.approve(request=request, by=first)
    with pytest.raises(requests.AlreadyApproved):
        requests.approve(request=request, by=first)
    assert not desk.applied
    assert list(queries.waiting_for(first)) == []
    assert list(queries.waiting_for(second)) == [request]
    assert requests.approve(request=request, by=second).status == Status.APPLIED
    assert len(desk.applied) == 1


@pytest.mark.parametrize("how", ["leaves", "loses the role"])
def test_the_yes_of_somebody_who_may_not_say_it_any_more_does_not_count(desk: Desk, how: str) -> None:
    maker, first, second = finance_people()
    third = accounts.staff("financial_admin")
    request = requests.approve(request=asked(maker, needed=2), by=first)
    if how == "leaves":
        User.objects.filter(pk=first.pk).update(is_active=False)
    else:
        first.groups.clear()
    assert queries.counting(request) == []
    assert requests.approve(request=request, by=second).status == Status.PENDING
    assert not desk.applied
    assert requests.approve(request=request, by=third).status == Status.APPLIED
    assert len(desk.applied) == 1
    assert [row.approver for row in queries.counting(ApprovalRequest.objects.get(pk=request.pk))] == [
        first,
        second,
        third,
    ]


def test_an_edit_voids_what_was_given_and_what_was_seen(desk: Desk) -> None:
    maker, first, second = finance_people()
    request = asked(maker, needed=2)
    requests.approve(request=request, by=first)
    with pytest.raises(Forbidden):
        requests.revise(request=request, by=first, payload={"value": 9})
    request = requests.revise(request=request, by=maker, payload={"value": 2})
    assert queries.given(request) == []
    with pytest.raises(requests.Changed):
        requests.approve(request=request, by=second, revision=1)
    requests.approve(request=request, by=second, revision=2)
    assert not desk.applied
    requests.approve(request=request, by=first, revision=2)
    assert desk.applied == [{"value": 2}]


def test_what_turns_out_impossible_fails_with_its_sentence(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    desk.refusal = "The rule overlaps another one."
    request = requests.approve(request=asked(maker), by=checker)
    assert (request.status, request.failure, desk.closed) == (Status.FAILED, desk.refusal, [Status.FAILED])


def test_a_strict_kind_gives_the_refusal_to_the_approver_and_keeps_nothing(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    desk.refusal = "The balance no longer covers it."
    request = asked(maker, kind="strict")
    with pytest.raises(Conflict, match="no longer covers"):
        requests.approve(request=request, by=checker)
    request.refresh_from_db()
    assert request.status == Status.PENDING
    assert not Approval.objects.exists()


def test_what_goes_on_later_is_approved_until_it_is_over(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = requests.approve(request=asked(maker, kind="slow"), by=checker)
    assert request.status == Status.APPROVED
    assert not desk.closed
    assert requests.mark_applied(request=request).status == Status.APPLIED
    other = requests.approve(request=asked(maker, kind="slow"), by=checker)
    assert requests.mark_failed(request=other, reason="The bank refused it.").failure == "The bank refused it."
    assert desk.closed == [Status.APPLIED, Status.FAILED]


def test_an_approved_one_that_is_edited_waits_again(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = requests.approve(request=asked(maker, kind="slow"), by=checker)
    request = requests.revise(request=request, by=None, payload={"value": 3})
    assert (request.status, request.decided_by, queries.given(request)) == (Status.PENDING, None, [])


def test_a_rejection_needs_a_reason_and_ends_it(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    with pytest.raises(Invalid):
        requests.reject(request=request, by=checker, reason="  ")
    request = requests.reject(request=request, by=checker, reason="Too much")
    assert (request.status, request.decision_reason, desk.applied) == (Status.REJECTED, "Too much", [])
    with pytest.raises(IllegalTransition):
        requests.approve(request=request, by=checker)


def test_a_reason_is_no_book(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    for act in (
        lambda: requests.reject(request=request, by=checker, reason="x" * 2001),
        lambda: requests.withdraw(request=request, by=maker, reason="x" * 2001),
    ):
        with pytest.raises(Invalid) as refusal:
            act()
        assert refusal.value.field == "reason"
    assert requests.reject(request=request, by=checker, reason="x" * 2000).status == Status.REJECTED


def test_only_the_requester_withdraws(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    with pytest.raises(Forbidden):
        requests.withdraw(request=request, by=checker)
    assert requests.withdraw(request=request, by=maker).status == Status.WITHDRAWN


def test_the_same_thing_is_asked_for_once_at_a_time(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker, subject=("shop.thing", "7"))
    with pytest.raises(requests.AlreadyAsked):
        asked(checker, subject=("shop.thing", "7"))
    requests.withdraw(request=request, by=maker)
    asked(checker, subject=("shop.thing", "7"))
    assert queries.of_subject(("shop.thing", "7")).count() == 2


def test_it_expires_when_nobody_decides(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    assert request.expires_at is not None
    assert request.expires_at - request.created_at == timedelta(days=values.get("approval.expire_days"))
    late = request.expires_at + timedelta(seconds=1)
    with pytest.raises(IllegalTransition, match="expired"):
        requests.approve(request=request, by=checker, at=late)
    never = asked(maker, days=0)
    assert requests.expire_due(at=late + timedelta(days=999)) == 1
    request.refresh_from_db()
    never.refresh_from_db()
    assert (request.status, never.status, desk.closed) == (Status.EXPIRED, Status.PENDING, [Status.EXPIRED])


def test_one_that_cannot_be_ended_does_not_keep_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    maker, *_others = finance_people()
    broken, fine = asked(maker, kind="slow", label="Broken"), asked(maker)

    def close(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
        raise RuntimeError("the mail could not be written")

    monkeypatch.setitem(kinds.KINDS, "slow", replace(kinds.KINDS["slow"], closed=close))
    with pytest.raises(ExceptionGroup) as error:
        requests.expire_due(at=clock.now() + timedelta(days=400))
    assert str(broken.pk) in "".join(error.value.exceptions[0].__notes__)
    fine.refresh_from_db()
    broken.refresh_from_db()
    assert (fine.status, broken.status) == (Status.EXPIRED, Status.PENDING)


def test_what_somebody_asked_for_whose_account_is_closed_is_not_approved(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    User.objects.filter(pk=maker.pk).update(is_active=False)
    with pytest.raises(Conflict, match="somebody else has to ask"):
        requests.approve(request=request, by=checker)
    assert requests.reject(request=request, by=checker, reason="They left").status == Status.REJECTED


def test_the_timetable_ends_what_is_over(desk: Desk) -> None:
    maker, *_others = finance_people()
    request = asked(maker, at=clock.now() - timedelta(days=400))
    jobs.enqueue("approvals.expire")
    jobs.run_due()
    request.refresh_from_db()
    assert request.status == Status.EXPIRED


def test_what_needs_nobody_else_is_done_at_once_and_on_record(desk: Desk) -> None:
    maker, *_others = finance_people()
    request = asked(maker, needed=0)
    assert (request.status, request.decided_by, desk.applied) == (Status.APPLIED, maker, [{"value": 1}])
    desk.refusal = "Not possible."
    with pytest.raises(Conflict):
        asked(maker, needed=0)
    assert ApprovalRequest.objects.count() == 1


def test_people_see_their_own_and_what_they_decide(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request, stranger = asked(maker), accounts.staff("customer_support")
    assert request in queries.visible_to(maker)
    assert request in queries.visible_to(checker)
    assert not queries.visible_to(stranger).exists()


@pytest.mark.parametrize(("state", "verb"), forbidden(MACHINE))
def test_no_verb_leads_from_a_state_that_the_table_does_not_name(desk: Desk, state: str, verb: str) -> None:
    maker, *_others = finance_people(1)
    request = asked(maker)
    request.status = state
    with pytest.raises(IllegalTransition):
        advance(request, verb, by=maker)


def refused(statement: str, *values: Any) -> str:
    """The database's refusal of a statement by the application's role."""
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(error.value)


def test_the_database_refuses_the_requesters_own_yes_whatever_name_it_carries(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    insert = (
        "INSERT INTO approvals_approval (id, created_at, updated_at, request_id, requester_id, approver_id, revision, "
        "approved_at) VALUES (gen_random_uuid(), now(), now(), %s, %s, %s, %s, now())"
    )
    assert "approved_by_another_person" in refused(insert, request.pk, maker.pk, maker.pk, 1)
    assert "does not wait for approval" in refused(insert, request.pk, maker.pk, checker.pk, 2)
    assert "approvals_approval_requester" in refused(insert, request.pk, checker.pk, maker.pk, 1)


def test_the_database_keeps_a_request_as_it_was_asked_for(desk: Desk) -> None:
    maker, checker, _other = finance_people()
    request = asked(maker)
    table = "approvals_approvalrequest"
    for change, word in (
        ("status = 'approved'", "has 0 of 1 approvals"),
        ("status = 'applied'", "is not approved"),
        ("requested_by_id = %s", "written once"),
        ("kind = 'strict'", "written once"),
        ("payload = '{}'", "new revision"),
        ("needed = 0", "new revision"),
        ("revision = 7", "follow one another"),
        ("needed = 0, revision = 2", "needs another person"),
        ("label = 'Something else'", "another text or time"),
        ("before = '{}'", "another text or time"),
        ("expires_at = now() + interval '9 years'", "another text or time"),
        ("reason = 'Another one'", "written once"),
    ):
        values_ = [checker.pk] if "%s" in change else []
        assert word in refused(f"UPDATE {table} SET {change} WHERE id = %s", *values_, request.pk)
    assert "refused" in refused(f"DELETE FROM {table}")
    requests.approve(request=request, by=checker)
    assert "is over" in refused(f"UPDATE {table} SET status = 'pending' WHERE id = %s", request.pk)
    assert "denied" in refused("UPDATE approvals_approval SET approver_id = %s", maker.pk)
    assert "denied" in refused("DELETE FROM approvals_approval")
    assert "has to start as pending" in refused(
        f'INSERT INTO {table} SELECT (jsonb_populate_record(r, \'{{"reference": "AR-X", "status": "applied"}}\')).*'
        f" FROM {table} r"
    )


def test_unfinished_are_those_that_still_lead_somewhere() -> None:
    assert {str(state) for state in MACHINE.states if MACHINE.verbs_from(state)} == {str(s) for s in UNFINISHED}


def test_an_edit_can_give_it_new_time(desk: Desk) -> None:
    maker, *_others = finance_people()
    request = asked(maker, days=2)
    later = clock.now() + timedelta(days=10)
    assert requests.revise(request=request, by=maker, payload={}, at=later).expires_at == request.expires_at
    assert requests.revise(request=request, by=maker, payload={}, days=2, at=later).expires_at == later + timedelta(2)
    assert requests.revise(request=request, by=maker, payload={}, days=0, at=later).expires_at is None
