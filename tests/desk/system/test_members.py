"""The account page of a person, and the mails that support sends from the page of sign-ins."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse

from backoffice.accounts.models import Suspension, User
from backoffice.accounts.services import suspensions
from backoffice.core import jobs
from backoffice.creators.models import Creator
from backoffice.journeys.services import members
from tests.desk.clients import Desk
from tests.factories import accounts, creators
from tests.statements import count

pytestmark = pytest.mark.django_db
Seats = Callable[..., Desk]


def page(person: User, verb: str = "") -> str:
    return reverse(f"desk:person_{verb or 'account'}", args=[person.pk])


def is_open(person: User) -> bool:
    return User.objects.get(pk=person.pk).is_active


def test_operations_suspend_and_restore_a_member_from_the_page(desk: Seats) -> None:
    client, person = desk("ops_manager"), accounts.member()
    api = accounts.api_client(person)
    assert page(person) in client.get(f"/admin/accounts/user/{person.pk}/change/").content.decode()
    shown = client.get(page(person)).content.decode()
    assert page(person, "suspend") in shown
    assert page(person, "deactivate") not in shown
    answer = client.post(page(person, "suspend"), {"reason": "Insulted a creator"}, follow=True)
    assert "The account is suspended" in answer.content.decode()
    assert "Insulted a creator" in answer.content.decode()
    assert api.get("/api/v1/users/me").status_code == 401
    client.post(page(person, "restore"), {"reason": "Apologised"})
    assert is_open(person)
    assert "Apologised" in client.get(page(person)).content.decode()


def test_an_administrator_closes_what_operations_cannot_open(desk: Seats) -> None:
    boss, ops, person = desk("admin"), desk("ops_manager"), accounts.member()
    assert ops.post(page(person, "deactivate"), {"reason": "x"}).status_code == 403
    assert boss.post(page(person, "deactivate"), {"reason": "Asked for it"}).status_code == 302
    assert page(person, "restore") not in ops.get(page(person)).content.decode()
    assert ops.post(page(person, "restore"), {"reason": "x"}).status_code == 400
    assert not is_open(person)
    boss.post(page(person, "restore"), {"reason": "Came back"})
    assert is_open(person)


@pytest.mark.parametrize("role", ["content_moderator", "customer_support", "financial_admin", "verification_reviewer"])
def test_others_see_how_it_stands_and_change_nothing(desk: Seats, role: str) -> None:
    client, person = desk(role), accounts.member()
    members.close(user=person, kind="suspension", by=accounts.staff("admin"), reason="Insulted a creator")
    shown = client.get(page(person)).content.decode()
    assert "Insulted a creator" in shown
    assert page(person, "restore") not in shown
    for verb in ("suspend", "deactivate", "restore"):
        assert client.post(page(person, verb), {"reason": "x"}).status_code == 403
    assert not is_open(person)


@pytest.mark.parametrize("verb", ["suspend", "deactivate", "restore"])
def test_it_takes_a_fresh_factor(desk: Seats, verb: str) -> None:
    client, person = desk("super_admin", factor_age=301), accounts.member()
    if verb == "restore":
        members.close(user=person, kind="suspension", by=accounts.staff("admin"), reason="x")
    assert client.post(page(person, verb), {"reason": "x"}).status_code in (302, 403)
    assert is_open(person) == (verb != "restore")
    assert Suspension.objects.filter(ended_at=None).count() == (verb == "restore")


def test_what_was_typed_is_kept_beside_its_error(desk: Seats) -> None:
    client, person = desk("super_admin"), accounts.member()
    answer = client.post(page(person, "suspend"), {"reason": "y" * (suspensions.MOST_REASON + 1)})
    assert answer.status_code == 400
    assert "bl-field__error" in answer.content.decode()
    assert "yyyyyyyy" in answer.content.decode()
    assert client.post(page(person, "suspend"), {"reason": " "}).status_code == 400
    assert is_open(person)


def test_a_page_that_a_colleague_was_faster_on_says_so(desk: Seats) -> None:
    client, person = desk("super_admin"), accounts.member()
    members.close(user=person, kind="suspension", by=accounts.staff("admin"), reason="First")
    late = client.post(page(person, "suspend"), {"reason": "Second"})
    assert late.status_code == 400
    assert "closed already" in late.content.decode()
    client.post(page(person, "restore"), {"reason": "x"})
    late = client.post(page(person, "restore"), {"reason": "Too late"})
    assert late.status_code == 400
    assert "This account is open." in late.content.decode()


def test_a_creator_whose_verification_was_refused_can_be_closed_like_a_member(desk: Seats) -> None:
    client, creator = desk("super_admin"), creators.creator()
    Creator.objects.filter(pk=creator.pk).update(verification_status="rejected", is_active=False)
    assert page(creator.user, "suspend") in client.get(page(creator.user)).content.decode()
    client.post(page(creator.user, "suspend"), {"reason": "Forged papers"})
    creator.user.refresh_from_db()
    assert not creator.user.is_active


def test_staff_and_creators_are_sent_to_their_own_pages(desk: Seats) -> None:
    client, creator, colleague = desk("super_admin"), creators.creator(), accounts.staff("editor")
    shown = client.get(page(creator.user)).content.decode()
    assert reverse("desk:creator_detail", args=[creator.pk]) in shown
    assert page(creator.user, "suspend") not in shown
    assert client.post(page(creator.user, "suspend"), {"reason": "x"}).status_code == 400
    shown = client.get(page(colleague)).content.decode()
    assert reverse("desk:staff_detail", args=[colleague.pk]) in shown
    assert client.post(page(colleague, "suspend"), {"reason": "x"}).status_code == 400
    assert is_open(creator.user)
    assert is_open(colleague)


def test_nobody_is_nobody(desk: Seats) -> None:
    client = desk("super_admin")
    nobody = User(display_name="Nobody")
    assert client.get(page(nobody)).status_code == 404
    assert client.post(page(nobody, "suspend"), {"reason": "x"}).status_code == 404


def test_the_page_takes_the_same_statements_however_long_the_story(desk: Seats) -> None:
    client, person, boss = desk("super_admin"), accounts.member(), accounts.staff("admin")

    def story() -> None:
        members.close(user=person, kind="suspension", by=accounts.staff("admin"), reason="x")
        suspensions.end(user=person, by=boss, reason="y")

    story()
    short = count(lambda: client.get(page(person)))
    for _number in range(8):
        story()
    assert count(lambda: client.get(page(person))) == short


# --- Mails that help --------------------------------------------------------------------------------------------------


def test_support_sends_both_mails_and_sees_no_link(desk: Seats) -> None:
    client, person = desk("customer_support"), accounts.member()
    EmailAddress.objects.filter(user=person).update(verified=False)
    for verb in ("confirmation_mail", "reset_mail"):
        answer = client.post(page(person, verb), {"mail_reason": "Ticket 12"}, follow=True)
        assert "is on its way" in answer.content.decode()
    jobs.run_due()
    assert [message.to for message in mail.outbox] == [[person.email]] * 2
    assert {message.subject for message in mail.outbox} == {"Confirm your e-mail address", "Choose a new password"}
    shown = client.get(page(person, "security")).content.decode()
    assert "Password reset asked for" in shown
    assert "/accounts/password/reset/key/" not in shown


def test_a_refused_mail_keeps_what_was_typed(desk: Seats) -> None:
    client, person = desk("customer_support"), accounts.member()
    answer = client.post(page(person, "confirmation_mail"), {"mail_reason": "Ticket 77"})
    assert answer.status_code == 400
    assert "confirmed already" in answer.content.decode()
    assert "Ticket 77" in answer.content.decode()
    assert client.post(page(person, "reset_mail"), {"mail_reason": ""}).status_code == 400
    jobs.run_due()
    assert not mail.outbox


@pytest.mark.parametrize("role", ["ops_manager", "content_moderator", "financial_admin"])
def test_other_roles_send_no_mails(desk: Seats, role: str) -> None:
    client, person = desk(role), accounts.member()
    for verb in ("confirmation_mail", "reset_mail"):
        assert client.post(page(person, verb), {"mail_reason": "x"}).status_code == 403
