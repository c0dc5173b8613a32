"""The trace of sign-ins: events that cannot be changed, known devices, notices by mail (E-007, V-013)."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.accounts import devices, tokens
from backoffice.accounts.models import KnownDevice, SecurityEvent, User
from backoffice.accounts.services import security
from backoffice.audit.models import AuditEntry
from backoffice.core import jobs
from tests.factories import accounts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]
Kind = SecurityEvent.Kind
LOGIN = "/api/v1/auth/login"


def way_in(client: Client, person: User, **headers: str) -> None:
    """Password and code at the staff door."""
    cache.clear()  # a code is good for one use; this test does not wait for the next
    answer = client.post(
        reverse("account_login"), {"login": person.email, "password": accounts.PASSWORD}, headers=headers
    )
    assert answer["Location"] == reverse("mfa_authenticate")
    secret = decrypt(Authenticator.objects.get(user=person, type="totp").data["secret"])
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    answer = client.post(reverse("mfa_authenticate"), {"code": code}, headers=headers)
    assert answer["Location"] == "/admin/"


def kinds(person: User) -> list[str]:
    return list(SecurityEvent.objects.filter(user=person).order_by("id").values_list("kind", flat=True))


def mails() -> list[str]:
    jobs.run_due(kinds=["notifications.send"])
    found = [message.subject for message in mail.outbox]
    mail.outbox.clear()
    return found


def test_a_sign_in_is_on_record_with_its_device_and_in_the_audit_log() -> None:
    person, client = accounts.staff("editor"), Client(headers={"user-agent": "Firefox"})
    way_in(client, person)
    event = SecurityEvent.objects.get(user=person, kind=Kind.LOGIN_OK)
    known = KnownDevice.objects.get(user=person)
    assert (event.ip, event.user_agent, event.device) == ("127.0.0.1", "Firefox", known.key)
    assert len(event.fingerprint) == 32
    assert AuditEntry.objects.filter(action="staff.sign_in", actor=person).count() == 1
    cookie = client.cookies[devices.cookie_name()]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert cookie["max-age"] == 400 * 24 * 3600
    assert known.key not in cookie.value, "the cookie cannot be made from the table"


def test_a_password_alone_makes_no_device_known() -> None:
    person, client = accounts.staff("editor"), Client()
    client.post(reverse("account_login"), {"login": person.email, "password": accounts.PASSWORD})
    assert not KnownDevice.objects.exists()
    assert devices.cookie_name() not in client.cookies


def test_a_new_device_is_told_by_mail_and_a_known_one_is_not() -> None:
    person, first = accounts.staff("editor", language="fr"), Client()
    way_in(first, person)
    assert mails() == [], "the first sign-in of all is nothing new"
    first.post(reverse("account_logout"))
    way_in(first, person)
    assert mails() == []
    way_in(Client(), person)
    assert mails() == ["Un nouvel appareil s'est connecté à votre compte"]
    assert kinds(person).count(Kind.NEW_DEVICE) == 1


def test_a_forgotten_device_is_new_again() -> None:
    person, client = accounts.staff("editor"), Client()
    way_in(client, person)
    security.forget_device(KnownDevice.objects.get(user=person), by=person)
    client.post(reverse("account_logout"))
    way_in(client, person)
    assert mails() == ["A new device signed in to your account"]


@override_settings(COUNTRY_HEADER="CF-IPCountry")
def test_a_new_country_is_told_by_mail() -> None:
    person, client = accounts.staff("editor", language="ht"), Client()
    for country in ("HT", "HT", "XX", "CA"):
        way_in(client, person, **{"CF-IPCountry": country})
        client.post(reverse("account_logout"))
    assert mails() == ["Yon koneksyon sou kont ou soti nan yon lòt peyi"]
    event = SecurityEvent.objects.get(kind=Kind.NEW_COUNTRY)
    assert (event.country, event.data["before"]) == ("CA", ["HT"])


def test_without_a_proxy_that_names_it_a_country_is_not_believed() -> None:
    person, client = accounts.staff("editor"), Client()
    way_in(client, person, **{"CF-IPCountry": "HT"})
    assert SecurityEvent.objects.get(kind=Kind.LOGIN_OK).country == ""


def test_an_api_client_gets_a_device_token_and_is_known_by_it() -> None:
    person = accounts.member()
    body = {"email": person.email, "password": accounts.PASSWORD}
    first = Client().post(LOGIN, body, content_type="application/json").json()["data"]
    again = Client().post(LOGIN, body, content_type="application/json", headers={devices.HEADER: first["device"]})
    assert again.json()["data"]["device"] == first["device"]
    assert KnownDevice.objects.filter(user=person).count() == 1
    assert mails() == []
    Client().post(LOGIN, body, content_type="application/json")
    assert mails() == ["A new device signed in to your account"]


def test_events_can_only_be_added() -> None:
    event = security.record(kind=Kind.SUSPICIOUS, user=accounts.member())
    for sql in (
        "UPDATE accounts_securityevent SET ip = '' WHERE id = %s",
        "DELETE FROM accounts_securityevent WHERE id = %s",
    ):
        with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [event.pk])
    with pytest.raises(TypeError):
        event.save()


def test_a_reset_password_ends_sessions_and_tokens_and_is_told() -> None:
    person, client = accounts.staff("editor"), Client()
    way_in(client, person)
    token = accounts.api_client(person)
    mails()
    Client().post(reverse("account_reset_password"), {"email": person.email})
    link = next(word for word in mail.outbox[0].body.split() if "/password/reset/key/" in word)
    mail.outbox.clear()
    visitor = Client()
    form = visitor.get(link.split("testserver")[1], follow=True)
    new = "another long enough phrase"
    visitor.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(new)
    assert mails() == ["Your password was changed"]
    assert client.get("/admin/work/").status_code == 302
    assert token.get("/api/v1/users/me").status_code == 401
    assert {Kind.PASSWORD_RESET_ASKED, Kind.PASSWORD_RESET, Kind.SESSION_REVOKED} <= set(kinds(person))
    assert "/admin/work/" not in str(visitor.get("/admin/work/").content), "a reset signs nobody in"


def test_a_changed_password_keeps_this_session_and_ends_the_others() -> None:
    person, here, there = accounts.staff("editor"), Client(), Client()
    way_in(here, person)
    way_in(there, person)
    new = "another long enough phrase"
    here.post(
        reverse("account_change_password"), {"oldpassword": accounts.PASSWORD, "password1": new, "password2": new}
    )
    assert here.get("/admin/work/").status_code == 200
    assert there.get("/admin/work/").status_code == 302


def test_the_current_password_cannot_be_guessed_in_an_open_session() -> None:
    person, client = accounts.staff("editor"), Client()
    way_in(client, person)
    new = "another long enough phrase"
    for word in ["a", "b", "c", "d", "e", "f", accounts.PASSWORD]:
        client.post(reverse("account_change_password"), {"oldpassword": word, "password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(accounts.PASSWORD)


def test_a_factor_that_is_added_or_removed_is_told(django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    person, client = accounts.staff("editor"), Client()
    Authenticator.objects.filter(user=person).delete()
    accounts.sign_in(client, person, factor_age=None)
    client.post(reverse("account_reauthenticate"), {"password": accounts.PASSWORD})
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("mfa_activate_totp"), {"code": code})
    assert answer.status_code == 302
    assert Kind.MFA_ADDED in kinds(person)
    assert mails() == ["Your two-step sign-in was changed"]
    assert client.get("/admin/work/").status_code == 302, "it is asked for before anything opens"
    accounts.sign_in(client, person)
    cache.clear()
    client.post(reverse("mfa_reauthenticate"), {"code": code})
    Authenticator.objects.create(user=person, type="webauthn", data={"name": "Key"})
    client.post(reverse("mfa_deactivate_totp"))
    assert kinds(person)[-2:] == [Kind.STEP_UP, Kind.MFA_REMOVED]
    assert mails() == ["Your two-step sign-in was changed"]
    assert AuditEntry.objects.filter(action="factor.removed", actor=person).exists()


def test_signing_out_is_on_record() -> None:
    person, client = accounts.staff("editor"), Client()
    way_in(client, person)
    client.post(reverse("account_logout"))
    assert kinds(person)[-1] == Kind.LOGOUT
    assert AuditEntry.objects.filter(action="staff.sign_out", actor=person).exists()


def test_behind_a_proxy_the_visitors_own_address_counts() -> None:
    person = accounts.member()
    body = {"email": person.email, "password": "wrong"}
    chain = {"X-Forwarded-For": "192.0.2.66, 203.0.113.50"}
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        Client().post(LOGIN, body, content_type="application/json", headers=chain)
    assert SecurityEvent.objects.latest("id").ip == "203.0.113.50", "what the visitor claims is not believed"


def test_token_sessions_are_listed_with_their_origin() -> None:
    from allauth.usersessions.models import UserSession

    person = accounts.member()
    tokens.issue(person)
    assert UserSession.objects.get(user=person).data["door"] == "api"
