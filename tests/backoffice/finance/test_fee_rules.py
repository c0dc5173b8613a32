"""Changing the fee rules: what may be proposed, who approves it, and that nothing is ever half applied."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit.models import AuditEntry
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid
from backoffice.core.ids import uuid7
from backoffice.finance.models import RuleVersion
from backoffice.finance.models.commission import Bearer, Component, Scope
from backoffice.finance.policies import commission as policy
from backoffice.finance.policies import fee_rules as rules_policy
from backoffice.finance.policies.fee_rules import Proposal, Terms
from backoffice.finance.services import commission, fee_rules
from backoffice.notifications.models import Notification
from tests.factories import creators, fees, sales
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db


def refusal(proposal: Proposal | Terms, **fields: Any) -> DomainError:
    """What a proposal is refused with; nothing is left behind."""
    with pytest.raises(DomainError) as caught:
        fees.proposed(proposal, **fields)
    assert not ApprovalRequest.objects.exists()
    return caught.value


# --- Proposing and approving ------------------------------------------------------------------------------------------


def test_a_new_rule_is_in_force_once_somebody_else_has_approved_it() -> None:
    asker, approver = staff("financial_admin"), staff("financial_admin")
    request = fees.proposed(fees.terms(22_00), by=asker)
    assert not RuleVersion.objects.filter(scope=Scope.TIER).exists()
    request = fees.approved(request, by=approver)
    assert request.status == Status.APPLIED
    rule = RuleVersion.objects.get(scope=Scope.TIER)
    assert (rule.percent_bp, rule.created_by, rule.approval) == (22_00, asker, request)
    entry = AuditEntry.objects.get(action="fee_rule.add", subject_id=str(rule.pk))
    assert (entry.actor, entry.data["request"]) == (approver, request.reference)


def test_the_person_who_proposed_it_cannot_approve_it() -> None:
    asker = staff("super_admin")
    request = fees.proposed(fees.terms(), by=asker)
    with pytest.raises(Forbidden):
        fees.approved(request, by=asker)
    assert not RuleVersion.objects.filter(scope=Scope.TIER).exists()


@pytest.mark.parametrize("role", ["ops_manager", "customer_support", "analyst"])
def test_only_those_who_may_edit_fees_propose(role: str) -> None:
    assert isinstance(refusal(fees.terms(), by=staff(role)), Forbidden)


def test_a_creator_on_the_staff_does_not_approve_a_fee_of_their_own_sales() -> None:
    creator = creators.creator(user=staff("financial_admin"))
    request = fees.proposed(fees.for_creator(creator))
    with pytest.raises(Forbidden, match="your own sales"):
        fees.approved(request, by=creator.user)
    assert fees.approved(request).status == Status.APPLIED


def test_a_replacement_ends_one_version_and_starts_the_next_in_the_same_moment() -> None:
    rule = fees.default_rule()
    terms = fees.version_of(rule, percent_bp=23_00)
    fees.approved(fees.proposed(Proposal.replacement(rule, terms)))
    rule.refresh_from_db()
    newer = RuleVersion.objects.get(component=Component.COMMISSION, valid_from=terms.valid_from)
    assert rule.valid_to == newer.valid_from == terms.valid_from

    def share(at: Any) -> int:
        return commission.resolve(policy.Sale(100_00, "USD", at, creator_id=uuid7())).commission_minor

    assert share(terms.valid_from - timedelta(microseconds=1)) == 25_00
    assert share(terms.valid_from) == 23_00


def test_a_rule_ends_at_the_moment_that_was_approved() -> None:
    fees.approved(fees.proposed(fees.terms(valid_from=fees.soon(1))))
    rule, end = RuleVersion.objects.get(scope=Scope.TIER), fees.soon(5)
    fees.approved(fees.proposed(Proposal.end(rule, end)))
    rule.refresh_from_db()
    assert rule.valid_to == end


def test_whoever_asked_is_told_how_it_ended(django_capture_on_commit_callbacks: Any) -> None:
    asker = staff("financial_admin")
    asker.language = "fr"
    asker.save()
    request = fees.proposed(fees.terms(), by=asker)
    with django_capture_on_commit_callbacks(execute=True):
        requests.reject(request=request, by=staff("financial_admin"), reason="Pas avant mars.")
    jobs.run_due()
    told = Notification.objects.get(user=asker, event="approval.decided", channel=Notification.Channel.IN_APP)
    assert request.reference in told.subject
    assert "Pas avant mars." in told.body
    assert [message.to for message in mail.outbox] == [[asker.email]]


def test_whoever_withdraws_is_not_told_what_they_did() -> None:
    asker = staff("financial_admin")
    requests.withdraw(request=fees.proposed(fees.terms(), by=asker), by=asker)
    assert not Notification.objects.filter(event="approval.decided").exists()


def test_the_generic_page_says_what_changes() -> None:
    rule = fees.default_rule()
    terms = fees.version_of(rule, percent_bp=22_50, bearer=Bearer.PLATFORM)
    request = fees.proposed(Proposal.replacement(rule, terms))
    described = kinds.of(request).lines
    assert described is not None
    found = {str(line.label): (line.before, line.after) for line in described(request)}
    assert found["Rate"] == ("25 %", "22.5 %")
    assert found["Paid by"] == ("Creator", "Platform")


# --- What may be proposed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent_bp": 19_99}, "percent_bp"),
        ({"percent_bp": 25_01}, "percent_bp"),
        ({"currency": "USD", "fixed_minor": 1}, "percent_bp"),
        ({"component": "conversion", "percent_bp": 99}, "percent_bp"),
        ({"component": "conversion", "percent_bp": 201}, "percent_bp"),
        ({"component": "processing", "percent_bp": 10_01}, "percent_bp"),
        ({"component": "processing", "percent_bp": 290, "fixed_minor": 30}, "currency"),
        ({"component": "processing", "percent_bp": 290, "fixed_minor": -1, "currency": "USD"}, "fixed_minor"),
        ({"component": "processing", "currency": "USD", "min_minor": 5, "max_minor": 4}, "max_minor"),
        ({"component": "processing", "currency": "XXQ", "percent_bp": 290}, None),
        ({"scope_value": ""}, "scope_tier"),
        ({"scope": "galaxy"}, "scope"),
        ({"component": "bribe"}, "component"),
        ({"bearer": "nobody"}, "bearer"),
        ({"agreement": "AG-1"}, "agreement"),
        ({"scope": "creator", "scope_value": "0195b2a0-0000-7000-8000-000000000000"}, "scope_creator"),
        ({"promotion_code": "X" * 41}, "promotion_code"),
    ],
)
def test_what_a_rule_may_not_say_is_refused_beside_its_field(changes: dict[str, Any], field: str | None) -> None:
    error = refusal(fees.terms(**changes))
    assert isinstance(error, Invalid)
    assert error.field == field


@pytest.mark.parametrize("percent_bp", [20_00, 22_50, 25_00])
def test_the_bounds_of_the_commission_belong_to_it(percent_bp: int) -> None:
    assert fees.proposed(fees.terms(percent_bp)).needed == 1


def test_a_promotion_outside_the_bounds_needs_two_other_people() -> None:
    request = fees.proposed(fees.terms(10_00, promotion_code="SPRING", valid_to=fees.soon(40)))
    assert request.needed == 2
    assert fees.approved(request).status == Status.PENDING
    assert fees.approved(request).status == Status.APPLIED
    assert RuleVersion.objects.get(promotion_code="SPRING").percent_bp == 10_00


def test_a_rule_starts_in_the_future_and_ends_after_it_starts() -> None:
    assert refusal(fees.terms(valid_from=clock.now() - timedelta(minutes=1))).field == "valid_from"
    assert refusal(fees.terms(valid_to=fees.soon(10))).field == "valid_to"


def test_a_rule_in_the_way_is_named() -> None:
    fees.approved(fees.proposed(fees.terms(21_00, valid_from=fees.soon(3))))
    with pytest.raises(Conflict, match=r"Platform commission, Creator tier: Premium.*21 %") as caught:
        fees.proposed(fees.terms(22_00))
    assert (caught.value.code, caught.value.field) == ("rule_overlap", "valid_from")


def test_rules_of_another_standing_are_not_in_the_way() -> None:
    fees.approved(fees.proposed(fees.terms(21_00)))
    for other in (
        fees.terms(21_00, scope_value="verified"),
        fees.terms(21_00, currency="EUR"),
        fees.terms(21_00, priority=1),
        fees.terms(21_00, promotion_code="SPRING"),
    ):
        assert fees.approved(fees.proposed(other)).status == Status.APPLIED


def test_a_replacement_is_a_version_of_the_same_rule() -> None:
    rule = fees.default_rule()
    assert refusal(Proposal.replacement(rule, fees.terms(22_00))).field == "scope"


def test_an_end_that_is_set_is_not_set_again() -> None:
    fees.approved(fees.proposed(fees.terms(valid_to=fees.soon(20))))
    rule = RuleVersion.objects.get(scope=Scope.TIER)
    with pytest.raises(Conflict, match="ends on"):
        fees.proposed(Proposal.end(rule, fees.soon(15)))


def test_the_last_commission_is_replaced_and_never_just_ended() -> None:
    rule = fees.default_rule()
    error = refusal(Proposal.end(rule, fees.soon()))
    assert error.code == "no_commission_left"
    later_gap = fees.version_of(rule, percent_bp=23_00, valid_to=fees.soon(20))
    assert refusal(Proposal.replacement(rule, later_gap)).code == "no_commission_left"
    fees.approved(fees.proposed(Proposal.end(fees.default_rule(Component.CONVERSION), fees.soon())))
    assert fees.default_rule().valid_to is None


def test_a_change_says_why() -> None:
    assert refusal(fees.terms(), reason="  ").field == "reason"


def test_the_same_rule_is_changed_by_one_request_at_a_time() -> None:
    rule = fees.default_rule()
    fees.proposed(Proposal.replacement(rule, fees.version_of(rule, percent_bp=23_00)))
    with pytest.raises(Conflict) as caught:
        fees.proposed(Proposal.replacement(rule, fees.version_of(rule, percent_bp=24_00)))
    assert caught.value.code == "already_asked"


def test_terms_survive_the_way_through_a_payload() -> None:
    creator = creators.creator()
    terms = fees.for_creator(creator, agreement="AG-7", valid_to=fees.soon(90))
    request = fees.proposed(terms)
    request.refresh_from_db()
    assert fee_rules.proposal_of(request) == Proposal.new(terms)


# --- When it is applied -----------------------------------------------------------------------------------------------


def test_a_start_that_has_passed_fails_with_its_sentence_and_changes_nothing() -> None:
    rule = fees.default_rule()
    terms = fees.version_of(rule, percent_bp=23_00, valid_from=fees.soon(2))
    request = fees.proposed(Proposal.replacement(rule, terms))
    request = fees.approved(request, at=terms.valid_from)
    assert request.status == Status.FAILED
    assert "has passed" in request.failure
    rule.refresh_from_db()
    assert rule.valid_to is None
    assert not RuleVersion.objects.filter(percent_bp=23_00).exists()


def test_a_rule_that_came_in_the_way_meanwhile_fails_it_with_its_name() -> None:
    request = fees.proposed(fees.terms(22_00))
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=fees.soon(1),
        percent_bp=20_00,
        scope=Scope.TIER,
        scope_value="premium",
    )
    request = fees.approved(request)
    assert request.status == Status.FAILED
    assert "Creator tier: Premium" in request.failure
    assert [rule.percent_bp for rule in RuleVersion.objects.filter(scope=Scope.TIER)] == [20_00]


def test_a_replacement_whose_start_is_taken_leaves_the_old_version_running() -> None:
    fees.approved(fees.proposed(fees.terms(21_00, valid_from=fees.soon(1))))
    rule = RuleVersion.objects.get(scope=Scope.TIER)
    request = fees.proposed(
        Proposal.replacement(rule, fees.version_of(rule, percent_bp=22_00, valid_from=fees.soon(3)))
    )
    commission.end_rule(rule=RuleVersion.objects.get(pk=rule.pk), by=None, valid_to=fees.soon(2))
    request = fees.approved(request)
    assert request.status == Status.FAILED
    assert RuleVersion.objects.filter(scope=Scope.TIER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_overlapping_proposals_approved_at_once_one_is_applied_and_the_other_says_why() -> None:
    found = [fees.proposed(fees.terms(percent_bp)) for percent_bp in (21_00, 22_00)]
    people = [staff("financial_admin"), staff("financial_admin")]
    together = threading.Barrier(2)

    def approve(number: int) -> None:
        try:
            together.wait()
            fees.approved(found[number], by=people[number])
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for request in found:
        request.refresh_from_db()
    assert sorted(request.status for request in found) == [Status.APPLIED, Status.FAILED]
    lost = next(request for request in found if request.status == Status.FAILED)
    assert "Creator tier: Premium" in lost.failure
    assert RuleVersion.objects.filter(scope=Scope.TIER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_ends_approved_at_once_never_leave_sales_without_a_commission() -> None:
    first = fees.default_rule()
    second = commission.add_rule(
        component=Component.COMMISSION, by=None, valid_from=first.valid_from, percent_bp=24_00, priority=5
    )
    found = [fees.proposed(Proposal.end(rule, fees.soon())) for rule in (first, second)]
    people = [staff("financial_admin"), staff("financial_admin")]
    together = threading.Barrier(2)

    def approve(number: int) -> None:
        try:
            together.wait()
            fees.approved(found[number], by=people[number])
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ApprovalRequest.objects.values_list("status", flat=True)) == [Status.APPLIED, Status.FAILED]
    assert RuleVersion.objects.filter(component=Component.COMMISSION, valid_to=None).count() == 1


def test_sales_before_the_change_keep_their_fees() -> None:
    at = clock.now()
    payment = sales.sale(sales.published(price_minor=100_00), at=at, buyer=member())
    before = set(payment.commission_lines.values_list("component", "amount_minor"))
    rule = fees.default_rule()
    fees.approved(fees.proposed(Proposal.replacement(rule, fees.version_of(rule, percent_bp=20_00))))
    assert set(payment.commission_lines.values_list("component", "amount_minor")) == before


def test_a_rule_is_named_without_a_persons_name() -> None:
    creator = creators.creator(stage_name="Marie-Ange Toussaint")
    rule = fees.for_creator(creator, agreement="AG-7", priority=3).as_rule()
    assert rules_policy.name(rule) == (
        f"Platform commission, One creator: {creator.reference}, agreement AG-7, priority 3"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"percent_bp": 22_50}, "22.5 %"),
        ({"percent_bp": 290, "fixed_minor": 30, "currency": "USD"}, "2.9 % + $0.30"),
        ({"percent_bp": 0, "fixed_minor": 30, "currency": "USD"}, "$0.30"),
        ({"percent_bp": 0}, "0 %"),
        (
            {"percent_bp": 100, "min_minor": 50, "max_minor": 900, "currency": "USD"},
            "1 %, at least $0.50, at most $9.00",
        ),
    ],
)
def test_a_rate_reads_as_people_say_it(fields: dict[str, Any], words: str) -> None:
    assert rules_policy.rate(fees.terms(**fields)) == words


# --- Calling a rule off before it starts ------------------------------------------------------------------------------


def upcoming(**fields: Any) -> RuleVersion:
    """An approved rule of premium creators that starts in ten days."""
    request = fees.approved(fees.proposed(fees.terms(21_00, **fields)))
    return RuleVersion.objects.get(approval=request)


def cancel(rule: RuleVersion, **fields: Any) -> ApprovalRequest:
    return fees.proposed(fee_rules.cancellation(rule), **fields)


@pytest.mark.parametrize("ends", [None, 20])
def test_a_rule_to_come_is_cancelled_by_two_people_and_leaves_its_time_free(ends: int | None) -> None:
    rule = upcoming(valid_to=fees.soon(ends) if ends else None)
    asker = staff("financial_admin")
    request = cancel(rule, by=asker)
    assert request.needed == 1
    assert "Cancel: Platform commission, Creator tier: Premium" in request.label
    with pytest.raises(Forbidden):
        fees.approved(request, by=asker)
    assert fees.approved(request).status == Status.APPLIED
    rule.refresh_from_db()
    assert rule.is_cancelled
    entry = AuditEntry.objects.get(action="fee_rule.cancel", subject_id=str(rule.pk))
    assert (entry.data["request"], entry.actor_id != asker.pk) == (request.reference, True)
    # Nothing is in its way any more, and nothing can be asked of it.
    with pytest.raises(Conflict, match="was cancelled before it started"):
        cancel(rule)
    assert fees.approved(fees.proposed(fees.terms(22_00))).status == Status.APPLIED


def test_a_cancelled_replacement_lets_the_version_before_it_go_on() -> None:
    rule = fees.default_rule()
    request = fees.approved(fees.proposed(Proposal.replacement(rule, fees.version_of(rule, percent_bp=23_00))))
    newer = RuleVersion.objects.get(approval=request)
    asked = cancel(newer)
    [_rule, rate, *_others] = kinds.of(asked).lines(asked)  # type: ignore[misc]
    assert (rate.before, rate.after) == ("23 %", "25 %")
    replay = fee_rules.replay(fee_rules.proposal_of(asked), fee_rules.Month.last_full(clock.now()))
    assert replay.rows == ()
    assert fees.approved(asked).status == Status.APPLIED
    goes_on = RuleVersion.objects.get(approval=asked)
    assert goes_on.valid_from == newer.valid_from
    before = {**Terms.of(rule).as_dict(), "valid_from": newer.valid_from, "valid_to": None}
    assert Terms.of(goes_on) == Terms(**before)
    for at in (newer.valid_from - timedelta(seconds=1), newer.valid_from, newer.valid_from + timedelta(days=400)):
        sale = policy.Sale(100_00, "USD", at, creator_id=uuid7())
        assert commission.resolve(sale).commission_minor == 25_00


def test_what_goes_on_ends_where_the_next_version_starts() -> None:
    rule = fees.default_rule()
    first = fees.approved(
        fees.proposed(Proposal.replacement(rule, fees.version_of(rule, percent_bp=23_00, valid_from=fees.soon(5))))
    )
    between = RuleVersion.objects.get(approval=first)
    later = fees.version_of(between, percent_bp=24_00, valid_from=fees.soon(9), valid_to=None)
    fees.approved(fees.proposed(Proposal.replacement(between, later)))
    between.refresh_from_db()
    asked = fees.approved(cancel(between))
    assert asked.status == Status.APPLIED, asked.failure
    spans = RuleVersion.objects.filter(component=Component.COMMISSION, scope=Scope.DEFAULT).order_by("valid_from", "pk")
    assert [(row.percent_bp, row.is_cancelled) for row in spans] == [
        (25_00, False),
        (23_00, True),
        (25_00, False),
        (24_00, False),
    ]
    assert RuleVersion.objects.get(approval=asked).valid_to == later.valid_from


def replaced(rule: RuleVersion, percent_bp: int, days: int, **changes: Any) -> RuleVersion:
    """The approved next version of a rule, from then on."""
    terms = fees.version_of(rule, percent_bp=percent_bp, valid_from=fees.soon(days), valid_to=None)
    request = fees.approved(fees.proposed(Proposal.replacement(rule, replace(terms, **changes))))
    rule.refresh_from_db()
    return RuleVersion.objects.get(approval=request)


def spans(scope: Scope) -> list[tuple[int, Any, Any]]:
    """What is in force when: rate, start and end of every version that was not cancelled."""
    rules = RuleVersion.objects.filter(component=Component.COMMISSION, scope=scope).order_by("valid_from")
    return [(rule.percent_bp, rule.valid_from, rule.valid_to) for rule in rules if not rule.is_cancelled]


def test_a_cancelled_version_never_comes_back_in_the_place_of_another() -> None:
    first = fees.default_rule()
    second = replaced(first, 23_00, 5)
    third = replaced(second, 24_00, 9)
    assert fees.approved(cancel(second)).status == Status.APPLIED
    request = fees.approved(cancel(third))
    assert request.status == Status.APPLIED, request.failure
    assert spans(Scope.DEFAULT) == [
        (25_00, first.valid_from, second.valid_from),
        (25_00, second.valid_from, third.valid_from),
        (25_00, third.valid_from, None),
    ]


def test_what_goes_on_in_the_place_of_a_rule_ends_when_that_would_have_ended() -> None:
    first = upcoming(valid_from=fees.soon(2))
    second = replaced(first, 23_00, 5)
    fees.approved(fees.proposed(Proposal.end(second, fees.soon(9))))
    second.refresh_from_db()
    assert second.valid_to is not None
    assert fees.approved(cancel(second)).status == Status.APPLIED
    assert spans(Scope.TIER) == [
        (21_00, first.valid_from, second.valid_from),
        (21_00, second.valid_from, second.valid_to),
    ]


def test_what_goes_on_in_the_place_of_a_rule_is_not_cancelled_into_nothing() -> None:
    first = upcoming(valid_from=fees.soon(2))
    request = fees.approved(cancel(replaced(first, 23_00, 5)))
    stand_in = RuleVersion.objects.get(approval=request)
    with pytest.raises(Conflict) as caught:
        cancel(stand_in)
    assert caught.value.code == "nothing_changes"
    # Once the version before it is called off there is nothing to go on.
    assert fees.approved(cancel(first)).status == Status.APPLIED
    assert fees.approved(cancel(stand_in)).status == Status.APPLIED
    assert spans(Scope.TIER) == []


def test_a_rule_in_force_is_never_cancelled() -> None:
    rule = fees.default_rule()
    assert refusal(fee_rules.cancellation(rule)).code == "rule_started"
    with pytest.raises(Conflict):
        commission.cancel_rule(rule=rule, by=None)
    with pytest.raises(IntegrityError, match="only its end may be set"), transaction.atomic():
        RuleVersion.objects.filter(pk=rule.pk).update(valid_to=rule.valid_from)
    rule.refresh_from_db()
    assert rule.valid_to is None


def test_a_cancellation_that_is_approved_too_late_fails_and_the_rule_starts() -> None:
    rule = upcoming()
    request = fees.approved(cancel(rule), at=rule.valid_from)
    assert request.status == Status.FAILED
    assert "no longer cancelled" in request.failure
    rule.refresh_from_db()
    assert not rule.is_cancelled


def test_a_cancellation_that_other_versions_have_overtaken_is_asked_for_again() -> None:
    rule = upcoming()
    made_up = Proposal.cancellation(rule, fees.terms(1_00, valid_from=rule.valid_from))
    with pytest.raises(Conflict, match="Propose it again"):
        fees.proposed(made_up)


def test_no_rule_is_written_without_any_time() -> None:
    start = fees.soon()
    with pytest.raises(IntegrityError, match="covers some time"), transaction.atomic():
        RuleVersion.objects.create(
            component=Component.COMMISSION,
            scope=Scope.TIER,
            scope_value="gold",
            percent_bp=21_00,
            valid_from=start,
            valid_to=start,
        )


def test_the_last_commission_is_not_cancelled_away() -> None:
    rule = fees.default_rule()
    commission.end_rule(rule=rule, by=None, valid_to=fees.soon(5))
    after = commission.add_rule(component=Component.COMMISSION, by=None, valid_from=fees.soon(5), percent_bp=24_00)
    with pytest.raises(Conflict) as caught:
        cancel(after)
    assert caught.value.code == "no_commission_left"
