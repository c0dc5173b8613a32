"""A member's account is closed and opened again by staff: at once, on record, told to nobody else (W-027, P-006)."""

import threading

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client

from backoffice.accounts import tokens
from backoffice.accounts.models import Suspension, User
from backoffice.accounts.services import roles, suspensions
from backoffice.audit.models import AuditEntry
from backoffice.core import jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.journeys.services import members
from backoffice.notifications.models import Notification
from tests.factories import accounts, creators

pytestmark = pytest.mark.django_db
Kind = Suspension.Kind
ME, LOGIN, REFRESH = "/api/v1/users/me", "/api/v1/auth/login", "/api/v1/auth/refresh"


def close(person: User, by: User | None = None, kind: str = Kind.SUSPENSION, reason: str = "Insults") -> Suspension:
    return members.close(user=person, kind=kind, by=by or accounts.staff("admin"), reason=reason)


def fresh(person: User) -> User:
    return User.objects.get(pk=person.pk)


def sign_in(person: User, password: str = accounts.PASSWORD) -> tuple[int, str]:
    answer = accounts.api_client().post(LOGIN, {"email": person.email, "password": password}, format="json")
    body = answer.json()
    return answer.status_code, body.get("error", {}).get("code", "")


@pytest.mark.parametrize(
    ("kind", "verbs"),
    [(Kind.SUSPENSION, ["user.suspend", "user.restore"]), (Kind.DEACTIVATION, ["user.deactivate", "user.reactivate"])],
)
def test_closing_and_opening_is_on_record_with_its_reason(kind: str, verbs: list[str]) -> None:
    boss, colleague, person = accounts.staff("admin"), accounts.staff("super_admin"), accounts.member()
    made = close(person, boss, kind, "  Insults  ")
    assert not fresh(person).is_active
    assert (made.kind, made.reason, made.started_by, suspensions.current(person)) == (kind, "Insults", boss, made)
    ended = suspensions.end(user=person, by=colleague, reason="A mistake")
    assert fresh(person).is_active
    assert (ended.ended_by, ended.end_reason, suspensions.current(person)) == (colleague, "A mistake", None)
    found = AuditEntry.objects.filter(subject_id=str(person.pk)).order_by("id")
    assert [(row.action, row.actor, row.reason) for row in found] == [
        (verbs[0], boss, "Insults"),
        (verbs[1], colleague, "A mistake"),
    ]
    assert found[0].after == {"is_active": False}


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("super_admin", {Kind.SUSPENSION, Kind.DEACTIVATION}),
        ("admin", {Kind.SUSPENSION, Kind.DEACTIVATION}),
        ("ops_manager", {Kind.SUSPENSION}),
        ("content_moderator", set()),
        ("customer_support", set()),
        ("financial_admin", set()),
    ],
)
def test_each_role_closes_and_opens_what_the_matrix_gives_it(role: str, kinds: set[str]) -> None:
    colleague, done = accounts.staff(role), set()
    for kind in Kind.values:
        person = accounts.member()
        if kind in kinds:
            close(person, colleague, kind)
            suspensions.end(user=person, by=colleague, reason="Enough")
            done.add(kind)
        else:
            with pytest.raises(Forbidden):
                close(person, colleague, kind)
            close(person, kind=kind)
            with pytest.raises(Forbidden):
                suspensions.end(user=person, by=colleague, reason="Enough")
            assert not fresh(person).is_active
    assert done == kinds


def test_staff_and_creators_have_ways_of_their_own() -> None:
    colleague, creator = accounts.staff("editor"), creators.creator()
    with pytest.raises(Invalid, match="under Staff"):
        close(colleague)
    with pytest.raises(Conflict, match="creator page") as refusal:
        close(creator.user)
    assert refusal.value.code == "is_creator"
    assert fresh(colleague).is_active
    assert fresh(creator.user).is_active
    assert not Suspension.objects.exists()


def test_a_reason_is_needed_and_is_no_book() -> None:
    person = accounts.member()
    for reason in ("  ", "x" * (suspensions.MOST_REASON + 1)):
        with pytest.raises(Invalid) as refusal:
            close(person, reason=reason)
        assert refusal.value.field == "reason"
    close(person)
    with pytest.raises(Invalid):
        suspensions.end(user=person, by=accounts.staff("admin"), reason="")
    assert suspensions.current(person) is not None


