"""Changing settings: at once, by two people, and back again."""

from typing import Any

import pytest
from django.core import mail

from backoffice.accounts.models import User
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit.models import AuditEntry
from backoffice.configuration import switches, values
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.models import SettingVersion
from backoffice.configuration.setting import Level
from backoffice.core import jobs
from backoffice.core.errors import Forbidden, Invalid, NotFound
from backoffice.core.states import IllegalTransition
from backoffice.journeys.services import platform_settings
from backoffice.notifications import services
from backoffice.notifications.models import Notification
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db

OPERATIONAL, STANDARD = "queue.lease_seconds", "application.lapse_days"
MONEY, SECURITY, SWITCH = "payout.dual_approval_over", "signin.attempts", "switch.payouts"
NEW: dict[str, Any] = {OPERATIONAL: 60, STANDARD: 90, MONEY: 500_00, SECURITY: 4, SWITCH: False}


def propose(key: str, by: User, value: Any = None, reason: str = "Board decision") -> Any:
    return platform_settings.propose(key=key, value=NEW[key] if value is None else value, by=by, reason=reason)


def turned_off(by: User | None = None) -> None:
    propose(SWITCH, by or staff("super_admin"), False)


@pytest.mark.parametrize("key", [OPERATIONAL, STANDARD])
def test_an_ordinary_change_is_in_force_at_once(key: str) -> None:
    person = staff("admin")
    version = propose(key, person)
    assert isinstance(version, SettingVersion)
    assert (version.changed_by, version.approved_by, version.reason) == (person, None, "Board decision")
    assert values.get(key) == NEW[key]
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("key", [MONEY, SECURITY])
def test_money_and_security_wait_for_a_second_person(key: str) -> None:
    asker, approver = staff("super_admin"), staff("super_admin")
    before = values.get(key)
    request = propose(key, asker)
    assert isinstance(request, ApprovalRequest)
    assert values.get(key) == before
    requests.approve(request=request, by=approver)
    assert values.get(key) == NEW[key]
    version = SettingVersion.objects.get(key=key)
    assert (version.changed_by, version.approved_by, version.source) == (asker, approver, request.reference)
    row = AuditEntry.objects.get(action="setting.change")
    assert (row.actor, row.before, row.after) == (approver, {"value": before}, {"value": NEW[key]})
    assert row.data == {"asked_by": f"accounts.user:{asker.pk}", "request": request.reference}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("super_admin", {OPERATIONAL, STANDARD, MONEY, SECURITY, SWITCH}),
        ("admin", {OPERATIONAL, STANDARD, MONEY}),
        ("ops_manager", {OPERATIONAL}),
        ("financial_admin", set()),
        ("content_moderator", set()),
        ("analyst", set()),
    ],
)
def test_each_role_changes_what_the_matrix_gives_it(role: str, allowed: set[str]) -> None:
    person = staff(role)
    done = set()
    for key in NEW:
        try:
            propose(key, person)
        except Forbidden:
            assert values.get(key) == DEFAULTS[key].default
        else:
            done.add(key)
    assert done == allowed


@pytest.mark.parametrize("role", ["admin", "ops_manager", "financial_admin"])
@pytest.mark.parametrize("key", [SECURITY, SWITCH])
def test_security_and_switches_are_approved_by_super_admins_only(role: str, key: str) -> None:
    if key == SWITCH:
        turned_off()
    request = propose(key, staff("super_admin"), True if key == SWITCH else None)
    with pytest.raises(Forbidden):
        requests.approve(request=request, by=staff(role))
    assert not SettingVersion.objects.filter(key=key, source=request.reference).exists()


def test_an_admin_approves_what_another_admin_asked_for_and_never_their_own() -> None:
    asker = staff("admin")
    request = propose(MONEY, asker)
    with pytest.raises(Forbidden, match="somebody else"):
        requests.approve(request=request, by=asker)
    requests.approve(request=request, by=staff("admin"))
    assert values.get(MONEY) == NEW[MONEY]


