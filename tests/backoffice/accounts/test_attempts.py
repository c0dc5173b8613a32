"""Guessing is limited, also by many at once, and nobody locks anybody else out from afar (N-040)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from backoffice.accounts import devices
from backoffice.accounts.devices import Visit
from backoffice.accounts.models import AttemptCount, KnownDevice, SecurityEvent, User
from backoffice.accounts.services import attempts, factors
from backoffice.audit.models import AuditEntry
from backoffice.core import clock, jobs
from backoffice.core.errors import Forbidden
from tests.factories import accounts

LOGIN = "/accounts/login/"
API = "/api/v1/auth/login"
AFAR = "203.0.113.9"
HOME = "198.51.100.7"
Kind = SecurityEvent.Kind


def at_once(number: int, action: Callable[[int], object], *, threads: int = 25) -> list[object]:
    """Runs the action so often, as many at a time as there are threads, all let go together."""
    gate = threading.Barrier(threads)

    def one(index: int) -> object:
        if index < threads:
            gate.wait(30)
        return action(index)

    def close(_: int) -> None:
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(one, range(number)))
        list(pool.map(close, range(threads * 4)))
    return results


def known_browser(person: User) -> Client:
    """A browser from which this person has signed in before."""
    client, token = Client(), devices.new_token()
    client.cookies[devices.cookie_name()] = token
    KnownDevice.objects.create(user=person, key=devices.key_of(token))
    return client


def try_password(client: Client, person: User, password: str, ip: str = AFAR) -> bool:
    """Whether the password opened the way to the second step."""
    answer = client.post(LOGIN, {"login": person.email, "password": password}, REMOTE_ADDR=ip)
    return answer.status_code == 302


def failed(person: User) -> int:
    return SecurityEvent.objects.filter(user=person, kind=Kind.LOGIN_FAILED).count()


def test_200_parallel_wrong_passwords_stay_within_the_limit(transactional_db: None) -> None:
    person = accounts.staff("financial_admin")
    results = at_once(200, lambda index: try_password(Client(), person, f"wrong {index}"))
    assert not any(results)
    assert failed(person) == 5, "five were looked at, 195 were refused unread"
    assert SecurityEvent.objects.filter(user=person, kind=Kind.LOCKOUT).count() == 1
    assert not try_password(Client(), person, accounts.PASSWORD), "the right one does not help from there"
    assert try_password(known_browser(person), person, accounts.PASSWORD), "the victim's own browser gets in"
    assert try_password(Client(), person, accounts.PASSWORD, ip=HOME), "and so does the victim elsewhere"


def test_200_parallel_wrong_passwords_at_the_api_stay_within_the_limit(transactional_db: None) -> None:
    person = accounts.member()

    def wrong(index: int) -> int:
        body = {"email": person.email, "password": f"wrong {index}"}
        return Client().post(API, body, content_type="application/json", REMOTE_ADDR=AFAR).status_code

    statuses = at_once(200, wrong)
    assert (statuses.count(401), statuses.count(429)) == (5, 195)
    token = devices.new_token()
    KnownDevice.objects.create(user=person, key=devices.key_of(token))
    body = {"email": person.email, "password": accounts.PASSWORD}
    good = Client().post(API, body, content_type="application/json", REMOTE_ADDR=AFAR, headers={devices.HEADER: token})
    assert good.status_code == 200


def test_200_parallel_wrong_codes_stay_within_the_limit(transactional_db: None) -> None:
    person = accounts.member()
    Authenticator.objects.filter(user=person).delete()
    visit = Visit(ip=AFAR)

    def wrong(index: int) -> bool:
        try:
            attempts.code(user=person, visit=visit)
        except attempts.TooManyAttempts:
            return False
        return True

    assert at_once(200, wrong).count(True) == 5


@pytest.mark.django_db
def test_the_fifth_wrong_code_locks_the_code_and_tells_the_person() -> None:
    person, client = accounts.staff("editor"), Client()
    assert try_password(client, person, accounts.PASSWORD)
    for _ in range(6):
        client.post(reverse("mfa_authenticate"), {"code": "000000x"}, REMOTE_ADDR=AFAR)
    assert SecurityEvent.objects.filter(user=person, kind=Kind.MFA_FAILED).count() == 5
    assert SecurityEvent.objects.filter(user=person, kind=Kind.LOCKOUT).count() == 1
    jobs.run_due(kinds=["notifications.send"])
    assert [message.to for message in mail.outbox] == [[person.email]]
    assert "wrong codes" in mail.outbox[0].body


@pytest.mark.django_db
def test_a_right_password_gives_its_try_back() -> None:
    person = accounts.staff("editor")
    for _ in range(8):
        assert try_password(Client(), person, accounts.PASSWORD)


@pytest.mark.django_db
def test_the_right_password_of_staff_counts_as_wrong_at_the_api() -> None:
    person = accounts.staff("editor")
    body = {"email": person.email, "password": accounts.PASSWORD}
    statuses = [
        Client().post(API, body, content_type="application/json", REMOTE_ADDR=AFAR).status_code for _ in range(6)
    ]
    assert statuses == [401] * 5 + [429]


@pytest.mark.django_db
def test_an_unknown_address_is_limited_like_a_known_one() -> None:
    body = {"email": "nobody@example.com", "password": "wrong"}
    answers = [Client().post(API, body, content_type="application/json", REMOTE_ADDR=AFAR) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    event = SecurityEvent.objects.filter(kind=Kind.LOGIN_FAILED).latest("id")
    assert event.user is None
    assert "nobody" not in event.account


@pytest.mark.django_db
def test_the_lock_ends_after_its_time() -> None:
    person, now, visit = accounts.member(), clock.now(), Visit(ip=AFAR)
    for second in range(5):
        attempts.password(email=person.email, visit=visit, at=now + timedelta(minutes=second))
    with pytest.raises(attempts.TooManyAttempts) as refused:
        attempts.password(email=person.email, visit=visit, at=now + timedelta(minutes=5))
    assert refused.value.retry_after == 14 * 60, "a quarter of an hour from the fifth"
    attempts.password(email=person.email, visit=visit, at=now + timedelta(minutes=19, seconds=1))


@pytest.mark.django_db
def test_neighbours_of_an_ipv6_customer_are_one_network() -> None:
    person = accounts.member()
    for last in range(5):
        attempts.password(email=person.email, visit=Visit(ip=f"2001:db8:1:2::{last}"))
    with pytest.raises(attempts.TooManyAttempts):
        attempts.password(email=person.email, visit=Visit(ip="2001:db8:1:2:ffff::1"))
    attempts.password(email=person.email, visit=Visit(ip="2001:db8:1:3::1"))


@pytest.mark.django_db
def test_one_network_cannot_try_one_password_at_every_account() -> None:
    for number in range(20):
        attempts.password(email=f"somebody{number}@example.com", visit=Visit(ip=AFAR))
    with pytest.raises(attempts.TooManyAttempts):
        attempts.password(email="one.more@example.com", visit=Visit(ip=AFAR))


@pytest.mark.django_db
def test_many_networks_together_only_slow_an_account_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "PACE_SECONDS", 0.05)
    waited: list[float] = []
    monkeypatch.setattr(attempts.time, "sleep", waited.append)
    person, now = accounts.member(), clock.now()
    for number in range(60):
        attempts.password(email=person.email, visit=Visit(ip=f"198.51.{number}.1"), at=now)
    assert len(waited) == 40, "twenty are free"
    assert waited == sorted(waited), "each waits behind the one before"
    attempts.password(email=person.email, visit=Visit(ip="192.0.2.1"), at=now)


@pytest.mark.django_db
def test_whoever_would_wait_too_long_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts.time, "sleep", lambda seconds: None)
    person, now = accounts.member(), clock.now()
    for number in range(23):
        attempts.password(email=person.email, visit=Visit(ip=f"198.51.{number}.1"), at=now)
    with pytest.raises(attempts.TooManyAttempts) as refused:
        attempts.password(email=person.email, visit=Visit(ip="198.51.99.1"), at=now)
    assert refused.value.retry_after <= 5
    attempts.password(email=person.email, visit=Visit(ip="192.0.2.1"), at=now + timedelta(seconds=10))


@pytest.mark.django_db
def test_a_device_cookie_of_somebody_else_or_of_nobody_helps_nobody() -> None:
    person, other = accounts.staff("editor"), accounts.staff("editor")
    theirs = known_browser(other)
    forged = Client()
    forged.cookies[devices.cookie_name()] = "made:up:cookie"
    for client in (theirs, forged):
        for index in range(3):
            assert not try_password(client, person, f"wrong {index}")
    assert failed(person) == 5
    assert not try_password(theirs, person, accounts.PASSWORD)


@pytest.mark.django_db
def test_a_known_device_has_a_limit_too() -> None:
    person = accounts.staff("editor")
    client = known_browser(person)
    for index in range(7):
        assert not try_password(client, person, f"wrong {index}")
    assert failed(person) == 5
    assert not try_password(client, person, accounts.PASSWORD)
    assert try_password(Client(), person, accounts.PASSWORD)


@pytest.mark.django_db
def test_support_unlocks_with_a_reason_and_it_is_on_record() -> None:
    person, helper = accounts.member(), accounts.staff("customer_support")
    for _ in range(5):
        attempts.password(email=person.email, visit=Visit(ip=AFAR))
    assert attempts.is_locked(person)
    with pytest.raises(Forbidden):
        factors.unlock(user=person, by=accounts.staff("content_moderator"), reason="Asked me to")
    factors.unlock(user=person, by=helper, reason="Ticket 12")
    assert not attempts.is_locked(person)
    attempts.password(email=person.email, visit=Visit(ip=AFAR))
    assert AuditEntry.objects.get(action="user.unlock").reason == "Ticket 12"


@pytest.mark.django_db
def test_an_address_gets_few_reset_mails_and_the_page_does_not_say_so() -> None:
    person = accounts.staff("editor")
    pages = [
        Client().post(reverse("account_reset_password"), {"email": person.email}, REMOTE_ADDR=f"198.51.100.{number}")
        for number in range(6)
    ]
    assert {page["Location"] for page in pages} == {reverse("account_reset_password_done")}
    assert len(mail.outbox) == 3


@pytest.mark.django_db
def test_the_reset_page_is_closed_to_a_network_that_floods_it() -> None:
    statuses = [
        Client()
        .post(reverse("account_reset_password"), {"email": f"p{number}@example.com"}, REMOTE_ADDR=AFAR)
        .status_code
        for number in range(22)
    ]
    assert statuses.count(302) == 20


@pytest.mark.django_db
def test_old_counts_are_thrown_away() -> None:
    attempts.password(email="a@example.com", visit=Visit(ip=AFAR), at=clock.now() - timedelta(hours=2))
    assert attempts.prune() == 3
    assert AttemptCount.objects.count() == 0