def test_closed_is_closed_once_and_open_is_not_opened() -> None:
    person, boss = accounts.member(), accounts.staff("admin")
    with pytest.raises(Conflict) as refusal:
        suspensions.end(user=person, by=boss, reason="x")
    assert refusal.value.code == "not_closed"
    close(person, boss)
    for kind in Kind.values:
        with pytest.raises(Conflict) as refusal:
            close(person, boss, kind)
        assert refusal.value.code == "already_closed"


def test_sessions_and_tokens_bite_at_the_next_request_and_stay_dead() -> None:
    person = accounts.member()
    browser, pair = accounts.sign_in(Client(), person, factor_age=None), tokens.issue(person)
    api = accounts.api_client()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    assert api.get(ME).status_code == 200
    assert browser.get("/accounts/password/change/").status_code == 200
    close(person)
    assert not UserSession.objects.filter(user=person).exists()
    answer = api.get(ME)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "account_closed")
    assert api.post(REFRESH, {"refresh": pair.refresh}, format="json").status_code == 401
    assert browser.get("/accounts/password/change/").status_code == 302
    suspensions.end(user=person, by=accounts.staff("admin"), reason="A mistake")
    assert api.get(ME).status_code == 401
    assert browser.get("/accounts/password/change/").status_code == 302
    assert sign_in(person) == (200, "")


def test_who_knows_the_password_is_told_and_nobody_else() -> None:
    person = accounts.member()
    close(person)
    assert sign_in(person) == (403, "account_closed")
    assert sign_in(person, "not the password") == (401, "not_signed_in")
    stranger = accounts.member(email="stranger@example.com")
    assert sign_in(stranger, "not the password") == (401, "not_signed_in")
    for _number in range(6):
        assert sign_in(person) == (403, "account_closed"), "the right password is no guess"
    door = Client()
    answer = door.post("/accounts/login/", {"login": person.email, "password": accounts.PASSWORD}, follow=True)
    assert "This account is closed" in answer.content.decode()
    assert "_auth_user_id" not in door.session
    wrong = Client().post("/accounts/login/", {"login": person.email, "password": "not the password"}, follow=True)
    assert "This account is closed" not in wrong.content.decode()


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        ("en", ["Your account is suspended", "Your account is open again"]),
        ("fr", ["Votre compte est suspendu", "Votre compte est de nouveau ouvert"]),
        ("ht", ["Nou sispann kont ou", "Kont ou louvri ankò"]),
    ],
)
def test_the_person_is_told_why_in_their_language(language: str, subjects: list[str]) -> None:
    person = accounts.member(language=language)
    close(person, reason="Insults & threats")
    suspensions.end(user=person, by=accounts.staff("admin"), reason="Between us")
    jobs.run_due()
    assert [(message.to, message.subject) for message in mail.outbox] == [([person.email], text) for text in subjects]
    assert "Insults & threats" in mail.outbox[0].body
    assert "Between us" not in mail.outbox[1].body
    assert Notification.objects.filter(user=person, event="member.suspended", language=language).count() == 2


def test_the_database_keeps_one_at_a_time_with_whole_ends() -> None:
    person, boss = accounts.member(), accounts.staff("admin")
    made = close(person, boss)
    with pytest.raises(IntegrityError, match="suspension_one_at_a_time"), transaction.atomic():
        Suspension.objects.create(user=person, kind=Kind.DEACTIVATION, reason="x", started_by=boss)
    with pytest.raises(IntegrityError, match="suspension_end_is_whole"), transaction.atomic():
        Suspension.objects.filter(pk=made.pk).update(ended_by=boss)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_close_it_at_once_one_does() -> None:
    roles.load()
    person = accounts.member()
    bosses, outcomes = [accounts.staff("admin") for _number in range(4)], []
    start = threading.Barrier(len(bosses))

    def run(boss: User) -> None:
        try:
            start.wait(timeout=30)
            close(person, boss)
            outcomes.append("closed")
        except Conflict as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[boss]) for boss in bosses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["already_closed"] * 3 + ["closed"]
    assert Suspension.objects.count() == 1
    assert AuditEntry.objects.filter(action="user.suspend").count() == 1
