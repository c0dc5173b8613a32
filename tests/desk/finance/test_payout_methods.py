"""Payout methods: changed by two people, never for what is under way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit.models import AuditEntry
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.finance.models import PayoutMethod
from backoffice.finance.policies.payout_methods import Settings, fee_words
from backoffice.finance.services import payout_methods
from tests.desk.clients import Desk
from tests.factories import finance
from tests.factories.accounts import staff
from tests.statements import count

pytestmark = pytest.mark.django_db
LIST = "/admin/finance/payout-methods/"


def method(code: str = "moncash") -> PayoutMethod:
    return PayoutMethod.objects.get(code=code, currency="USD")


def settings(code: str = "moncash", **changes: Any) -> Settings:
    return replace(Settings.of(method(code)), **changes)


def proposed(code: str = "moncash", *, by: Any = None, **changes: Any) -> ApprovalRequest:
    return payout_methods.propose(
        method=method(code),
        settings=settings(code, **changes),
        reason="The contract changed",
        by=by or staff("financial_admin"),
    )


def typed(**changes: str) -> dict[str, str]:
    """The form of MonCash as it is, with changes."""
    return {
        "percent": "2",
        "fixed": "0.00",
        "lowest": "",
        "highest": "",
        "minimum": "10.00",
        "countries": "HT",
        "hours_min": "24",
        "hours_max": "48",
        "reason": "The contract changed",
        "step": "propose",
        **changes,
    }


def page(found: PayoutMethod, verb: str = "_change") -> str:
    return reverse(f"desk:payout_method{verb}", args=[found.pk])


def test_a_method_changes_once_somebody_else_has_approved_it() -> None:
    request = proposed(fee_bp=150, minimum_minor=20_00, enabled=True, countries=("DO", "HT"))
    assert method().fee_bp == 200
    request = requests.approve(request=request, by=staff("financial_admin"))
    assert request.status == Status.APPLIED
    found = method()
    assert (found.fee_bp, found.minimum_minor, found.enabled, found.countries) == (150, 20_00, True, ["DO", "HT"])
    entry = AuditEntry.objects.get(action="payout_method.change")
    assert entry.before == {"fee_bp": 200, "minimum_minor": 10_00, "enabled": False, "countries": ["HT"]}
    assert entry.data["request"] == request.reference


def test_nobody_changes_a_method_alone() -> None:
    person = staff("super_admin")
    request = proposed(by=person, fee_bp=150)
    with pytest.raises(Forbidden):
        requests.approve(request=request, by=person)
    assert method().fee_bp == 200


def test_one_change_of_a_method_waits_at_a_time() -> None:
    proposed(fee_bp=150)
    with pytest.raises(Conflict) as caught:
        proposed(fee_bp=100)
    assert caught.value.code == "already_asked"


def test_a_method_that_was_changed_meanwhile_fails_the_request_with_its_sentence() -> None:
    request = proposed(fee_bp=150)
    PayoutMethod.objects.filter(pk=method().pk).update(minimum_minor=15_00)
    request = requests.approve(request=request, by=staff("financial_admin"))
    assert request.status == Status.FAILED
    assert "changed since this was proposed" in request.failure
    assert method().fee_bp == 200


def test_a_payout_under_way_keeps_its_fee() -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    item = run.items.get()
    before = (item.fee_minor, item.net_minor)
    request = proposed("stripe", fee_bp=500)
    requests.approve(request=request, by=staff("financial_admin"))
    item.refresh_from_db()
    assert (item.fee_minor, item.net_minor) == before
    assert finance.requested(finance.payable(50_000), 20_000).items.get().fee_minor == 10_25


@pytest.mark.parametrize(
    ("code", "changes", "field"),
    [
        ("moncash", {"fee_bp": 1001}, "fee_bp"),
        ("moncash", {"fee_fixed_minor": -1}, "fee_fixed_minor"),
        ("moncash", {"fee_min_minor": 1_00}, "fee_max_minor"),
        ("western_union", {"fee_min_minor": 60_00}, "fee_max_minor"),
        ("bank", {"enabled": True}, "minimum_minor"),
        ("sogebank", {"minimum_minor": 15_00}, "minimum_minor"),
        ("moncash", {"countries": ("HT", "ZZ")}, "countries"),
        ("moncash", {"hours_min": 49}, "hours_max"),
        ("moncash", {"hours_max": 99_999}, "hours_max"),
        ("moncash", {}, None),
    ],
)
def test_what_a_method_may_not_be_is_refused(code: str, changes: dict[str, Any], field: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        proposed(code, **changes)
    assert caught.value.field == field
    assert not ApprovalRequest.objects.exists()


def test_a_fee_reads_as_people_say_it() -> None:
    assert fee_words(settings("stripe"), "USD") == "0.25 % + $0.25"
    assert fee_words(settings("western_union"), "USD") == "$20.00 to $50.00, entered for each payout"
    assert fee_words(settings("bank"), "USD") == "none"


def test_the_list_shows_every_method_in_as_many_statements(desk: Callable[..., Desk]) -> None:
    client = desk("ops_manager")
    few = count(lambda: client.get(LIST))
    proposed(fee_bp=150)
    proposed("sogebank", minimum_minor=60_00)
    answer = client.get(LIST)
    assert count(lambda: client.get(LIST)) <= few + 1  # the people who asked
    text = answer.content.decode()
    assert "MonCash" in text
    assert text.count("A change waits for approval") == 2


def test_who_only_looks_is_offered_no_change(desk: Callable[..., Desk]) -> None:
    client = desk("ops_manager")
    answer = client.get(page(method(), ""))
    assert answer.status_code == 200
    assert page(method()) not in answer.content.decode()
    assert client.get(page(method())).status_code == 403
    assert desk("customer_support").get(LIST).status_code == 403


def test_the_form_shows_what_would_change_and_then_asks_for_it(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    given = typed(percent="1.5", countries="ht; do", enabled="on")
    answer = client.post(page(method()), {**given, "step": "check"})
    assert [(line.before, line.after) for line in answer.context["changes"]] == [
        ("2 %", "1.5 %"),
        ("Haiti", "Dominican Republic, Haiti"),
        ("no", "yes"),
    ]
    assert not ApprovalRequest.objects.exists()
    answer = client.post(page(method()), given)
    request = ApprovalRequest.objects.get()
    assert answer["Location"] == reverse("desk:approval_detail", args=[request.pk])
    assert request.reference in client.get(page(method(), "")).content.decode()
    approver = desk("financial_admin")
    text = approver.get(answer["Location"]).content.decode()
    assert "1.5 %" in text
    approver.post(reverse("desk:approval_approve", args=[request.pk]), {"revision": "1"})
    assert method().enabled


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent": "many"}, "percent"),
        ({"fixed": "1.234"}, "fixed"),
        ({"lowest": "1"}, "highest"),
        ({"minimum": "", "enabled": "on"}, "minimum"),
        ({"countries": "HAITI"}, "countries"),
        ({"hours_min": "soon"}, "hours_min"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_mistake_stands_beside_its_field(desk: Callable[..., Desk], changes: dict[str, str], field: str) -> None:
    answer = desk("financial_admin").post(page(method()), typed(**changes))
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
