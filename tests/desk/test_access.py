"""Who may open what: every screen of the shell for every role."""

from collections.abc import Callable

import pytest
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from backoffice.accounts.roles import MATRIX, ROLES
from backoffice.desk import access, menu
from tests.desk.clients import Desk
from tests.factories import accounts

SCREENS = {
    "desk:work": None,
    "desk:style": None,
    "desk:health": ("jobs", {"view"}),
    "desk:job_list": ("jobs", {"view"}),
    "desk:audit_list": ("audit", {"view", "view_own", "view_finance"}),
    "desk:staff_list": ("staff", {"view"}),
    "desk:role_list": ("staff", {"view"}),
    "desk:security_log": ("staff", {"view"}),
    "desk:my_sessions": None,
    "desk:payment_list": ("payments", {"view", "view_orders"}),
    "desk:event_list": ("payments", {"view"}),
    "desk:payout_list": ("payouts", {"view"}),
    "desk:ledger": ("payouts", {"view"}),
    "admin:accounts_user_changelist": ("users", {"view"}),
}


def expected(role: str, rule: tuple[str, set[str]] | None) -> int:
    if rule is None:
        return 200
    area, verbs = rule
    return 200 if verbs & set(MATRIX[area].get(role, "").split()) else 403


@pytest.mark.parametrize("role", list(ROLES))
def test_every_role_opens_exactly_what_the_matrix_gives_it(desk: Callable[..., Desk], role: str) -> None:
    client = desk(role)
    answers = {name: client.get(reverse(name)).status_code for name in SCREENS}
    assert answers == {name: expected(role, rule) for name, rule in SCREENS.items()}


@pytest.mark.parametrize("role", list(ROLES))
def test_every_entry_of_the_menu_opens_for_whoever_sees_it(desk: Callable[..., Desk], role: str) -> None:
    client = desk(role)
    seen = [row for row in menu.ROWS if row.open_to(client.person)]
    answers = {str(row.label): client.get(row.link(), follow=True).status_code for row in seen}
    assert set(answers.values()) == {200}, answers


def test_a_visitor_is_sent_to_the_one_door_and_comes_back(client: Desk, db: None) -> None:
    for name in SCREENS:
        answer = client.get(reverse(name), follow=True)
        where, _status = answer.redirect_chain[-1]
        assert where.startswith(reverse("account_login")), name
        assert "next=" in where


def test_a_member_is_refused_without_the_frame_of_the_desk(client: Desk, db: None) -> None:
    accounts.sign_in(client, accounts.member())
    answer = client.get(reverse("desk:job_list"))
    assert answer.status_code == 403
    assert b"nav-sidebar" not in answer.content


def test_a_deactivated_person_is_out_at_the_next_request(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    assert client.get(reverse("desk:work")).status_code == 200
    type(client.person).objects.filter(pk=client.person.pk).update(is_active=False)
    assert client.get(reverse("desk:work")).status_code == 302


def test_a_role_taken_away_is_gone_at_the_next_request(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    assert client.get(reverse("desk:job_list")).status_code == 200
    client.person.groups.clear()
    assert client.get(reverse("desk:job_list")).status_code == 403


def test_a_refusal_says_why_and_offers_a_way_on(desk: Callable[..., Desk]) -> None:
    answer = desk("analyst").get(reverse("desk:job_list"))
    assert answer.status_code == 403
    assert "Your role does not include this page." in answer.content.decode()
    assert reverse("desk:work") in answer.content.decode()


def desk_views(resolver: URLResolver) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append((entry.name or "", entry.callback))
        else:
            found += desk_views(entry)
    return found


def test_every_address_of_the_desk_is_a_screen() -> None:
    root = next(
        entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver) and entry.namespace == "desk"
    )
    naked = [name for name, view in desk_views(root) if not hasattr(view, "desk_permissions")]
    assert naked == []


def test_state_is_never_changed_by_reading(desk: Callable[..., Desk]) -> None:
    client = desk("super_admin")
    for name in ("desk:job_retry", "desk:job_discard", "desk:event_replay"):
        assert client.get(reverse(name, args=["0198f000-0000-7000-8000-000000000000"])).status_code == 405


def test_a_row_of_the_menu_asks_for_what_its_page_asks_for(desk: Callable[..., Desk]) -> None:
    views = {f"desk:{name}": view for name, view in desk_views(get_resolver(None).namespace_dict["desk"][1])}
    declared = {row.url: views[row.url].desk_permissions for row in menu.ROWS if row.url in views}  # type: ignore[attr-defined]
    assert len(declared) > 15
    for role in ROLES:
        person = accounts.staff(role)
        for url, asked in declared.items():
            row = next(row for row in menu.ROWS if row.url == url)
            assert row.open_to(person) == (not asked or any(person.may(code) for code in asked)), (role, url)


def test_nobody_but_staff_sees_a_row_of_the_menu(db: None) -> None:
    assert [row.url for row in menu.ROWS if row.open_to(accounts.member())] == []


def test_every_row_of_the_menu_is_complete() -> None:
    for row in menu.ROWS:
        assert row.section in menu.SECTIONS, row.url
        assert row.icon.replace("_", "").isalnum(), row.url
        assert row.badge is None or callable(row.badge), row.url
        assert access.route_of(row.url).kind == access.STAFF, row.url
