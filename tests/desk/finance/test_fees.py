"""The fee desk: lists, what a sale would cost, proposals with their replay, and the decision of somebody else."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit.models import AuditEntry, ExportRecord
from backoffice.catalogue.models import Category
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.creators.states import Tier
from backoffice.desk.finance.fee_forms import MOMENT
from backoffice.finance.models import Payment, RuleVersion
from backoffice.finance.models.commission import Component, Scope
from backoffice.finance.policies.fee_rules import Proposal
from backoffice.finance.services import commission, fee_rules
from backoffice.finance.services.fee_replay import Month
from tests.desk.clients import Desk
from tests.factories import creators, fees, sales
from tests.statements import count

LIST, NEW, CALCULATOR = "/admin/finance/fees/", "/admin/finance/fees/new/", "/admin/finance/fees/calculator/"
LONG_NAME = "Orchestre Septentrional d'Haïti et ses invités permanents de la saison " * 2


def last_month() -> datetime:
    """A moment in the last full month."""
    return Month.last_full(clock.now()).start + timedelta(days=9, hours=12)


def premium(**fields: Any) -> Creator:
    creator = creators.creator(**fields)
    Creator.objects.filter(pk=creator.pk).update(tier=Tier.PREMIUM)
    creator.refresh_from_db()
    return creator


def sold(creator: Creator, price_minor: int = 100_00) -> Payment:
    return sales.sale(sales.published(creator, price_minor=price_minor), at=last_month())


def typed(**changes: str) -> dict[str, str]:
    """What somebody types for a commission of premium creators."""
    return {
        "component": "commission",
        "scope": "tier",
        "tier": "premium",
        "percent": "22.5",
        "currency": "",
        "bearer": "creator",
        "priority": "0",
        "promotion_code": "",
        "valid_from": timezone.localtime(fees.soon()).strftime(MOMENT),
        "valid_to": "",
        "reason": "Agreed with the creators' council",
        "step": "propose",
        **changes,
    }


def address(request: ApprovalRequest, verb: str = "") -> str:
    return reverse(f"desk:fee_request_{verb}" if verb else "desk:fee_request", args=[request.pk])


# --- Lists ------------------------------------------------------------------------------------------------------------


def test_the_tabs_part_what_is_in_force_from_what_comes_and_what_is_over(desk: Callable[..., Desk]) -> None:
    fees.approved(fees.proposed(fees.terms(21_00)))
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
        valid_to=datetime(2021, 1, 1, tzinfo=UTC),
        percent_bp=23_00,
        scope=Scope.COUNTRY,
        scope_value="HT",
    )
    client = desk("ops_manager")

    def shown(tab: str) -> set[int]:
        return {rule.percent_bp for rule in client.get(LIST, {"tab": tab}).context["page"].items}

    assert shown("upcoming") == {21_00}
    assert shown("past") == {23_00}
    assert shown("in_force") == {25_00, 290, 200}


def test_the_list_is_narrowed_by_fee_scope_and_creator(desk: Callable[..., Desk]) -> None:
    creator = creators.creator(stage_name=LONG_NAME)
    fees.approved(fees.proposed(fees.for_creator(creator)))
    client = desk("financial_admin")

    def found(**query: str) -> list[str]:
        page = client.get(LIST, {"tab": "upcoming", **query}).context["page"]
        return [rule.scope for rule in page.items]

    assert found(creator=creator.reference.lower()) == ["creator"]
    assert found(component="commission", scope="creator") == ["creator"]
    assert found(component="processing") == []
    answer = client.get(LIST, {"tab": "upcoming", "creator": "CR-NOBODY"})
    assert "No rule matches this search" in answer.content.decode()
    assert LONG_NAME.strip() in client.get(LIST, {"tab": "upcoming"}).content.decode().replace("&#x27;", "'")


def test_the_statements_of_the_list_do_not_grow_with_its_rows(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    fees.approved(fees.proposed(fees.for_creator(creators.creator())))
    few = count(lambda: client.get(LIST, {"tab": "upcoming"}))
    for _number in range(4):
        fees.approved(fees.proposed(fees.for_creator(creators.creator())))
    assert count(lambda: client.get(LIST, {"tab": "upcoming"})) == few
    assert few <= 20


def test_the_list_goes_on_page_by_page(desk: Callable[..., Desk]) -> None:
    for number in range(53):
        commission.add_rule(
            component=Component.COMMISSION,
            by=None,
            valid_from=fees.soon(number + 1),
            percent_bp=20_00,
            scope=Scope.COUNTRY,
            scope_value=f"X{number}",
        )
    client = desk("ops_manager")
    first = client.get(LIST, {"tab": "upcoming"}).context["page"]
    second = client.get(LIST + first.next_query).context["page"]
    assert (len(first.items), len(second.items)) == (50, 3)
    assert not {rule.pk for rule in first.items} & {rule.pk for rule in second.items}


def test_who_only_looks_is_offered_no_change(desk: Callable[..., Desk]) -> None:
    rule = fees.default_rule()
    request = fees.proposed(fees.terms())
    client = desk("ops_manager")
    pages = [LIST, reverse("desk:fee_rule", args=[rule.pk]), address(request), CALCULATOR]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert NEW not in text
        assert "/replace/" not in text
        assert address(request, "approve") not in text
    assert client.get(NEW).status_code == 403
    assert client.post(address(request, "approve"), {"revision": 1}).status_code == 403


@pytest.mark.parametrize("role", ["customer_support", "content_moderator", "editor", "analyst"])
def test_others_do_not_see_fees(desk: Callable[..., Desk], role: str) -> None:
    client = desk(role)
    for page in (LIST, CALCULATOR, reverse("desk:fee_rule", args=[fees.default_rule().pk])):
        assert client.get(page).status_code == 403


def test_what_is_not_there_is_not_found(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    nothing = "0195b2a0-0000-7000-8000-000000000000"
    for name in ("fee_rule", "fee_rule_replace", "fee_rule_end", "fee_rule_cancel", "fee_request", "payout_method"):
        assert client.get(reverse(f"desk:{name}", args=[nothing])).status_code == 404


def test_a_rule_shows_its_versions_its_uses_and_who_approved_it(desk: Callable[..., Desk]) -> None:
    rule = fees.default_rule()
    for _number in range(2):
        sold(creators.creator())
    approver = desk("financial_admin").person
    asked = fees.proposed(Proposal.replacement(rule, fees.version_of(rule, percent_bp=23_00)))
    fees.approved(asked, by=approver)
    answer = desk("ops_manager").get(reverse("desk:fee_rule", args=[rule.pk]))
    assert answer.context["uses"] == 2
    assert [version.percent_bp for version, _rate, _state in answer.context["versions"]] == [23_00, 25_00]
    assert [version.approval for version, _rate, _state in answer.context["versions"]] == [asked, None]
    assert asked.reference in answer.content.decode()
    assert str(approver) in answer.content.decode()


# --- What would this sale cost ----------------------------------------------------------------------------------------


def test_the_calculator_says_why_every_cent(desk: Callable[..., Desk]) -> None:
    creator = creators.creator()
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
        percent_bp=20_00,
        creator=creator,
        agreement="AG-12",
    )
    answer = desk("ops_manager").get(
        CALCULATOR, {"amount": "100", "currency": "USD", "creator": creator.reference, "product": "movie"}
    )
    split, lines = answer.context["split"], answer.context["lines"]
    assert (split.creator_minor, split.commission_minor, split.processing_minor) == (76_80, 20_00, 3_20)
    assert [line["sum"] for line in lines] == ["20 % of $100.00 = $20.00", "2.9 % of $100.00 + $0.30 = $3.20"]
    text = answer.content.decode()
    assert "a signed agreement" in text
    assert "it is only the rule for everything" in text
    assert "its priority 0 is lower" in text


def test_the_calculator_takes_another_tier_country_and_day(desk: Callable[..., Desk]) -> None:
    creator = creators.creator()
    fees.approved(fees.proposed(fees.terms(20_00)))
    client = desk("financial_admin")
    query = {"amount": "10,00", "currency": "USD", "creator": creator.stage_name, "tier": "premium"}
    assert client.get(CALCULATOR, query).context["split"].commission_minor == 2_50
    query["at"] = timezone.localtime(fees.soon(11)).strftime(MOMENT)
    assert client.get(CALCULATOR, query).context["split"].commission_minor == 2_00


def test_a_price_below_its_fees_says_who_pays_the_rest(desk: Callable[..., Desk]) -> None:
    answer = desk("financial_admin").get(
        CALCULATOR, {"amount": "0.20", "currency": "USD", "creator": creators.creator().reference}
    )
    assert "The fees are $0.16 more than the price" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"amount": "ten"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "1.234"}, "amount"),
        ({"amount": "5", "creator": "CR-NOBODY"}, "creator"),
        ({"amount": "5", "category": "none-such"}, "category"),
        ({"amount": "5", "at": "yesterday"}, "at"),
    ],
)
def test_the_calculator_shows_mistakes_beside_the_field(
    desk: Callable[..., Desk], query: dict[str, str], field: str
) -> None:
    answer = desk("financial_admin").get(CALCULATOR, {"currency": "USD", **query})
    assert list(answer.context["form"].errors) == [field]
    assert "split" not in answer.context


def test_several_creators_of_a_name_are_told_apart_by_their_references(desk: Callable[..., Desk]) -> None:
    found = [creators.creator(stage_name=f"Ti Jean {number}") for number in range(2)]
    answer = desk("financial_admin").get(CALCULATOR, {"currency": "USD", "amount": "5", "creator": "Ti Jean"})
    [sentence] = answer.context["form"].errors["creator"]
    assert all(creator.reference in sentence for creator in found)


def test_a_payments_page_says_why_this_rule_in_words_and_leads_to_it(desk: Callable[..., Desk]) -> None:
    payment = sold(creators.creator())
    text = desk("ops_manager").get(reverse("desk:payment", args=[payment.pk])).content.decode()
    assert "Platform commission, Everything" in text
    assert "the rule for everything" in text
    assert reverse("desk:fee_rule", args=[fees.default_rule().pk]) in text


# --- Proposing --------------------------------------------------------------------------------------------------------


def test_looking_at_the_replay_asks_for_nothing(desk: Callable[..., Desk]) -> None:
    creator = premium()
    sold(creator)
    answer = desk("financial_admin").post(NEW, typed(step="check"))
    assert [(row.difference, found) for row, found in answer.context["rows"]] == [(2_50, creator)]
    assert 'value="22.5"' in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_a_proposal_waits_with_its_replay_until_somebody_else_approves_it(desk: Callable[..., Desk]) -> None:
    sold(premium())
    asker, approver = desk("financial_admin"), desk("financial_admin")
    answer = asker.post(NEW, typed(percent="22,5"))
    request = ApprovalRequest.objects.get()
    assert answer["Location"] == address(request)
    own = asker.get(address(request))
    assert "somebody else has to decide" in own.content.decode()
    page = approver.get(address(request))
    assert [row.difference for row, _creator in page.context["rows"]] == [2_50]
    assert 'data-key="a"' in page.content.decode()
    approver.post(address(request, "approve"), {"revision": "1"})
    request.refresh_from_db()
    assert request.status == Status.APPLIED
    rule = RuleVersion.objects.get(scope=Scope.TIER)
    assert (rule.percent_bp, rule.created_by) == (22_50, asker.person)


def test_an_old_factor_is_asked_for_again_before_the_approval_counts(desk: Callable[..., Desk]) -> None:
    request = fees.proposed(fees.terms())
    answer = desk("financial_admin", factor_age=301).post(address(request, "approve"), {"revision": "1"})
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    request.refresh_from_db()
    assert request.status == Status.PENDING


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent": "19"}, "percent"),
        ({"percent": "lots"}, "percent"),
        ({"percent": "22.555"}, "percent"),
        ({"percent": "101"}, "percent"),
        ({"fixed": "1"}, "currency"),
        ({"fixed": "1.234", "currency": "USD"}, "fixed"),
        ({"valid_from": "2020-01-01T00:00"}, "valid_from"),
        ({"valid_from": ""}, "valid_from"),
        ({"valid_to": "2020-01-01T00:00"}, "valid_to"),
        ({"tier": "gold"}, "tier"),
        ({"reason": ""}, "reason"),
        ({"priority": "many"}, "priority"),
        ({"scope": "creator", "creator": "CR-NOBODY"}, "creator"),
        ({"scope": "country", "country": "ZZ"}, "country"),
    ],
)
def test_a_mistake_stands_beside_its_field_and_what_was_typed_stays(
    desk: Callable[..., Desk], changes: dict[str, str], field: str
) -> None:
    answer = desk("financial_admin").post(NEW, typed(**changes))
    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert "Agreed with the creators" in answer.content.decode() or changes.get("reason") == ""
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("scope", Scope.values)
def test_every_scope_can_be_proposed(desk: Callable[..., Desk], scope: str) -> None:
    category = Category.objects.filter(kind=Category.Kind.TITLE).first() or sales.category()
    creator = creators.creator()
    client = desk("financial_admin")
    picks = {"creator": creator.reference, "category": str(category.pk), "product": "movie", "country": "HT"}
    page = client.get(NEW, {"component": "commission", "scope": scope})
    assert {"tier", "creator", "category", "product", "country"} & set(page.context["form"].fields) <= {scope}
    code = "WORLD" if scope == "default" else ""
    client.post(NEW, typed(scope=scope, promotion_code=code, **picks))
    request = fees.approved(ApprovalRequest.objects.get())
    assert request.status == Status.APPLIED
    rule = RuleVersion.objects.get(approval=request)
    assert (rule.scope, rule.creator == creator, rule.category == category) == (
        scope,
        scope == "creator",
        scope == "category",
    )


def test_the_rule_in_the_way_is_named_on_the_form(desk: Callable[..., Desk]) -> None:
    fees.approved(fees.proposed(fees.terms(21_00, valid_from=fees.soon(2))))
    answer = desk("financial_admin").post(NEW, typed())
    [sentence] = answer.context["form"].errors["valid_from"]
    assert "Platform commission, Creator tier: Premium" in sentence


def test_a_replacement_is_filled_with_the_running_version(desk: Callable[..., Desk]) -> None:
    rule = fees.default_rule(Component.PROCESSING, "USD")
    client, page = desk("financial_admin"), reverse("desk:fee_rule_replace", args=[rule.pk])
    form = client.get(page).context["form"]
    assert (form["percent"].value(), form["fixed"].value()) == ("2.9", "0.30")
    given = typed(percent="3", fixed="0.35", bearer="platform")
    assert client.post(page, given).status_code == 302
    fees.approved(ApprovalRequest.objects.get())
    newer = RuleVersion.objects.get(component=Component.PROCESSING, currency="USD", valid_to=None)
    assert (newer.percent_bp, newer.fixed_minor, newer.bearer, newer.priority) == (300, 35, "platform", 10)
    rule.refresh_from_db()
    assert rule.valid_to == newer.valid_from


def test_ending_the_last_commission_is_refused_with_its_reason(desk: Callable[..., Desk]) -> None:
    rule = fees.default_rule()
    page = reverse("desk:fee_rule_end", args=[rule.pk])
    answer = desk("financial_admin").post(page, typed())
    assert answer.status_code == 400
    assert "Replace the rule instead of ending it" in answer.content.decode()


def test_a_rule_that_is_not_the_last_one_ends_by_two_people(desk: Callable[..., Desk]) -> None:
    fees.approved(fees.proposed(fees.terms(21_00, valid_from=fees.soon(1))))
    rule, end = RuleVersion.objects.get(scope=Scope.TIER), fees.soon()
    wanted = typed(valid_from=timezone.localtime(end).strftime(MOMENT))
    desk("financial_admin").post(reverse("desk:fee_rule_end", args=[rule.pk]), wanted)
    fees.approved(ApprovalRequest.objects.get(status=Status.PENDING))
    rule.refresh_from_db()
    assert rule.valid_to == end


def test_an_upcoming_rule_is_cancelled_on_its_page_and_shown_as_cancelled(desk: Callable[..., Desk]) -> None:
    sold(premium())
    fees.approved(fees.proposed(fees.terms(20_00)))
    rule = RuleVersion.objects.get(scope=Scope.TIER)
    page, do = reverse("desk:fee_rule", args=[rule.pk]), reverse("desk:fee_rule_cancel", args=[rule.pk])
    client = desk("financial_admin")
    assert do in client.get(page).content.decode()
    assert do not in client.get(reverse("desk:fee_rule", args=[fees.default_rule().pk])).content.decode()
    assert client.post(do, {"step": "propose", "reason": ""}).context["form"].errors["reason"]
    looked = client.post(do, {"step": "check", "reason": "Agreed otherwise"})
    assert [(row.difference, row.by_change) for row, _creator in looked.context["rows"]] == [(0, -5_00)]
    client.post(do, {"step": "propose", "reason": "Agreed otherwise"})
    request = ApprovalRequest.objects.get(status=Status.PENDING)
    assert "cancelled before it starts" in client.get(address(request)).content.decode()
    desk("admin").post(address(request, "approve"), {"revision": "1"})
    request.refresh_from_db()
    assert request.status == Status.APPLIED
    answer = client.get(page)
    assert answer.context["state"] == "cancelled"
    assert "Cancelled before its start" in answer.content.decode()
    assert do not in answer.content.decode()
    assert [row.pk for row, *_others in client.get(LIST, {"tab": "upcoming"}).context["rows"]] == []
    assert rule.pk in [row.pk for row, *_others in client.get(LIST, {"tab": "past"}).context["rows"]]
    # What was decided on can still be read.
    again = client.get(address(request)).context
    assert [row.by_change for row, _creator in again["rows"]] == [-5_00]
    assert "kept_totals" not in again


# --- The request ------------------------------------------------------------------------------------------------------


def test_a_rejection_reaches_whoever_asked_with_its_reason(desk: Callable[..., Desk]) -> None:
    asker = desk("financial_admin")
    request = fees.proposed(fees.terms(), by=asker.person)
    desk("admin").post(address(request, "reject"), {"reason": "Not before the new year."})
    request.refresh_from_db()
    assert (request.status, request.decision_reason) == (Status.REJECTED, "Not before the new year.")
    assert "Not before the new year." in asker.get(address(request)).content.decode()


def test_a_rejection_without_a_reason_is_none(desk: Callable[..., Desk]) -> None:
    request = fees.proposed(fees.terms())
    desk("admin").post(address(request, "reject"), {"reason": " "})
    request.refresh_from_db()
    assert request.status == Status.PENDING


def test_only_whoever_asked_withdraws(desk: Callable[..., Desk]) -> None:
    asker, other = desk("financial_admin"), desk("financial_admin")
    request = fees.proposed(fees.terms(), by=asker.person)
    other.post(address(request, "withdraw"))
    request.refresh_from_db()
    assert request.status == Status.PENDING
    asker.post(address(request, "withdraw"), {"reason": "A typing mistake"})
    request.refresh_from_db()
    assert request.status == Status.WITHDRAWN


def test_what_cannot_be_carried_out_any_more_is_told_to_the_approver(desk: Callable[..., Desk]) -> None:
    request = fees.proposed(fees.terms())
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=fees.soon(1),
        percent_bp=20_00,
        scope=Scope.TIER,
        scope_value="premium",
    )
    client = desk("financial_admin")
    answer = client.post(address(request, "approve"), {"revision": "1"}, follow=True)
    assert "could not be carried out" in answer.content.decode()
    request.refresh_from_db()
    assert request.status == Status.FAILED
    assert request.failure in answer.content.decode().replace("&#x27;", "'")


def test_the_general_page_sends_a_change_of_the_fees_to_its_own(desk: Callable[..., Desk]) -> None:
    request = fees.proposed(fees.terms())
    client = desk("financial_admin")
    assert client.get(reverse("desk:approval_detail", args=[request.pk])).context["own_page"] == address(request)
    answer = client.post(reverse("desk:approval_approve", args=[request.pk]), {"revision": "1"})
    assert answer["Location"] == address(request)
    request.refresh_from_db()
    assert request.status == Status.PENDING


def test_a_replay_that_is_not_what_it_was_stands_beside_the_one_of_the_proposal(desk: Callable[..., Desk]) -> None:
    creator = premium()
    sold(creator)
    request = fees.proposed(fees.terms(20_00))
    client = desk("financial_admin")
    assert "kept_totals" not in client.get(address(request)).context
    sold(creator, 50_00)
    answer = client.get(address(request))
    assert [total.gross for total in answer.context["kept_totals"]] == [100_00]
    assert [total.gross for total in answer.context["replay"].totals] == [150_00]
    assert "Not what it was when the change was proposed" in answer.content.decode()


@pytest.mark.parametrize("replaces", [False, True])
def test_the_replay_of_an_applied_change_still_shows_what_was_decided_on(
    desk: Callable[..., Desk], replaces: bool
) -> None:
    sold(premium())
    rule = fees.default_rule()
    change = Proposal.replacement(rule, fees.version_of(rule, percent_bp=20_00)) if replaces else fees.terms(20_00)
    request = fees.approved(fees.proposed(change))
    assert request.status == Status.APPLIED
    context = desk("financial_admin").get(address(request)).context
    assert [(row.difference, row.by_change) for row, _creator in context["rows"]] == [(5_00, 5_00)]
    assert "kept_totals" not in context


def test_another_month_can_be_replayed(desk: Callable[..., Desk]) -> None:
    sold(premium())
    request = fees.proposed(fees.terms(20_00))
    before = Month.last_full(clock.now()).earlier(1)
    answer = desk("financial_admin").get(address(request), {"month": str(before)})
    assert answer.context["replay"].sales == 0
    assert "Nothing was sold in this month" in answer.content.decode()


def test_the_statements_of_the_request_do_not_grow_with_its_creators(desk: Callable[..., Desk]) -> None:
    sold(premium())
    request = fees.proposed(fees.terms(20_00))
    client = desk("financial_admin")
    few = count(lambda: client.get(address(request)))
    for _number in range(4):
        sold(premium())
    assert count(lambda: client.get(address(request))) == few
    assert few <= 30


def test_who_loses_most_is_shown_when_there_are_more_than_fit(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.desk.finance.fee_requests.SHOWN", 2)
    commission.add_rule(
        component=Component.COMMISSION,
        by=None,
        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
        percent_bp=20_00,
        scope=Scope.TIER,
        scope_value="premium",
    )
    for price in (10_00, 30_00, 20_00):
        sold(premium(), price)
    rule = RuleVersion.objects.get(scope=Scope.TIER)
    answer = desk("financial_admin").get(address(fees.proposed(Proposal.end(rule, fees.soon()))))
    assert [row.difference for row, _creator in answer.context["rows"]] == [-1_50, -1_00]
    assert answer.context["hidden"] == 1


# --- The file ---------------------------------------------------------------------------------------------------------


def export(client: Desk, request: ApprovalRequest, **fields: str) -> Any:
    page = reverse("desk:fee_replay_export", args=[request.pk])
    return client.post(page, {"reason": "For the meeting", "format": "csv", **fields})


def test_the_replay_is_taken_out_on_record(desk: Callable[..., Desk]) -> None:
    creator = premium(stage_name="=HYPERLINK(1)")
    sold(creator)
    request = fees.proposed(fees.terms(20_00))
    client = desk("financial_admin")
    answer = export(client, request)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    header, row, total = list(csv.reader(io.StringIO(text)))
    named = dict(zip(header, row, strict=True))
    assert (named["creator"], named["stage_name"]) == (creator.reference, "'=HYPERLINK(1)")
    assert (named["creator_before"], named["creator_after"], named["difference"]) == ("71.80", "76.80", "5.00")
    assert total[header.index("gross")] == "100.00"
    made = ExportRecord.objects.get(dataset="fee_replay")
    assert (made.user, made.rows, made.subject_id) == (client.person, 2, str(request.pk))
    assert AuditEntry.objects.filter(action="fee_replay.export", reason="For the meeting").exists()


def test_a_file_needs_a_reason_a_fresh_factor_and_the_right(desk: Callable[..., Desk]) -> None:
    request = fees.proposed(fees.terms(20_00))
    assert export(desk("financial_admin"), request, reason="x").status_code == 400
    assert export(desk("financial_admin", factor_age=301), request).status_code == 302
    assert export(desk("ops_manager"), request).status_code == 403
    assert not ExportRecord.objects.exists()


def test_the_menu_leads_here_for_whoever_may_see_fees(desk: Callable[..., Desk]) -> None:
    assert LIST in desk("ops_manager").get("/admin/work/").content.decode()
    assert LIST not in desk("editor").get("/admin/work/").content.decode()


def test_the_waiting_proposals_stand_above_the_list(desk: Callable[..., Desk]) -> None:
    request = fees.proposed(fees.terms())
    requests.withdraw(request=fees.proposed(fees.terms(21_00, scope_value="verified")), by=None)
    waiting = desk("ops_manager").get(LIST).context["waiting"]
    assert waiting == [request]
    assert fee_rules.proposal_of(waiting[0]).terms == fee_rules.proposal_of(request).terms
