"""What a token was refused is kept, bounded; registering and reset mails are limited per network (N-038, X-043)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from backoffice.accounts import devices, tokens
from backoffice.accounts.devices import Visit
from backoffice.accounts.models import AttemptCount, KnownDevice, SecurityEvent, User
from backoffice.accounts.services import attempts
from backoffice.configuration import values
from backoffice.core import clock
from tests.factories import accounts
from tests.factories.creators import creator

pytestmark = pytest.mark.django_db
AFAR, HOME = "203.0.113.9", "198.51.100.7"
REGISTER, RESET = "/api/v1/auth/register", "/accounts/password/reset/"


def refused(person: User) -> list[dict[str, object]]:
    found = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.API_REFUSED, user=person).order_by("id")
    return [event.data for event in found]


# --- Refusals on record -----------------------------------------------------------------------------------------------


def test_a_member_who_is_refused_leaves_an_event_with_page_and_reason() -> None:
    person = accounts.member()
    assert accounts.api_client(person).get("/api/v1/creators/me", REMOTE_ADDR=AFAR).status_code == 403
    assert refused(person) == [
        {"status": 403, "code": "not_a_creator", "method": "GET", "path": "/api/v1/creators/me", "page": "creators_me"}
    ]
    event = SecurityEvent.objects.get(kind=SecurityEvent.Kind.API_REFUSED)
    assert (event.ip, event.risk_score) == (AFAR, 20)


def test_a_token_whose_session_or_account_has_ended_leaves_an_event() -> None:
    ended, closed = accounts.member(), accounts.member()
    client = accounts.api_client(ended)
    client.post("/api/v1/auth/logout")
    assert client.get("/api/v1/users/me").status_code == 401
    client = accounts.api_client(closed)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    assert client.get("/api/v1/users/me").status_code == 401
    assert [[event["status"] for event in refused(person)] for person in (ended, closed)] == [[401], [401]]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer made.up.token", "Basic abc", "Bearer \xff\xfe"])
def test_visitors_and_made_up_tokens_leave_nothing(client: Client, header: str) -> None:
    extra = {"HTTP_AUTHORIZATION": header} if header else {}
    assert client.get("/api/v1/users/me", **extra).status_code == 401
    assert not SecurityEvent.objects.exists()


def test_a_token_whose_time_is_over_is_a_matter_of_course(settings: object) -> None:
    person = accounts.member()
    settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = -5  # type: ignore[attr-defined]
    assert accounts.api_client(person).get("/api/v1/users/me").status_code == 401
    assert refused(person) == []


def test_what_is_not_there_or_not_right_is_no_refusal() -> None:
    person = accounts.member()
    client = accounts.api_client(person)
    assert client.get("/api/v1/titles/0195b2a0-0000-7000-8000-000000000000").status_code == 404
    assert client.patch("/api/v1/users/me", {"language": "xx"}, format="json").status_code == 400
    assert refused(person) == []


def test_so_many_refusals_in_an_hour_are_enough_and_others_have_their_own() -> None:
    person, other = accounts.member(), accounts.member()
    client = accounts.api_client(person)
    for _ in range(attempts.REFUSALS_NOTED + 5):
        assert client.get("/api/v1/creators/me").status_code == 403
    accounts.api_client(other).get("/api/v1/creators/me")
    assert (len(refused(person)), len(refused(other))) == (attempts.REFUSALS_NOTED, 1)
    AttemptCount.objects.update(until=clock.now() - timedelta(seconds=1))
    client.get("/api/v1/creators/me")
    assert len(refused(person)) == attempts.REFUSALS_NOTED + 1


# --- Closing an account bites at the next request ---------------------------------------------------------------------


def test_a_creator_whose_account_is_closed_is_out_at_the_next_request() -> None:
    maker = creator()
    client = accounts.api_client(maker.user)
    assert client.get("/api/v1/creators/me").status_code == 200
    User.objects.filter(pk=maker.user_id).update(is_active=False)
    assert client.get("/api/v1/creators/me").status_code == 401
    assert client.get("/api/v1/users/me").status_code == 401


def test_a_refresh_token_is_worth_nothing_once_the_account_is_closed() -> None:
    person = accounts.member()
    pair = tokens.issue(person)
    User.objects.filter(pk=person.pk).update(is_active=False)
    answer = accounts.api_client().post("/api/v1/auth/refresh", {"refresh": pair.refresh}, format="json")
    assert answer.status_code == 401


# --- Registering ------------------------------------------------------------------------------------------------------


def register(number: int, ip: str = AFAR, **change: str) -> object:
    body = {"email": f"new{number}@example.com", "password": accounts.PASSWORD, "display_name": "N", **change}
    return accounts.api_client().post(REGISTER, body, format="json", REMOTE_ADDR=ip)


def test_a_network_that_registers_too_often_waits_and_others_do_not() -> None:
    values.change(key="signin.registrations", value=3, by=None, reason="test")
    assert [register(n).status_code for n in range(2)] == [201, 201]  # type: ignore[attr-defined]
    assert register(2, password="short").status_code == 400, "a try counts whatever becomes of it"  # type: ignore[attr-defined]
    answer = register(3)
    assert answer.status_code == 429  # type: ignore[attr-defined]
    assert 3500 < int(answer["Retry-After"]) <= 3600  # type: ignore[index]
    assert answer.json()["error"]["code"] == "too_many_attempts"  # type: ignore[attr-defined]
    assert "password" not in answer.json()["error"]["message"]  # type: ignore[attr-defined]
    assert register(4, HOME).status_code == 201  # type: ignore[attr-defined]
    assert not User.objects.filter(email="new3@example.com").exists()


def test_nobody_is_kept_from_signing_in_by_registrations_from_their_network() -> None:
    values.change(key="signin.registrations", value=3, by=None, reason="test")
    person = accounts.member()
    for number in range(6):
        register(number, email=person.email)
    body = {"email": person.email, "password": accounts.PASSWORD}
    answer = accounts.api_client().post("/api/v1/auth/login", body, format="json", REMOTE_ADDR=AFAR)
    assert answer.status_code == 200


def test_many_at_once_register_no_more_than_the_limit(transactional_db: None) -> None:
    def one(_number: int) -> bool:
        try:
            attempts.registration(visit=Visit(ip=AFAR))
        except attempts.TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(one, range(60))) == values.get("signin.registrations")


# --- Reset mails ------------------------------------------------------------------------------------------------------


def test_a_network_that_asks_for_too_many_reset_mails_is_answered_429() -> None:
    values.change(key="signin.account_attempts", value=10, by=None, reason="test")
    values.change(key="signin.network_attempts", value=5, by=None, reason="test")
    ask: Callable[[int, str], object] = lambda n, ip: Client().post(  # noqa: E731
        RESET, {"email": f"somebody{n}@example.com"}, REMOTE_ADDR=ip
    )
    assert {ask(n, AFAR).status_code for n in range(5)} == {302}  # type: ignore[attr-defined]
    answer = ask(6, AFAR)
    assert answer.status_code == 429  # type: ignore[attr-defined]
    assert 800 < int(answer["Retry-After"]) <= 900  # type: ignore[index]
    assert "asked for too often" in answer.content.decode()  # type: ignore[attr-defined]
    assert ask(7, HOME).status_code == 302  # type: ignore[attr-defined]
    assert Client().post(RESET, {"email": "no address"}).status_code == 200, "a slip is no flood"


def test_others_cannot_use_up_the_reset_mails_of_somebody_at_their_own_device() -> None:
    person = accounts.member()
    for number in range(values.get("signin.reset_mails") + 2):
        Client().post(RESET, {"email": person.email}, REMOTE_ADDR=f"203.0.113.{number + 1}")
    assert len(mail.outbox) == values.get("signin.reset_mails")
    own, token = Client(), devices.new_token()
    own.cookies[devices.cookie_name()] = token
    KnownDevice.objects.create(user=person, key=devices.key_of(token))
    own.post(reverse("account_reset_password"), {"email": person.email}, REMOTE_ADDR=HOME)
    assert len(mail.outbox) == values.get("signin.reset_mails") + 1
