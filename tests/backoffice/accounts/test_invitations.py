"""Staff accounts by invitation: a link, once, for some hours; nothing opens before (P-001)."""

import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from backoffice.accounts.models import RoleGrant, StaffInvitation, User
from backoffice.accounts.services import invitations, roles, staff
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid
from tests.factories import accounts

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a long enough pass phrase"


def invite(by: User | None = None, **fields: Any) -> StaffInvitation:
    given = {"email": "new@example.com", "display_name": "New Person", "reason": "Joins support", **fields}
    return invitations.invite(by=by or accounts.staff("super_admin"), **given)


def token(invitation: StaffInvitation) -> str:
    return invitations.new_link(invitation).rstrip("/").rpartition("/")[2]


def accept(invitation: StaffInvitation, **given: Any) -> User:
    return invitations.accept(invitations.find(token(invitation)), password=NEW_PASSWORD, **given)


def test_the_invited_account_is_closed_until_the_password_is_set_and_roles_come_then() -> None:
    boss = accounts.staff("super_admin")
    until = clock.now() + timedelta(days=30)
    invitation = invite(boss, language="fr", timezone="America/Port-au-Prince", wanted=["editor"], until=until)
    person = invitation.user
    assert (person.is_staff, person.is_active, person.has_usable_password()) == (True, False, False)
    assert not EmailAddress.objects.get(user=person).verified
    assert not RoleGrant.objects.exists()
    accept(invitation)
    person = User.objects.get(pk=person.pk)
    assert (person.is_active, person.language, person.role_codes) == (True, "fr", ("editor",))
    assert person.check_password(NEW_PASSWORD)
    grant = RoleGrant.objects.get()
    assert (grant.granted_by, grant.expires_at, grant.reason) == (boss, until, "Joins support")
    about = AuditEntry.objects.filter(subject_id=str(person.pk)).order_by("id")
    actions = list(about.values_list("action", flat=True))
    assert actions == ["staff.create", "staff.invite", "role.give", "staff.accept"]


