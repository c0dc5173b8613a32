"""Support sends people the links that help them, and never sees one (P-016)."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from backoffice.accounts.devices import Visit
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import assistance, attempts
from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.models import Job
from backoffice.notifications.models import Notification
from tests.factories import accounts

pytestmark = pytest.mark.django_db
NEW = "a wholly different phrase"
ACTS = pytest.mark.parametrize("act", [assistance.confirm_address, assistance.reset_password])


def unconfirmed(**fields: object) -> User:
    person = accounts.member(**fields)
    EmailAddress.objects.filter(user=person).update(verified=False)
    return person


def mailed() -> str:
    """The path of the link in the only mail."""
    jobs.run_due()
    [message] = mail.outbox
    [path] = re.findall(r"https?://[^/\s]+(/\S+)", str(message.body))
    return str(path)


def test_the_confirmation_link_confirms_the_address() -> None:
    person = unconfirmed()
    assistance.confirm_address(user=person, by=accounts.staff("customer_support"), reason="Ticket 12")
    path, stranger = mailed(), Client()
    assert mail.outbox[0].to == [person.email]
    assert not assistance.is_confirmed(person), "sending it confirms nothing"
    assert person.email in stranger.get(path).content.decode()
    assert not assistance.is_confirmed(person), "mail programs open links by themselves"
    stranger.post(path)
    assert assistance.is_confirmed(person)
    assert "not good any more" in stranger.get(path).content.decode()
    with pytest.raises(Conflict, match="confirmed already"):
        assistance.confirm_address(user=person, by=accounts.staff("customer_support"), reason="Again")


def test_the_reset_link_changes_the_password_and_the_old_one_is_good_until_then() -> None:
    person = accounts.member()
    assistance.reset_password(user=person, by=accounts.staff("customer_support"), reason="Ticket 12")
    path, stranger = mailed(), Client()
    assert User.objects.get(pk=person.pk).check_password(accounts.PASSWORD)
    form = stranger.get(path, follow=True)
    stranger.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert User.objects.get(pk=person.pk).check_password(NEW)


@ACTS
def test_it_is_on_record_and_the_link_is_nowhere_but_in_the_mail(act: object) -> None:
    person, agent = unconfirmed(), accounts.staff("customer_support")
    act(user=person, by=agent, reason=" Ticket 12 ")  # type: ignore[operator]
    secret = mailed().strip("/").rpartition("/")[2]
    entry = AuditEntry.objects.get(action__in=["user.confirmation_mail", "user.reset_mail"])
    assert (entry.actor, entry.subject_id, entry.reason) == (agent, str(person.pk), "Ticket 12")
    kept = [*AuditEntry.objects.values(), *Job.objects.values(), *Notification.objects.values()]
    kept += SecurityEvent.objects.values()
    assert not [row for row in kept if secret in str(row)]
    asked = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.PASSWORD_RESET_ASKED, user=person, by=agent)
    assert asked.exists() == (act is assistance.reset_password)


@ACTS
@pytest.mark.parametrize("role", ["ops_manager", "content_moderator", "financial_admin", "editor"])
def test_others_do_not_send_it(act: object, role: str) -> None:
    with pytest.raises(Forbidden):
        act(user=unconfirmed(), by=accounts.staff(role), reason="x")  # type: ignore[operator]
    jobs.run_due()
    assert not mail.outbox


@ACTS
def test_it_needs_a_reason_and_an_open_account(act: object) -> None:
    person, agent = unconfirmed(), accounts.staff("admin")
    for reason in (" ", "x" * (assistance.MOST_REASON + 1)):
        with pytest.raises(Invalid) as refusal:
            act(user=person, by=agent, reason=reason)  # type: ignore[operator]
        assert refusal.value.field == "reason"
    person.is_active = False
    with pytest.raises(Conflict, match="closed"):
        act(user=person, by=agent, reason="x")  # type: ignore[operator]


@ACTS
def test_an_account_closed_meanwhile_gets_no_mail(act: object) -> None:
    person = unconfirmed()
    act(user=person, by=accounts.staff("admin"), reason="x")  # type: ignore[operator]
    User.objects.filter(pk=person.pk).update(is_active=False)
    jobs.run_due()
    assert not mail.outbox


@ACTS
def test_there_is_a_limit_that_strangers_cannot_use_up(act: object) -> None:
    person, agent, now = unconfirmed(), accounts.staff("customer_support"), clock.now()
    for _number in range(values.get("signin.reset_mails") + 1):
        attempts.reset_request(email=person.email, visit=Visit(ip="203.0.113.5"), at=now)
    for _number in range(values.get("signin.reset_mails")):
        act(user=person, by=agent, reason="x", at=now)  # type: ignore[operator]
    entries = AuditEntry.objects.count()
    with pytest.raises(assistance.EnoughMails):
        act(user=person, by=accounts.staff("admin"), reason="x", at=now)  # type: ignore[operator]
    assert AuditEntry.objects.count() == entries
    act(user=unconfirmed(), by=agent, reason="x", at=now)  # type: ignore[operator]
    act(user=person, by=agent, reason="x", at=now + timedelta(minutes=61))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Choose a new"), ("fr", "Choisissez un"), ("ht", "Chwazi yon nouvo modpas")]
)
def test_the_mail_is_in_the_persons_language(language: str, words: str) -> None:
    person = accounts.member(language=language)
    assistance.reset_password(user=person, by=accounts.staff("customer_support"), reason="Ticket 12")
    mailed()
    assert mail.outbox[0].subject.startswith(words)
