"""Staff sessions at the desk: lists, revocation, networks, time limits, roles, and two people for a factor reset."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from backoffice.accounts.devices import Visit
from backoffice.accounts.models import (
    FactorReset,
    KnownDevice,
    RoleAccess,
    RoleGrant,
    SecurityEvent,
    StaffProfile,
    User,
)
from backoffice.accounts.services import attempts, factors, staff
from backoffice.audit.models import AuditEntry
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden
from tests.desk.clients import Desk
from tests.factories import accounts
from tests.statements import count

pytestmark = pytest.mark.django_db
WORK, MINE = "/admin/work/", "/admin/system/sessions/"
OFFICE, ELSEWHERE = "198.51.100.20", "203.0.113.5"


def second_browser(person: User) -> Client:
    return accounts.sign_in(Client(headers={"user-agent": "Other browser"}), person)


def is_in(client: Client, **extra: str) -> bool:
    return client.get(WORK, **extra).status_code == 200


def age(client: Client, **changes: float) -> None:
    """Moves marks of the session into the past, by seconds."""
    session = client.session
    for name, seconds in changes.items():
        session[f"backlot.{name}"] = time.time() - seconds
    session.save()


# --- Sessions ---------------------------------------------------------------------------------------------------------


def test_my_sessions_lists_every_browser_and_ends_one(desk: Callable[..., Desk]) -> None:
    client = desk("editor")
    other = second_browser(client.person)
    assert is_in(client)
    assert is_in(other)
    page = client.get(MINE)
    assert "Other browser" in page.content.decode()
    row = UserSession.objects.get(user=client.person, user_agent="Other browser")
    client.post(reverse("desk:my_session_end", args=[row.pk]))
    assert is_in(client)
    assert not is_in(other)
    assert AuditEntry.objects.filter(action="session.revoke", actor=client.person).exists()


def test_signing_out_everywhere_ends_browsers_and_tokens(desk: Callable[..., Desk]) -> None:
    client = desk("editor")
    other, api = second_browser(client.person), accounts.api_client(client.person)
    assert is_in(client)
    assert is_in(other)
    client.post(reverse("desk:my_sessions_end"), {"this": "too"})
    assert not is_in(client)
    assert not is_in(other)
    assert api.get("/api/v1/users/me").status_code == 401


def test_all_other_sessions_end_and_this_one_stays(desk: Callable[..., Desk]) -> None:
    client = desk("editor")
    other = second_browser(client.person)
    assert is_in(client)
    assert is_in(other)
    client.post(reverse("desk:my_sessions_end"))
    assert is_in(client)
    assert not is_in(other)


def test_nobody_ends_or_forgets_what_is_not_theirs(desk: Callable[..., Desk]) -> None:
    client, victim = desk("editor"), desk("editor")
    assert is_in(victim)
    row = UserSession.objects.get(user=victim.person)
    device = KnownDevice.objects.create(user=victim.person, key="k")
    assert client.post(reverse("desk:my_session_end", args=[row.pk])).status_code == 404
    assert client.post(reverse("desk:my_device_forget", args=[device.pk])).status_code == 404
    assert is_in(victim)


def test_an_admin_of_staff_ends_a_colleagues_sessions_after_step_up(desk: Callable[..., Desk]) -> None:
    client, victim = desk("super_admin"), desk("editor")
    assert is_in(victim)
    address = reverse("desk:person_sessions_end", args=[victim.person.pk])
    stale = desk("super_admin", factor_age=900)
    stale.post(address)
    assert is_in(victim), "an old factor is asked for again first"
    client.post(address)
    assert not is_in(victim)
    event = SecurityEvent.objects.get(user=victim.person, kind=SecurityEvent.Kind.SESSION_REVOKED)
    assert event.by == client.person


def test_support_helps_members_but_does_not_end_staff_sessions(desk: Callable[..., Desk]) -> None:
    client, colleague, member = desk("customer_support"), desk("editor"), accounts.member()
    api = accounts.api_client(member)
    assert is_in(colleague)
    client.post(reverse("desk:person_sessions_end", args=[colleague.person.pk]))
    assert is_in(colleague)
    client.post(reverse("desk:person_sessions_end", args=[member.pk]))
    assert api.get("/api/v1/users/me").status_code == 401


@pytest.mark.parametrize("role", ["content_moderator", "financial_admin", "editor", "analyst", "ops_manager"])
def test_other_roles_see_no_sign_ins_of_others(desk: Callable[..., Desk], role: str) -> None:
    client, member = desk(role), accounts.member()
    assert client.get(reverse("desk:person_security", args=[member.pk])).status_code == 403
    assert client.get(reverse("desk:security_log")).status_code == 403
    assert client.get(MINE).status_code == 200


def test_a_deactivated_person_is_out_at_the_next_request_in_browser_and_api(desk: Callable[..., Desk]) -> None:
    boss, victim = desk("super_admin"), desk("content_moderator")
    api = accounts.api_client(victim.person)
    assert is_in(victim)
    answer = boss.post(reverse("desk:staff_deactivate", args=[victim.person.pk]), {"reason": "Left"})
    assert answer.status_code == 302
    assert not is_in(victim)
    assert api.get("/api/v1/users/me").status_code == 401
    assert not UserSession.objects.filter(user=victim.person).exists()
    boss.post(reverse("desk:staff_reactivate", args=[victim.person.pk]), {"reason": "Came back"})
    victim.person.refresh_from_db()
    assert victim.person.is_active
    assert not is_in(victim), "the old session stays dead"


def test_a_role_taken_away_is_gone_at_the_next_request(desk: Callable[..., Desk]) -> None:
    boss, victim = desk("super_admin"), desk("financial_admin")
    assert victim.get(reverse("desk:payout_list")).status_code == 200
    boss.post(reverse("desk:role_take", args=[victim.person.pk, "financial_admin"]), {"reason": "Moved"})
    assert victim.get(reverse("desk:payout_list")).status_code == 403


def test_a_session_nobody_used_for_half_an_hour_is_over(desk: Callable[..., Desk]) -> None:
    client = desk("editor")
    assert is_in(client)
    age(client, seen=29 * 60)
    assert is_in(client)
    age(client, seen=31 * 60)
    answer = client.get(WORK)
    assert answer["Location"] == "/accounts/login/?ended=1&next=%2Fadmin%2Fwork%2F"
    assert "Your session has ended" in client.get(answer["Location"]).content.decode()
    assert not is_in(client)
    assert SecurityEvent.objects.get(kind=SecurityEvent.Kind.SESSION_EXPIRED).data == {"why": "idle"}


def test_a_form_sent_after_its_session_ended_leads_back_to_its_page(desk: Callable[..., Desk]) -> None:
    client = desk("verification_reviewer")
    assert is_in(client)
    age(client, seen=31 * 60)
    origin = f"http://testserver{reverse('desk:application_list')}?tab=mine"
    answer = client.post(reverse("desk:application_next"), headers={"referer": origin})
    assert answer["Location"] == "/accounts/login/?ended=1&next=%2Fadmin%2Fcreators%2Fapplications%2F%3Ftab%3Dmine"
    assert not is_in(client)


def test_what_a_page_asks_for_by_itself_keeps_nobody_signed_in(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    assert is_in(client)
    age(client, seen=20 * 60)
    assert client.get("/admin/system/jobs/", headers={"Backlot-By-Itself": "1"}).status_code == 200
    assert time.time() - client.session["backlot.seen"] > 19 * 60
    age(client, seen=31 * 60)
    answer = client.get("/admin/system/jobs/", headers={"Backlot-By-Itself": "1", "HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/accounts/login/")


def test_a_session_ends_after_half_a_day_however_busy(desk: Callable[..., Desk]) -> None:
    client = desk("editor")
    assert is_in(client)
    age(client, since=12 * 3600 + 60, listed=90)
    assert not is_in(client)


def test_the_list_forgets_sessions_that_ran_out(desk: Callable[..., Desk]) -> None:
    client, gone = desk("editor"), desk("editor")
    gone.session.flush()
    jobs.enqueue("accounts.prune_sessions")
    jobs.run_due(kinds=["accounts.prune_sessions"])
    assert set(UserSession.objects.values_list("user_id", flat=True)) == {client.person.pk}


# --- Networks ---------------------------------------------------------------------------------------------------------


def test_a_person_comes_in_from_their_networks_only(desk: Callable[..., Desk]) -> None:
    client = desk("editor")
    StaffProfile.objects.create(user=client.person, allowed_ips=["198.51.100.0/24", "2001:db8::/32"])
    assert is_in(client, REMOTE_ADDR=OFFICE)
    assert is_in(client, REMOTE_ADDR="2001:db8::7")
    assert is_in(client, REMOTE_ADDR="::ffff:198.51.100.9")
    for address in (WORK, "/cms/", "/accounts/2fa/", "/admin/"):
        answer = client.get(address, REMOTE_ADDR=ELSEWHERE)
        assert answer.status_code == 403, address
        assert ELSEWHERE in answer.content.decode()
    assert client.post(reverse("account_logout"), REMOTE_ADDR=ELSEWHERE).status_code == 302
    assert SecurityEvent.objects.filter(kind=SecurityEvent.Kind.ADDRESS_REFUSED).count() == 1


def test_a_role_has_networks_too_and_both_lists_must_agree(desk: Callable[..., Desk]) -> None:
    client, other = desk("financial_admin"), desk("editor")
    RoleAccess.objects.create(role="financial_admin", allowed_ips=["198.51.100.0/24"])
    assert is_in(client, REMOTE_ADDR=OFFICE)
    assert not is_in(client, REMOTE_ADDR=ELSEWHERE)
    assert is_in(other, REMOTE_ADDR=ELSEWHERE)
    StaffProfile.objects.create(user=client.person, allowed_ips=["203.0.113.0/24"])
    assert not is_in(client, REMOTE_ADDR=OFFICE)
    assert not is_in(client, REMOTE_ADDR=ELSEWHERE)


@pytest.mark.parametrize("second", [["203.0.113.0/24"], [], None])
def test_the_networks_of_each_role_have_to_allow_it(desk: Callable[..., Desk], second: list[str] | None) -> None:
    client = desk("super_admin", "analyst")
    RoleAccess.objects.create(role="super_admin", allowed_ips=["198.51.100.0/24", "192.0.2.0/24"])
    if second is not None:
        RoleAccess.objects.create(role="analyst", allowed_ips=second)
    assert not is_in(client, REMOTE_ADDR=ELSEWHERE), "the second role opens no network that the first keeps closed"
    assert is_in(client, REMOTE_ADDR=OFFICE) is not bool(second)
    RoleAccess.objects.filter(role="analyst").update(allowed_ips=["198.51.100.20"])
    assert is_in(client, REMOTE_ADDR=OFFICE)


def test_the_networks_of_a_role_whose_time_is_over_keep_nobody_out(desk: Callable[..., Desk]) -> None:
    client = desk("editor", "analyst")
    RoleAccess.objects.create(role="analyst", allowed_ips=["203.0.113.0/24"])
    assert not is_in(client, REMOTE_ADDR=OFFICE)
    begun = clock.now() - timedelta(hours=3)
    RoleGrant.objects.create(
        user=client.person, role="analyst", expires_at=begun + timedelta(hours=1), created_at=begun
    )
    assert is_in(client, REMOTE_ADDR=OFFICE)
    assert client.person.groups.filter(name="analyst").count() == 0


def test_a_list_that_locks_the_last_super_admin_out_is_not_saved(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    mine = reverse("desk:staff_networks", args=[client.person.pk])
    answer = client.post(mine, {"allowed_ips": "203.0.113.0/24", "reason": "Office only"})
    assert answer.status_code == 400
    assert "lock yourself out" in answer.content.decode()
    role = reverse("desk:role_networks", args=["super_admin"])
    assert client.post(role, {"allowed_ips": "203.0.113.0/24", "reason": "Office only"}).status_code == 400
    assert is_in(client)
    assert not RoleAccess.objects.exclude(allowed_ips=[]).exists()
    assert client.post(role, {"allowed_ips": "127.0.0.1", "reason": "Office only"}).status_code == 302
    assert RoleAccess.objects.get(role="super_admin").allowed_ips == ["127.0.0.1/32"]


def test_what_is_no_network_is_named(desk: Callable[..., Desk]) -> None:
    client, person = desk("super_admin"), accounts.staff("editor")
    answer = client.post(
        reverse("desk:staff_networks", args=[person.pk]), {"allowed_ips": "10.0.0.0/8 office", "reason": "x"}
    )
    assert answer.status_code == 400
    assert "“office” is not a network" in answer.content.decode()


# --- Roles and profile ------------------------------------------------------------------------------------------------


def test_a_super_admin_gives_a_role_for_a_time_after_step_up(desk: Callable[..., Desk]) -> None:
    client, person = desk("super_admin"), accounts.staff("editor")
    until = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    given = {"role": "content_moderator", "until": until, "languages": ["ht"], "reason": "Festival"}
    stale = desk("super_admin", factor_age=900)
    stale.post(reverse("desk:role_give", args=[person.pk]), given)
    assert not RoleGrant.objects.exists()
    assert client.post(reverse("desk:role_give", args=[person.pk]), given).status_code == 302
    grant = RoleGrant.objects.get()
    assert (grant.granted_by, grant.languages, grant.reason) == (client.person, ["ht"], "Festival")
    page = client.get(reverse("desk:staff_detail", args=[person.pk])).content.decode()
    assert "Festival" in page
    assert "until" in client.get(reverse("desk:staff_list")).content.decode()


@pytest.mark.parametrize("name", ["role_give", "staff_deactivate", "staff_profile", "staff_networks"])
def test_an_admin_sees_staff_and_changes_nothing(desk: Callable[..., Desk], name: str) -> None:
    client, person = desk("admin"), accounts.staff("editor")
    assert client.get(reverse("desk:staff_detail", args=[person.pk])).status_code == 200
    answer = client.post(reverse(f"desk:{name}", args=[person.pk]), {"role": "admin", "reason": "x"})
    assert answer.status_code == 403


def test_a_refusal_keeps_what_was_typed(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    answer = client.post(
        reverse("desk:role_give", args=[client.person.pk]), {"role": "financial_admin", "reason": "My own reason"}
    )
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Nobody gives a role to themselves." in page
    assert "My own reason" in page


def test_the_working_profile_is_saved_with_its_audit_row(desk: Callable[..., Desk]) -> None:
    client, person = desk("super_admin"), accounts.staff("content_moderator")
    fields = {"languages": ["ht", "fr"], "skills": "Music, subtitles ,music", "cultural_reviewer": "on"}
    answer = client.post(
        reverse("desk:staff_profile", args=[person.pk]), {**fields, "max_open_items": "5", "on_duty": "on"}
    )
    assert answer.status_code == 302
    profile = StaffProfile.objects.get(user=person)
    assert (profile.skills, profile.max_open_items, profile.cultural_reviewer) == (["music", "subtitles"], 5, True)
    assert AuditEntry.objects.get(action="staff.profile").after["skills"] == ["music", "subtitles"]


def test_lists_cost_the_same_number_of_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    for address in ("desk:staff_list", "desk:security_log"):
        client.get(reverse(address))
        few = count(lambda address=address: client.get(reverse(address)))
        for _ in range(5):
            person = accounts.staff("editor", "analyst")
            RoleGrant.objects.create(user=person, role="editor")
            SecurityEvent.objects.create(user=person, kind=SecurityEvent.Kind.LOGIN_OK)
        assert count(lambda address=address: client.get(reverse(address))) == few


def test_the_log_is_searched_by_person_kind_and_address(desk: Callable[..., Desk]) -> None:
    client, person = desk("admin"), accounts.staff("editor", display_name="Claire Fontaine")
    SecurityEvent.objects.create(user=person, kind=SecurityEvent.Kind.LOCKOUT, ip=ELSEWHERE)
    SecurityEvent.objects.create(user=None, kind=SecurityEvent.Kind.LOGIN_FAILED, ip=OFFICE)
    for query, found in (({"q": "fontaine"}, 1), ({"kind": "lockout"}, 1), ({"q": OFFICE}, 1), ({"q": "nobody"}, 0)):
        page = client.get(reverse("desk:security_log"), query)
        assert len(page.context["page"].items) == found, query
    assert "COUNTRY_HEADER" in page.content.decode(), "the screen says why there are no countries"


# --- Help with signing in ---------------------------------------------------------------------------------------------


def test_one_asks_for_the_reset_and_another_one_carries_it_out(desk: Callable[..., Desk]) -> None:
    asker, doer, victim = desk("super_admin"), desk("super_admin"), desk("editor")
    api = accounts.api_client(victim.person)
    assert is_in(victim)
    ask = reverse("desk:factor_reset_ask", args=[victim.person.pk])
    do = reverse("desk:factor_reset_do", args=[victim.person.pk])
    assert doer.post(do).status_code == 404, "nobody has asked"
    asker.post(ask, {"reason": "Called back on the number we have"})
    assert asker.post(do).status_code == 403, "not the same person"
    assert is_in(victim)
    desk("super_admin", factor_age=900).post(do)
    assert is_in(victim), "an old factor is asked for again first"
    assert doer.post(do).status_code == 302
    assert not is_in(victim)
    assert api.get("/api/v1/users/me").status_code == 401
    assert not Authenticator.objects.filter(user=victim.person).exists()
    assert not User.objects.get(pk=victim.person.pk).has_usable_password()
    jobs.run_due(kinds=["notifications.send"])
    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([victim.person.email], "Your two-step sign-in was reset")
    ]
    entry = AuditEntry.objects.get(action="factor_reset.carry_out")
    assert (entry.actor, entry.data["requested_by"]) == (doer.person, str(asker.person.pk))


def test_the_database_refuses_a_reset_by_one_person() -> None:
    person, helper = accounts.member(), accounts.staff("customer_support")
    for fields in (
        {"requested_by": helper, "done_by": helper},
        {"requested_by": person},
        {"requested_by": helper, "done_by": person},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            FactorReset.objects.create(user=person, reason="x", expires_at=clock.now(), **fields)


def test_support_cannot_carry_out_a_reset_of_staff_and_nobody_their_own() -> None:
    victim, support = accounts.staff("editor"), accounts.staff("customer_support")
    boss = accounts.staff("super_admin")
    wish = factors.request(user=victim, by=boss, reason="Phone lost")
    with pytest.raises(Forbidden):
        factors.carry_out(wish, by=support)
    with pytest.raises(Forbidden):
        factors.request(user=boss, by=boss, reason="Phone lost")
    with pytest.raises(Conflict):
        factors.request(user=victim, by=support, reason="Again")
    with pytest.raises(Conflict):
        factors.carry_out(wish, by=accounts.staff("super_admin"), at=clock.now() + timedelta(hours=25))


def test_support_sees_a_locked_account_and_opens_it(desk: Callable[..., Desk]) -> None:
    client, member = desk("customer_support"), accounts.member()
    for _ in range(5):
        attempts.password(email=member.email, visit=Visit(ip=ELSEWHERE))
    address = reverse("desk:person_security", args=[member.pk])
    assert "has used up its tries" in client.get(address).content.decode()
    assert client.post(reverse("desk:person_unlock", args=[member.pk]), {"reason": ""}).status_code == 400
    client.post(reverse("desk:person_unlock", args=[member.pk]), {"reason": "Ticket 7"})
    assert "Nothing is locked." in client.get(address).content.decode()


def test_support_sees_nothing_of_a_colleagues_sign_ins_and_only_asks_for_a_reset(desk: Callable[..., Desk]) -> None:
    client, victim = desk("customer_support"), desk("super_admin")
    KnownDevice.objects.create(user=victim.person, key="k", last_ip=ELSEWHERE, user_agent="Their own browser")
    SecurityEvent.objects.create(user=victim.person, kind=SecurityEvent.Kind.LOGIN_OK, ip=OFFICE)
    for _ in range(5):
        attempts.password(email=victim.person.email, visit=Visit(ip=ELSEWHERE))
    address = reverse("desk:person_security", args=[victim.person.pk])
    unlock = reverse("desk:person_unlock", args=[victim.person.pk])
    page = client.get(address).content.decode()
    for hidden in (ELSEWHERE, OFFICE, "127.0.0.1", "Their own browser", "used up its tries", "enrolled", unlock):
        assert hidden not in page, hidden
    assert client.post(unlock, {"reason": "Asked on the phone"}).status_code == 403
    assert attempts.is_locked(victim.person)
    client.post(reverse("desk:factor_reset_ask", args=[victim.person.pk]), {"reason": "Called back"})
    assert FactorReset.objects.get(user=victim.person).requested_by == client.person
    assert "Called back" in client.get(address).content.decode()
    page = desk("customer_support").get(address).content.decode()
    assert "Called back" not in page, "what a colleague asked for stays theirs"
    assert reverse("desk:factor_reset_withdraw", args=[victim.person.pk]) not in page
    assert client.get(reverse("desk:person_security", args=[client.person.pk])).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("admin", 403), ("super_admin", 302)])
def test_staff_are_unlocked_by_whoever_edits_staff(desk: Callable[..., Desk], role: str, status: int) -> None:
    client, victim = desk(role), accounts.staff("editor")
    for _ in range(5):
        attempts.password(email=victim.email, visit=Visit(ip=ELSEWHERE))
    page = client.get(reverse("desk:person_security", args=[victim.pk])).content.decode()
    assert "has used up its tries" in page, "both look after staff"
    unlock = reverse("desk:person_unlock", args=[victim.pk])
    assert (unlock in page) is (status == 302)
    assert client.post(unlock, {"reason": "Seen in person"}).status_code == status
    assert attempts.is_locked(victim) is (status == 403)
    assert AuditEntry.objects.filter(action="user.unlock").exists() is (status == 302)


def test_nobody_unlocks_their_own_account(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    attempts.password(email=client.person.email, visit=Visit(ip=ELSEWHERE))
    with pytest.raises(Forbidden):
        factors.unlock(user=client.person, by=client.person, reason="More tries")
    unlock = reverse("desk:person_unlock", args=[client.person.pk])
    assert unlock not in client.get(reverse("desk:person_security", args=[client.person.pk])).content.decode()


def test_the_last_super_admin_is_not_deactivated() -> None:
    boss = accounts.staff("super_admin")
    with pytest.raises(Conflict, match="last Super Admin"):
        staff.deactivate(user=boss, by=None, reason="Left")