def test_the_mail_carries_the_link_in_the_persons_language_and_nothing_kept_holds_it() -> None:
    invite(language="ht")
    jobs.run_due(kinds=[invitations.SEND])
    assert mail.outbox[0].to == ["new@example.com"]
    assert mail.outbox[0].subject == "Kont pèsonèl ou sou Backlot"
    link = next(line for line in mail.outbox[0].body.splitlines() if "/accounts/invitation/" in line)
    sent = link.rstrip("/").rpartition("/")[2]
    assert invitations.find(sent).user.email == "new@example.com"
    secret = invitations.signing.loads(sent, salt=invitations.SALT)[1]
    kept = StaffInvitation.objects.values_list("key_hash", flat=True).get()
    assert secret not in str(kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM core_job UNION ALL SELECT body FROM notifications_notification")
        assert all(secret not in str(row[0]) and sent not in str(row[0]) for row in cursor.fetchall())


def test_a_link_works_once_and_not_after_its_time() -> None:
    invitation = invite()
    link = token(invitation)
    with pytest.raises(invitations.NotGood):
        invitations.find(link, at=clock.now() + timedelta(hours=73))
    found = invitations.find(link)
    invitations.accept(found, password=NEW_PASSWORD)
    for again in (lambda: invitations.find(link), lambda: invitations.accept(found, password=NEW_PASSWORD)):
        with pytest.raises(invitations.NotGood):
            again()


def test_an_altered_link_or_one_for_another_invitation_opens_nothing() -> None:
    boss = accounts.staff("super_admin")
    first, second = invite(boss), invite(boss, email="other@example.com")
    link = token(first)
    secret = invitations.signing.loads(link, salt=invitations.SALT)[1]
    forged = [
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        invitations.signing.dumps([str(second.pk), secret], salt=invitations.SALT),
        invitations.signing.dumps([str(first.pk), secret], salt="another purpose"),
        invitations.signing.dumps([str(first.pk), "x"], salt=invitations.SALT),
        "x",
    ]
    for wrong in forged:
        with pytest.raises(invitations.NotGood):
            invitations.find(wrong)


def test_a_new_link_ends_the_one_before_and_starts_the_time_again() -> None:
    boss = accounts.staff("super_admin")
    invitation = invite(boss)
    old = token(invitation)
    StaffInvitation.objects.update(expires_at=clock.now() - timedelta(hours=1))
    invitations.again(user=invitation.user, by=boss)
    with pytest.raises(invitations.NotGood):
        invitations.find(old)
    accept(StaffInvitation.objects.get())
    with pytest.raises(Conflict, match="accepted already"):
        invitations.again(user=User.objects.get(pk=invitation.user_id), by=boss)


def test_taking_it_back_ends_link_requests_and_roles_and_one_can_be_invited_again() -> None:
    boss, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    invitation = invite(boss, wanted=["admin", "financial_admin", "editor"])
    link = token(invitation)
    one = ApprovalRequest.objects.get(payload__role="admin")
    requests.approve(request=one, by=second)
    invitations.revoke(user=invitation.user, by=boss, reason="Wrong address")
    with pytest.raises(invitations.NotGood):
        invitations.find(link)
    assert ApprovalRequest.objects.get(payload__role="financial_admin").status == "withdrawn"
    assert not RoleGrant.objects.filter(ended_at=None).exists()
    assert not User.objects.get(pk=invitation.user_id).groups.exists()
    with pytest.raises(Conflict):
        invitations.revoke(user=invitation.user, by=boss, reason="Twice")
    with pytest.raises(Conflict, match="Invite them again"):
        staff.reactivate(user=invitation.user, by=boss, reason="Around the link")
    anew = invitations.again(user=invitation.user, by=boss)
    assert (anew.pk != invitation.pk, anew.roles) == (True, [])
    assert accept(anew).role_codes == ()


def test_roles_that_take_two_wait_from_the_invitation_on_and_bite_after_both() -> None:
    boss, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    invitation = invite(boss, wanted=["financial_admin", "analyst"])
    request = ApprovalRequest.objects.get(payload__role="financial_admin")
    assert request.requested_by == boss
    person = accept(invitation)
    assert User.objects.get(pk=person.pk).role_codes == ("analyst",)
    requests.approve(request=request, by=second)
    assert User.objects.get(pk=person.pk).role_codes == ("analyst", "financial_admin")


def test_a_role_approved_before_the_person_came_opens_nothing_until_they_do() -> None:
    boss, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    invitation = invite(boss, wanted=["admin"])
    requests.approve(request=ApprovalRequest.objects.get(), by=second)
    person = User.objects.get(pk=invitation.user_id)
    assert not person.may("users.view")
    assert person not in roles.super_admins()
    accept(invitation)
    assert User.objects.get(pk=person.pk).may("users.view")


def test_a_rejected_role_is_not_given_at_acceptance() -> None:
    boss, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    invitation = invite(boss, wanted=["admin"])
    requests.reject(request=ApprovalRequest.objects.get(), by=second, reason="No")
    values.change(key="roles.two_people", value=["super_admin"], by=None, reason="Even then")
    assert accept(invitation).role_codes == ()


def test_roles_whose_time_or_giver_is_gone_are_left_out_and_named() -> None:
    boss, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    late = invite(boss, wanted=["editor"], until=clock.now() + timedelta(hours=1))
    accept(late, at=clock.now() + timedelta(hours=2))
    left = invite(boss, email="other@example.com", wanted=["analyst"])
    roles.take(user=boss, role="super_admin", by=second, reason="Left")
    accept(left)
    assert not RoleGrant.objects.exclude(role="super_admin").exists()
    entries = AuditEntry.objects.filter(action="staff.accept").order_by("pk")
    assert [entry.data["left_out"] for entry in entries] == [["editor"], ["analyst"]]


def test_a_weak_password_is_refused_and_uses_nothing_up() -> None:
    invitation = invite()
    for weak in ("short", "password12345", "newperson@example"):
        with pytest.raises(Invalid) as refused:
            invitations.accept(invitations.find(token(invitation)), password=weak)
        assert refused.value.field == "password"
    accept(invitation)


def test_only_who_may_edit_staff_invites() -> None:
    for role in ("admin", "ops_manager", "editor"):
        with pytest.raises(Forbidden):
            invite(accounts.staff(role))
    assert not StaffInvitation.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"display_name": "  "}, "display_name"),
        ({"language": "de"}, "language"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"reason": " "}, "reason"),
        ({"wanted": ["emperor"]}, "roles"),
        ({"until": clock.now() - timedelta(days=1)}, "until"),
    ],
)
def test_wrong_input_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        invite(**change)
    assert refused.value.field == field
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_address_in_use_is_refused_and_only_staff_who_see_people_learn_why() -> None:
    boss = accounts.staff("super_admin")
    accounts.member(email="marie@example.com")
    accounts.staff(email="colleague@example.com")
    with pytest.raises(Invalid, match="belongs to a member"):
        invite(boss, email="Marie@example.com")
    with pytest.raises(Conflict, match="a staff account with this address"):
        invite(boss, email="colleague@example.com")
    clerk = accounts.staff()
    group = Group.objects.create(name="clerk")
    group.permissions.add(Permission.objects.get(codename="staff.edit"))
    clerk.groups.add(group)
    with pytest.raises(Invalid, match="cannot be used") as refused:
        invite(clerk, email="marie@example.com")
    assert "member" not in str(refused.value)


