"""One door, and no staff session without its second factor."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.test import Client
from django.urls import reverse

from backoffice.accounts import stepup
from tests.desk.clients import Desk
from tests.factories import accounts

LOGIN = "/accounts/login/"
OTHERS = ["admin:login", "wagtailadmin_login", "wagtailcore_login"]


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_login_leads_to_the_one_door(client: Client, db: None, name: str) -> None:
    answer = client.get(reverse(name), {"next": "/cms/pages/"})
    assert answer.status_code == 302
    assert answer["Location"] == f"{LOGIN}?next=%2Fcms%2Fpages%2F"


@pytest.mark.parametrize("name", OTHERS)
def test_a_password_posted_to_another_login_opens_nothing(client: Client, db: None, name: str) -> None:
    person = accounts.staff("super_admin")
    answer = client.post(
        reverse(name), {"username": person.email, "login": person.email, "password": accounts.PASSWORD}
    )
    assert answer.status_code == 302
    assert answer["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in client.session


def test_the_door_does_not_send_people_to_other_hosts(client: Client, db: None) -> None:
    answer = client.get("/admin/login/", {"next": "https://evil.example/"})
    assert answer["Location"] == LOGIN


@pytest.mark.parametrize("address", ["/admin/work/", "/admin/", "/cms/", "/admin/accounts/user/"])
def test_a_staff_session_without_the_factor_reaches_only_its_prompt(desk: Callable[..., Desk], address: str) -> None:
    client = desk("super_admin", factor_age=None)
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    assert client.get(answer["Location"]).status_code == 200


def test_staff_without_an_enrolled_factor_reach_only_enrolment(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin", factor_age=None)
    Authenticator.objects.filter(user=client.person).delete()
    for address in ("/admin/work/", "/cms/", reverse("account_change_password"), reverse("account_email")):
        answer = client.get(address)
        assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_index")), address
    assert client.get(reverse("mfa_index")).status_code == 200
    assert client.get(reverse("account_logout")).status_code == 200


def test_a_factor_that_was_removed_does_not_leave_the_next_session_open(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    Authenticator.objects.filter(user=client.person).delete()
    again = accounts.sign_in(Client(), client.person, factor_age=None)
    assert again.get("/admin/work/")["Location"] == reverse("mfa_index")


@pytest.mark.usefixtures("still")
def test_the_whole_way_in_by_password_and_code(client: Client, db: None, settings: object) -> None:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    person = accounts.staff("editor")
    answer = client.post(f"{LOGIN}?next=/admin/work/", {"login": person.email, "password": accounts.PASSWORD})
    assert answer["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/work/")["Location"].startswith(LOGIN)
    secret = decrypt(Authenticator.objects.get(user=person, type="totp").data["secret"])
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000x"})
    assert wrong.status_code == 200
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    answer = client.post(reverse("mfa_authenticate"), {"code": code})
    assert answer["Location"] == "/admin/work/"
    assert client.get("/admin/work/").status_code == 200


@pytest.mark.parametrize("name", ["account_logout", "admin:logout"])
def test_signing_out_leaves_nothing_open(desk: Callable[..., Desk], name: str) -> None:
    client = desk("super_admin")
    client.post(reverse(name))
    assert client.get("/admin/work/")["Location"].startswith(LOGIN)


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(("age", "fresh"), [(0, True), (299, True), (300, False)])
def test_step_up_means_a_factor_within_five_minutes(
    desk: Callable[..., Desk], rf: object, age: int, fresh: bool
) -> None:
    client = desk("financial_admin", factor_age=age)
    request = client.get("/admin/work/").wsgi_request
    assert stepup.is_fresh(request) is fresh


def test_a_factor_from_the_future_is_not_fresh(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin", factor_age=-3600)
    assert stepup.is_fresh(client.get("/admin/work/").wsgi_request) is False


def test_the_password_does_not_stand_in_for_the_factor(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin", factor_age=900)
    answer = client.post(reverse("account_reauthenticate"), {"password": accounts.PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    assert stepup.is_fresh(client.get("/admin/work/").wsgi_request) is False


def test_reading_the_sign_out_address_signs_nobody_out(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    client.get(reverse("admin:logout"), follow=True)
    assert client.get("/admin/work/").status_code == 200


@pytest.mark.parametrize("language", ["en", "fr", "ht"])
def test_the_door_speaks_every_language_of_the_product(client: Client, db: None, language: str) -> None:
    client.post(reverse("set_language"), {"language": language, "next": LOGIN})
    page = client.get(LOGIN).content.decode()
    assert f'<html lang="{language}">' in page
    assert all(f'value="{code}"' in page for code in ("en", "fr", "ht"))


def test_a_missing_page_keeps_the_look_and_says_so(desk: Callable[..., Desk]) -> None:
    answer = desk("editor").get("/admin/nothing-here/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


DOSSIER = "/admin/creators/applications/0196f0c4-0000-7000-8000-000000000001/"


@pytest.mark.parametrize(
    ("posted", "stood_on", "then"),
    [
        (f"{DOSSIER}approve/", f"{DOSSIER}?bench=1", f"{DOSSIER}?bench=1"),
        (f"{DOSSIER}approve/", f"{DOSSIER}save/", DOSSIER),
        (f"{DOSSIER}approve/", "", DOSSIER),
        (f"{DOSSIER}approve/", "https://evil.example/admin/work/", DOSSIER),
        ("/admin/creators/applications/next/", "/admin/work/", "/admin/work/"),
        ("/admin/creators/applications/next/", "", "/admin/creators/applications/"),
    ],
)
@pytest.mark.parametrize("way", ["no session", "no factor"])
def test_a_posted_form_comes_back_to_a_page_that_can_be_read(
    desk: Callable[..., Desk], client: Client, posted: str, stood_on: str, then: str, way: str
) -> None:
    browser = client if way == "no session" else desk("verification_reviewer", factor_age=None)
    origin = f"http://testserver{stood_on}" if stood_on.startswith("/") else stood_on
    answer = browser.post(posted, {"notes": "x"}, headers={"referer": origin})
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [then]
