"""One click per role: in the demo and nowhere else."""

import re

import pytest
from django.core.checks import run_checks
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.accounts import demo
from backoffice.accounts.roles import ROLES
from deploy.demo.content import COLLEAGUES
from tests.factories import accounts

ADDRESS = "/accounts/demo/"


@pytest.fixture
def finance_person(db: None) -> object:
    return accounts.staff("financial_admin", email=demo.address("financial_admin"), display_name="Ada Lindqvist")


def test_outside_the_demo_the_address_does_not_exist(client: Client, finance_person: object) -> None:
    assert client.post(ADDRESS, {"role": "financial_admin"}).status_code == 404
    assert "_auth_user_id" not in client.session


def test_outside_the_demo_the_sign_in_page_offers_nobody(client: Client, finance_person: object) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert "Ada Lindqvist" not in page
    assert ADDRESS not in page


def test_outside_the_demo_no_code_is_known(finance_person: object) -> None:
    assert demo.current_code(finance_person) == ""  # type: ignore[arg-type]
    with pytest.raises(demo.NotInDemoMode):
        demo.people()


@override_settings(DEMO_MODE=True)
def test_one_click_signs_in_with_the_factor_on_record(client: Client, finance_person: object) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert "Ada Lindqvist" in page
    answer = client.post(ADDRESS, {"role": "financial_admin"})
    assert answer["Location"] == reverse("desk:work")
    assert client.get("/admin/work/").status_code == 200


@override_settings(DEMO_MODE=True)
def test_the_click_needs_the_page_it_stands_on(finance_person: object) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(ADDRESS, {"role": "financial_admin"}).status_code == 403


@override_settings(DEMO_MODE=True)
@pytest.mark.parametrize("role", ["", "root", "super_admin"])
def test_a_role_without_a_demo_person_signs_nobody_in(client: Client, finance_person: object, role: str) -> None:
    assert client.post(ADDRESS, {"role": role}).status_code == 404
    assert "_auth_user_id" not in client.session


@override_settings(DEMO_MODE=True)
def test_only_the_demo_s_own_people_are_signed_in(client: Client, db: None) -> None:
    accounts.staff("editor", email="editor@company.example")
    assert client.post(ADDRESS, {"role": "editor"}).status_code == 404


@pytest.mark.usefixtures("still")
@override_settings(DEMO_MODE=True)
def test_the_prompt_shows_the_code_of_a_demo_person_and_takes_it(client: Client, finance_person: object) -> None:
    accounts.sign_in(client, finance_person, factor_age=900)  # type: ignore[arg-type]
    page = client.get(reverse("mfa_reauthenticate")).content.decode()
    assert "Demo only" in page
    code = re.search(r'name="code" value="(\d{6})"', page)
    assert code
    answer = client.post(f"{reverse('mfa_reauthenticate')}?next=/admin/work/", {"code": code[1]})
    assert answer["Location"] == "/admin/work/"


@override_settings(DEMO_MODE=True)
def test_enter_gives_what_was_typed_and_not_what_the_page_showed(client: Client, finance_person: object) -> None:
    accounts.sign_in(client, finance_person, factor_age=900)  # type: ignore[arg-type]
    prompt = client.get(reverse("mfa_reauthenticate")).content.decode()
    client.logout()
    client.post(reverse("account_login"), {"login": demo.address("financial_admin"), "password": accounts.PASSWORD})
    entrance = client.get(reverse("mfa_authenticate")).content.decode()
    for page in (prompt, entrance):
        # Enter presses the first button of a form: the one with the shown code stands behind its form.
        end = page.index("</form>", page.index('id="code_form"'))
        assert page.index('form="code_form" name="code"') > end


@override_settings(DEMO_MODE=True)
def test_the_prompt_of_anybody_else_shows_no_code(client: Client, db: None) -> None:
    accounts.sign_in(client, accounts.staff("super_admin"), factor_age=900)
    assert "Demo only" not in client.get(reverse("mfa_reauthenticate")).content.decode()


@override_settings(DEMO_MODE=True)
def test_people_are_listed_in_the_order_of_the_roles(db: None) -> None:
    for role in reversed(list(ROLES)):
        accounts.staff(role, email=demo.address(role))
    assert [person.role for person in demo.people()] == list(ROLES)


@override_settings(DEMO_MODE=True)
def test_second_people_stand_beside_the_first_and_sign_in_with_one_click(client: Client, db: None) -> None:
    for key, role in demo.SECONDS.items():
        accounts.staff(role, email=demo.second_address(key), display_name=key.title())
        accounts.staff(role, email=demo.address(role))
    order = [person.key for person in demo.people()]
    assert order[:2] == ["super_admin", "super.second"]
    assert set(order) == {*demo.SECONDS, *demo.SECONDS.values()}
    page = client.get(reverse("account_login")).content.decode()
    assert 'value="super.second"' in page
    client.post(ADDRESS, {"role": "super.second"})
    assert client.get("/admin/work/").context["request"].user.email == "super.second@backlot.example"


def test_the_demo_s_data_and_its_buttons_know_the_same_second_people() -> None:
    assert {email.partition("@")[0]: role for email, _name, role, _language, _zone in COLLEAGUES} == demo.SECONDS


@override_settings(DEMO_MODE=True)
def test_a_check_refuses_demo_mode_under_any_other_settings() -> None:
    assert "accounts.E001" in {message.id for message in run_checks(tags=["security"])}


def test_the_checks_have_nothing_against_these_settings() -> None:
    assert not {m.id for m in run_checks(tags=["security"])} & {"accounts.E001", "accounts.E002"}


def test_a_check_refuses_to_run_without_the_middleware_that_demands_the_factor(settings: object) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "StaffFactor" not in name]  # type: ignore[attr-defined]
    assert "accounts.E002" in {message.id for message in run_checks(tags=["security"])}