def test_the_list_of_domains_binds_staff_and_not_the_command_line() -> None:
    values.change(key="staff.email_domains", value=["Backlot.example", "@studio.example"], by=None, reason="Ours")
    with pytest.raises(Invalid, match=r"@backlot\.example, @studio\.example"):
        invite(email="new@evil.example")
    with pytest.raises(Invalid):
        invite(email="new@not-backlot.example")
    invite(email="new@BACKLOT.example")
    invite(email="b@studio.example")
    call_command("create_super_admin", "--email", "root@elsewhere.example", stdout=StringIO())


def test_nobody_signs_in_or_resets_a_password_before_accepting(client: Any) -> None:
    invite()
    client.post(reverse("account_reset_password"), {"email": "new@example.com"})
    assert not [message for message in mail.outbox if message.to == ["new@example.com"] and "/key/" in message.body]


def test_two_browsers_at_once_open_the_account_once(transactional_db: None) -> None:
    invitation = invite()
    link = token(invitation)
    found = [invitations.find(link), invitations.find(link)]
    gate, outcomes = threading.Barrier(2), []

    def use(mine: StaffInvitation, password: str) -> None:
        gate.wait()
        try:
            invitations.accept(mine, password=password)
            outcomes.append("accepted")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(mine, f"{NEW_PASSWORD} {n}")) for n, mine in enumerate(found)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted", "invitation_not_good"]


# --- The command line -------------------------------------------------------------------------------------------------


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("create_super_admin", *arguments, stdout=out)
    return out.getvalue()


def test_the_first_super_admin_is_made_by_a_printed_link_without_mail() -> None:
    said = command("--email", "First@example.com", "--name", "First One")
    link = said.strip().splitlines()[-1]
    assert link.startswith("http")
    jobs.run_due()
    assert mail.outbox == []
    found = invitations.find(link.rstrip("/").rpartition("/")[2])
    person = invitations.accept(found, password=NEW_PASSWORD)
    assert User.objects.get(pk=person.pk).role_codes == ("super_admin",)
    entry = AuditEntry.objects.get(action="role.give")
    assert (entry.actor_id, entry.reason) == (None, "Made on the server")


def test_a_second_one_is_made_on_the_server_and_the_first_is_told() -> None:
    boss, colleague = accounts.staff("super_admin"), accounts.staff("editor")
    assert "is a Super Admin now" in command("--email", colleague.email, "--reason", "Approvals wait for nobody")
    assert User.objects.get(pk=colleague.pk).role_codes == ("editor", "super_admin")
    jobs.run_due(kinds=["notifications.send"])
    assert [message.to for message in mail.outbox] == [[boss.email]]
    assert "Approvals wait for nobody" in mail.outbox[0].body


def test_the_command_prints_a_new_link_for_who_has_not_come_and_refuses_others() -> None:
    old = command("--email", "first@example.com").strip().splitlines()[-1]
    new = command("--email", "first@example.com").strip().splitlines()[-1]
    with pytest.raises(invitations.NotGood):
        invitations.find(old.rstrip("/").rpartition("/")[2])
    assert invitations.find(new.rstrip("/").rpartition("/")[2])
    accounts.member(email="marie@example.com")
    accounts.staff(email="gone@example.com", is_active=False)
    for refused in ("marie@example.com", "gone@example.com", "no address"):
        with pytest.raises(CommandError):
            command("--email", refused)