def test_a_setting_made_security_meanwhile_is_not_approved_by_an_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    request = propose(MONEY, staff("admin"))
    monkeypatch.setitem(DEFAULTS, MONEY, dataclasses.replace(DEFAULTS[MONEY], level=Level.SECURITY))
    with pytest.raises(Forbidden):
        requests.approve(request=request, by=staff("admin"))


def test_a_request_whose_start_is_no_longer_in_force_fails_with_a_sentence() -> None:
    asker = staff("admin")
    request = propose(MONEY, asker)
    values.change(key=MONEY, value=700_00, by=None, reason="test")
    request = requests.approve(request=request, by=staff("admin"))
    assert request.status == Status.FAILED
    assert "it was $1,000.00 when this was asked for and is $700.00 now" in request.failure
    assert values.get(MONEY) == 700_00
    told = Notification.objects.filter(user=asker, event="approval.decided", channel="in_app").get()
    assert "$700.00" in told.body


def test_a_request_that_the_rules_no_longer_allow_fails_too() -> None:
    request = propose("staff.idle_minutes", staff("super_admin"), 300)
    values.change(key="staff.session_hours", value=2, by=None, reason="test")
    request = requests.approve(request=request, by=staff("super_admin"))
    assert (request.status, values.get("staff.idle_minutes")) == (Status.FAILED, 30)
    assert "staff.session_hours" in request.failure


def test_what_is_rejected_changes_nothing_and_is_over() -> None:
    request = propose(MONEY, staff("admin"))
    requests.reject(request=request, by=staff("admin"), reason="Too high")
    assert values.get(MONEY) == 1_000_00
    with pytest.raises(IllegalTransition):
        requests.approve(request=request, by=staff("admin"))


def test_one_setting_is_asked_for_once_at_a_time() -> None:
    propose(MONEY, staff("admin"))
    with pytest.raises(requests.AlreadyAsked):
        propose(MONEY, staff("admin"), 600_00)


