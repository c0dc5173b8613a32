"""The generic lists: default deny, and no more of a person than the role needs."""

from collections.abc import Callable

import pytest

from backoffice.desk.site import desk_site
from tests.desk.clients import Desk
from tests.factories import accounts
from tests.statements import count

LIST = "/admin/accounts/user/"


@pytest.mark.parametrize("role", ["financial_admin", "content_moderator", "ops_manager"])
def test_addresses_are_hidden_from_those_who_do_not_help_people(desk: Callable[..., Desk], role: str) -> None:
    person = accounts.member(email="private.canary@example.com", display_name="Nadège Toussaint")
    client = desk(role)
    for address in (
        LIST,
        f"{LIST}?q=canary",
        f"{LIST}{person.pk}/change/",
        f"{LIST}?email=private.canary@example.com",
    ):
        assert "private.canary" not in client.get(address, follow=True).content.decode().replace(
            "?email=private.canary@example.com", ""
        ), address
    assert "Nadège Toussaint" in client.get(LIST).content.decode()


def test_support_finds_people_by_address(desk: Callable[..., Desk]) -> None:
    accounts.member(email="found@example.com")
    assert "found@example.com" in desk("customer_support").get(LIST, {"q": "found@"}).content.decode()


@pytest.mark.parametrize("role", ["customer_support", "ops_manager"])
def test_a_reference_finds_its_person_and_nobody_else(desk: Callable[..., Desk], role: str) -> None:
    wanted, client = accounts.member(display_name="Wanted Person"), desk(role)
    accounts.member(display_name="Somebody Else")
    reference = f"U-{str(wanted.pk)[-8:]}"
    for typed in (reference, reference.upper(), f" {reference.lower()} "):
        page = client.get(LIST, {"q": typed}).content.decode()
        assert "Wanted Person" in page
        assert "Somebody Else" not in page
    assert "Wanted Person" not in client.get(LIST, {"q": "U-00000000"}).content.decode()


@pytest.mark.parametrize(
    "lookup", ["password__startswith=a", "email__startswith=m", "groups__name=admin", "country=HT"]
)
def test_only_declared_filters_can_be_asked_by_address(desk: Callable[..., Desk], lookup: str) -> None:
    answer = desk("super_admin").get(f"{LIST}?{lookup}")
    assert answer.status_code in (302, 400)


def test_nothing_is_added_deleted_or_changed_here(desk: Callable[..., Desk]) -> None:
    person, client = accounts.member(display_name="Before"), desk("super_admin")
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{person.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}{person.pk}/change/", {"display_name": "After"}).status_code == 403
    assert client.get(f"{LIST}{person.pk}/history/").status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [str(person.pk)], "post": "yes"})
    person.refresh_from_db()
    assert person.display_name == "Before"


def test_no_field_is_shown_that_the_list_does_not_declare(desk: Callable[..., Desk]) -> None:
    person = accounts.member()
    page = desk("super_admin").get(f"{LIST}{person.pk}/change/").content.decode()
    assert person.password not in page
    assert "field-password" not in page
    assert "field-groups" not in page


def test_every_generic_list_is_a_desk_list() -> None:
    from backoffice.desk.base import DeskAdmin

    assert [type(admin) for admin in desk_site._registry.values() if not isinstance(admin, DeskAdmin)] == []


def test_the_list_takes_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    short = count(lambda: client.get(LIST))
    for _ in range(30):
        accounts.member()
    assert count(lambda: client.get(LIST)) == short


def test_what_a_generic_page_is_about_is_a_landmark(desk: Callable[..., Desk]) -> None:
    person, client = accounts.member(), desk("super_admin")
    for address in (LIST, f"{LIST}{person.pk}/change/", "/admin/catalogue/category/"):
        assert client.get(address).content.decode().count("<main") == 1, address
