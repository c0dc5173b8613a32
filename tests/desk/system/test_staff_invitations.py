"""Inviting staff at the desk, the page behind the link, and roles that wait for a second Super Admin."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import RoleGrant, StaffInvitation, User
from backoffice.accounts.services import invitations
from backoffice.approvals.models import ApprovalRequest
from backoffice.audit.models import AuditEntry
from backoffice.core import clock, jobs
from tests.desk.clients import Desk
from tests.factories import accounts
from tests.statements import count

pytestmark = pytest.mark.django_db
INVITE, LIST = "/admin/system/staff/invite/", "/admin/system/staff/"
NEW_PASSWORD = "a long enough pass phrase"
FIELDS = {
    "display_name": "New Person",
    "email": "new@example.com",
    "language": "fr",
    "timezone": "America/Port-au-Prince",
    "reason": "Joins support",
}


def link_of_the_mail() -> str:
    jobs.run_due(kinds=[invitations.SEND])
    line = next(line for line in mail.outbox[-1].body.splitlines() if "/accounts/invitation/" in line)
    return "/accounts/" + line.partition("/accounts/")[2]


def test_somebody_is_invited_opens_the_link_and_reaches_nothing_but_enrolment(desk: Callable[..., Desk]) -> None:
    boss = desk("super_admin")
    page = boss.get(INVITE).content.decode()
    assert "within 72 hours" in page
    answer = boss.post(INVITE, {**FIELDS, "roles": ["editor"]})
    person = User.objects.get(email="new@example.com")
    assert answer["Location"] == reverse("desk:staff_detail", args=[person.pk])

    guest = Client()
    answer = guest.get(link_of_the_mail())
    assert answer["Location"] == reverse("staff_invitation"), "the secret leaves the address line"
    page = guest.get(answer["Location"]).content.decode()
    assert "New Person" in page
    wrong = guest.post(reverse("staff_invitation"), {"password": NEW_PASSWORD, "again": "something else 12345"})
    assert (wrong.status_code, User.objects.get(pk=person.pk).is_active) == (400, False)
    weak = guest.post(reverse("staff_invitation"), {"password": "password1234", "again": "password1234"})
    assert weak.status_code == 400
    done = guest.post(reverse("staff_invitation"), {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert done["Location"] == reverse("account_login")
    assert guest.get("/admin/work/").status_code == 302, "nobody is signed in by it"

    guest.post(reverse("account_login"), {"login": person.email, "password": NEW_PASSWORD})
    for address in ("/admin/work/", "/cms/"):
        assert guest.get(address)["Location"] == reverse("mfa_index"), "nothing opens before the second factor"
    again = guest.get(reverse("mfa_activate_totp"))["Location"]
    assert "authenticator_secret" in guest.post(again, {"password": NEW_PASSWORD}, follow=True).content.decode()
    person.refresh_from_db()
    accounts.TOTP.activate(person, accounts.generate_totp_secret())
    assert accounts.sign_in(Client(), person).get("/cms/").status_code == 200


def test_a_used_link_and_a_wrong_one_say_so_without_a_server_error(desk: Callable[..., Desk]) -> None:
    desk("super_admin").post(INVITE, FIELDS)
    link = link_of_the_mail()
    guest = Client()
    guest.get(link)
    guest.post(reverse("staff_invitation"), {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    for address in (link, link[:-3] + "x/", "/accounts/invitation/nonsense/", reverse("staff_invitation")):
        answer = Client().get(address)
        assert answer.status_code == 410, address
        assert "invitation" in answer.content.decode()


def test_opening_the_link_uses_nothing_up_and_keeps_no_secret_in_the_session(desk: Callable[..., Desk]) -> None:
    desk("super_admin").post(INVITE, FIELDS)
    link = link_of_the_mail()
    scanner, guest = Client(), Client()
    scanner.get(link)
    scanner.get(link)
    guest.get(link)
    secret = invitations.signing.loads(link.rstrip("/").rpartition("/")[2], salt=invitations.SALT)[1]
    assert secret not in str(dict(guest.session))
    assert guest.get(reverse("staff_invitation")).status_code == 200


def test_an_old_page_cannot_be_sent_after_the_link_was_renewed(desk: Callable[..., Desk]) -> None:
    boss = desk("super_admin")
    boss.post(INVITE, FIELDS)
    guest = Client()
    guest.get(link_of_the_mail())
    person = User.objects.get(email="new@example.com")
    boss.post(reverse("desk:staff_invite_again", args=[person.pk]))
    late = guest.post(reverse("staff_invitation"), {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert (late.status_code, User.objects.get(pk=person.pk).is_active) == (410, False)


def test_who_is_signed_in_at_that_browser_is_signed_out(desk: Callable[..., Desk]) -> None:
    boss = desk("super_admin")
    boss.post(INVITE, FIELDS)
    boss.get(link_of_the_mail())
    boss.post(reverse("staff_invitation"), {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert boss.get("/admin/work/").status_code == 302


def test_inviting_needs_the_right_a_fresh_factor_and_keeps_what_was_typed(desk: Callable[..., Desk]) -> None:
    for role in ("admin", "ops_manager"):
        assert desk(role).post(INVITE, FIELDS).status_code == 403
    assert "Invite somebody" not in desk("admin").get(LIST).content.decode()
    desk("super_admin", factor_age=900).post(INVITE, FIELDS)
    assert not StaffInvitation.objects.exists()
    accounts.member(email="marie@example.com")
    answer = desk("super_admin").post(INVITE, {**FIELDS, "email": "marie@example.com"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "belongs to a member" in page
    assert "Joins support" in page


def test_the_list_tells_invited_active_and_closed_apart(desk: Callable[..., Desk]) -> None:
    boss = desk("super_admin")
    for name, change in (
        ("waiting", {}),
        ("late", {"expires_at": clock.now() - timedelta(hours=1)}),
        ("back", {"revoked_at": clock.now()}),
    ):
        invitations.invite(
            email=f"{name}@example.com", display_name=name.title(), reason="x", by=boss.person, at=clock.now()
        )
        StaffInvitation.objects.filter(user__email=f"{name}@example.com").update(**change)
    accounts.staff(display_name="Gone", is_active=False)
    states = {person.display_name: state.code for person, _held, state in boss.get(LIST).context["rows"]}
    expected = {"Waiting": "invited", "Late": "late", "Back": "revoked", "Gone": "closed"}
    assert {name: states[name] for name in expected} == expected
    assert states[boss.person.display_name] == "active"
    few = count(lambda: boss.get(LIST))
    for number in range(4):
        invitations.invite(email=f"more{number}@example.com", display_name="More", reason="x", by=boss.person)
    assert count(lambda: boss.get(LIST)) == few


def test_an_invitation_is_sent_again_and_taken_back_on_the_persons_page(desk: Callable[..., Desk]) -> None:
    boss = desk("super_admin")
    boss.post(INVITE, FIELDS)
    person = User.objects.get(email="new@example.com")
    page = boss.get(reverse("desk:staff_detail", args=[person.pk])).content.decode()
    assert "Take the invitation back" in page
    assert "Deactivate" not in page
    boss.post(reverse("desk:staff_invite_again", args=[person.pk]))
    revoke = reverse("desk:staff_invite_revoke", args=[person.pk])
    assert boss.post(revoke, {"reason": ""}).status_code == 400
    assert boss.post(revoke, {"reason": "Wrong address"}).status_code == 302
    assert boss.post(revoke, {"reason": "Again"}).status_code == 400
    done = AuditEntry.objects.filter(subject_id=str(person.pk)).order_by("id").values_list("action", flat=True)
    assert list(done) == ["staff.create", "staff.invite", "staff.invite_again", "staff.invite_revoke"]
    page = boss.get(reverse("desk:staff_detail", args=[person.pk])).content.decode()
    assert "invitation taken back" in page


# --- Two people for a role --------------------------------------------------------------------------------------------


def test_a_powerful_role_waits_for_the_other_super_admin_who_approves_it(desk: Callable[..., Desk]) -> None:
    boss, second, person = desk("super_admin"), desk("super_admin"), accounts.staff("editor")
    give = reverse("desk:role_give", args=[person.pk])
    answer = boss.post(give, {"role": "financial_admin", "reason": "Month end"}, follow=True)
    request = ApprovalRequest.objects.get()
    page = answer.content.decode()
    assert request.reference in page
    assert "there is none who could approve it" not in page
    assert not RoleGrant.objects.exists()
    assert boss.post(give, {"role": "financial_admin", "reason": "Again"}).status_code == 400
    detail = second.get(reverse("desk:approval_detail", args=[request.pk])).content.decode()
    assert person.display_name in detail
    assert "Financial Admin" in detail
    approve = reverse("desk:approval_approve", args=[request.pk])
    boss.post(approve, {"revision": 1})
    assert not RoleGrant.objects.exists()
    second.post(approve, {"revision": 1})
    assert RoleGrant.objects.get().approved_by == second.person
    page = boss.get(reverse("desk:staff_detail", args=[person.pk])).content.decode()
    assert second.person.display_name in page


def test_with_one_super_admin_the_screen_says_how_to_make_a_second(desk: Callable[..., Desk]) -> None:
    boss, person = desk("super_admin"), accounts.staff("editor")
    answer = boss.post(
        reverse("desk:role_give", args=[person.pk]), {"role": "admin", "reason": "Takes over"}, follow=True
    )
    assert answer.content.decode().count("create_super_admin --email") == 2, "once as message, once beside the request"
    asked = reverse("desk:approval_detail", args=[ApprovalRequest.objects.get().pk])
    assert "create_super_admin --email" in boss.get(asked).content.decode()
    accounts.staff("super_admin")
    for address in (reverse("desk:staff_detail", args=[person.pk]), asked):
        assert "create_super_admin" not in boss.get(address).content.decode()


def test_the_invitation_form_says_which_roles_take_two(desk: Callable[..., Desk]) -> None:
    boss = desk("super_admin")
    page = boss.get(INVITE).content.decode()
    assert "Financial Admin (a second Super Admin approves)" in page
    assert "Editor (a second" not in page
    boss.post(INVITE, {**FIELDS, "roles": ["financial_admin", "analyst"]})
    assert ApprovalRequest.objects.get().payload["role"] == "financial_admin"
    assert Authenticator.objects.filter(user__email=FIELDS["email"]).count() == 0