@pytest.mark.parametrize(
    ("key", "value", "reason", "field"),
    [
        (STANDARD, 90, "  ", "reason"),
        (STANDARD, 90, "x" * 1001, "reason"),
        (STANDARD, 60, "Same", "value"),
        (STANDARD, 3, "Too few", "value"),
        (MONEY, -1, "Too few", "value"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(key: str, value: Any, reason: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        propose(key, staff("admin"), value, reason)
    assert refusal.value.field == field
    assert not SettingVersion.objects.exists()
    assert not ApprovalRequest.objects.exists()


def test_there_is_no_other_setting() -> None:
    with pytest.raises(NotFound):
        platform_settings.propose(key="no.such", value=1, by=staff("super_admin"), reason="Try")


# --- Going back -------------------------------------------------------------------------------------------------------


def test_going_back_is_a_new_version_equal_to_the_old_one() -> None:
    person = staff("admin")
    old = propose(STANDARD, person, 90)
    propose(STANDARD, person, 120)
    back = platform_settings.rollback(version=old, by=person, reason="It was better")
    assert isinstance(back, SettingVersion)
    assert (back.value, back.previous, back.restored_from) == (90, 120, old)
    assert values.get(STANDARD) == 90
    assert SettingVersion.objects.filter(key=STANDARD).count() == 3


def test_going_back_with_money_waits_for_a_second_person_too() -> None:
    old = values.change(key=MONEY, value=200_00, by=None, reason="test")
    values.change(key=MONEY, value=300_00, by=None, reason="test")
    request = platform_settings.rollback(version=old, by=staff("admin"), reason="Back")
    assert isinstance(request, ApprovalRequest)
    requests.approve(request=request, by=staff("admin"))
    newest = values.newest(MONEY)
    assert newest is not None
    assert (newest.value, newest.restored_from) == (200_00, old)


def test_going_back_to_what_is_not_allowed_any_more_is_refused() -> None:
    old = values.change(key="staff.idle_minutes", value=300, by=None, reason="test")
    values.change(key="staff.idle_minutes", value=30, by=None, reason="test")
    values.change(key="staff.session_hours", value=2, by=None, reason="test")
    with pytest.raises(Invalid, match=r"staff\.session_hours"):
        platform_settings.rollback(version=old, by=staff("super_admin"), reason="Back")


def test_going_back_to_the_default_is_a_version_as_well() -> None:
    person = staff("ops_manager")
    propose(OPERATIONAL, person)
    back = platform_settings.reset(key=OPERATIONAL, by=person, reason="As it was")
    assert isinstance(back, SettingVersion)
    assert (back.value, back.previous) == (120, 60)


# --- Kill switches ----------------------------------------------------------------------------------------------------


def test_stopping_is_at_once_and_letting_go_needs_two() -> None:
    stopper, other = staff("super_admin"), staff("super_admin")
    version = propose(SWITCH, stopper, False)
    assert isinstance(version, SettingVersion)
    assert not switches.is_on(SWITCH)
    assert switches.stopped() == [SWITCH]
    request = propose(SWITCH, stopper, True)
    assert isinstance(request, ApprovalRequest)
    assert not switches.is_on(SWITCH)
    requests.approve(request=request, by=other)
    assert switches.is_on(SWITCH)
    assert list(
        AuditEntry.objects.filter(action__startswith="switch.").order_by("id").values_list("action", flat=True)
    ) == [
        "switch.stop",
        "switch.release",
    ]


def test_a_switch_is_read_from_the_database_whatever_a_process_remembers() -> None:
    assert switches.is_on(SWITCH)
    assert values.get(SWITCH) is True
    SettingVersion.objects.create(key=SWITCH, value=False, reason="written by a process that died")
    assert values.get(SWITCH) is True
    assert not switches.is_on(SWITCH)
    with pytest.raises(switches.SwitchedOff, match="Payouts are stopped"):
        switches.require(SWITCH)


@pytest.mark.parametrize("key", switches.keys())
def test_every_switch_has_its_sentences(key: str) -> None:
    assert DEFAULTS[key].default is True
    assert DEFAULTS[key].two_people
    assert key in switches.NOTICES
    assert key in switches.REFUSALS


# --- Telling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "word"), [("en", "turned off"), ("fr", "coupé"), ("ht", "fèmen")])
def test_every_other_super_admin_is_told_of_a_stop_in_their_language(language: str, word: str) -> None:
    stopper = staff("super_admin", display_name="Claire Fontaine")
    reader, gone = staff("super_admin", language=language), staff("super_admin", is_active=False)
    staff("admin")
    turned_off(stopper)
    told = Notification.objects.filter(event="switch.stopped", channel="email")
    assert [row.user for row in told] == [reader]
    assert not Notification.objects.filter(user=gone).exists()
    jobs.run_due(kinds=["notifications.send"])
    (message,) = mail.outbox
    assert word in message.subject
    assert "Claire Fontaine" in message.body
    assert "Board decision" in message.body


def test_super_admins_are_told_of_a_security_setting_once_it_is_in_force() -> None:
    asker, approver, reader = staff("super_admin"), staff("super_admin"), staff("super_admin")
    request = propose(SECURITY, asker)
    assert not Notification.objects.filter(event="setting.security_changed").exists()
    requests.approve(request=request, by=approver)
    told = Notification.objects.filter(event="setting.security_changed", channel="in_app").get()
    assert told.user == reader
    assert "from 5 times to 4 times" in told.body
    assert asker.display_name in told.body
    assert approver.display_name in told.body


@pytest.mark.parametrize("language", ["en", "fr", "ht"])
@pytest.mark.parametrize("approver", ["", "Ben Approver"])
@pytest.mark.parametrize("event", ["setting.security_changed", "switch.released", "switch.stopped"])
def test_every_mail_says_what_who_and_why_in_every_language(event: str, approver: str, language: str) -> None:
    facts = {"key": SECURITY, "about": "What it is.", "before": "five", "after": "four", "name": "Ann", "reason": "Why"}
    subject, body = services.render(event, language, {"user": staff(language=language), "approver": approver, **facts})
    assert SECURITY in subject
    for part in ("Ann", "Why", "What it is.", approver if event != "switch.stopped" else ""):
        assert part in body
    assert "{" not in subject + body


def test_nobody_is_disturbed_by_an_ordinary_change() -> None:
    staff("super_admin")
    propose(STANDARD, staff("admin"))
    assert not Notification.objects.exists()
