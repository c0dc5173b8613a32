"""Staff keep a factor: the last authenticator app or passkey is not removed, also not by two at once (X-004)."""

import threading
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.urls import reverse

from backoffice.accounts import sealing
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import roles
from tests.backoffice.accounts.test_two_people_races import until_somebody_waits
from tests.desk.clients import Desk, seat

APP, KEY, CODES = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES
LAST = "Staff always keep a second factor"


def give(person: User, *kinds: str) -> list[Authenticator]:
    """The person's factors are these and no others."""
    Authenticator.objects.filter(user=person).delete()
    data = {"name": "Key", "seed": sealing.seal("00" * 20), "used_mask": 0}
    return [Authenticator.objects.create(user=person, type=kind, data=data) for kind in kinds]


def confirmed(client: Desk) -> Desk:
    """The session gave its factor a moment ago, inside the session."""
    session = client.session
    records = [{"method": "mfa", "type": APP, "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods"] = records
    session.save()
    return client


def address(factor: Authenticator) -> str:
    return reverse("mfa_deactivate_totp") if factor.type == APP else reverse("mfa_remove_webauthn", args=[factor.pk])


def kinds_of(person: User) -> list[str]:
    return sorted(Authenticator.objects.filter(user=person).values_list("type", flat=True))


@pytest.mark.parametrize("kind", [APP, KEY])
def test_the_last_factor_is_not_removed_and_the_page_says_why(desk: Callable[..., Desk], kind: str) -> None:
    client = confirmed(desk("editor"))
    factor, _codes = give(client.person, kind, CODES)
    page = client.get(address(factor))
    assert page.status_code == 200
    assert LAST in page.content.decode()
    assert 'type="submit"' not in page.content.decode().split("bl-door__foot")[0]
    answer = client.post(address(factor))
    assert answer.status_code == 409
    assert LAST in answer.content.decode()
    assert kinds_of(client.person) == sorted([kind, CODES])
    assert not SecurityEvent.objects.filter(kind=SecurityEvent.Kind.MFA_REMOVED).exists()


@pytest.mark.parametrize(("kind", "other"), [(APP, KEY), (KEY, APP), (KEY, KEY)])
def test_a_factor_goes_while_another_one_stays(desk: Callable[..., Desk], kind: str, other: str) -> None:
    client = confirmed(desk("editor"))
    factor, _stays = give(client.person, kind, other)
    page = client.get(address(factor)).content.decode()
    assert LAST not in page
    assert client.post(address(factor)).status_code == 302
    assert kinds_of(client.person) == [other]
    assert client.get("/admin/work/").status_code == 200


def test_a_member_may_do_without(desk: Callable[..., Desk]) -> None:
    client = confirmed(desk())
    User.objects.filter(pk=client.person.pk).update(is_staff=False)
    (key,) = give(client.person, KEY)
    assert client.post(address(key)).status_code == 302
    assert kinds_of(client.person) == []


def test_nobody_removes_the_factor_of_somebody_else(desk: Callable[..., Desk]) -> None:
    client, other = confirmed(desk("editor")), desk("editor")
    key, _app = give(other.person, KEY, APP)
    assert client.post(address(key)).status_code == 404
    assert kinds_of(other.person) == [APP, KEY]


@pytest.mark.parametrize("left", [[], [CODES]])
def test_a_session_whose_person_has_no_factor_any_more_reaches_only_enrolment(
    desk: Callable[..., Desk], left: list[str]
) -> None:
    client = confirmed(desk("super_admin"))
    assert client.get("/admin/work/").status_code == 200
    give(client.person, *left)
    for page in ("/admin/work/", "/cms/", reverse("account_email")):
        assert client.get(page)["Location"] == reverse("mfa_index"), page
    assert client.get(reverse("mfa_index")).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "other"), [(APP, KEY), (KEY, APP), (KEY, KEY)])
def test_two_removals_at_once_leave_one_factor(kind: str, other: str) -> None:
    roles.load()
    client = confirmed(seat("editor"))
    factor, second = give(client.person, kind, other)
    answers: list[int] = []

    def run() -> None:
        try:
            answers.append(client.post(address(factor)).status_code)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    # The other removal, as far as its deletion; then it is committed while ours waits for it.
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=client.person.pk)
        second.delete()
        thread.start()
        until_somebody_waits()
    thread.join(timeout=30)
    assert answers == [409]
    assert kinds_of(client.person) == [kind]
