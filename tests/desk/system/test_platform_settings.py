"""The screen of the settings: who sees what, who changes what, and what the form makes of what was typed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.configuration import switches, values
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.models import SettingVersion
from backoffice.configuration.setting import Level
from backoffice.journeys.services import platform_settings
from tests.desk.clients import Desk
from tests.factories.accounts import staff
from tests.statements import count

LIST = "/admin/system/settings/"
Seat = Callable[..., Desk]
OPERATIONAL, STANDARD = "queue.lease_seconds", "application.lapse_days"
MONEY, SECURITY, SWITCH = "payout.dual_approval_over", "signin.attempts", "switch.payouts"
TYPED = {OPERATIONAL: "60", STANDARD: "90", MONEY: "500", SECURITY: "4", SWITCH: "off"}


def page(key: str) -> str:
    return reverse("desk:setting", args=[key])


def change(client: Desk, key: str, value: Any = None, reason: str = "Board decision") -> Any:
    given = {"value": TYPED[key] if value is None else value, "reason": reason}
    return client.post(reverse("desk:setting_change", args=[key]), given)


def keys(answer: Any) -> list[str]:
    return [row.key for _code, _label, rows in answer.context["groups"] for row in rows]


# --- Who sees and changes what ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_the_matrix_gives_it(desk: Seat, role: str) -> None:
    client, rights = desk(role), permissions_of(role)
    answer = client.get(LIST)
    if "settings.view" not in rights:
        assert answer.status_code == 403
        assert client.get(page(STANDARD)).status_code == 403
        return
    sees_switches = "switches.view" in rights
    assert set(keys(answer)) == {
        key for key, setting in DEFAULTS.items() if setting.level != Level.SWITCH or sees_switches
    }
    assert client.get(page(SWITCH)).status_code == (200 if sees_switches else 403)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_changes_what_the_matrix_gives_it_and_is_refused_the_rest(desk: Seat, role: str) -> None:
    allowed = {
        "super_admin": {OPERATIONAL, STANDARD, MONEY, SECURITY, SWITCH},
        "admin": {OPERATIONAL, STANDARD, MONEY},
        "ops_manager": {OPERATIONAL},
    }.get(role, set())
    client = desk(role)
    for key in TYPED:
        answer = change(client, key)
        assert answer.status_code == (302 if key in allowed else 403), key
    changed = set(SettingVersion.objects.values_list("key", flat=True))
    asked = set(ApprovalRequest.objects.values_list("subject_id", flat=True))
    assert changed == allowed - {MONEY, SECURITY}
    assert asked == allowed & {MONEY, SECURITY}


@pytest.mark.parametrize("address", ["setting_reset", "setting_restore"])
def test_going_back_is_refused_like_any_change(desk: Seat, address: str) -> None:
    version = values.change(key=STANDARD, value=90, by=None, reason="test")
    values.change(key=STANDARD, value=100, by=None, reason="test")
    arguments = [STANDARD, version.pk] if address == "setting_restore" else [STANDARD]
    url = reverse(f"desk:{address}", args=arguments)
    assert desk("ops_manager").post(url, {"reason": "Back"}).status_code == 403
    assert values.get(STANDARD) == 100
    assert desk("admin").post(url, {"reason": "Back"}).status_code == 302
    assert values.get(STANDARD) == (90 if address == "setting_restore" else 60)


def test_who_may_only_look_is_told_who_may_change(desk: Seat) -> None:
    client = desk("ops_manager")
    text = client.get(page(STANDARD)).content.decode()
    assert "It is changed by: Super Admin, Admin." in text
    assert reverse("desk:setting_change", args=[STANDARD]) not in text
    assert reverse("desk:setting_change", args=[OPERATIONAL]) in client.get(page(OPERATIONAL)).content.decode()


def test_a_change_asks_for_a_fresh_factor(desk: Seat) -> None:
    answer = change(desk("admin", factor_age=900), STANDARD)
    assert "reauthenticate" in answer["Location"]
    assert values.get(STANDARD) == 60


def test_an_unknown_key_is_not_found(desk: Seat) -> None:
    client = desk("super_admin")
    assert client.get(page("no.such")).status_code == 404
    assert client.post(reverse("desk:setting_change", args=["no.such"]), {}).status_code == 404


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_value_default_who_and_what_waits(desk: Seat) -> None:
    person = staff("admin", display_name="Claire Fontaine")
    platform_settings.propose(key=STANDARD, value=90, by=person, reason="Longer")
    asked = platform_settings.propose(key=MONEY, value=500_00, by=person, reason="Lower")
    answer = desk("admin").get(LIST)
    rows = {row.key: row for _code, _label, rows in answer.context["groups"] for row in rows}
    row = rows[STANDARD]
    assert (row.value, row.default, row.changed) == ("90 days", "60 days", True)
    assert (rows[MONEY].value, rows[MONEY].changed, rows[MONEY].pending) == ("$1,000.00", False, asked)
    text = answer.content.decode()
    assert "Claire Fontaine" in text
    assert "waits for approval" in text
    assert "N-097" not in text, "numbers of requirements are for developers"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "lease"}, [OPERATIONAL]),
        ({"q": "LAPSE_DAYS"}, [STANDARD]),
        ({"q": "without activity"}, [STANDARD]),
        ({"q": "no such thing"}, []),
        ({"only": "changed"}, [STANDARD]),
        ({"only": "waiting"}, [MONEY]),
    ],
)
def test_the_list_is_searched_by_key_and_text(desk: Seat, query: dict[str, str], found: list[str]) -> None:
    client = desk("admin")
    platform_settings.propose(key=STANDARD, value=90, by=client.person, reason="Longer")
    platform_settings.propose(key=MONEY, value=500_00, by=client.person, reason="Lower")
    assert keys(client.get(LIST, query)) == found


def test_the_pages_cost_the_same_however_much_was_changed(desk: Seat) -> None:
    client = desk("super_admin")
    values.change(key=OPERATIONAL, value=90, by=client.person, reason="test")
    addresses = (LIST, page(OPERATIONAL))
    for address in addresses:
        client.get(address)
    few = [count(partial(client.get, address)) for address in addresses]
    for number in range(100, 115):
        values.change(key=OPERATIONAL, value=number, by=staff("admin"), reason="test", approved_by=staff("admin"))
    for key in (STANDARD, "application.reapply_days", "creator.reverify_days"):
        platform_settings.propose(key=key, value=20, by=staff("admin"), reason="test")
    for key in (MONEY, "earnings.hold_days"):
        platform_settings.propose(key=key, value=20, by=staff("admin"), reason="test")
    assert [count(partial(client.get, address)) for address in addresses] == few


# --- The form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [key for key, setting in DEFAULTS.items() if setting.level != Level.SWITCH])
def test_every_form_sends_the_value_in_force_back_unchanged(desk: Seat, key: str) -> None:
    client = desk("super_admin")
    field = client.get(page(key)).context["form"]["value"]
    shown = field.value()
    answer = change(client, key, ("on" if shown else "") if isinstance(shown, bool) else shown)
    assert answer.status_code == 400
    assert answer.context["form"].errors["value"] == ["This is the value in force already."]


@pytest.mark.parametrize(
    ("key", "typed", "kept"),
    [
        (OPERATIONAL, " 1 800 ", 1800),
        (OPERATIONAL, "1,800", 1800),
        ("export.max_rows", "1\u202f000\u202f000", 1_000_000),
        ("media.max_bytes", "2 GiB", 2 * 1024**3),
        ("media.max_bytes", "1.5gb", 1_500_000_000),
        ("media.max_bytes", "5000000", 5_000_000),
        ("title.rereview_on_change", "", False),
        ("creator.agreement_version", " 2027-01 ", "2027-01"),
        ("moderation.auto_approve_kinds", ["movie", "showcase"], ["movie", "showcase"]),
        ("moderation.auto_approve_tiers", [], []),
    ],
)
def test_what_is_typed_is_read_as_people_write_it(desk: Seat, key: str, typed: Any, kept: Any) -> None:
    assert change(desk("admin"), key, typed).status_code == 302
    assert values.get(key) == kept


@pytest.mark.parametrize(("typed", "minor"), [("1,250.50", 1_250_50), ("1 250,50", 1_250_50), ("900", 900_00)])
def test_money_is_typed_as_money(desk: Seat, typed: str, minor: int) -> None:
    client = desk("admin")
    assert client.get(page(MONEY)).context["form"]["value"].value() == "1,000.00"
    assert change(client, MONEY, typed).status_code == 302
    assert ApprovalRequest.objects.get().payload == {"value": minor}


@pytest.mark.parametrize(
    ("key", "typed", "says"),
    [
        (OPERATIONAL, "soon", "A whole number is needed."),
        (OPERATIONAL, "6.5", "A whole number is needed."),
        (OPERATIONAL, "٦٠", "A whole number is needed."),
        (OPERATIONAL, "9" * 190, "A whole number is needed."),
        (OPERATIONAL, "9", "10 seconds to 3\u202f600 seconds is allowed"),
        (OPERATIONAL, "", "This field is required."),
        (MONEY, "12.345", "more than the 2 decimals"),
        (MONEY, "a lot", "is not an amount"),
        ("media.max_bytes", "12 parsecs", "A size is needed"),
        ("media.max_bytes", "0.0005 kB", "A size is needed"),
        ("moderation.auto_approve_kinds", ["opera"], "opera is not one of the available choices"),
    ],
)
def test_a_mistake_is_named_beside_the_field_and_what_was_typed_stays(
    desk: Seat, key: str, typed: Any, says: str
) -> None:
    answer = change(desk("admin"), key, typed, "A reason of its own")
    assert answer.status_code == 400
    assert says in answer.context["form"].errors["value"][0]
    text = answer.content.decode()
    assert "A reason of its own" in text
    assert isinstance(typed, list) or typed in text
    assert not SettingVersion.objects.exists()


def test_without_a_reason_nothing_changes(desk: Seat) -> None:
    answer = change(desk("admin"), STANDARD, "90", " ")
    assert answer.status_code == 400
    assert "reason" in answer.context["form"].errors
    assert values.get(STANDARD) == 60


def test_a_change_that_waits_is_shown_and_not_asked_for_twice(desk: Seat) -> None:
    client = desk("admin")
    assert "Ask for this change" in client.get(page(MONEY)).content.decode()
    change(client, MONEY)
    asked = ApprovalRequest.objects.get()
    answer = client.get(page(MONEY))
    assert answer.context["form"] is None
    text = answer.content.decode()
    assert asked.reference in text
    assert "the value $500.00" in text
    assert change(client, MONEY, "600").status_code == 400
    assert ApprovalRequest.objects.count() == 1


def test_the_history_tells_from_to_who_and_why_and_leads_back(desk: Seat) -> None:
    asker, approver = staff("admin", display_name="Ann Asker"), staff("admin", display_name="Ben Approver")
    requests.approve(
        request=platform_settings.propose(key=MONEY, value=500_00, by=asker, reason="Fraud last week"),  # type: ignore[arg-type]
        by=approver,
    )
    values.change(key=MONEY, value=800_00, by=asker, reason="Calm again")
    client = desk("admin")
    answer = client.get(page(MONEY))
    assert [(before, after) for _kept, before, after, _back, _may in answer.context["history"]] == [
        ("$500.00", "$800.00"),
        ("$1,000.00", "$500.00"),
    ]
    text = answer.content.decode()
    for part in ("Ann Asker", "approved by Ben Approver", "Fraud last week", "Calm again"):
        assert part in text
    old = SettingVersion.objects.get(value=500_00)
    empty = client.post(reverse("desk:setting_restore", args=[MONEY, old.pk]), {"reason": ""})
    assert empty.status_code == 400
    assert client.post(reverse("desk:setting_restore", args=[MONEY, old.pk]), {"reason": "Again"}).status_code == 302
    assert ApprovalRequest.objects.get(status="pending").payload == {"value": 500_00, "restored_from": str(old.pk)}


def test_a_version_of_another_setting_is_not_found(desk: Seat) -> None:
    version = values.change(key=OPERATIONAL, value=90, by=None, reason="test")
    answer = desk("admin").post(reverse("desk:setting_restore", args=[STANDARD, version.pk]), {"reason": "Back"})
    assert answer.status_code == 404


# --- Kill switches ----------------------------------------------------------------------------------------------------


def test_a_switch_is_turned_off_by_one_and_on_by_two_and_every_page_says_so(desk: Seat) -> None:
    client, other = desk("super_admin"), desk("super_admin")
    assert "Turn it off now" in client.get(page(SWITCH)).content.decode()
    assert change(client, SWITCH, "off").status_code == 302
    assert not switches.is_on(SWITCH)
    notice = "Sending of payouts is switched off"
    for address in ("/admin/work/", "/admin/system/health/", "/admin/finance/payouts/", LIST):
        assert notice in client.get(address).content.decode(), address
    assert "Ask to turn it on" in client.get(page(SWITCH)).content.decode()
    assert change(client, SWITCH, "on").status_code == 302
    assert not switches.is_on(SWITCH)
    asked = ApprovalRequest.objects.get()
    shown = other.get(reverse("desk:approval_detail", args=[asked.pk])).content.decode()
    assert SWITCH in shown
    other.post(reverse("desk:approval_approve", args=[asked.pk]), {"revision": "1"})
    assert switches.is_on(SWITCH)
    assert notice not in client.get("/admin/work/").content.decode()


def test_whoever_works_sees_that_it_is_off_and_only_some_the_switch(desk: Seat) -> None:
    values.change(key=SWITCH, value=False, by=None, reason="test")
    text = desk("financial_admin").get("/admin/finance/payouts/").content.decode()
    assert "Sending of payouts is switched off" in text
    assert page(SWITCH) not in text


@pytest.mark.parametrize(
    ("key", "address", "role"),
    [
        ("switch.checkout", "/admin/finance/payments/", "financial_admin"),
        ("switch.uploads", "/admin/catalogue/titles/", "content_moderator"),
        ("switch.registration", "/admin/creators/applications/", "verification_reviewer"),
    ],
)
def test_the_page_that_it_matters_to_says_that_it_is_off(desk: Seat, key: str, address: str, role: str) -> None:
    client = desk(role)
    notice = str(switches.NOTICES[key])
    assert notice not in client.get(address).content.decode()
    values.change(key=key, value=False, by=None, reason="test")
    assert notice in client.get(address).content.decode()
    values.change(key=key, value=True, by=None, reason="test")
    values.change(key=SWITCH, value=False, by=None, reason="test")
    assert "switched off" not in client.get(address).content.decode()


@pytest.mark.parametrize("key", [SECURITY, SWITCH])
def test_the_only_super_admin_is_told_that_nobody_could_approve(desk: Seat, key: str) -> None:
    client = desk("super_admin")
    staff("admin")
    assert "There is nobody else who could approve" in client.get(page(key)).content.decode()
    staff("super_admin")
    assert "There is nobody else" not in client.get(page(key)).content.decode()
