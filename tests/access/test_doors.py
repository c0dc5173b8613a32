"""What packages bring outside the desk and the editor, page by page: the one door, files behind links, public pages."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import ResolverMatch, reverse

from backoffice.accounts import doors
from backoffice.accounts.models import User
from backoffice.desk import access
from tests.access.test_every_address import address
from tests.factories.accounts import member, sign_in, staff

DOOR = "accounts/"
SIGNING_IN = {
    "account_home": 302,
    "account_login": 200,
    "account_logout": 302,
    "account_inactive": 200,
    "account_reset_password": 200,
    "account_reset_password_done": 200,
    "account_reset_password_from_key": 200,
    "account_reset_password_from_key_done": 200,
    "account_confirm_email": 200,
    "mfa_authenticate": 302,
    "mfa_login_webauthn": 302,
    "staff_invitation": 410,
    "staff_invitation_link": 410,
    "demo_sign_in": 405,
}
THEIR_OWN = {
    "account_change_password",
    "account_reauthenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
}
SHUT = {
    "account_signup",
    "account_email",
    "account_email_verification_sent",
    "account_confirm_login_code",
    "account_set_password",
    "usersessions_list",
}
PRIVATE_PAGES = {"wagtaildocs_authenticate_with_password", "wagtailcore_authenticate_with_password"}
OUTSIDE = [
    route
    for route in access.routes()
    if not route.pattern.startswith(("admin/", "cms/", "api/")) or route.kind == access.SIGNED
]


def routes(kind: str) -> list[access.Route]:
    return [route for route in OUTSIDE if route.kind == kind]


def test_every_page_of_the_door_is_of_its_kind() -> None:
    found = {route.name: route.kind for route in OUTSIDE if route.pattern.startswith(DOOR)}
    assert found == {
        **dict.fromkeys(SIGNING_IN, access.EVERYONE),
        **dict.fromkeys(THEIR_OWN, access.SESSION),
        **dict.fromkeys(SHUT, access.NOBODY),
    }


def test_no_rule_is_left_over_from_a_page_that_is_gone() -> None:
    assert set(doors.RULES) == {route.name for route in OUTSIDE if route.pattern.startswith(DOOR)}
    known = {access.without_language(route.pattern) for route in access.routes()}
    assert set(access.DECLARED) <= known


@pytest.mark.parametrize(
    "path",
    [
        "accounts/news/",
        "accounts/2fa/trust/",
        "accounts/sessions/all/",
        "storage/news/<str:token>",
        "documents/news/",
        "api/v1/webhooks/news",
        "en/pages/_util/news/",
        "healthz/news",
        "i18n/setlang/news/",
        "admin/login/news/",
        "news/",
    ],
)
def test_an_address_that_a_package_adds_fails_the_build(path: str) -> None:
    with pytest.raises(access.Undeclared):
        access._route(path, "a_new_page", lambda request: HttpResponse())


def test_a_page_of_the_door_that_nobody_listed_is_answered_not_found(rf: RequestFactory) -> None:
    request = rf.get("/accounts/news/")
    request.user = AnonymousUser()
    request.resolver_match = ResolverMatch(
        lambda given: HttpResponse(), (), {}, url_name="account_news", route="accounts/news/"
    )
    with pytest.raises(Http404):
        doors.DoorMiddleware(lambda given: HttpResponse()).process_view(request, None, (), {})


@pytest.mark.parametrize("who", ["visitor", "member", "super_admin"])
def test_what_is_shut_is_not_found_for_anybody(client: Client, db: None, who: str) -> None:
    if who == "member":
        client.force_login(member(), backend="backoffice.accounts.backend.StaffBackend")
    elif who != "visitor":
        sign_in(client, staff(who))
    shut = routes(access.NOBODY)
    assert {route.name for route in shut} == SHUT | PRIVATE_PAGES
    answers = {
        (route.name, method): client.generic(method, address(route.pattern)).status_code
        for route in shut
        for method in access.METHODS
    }
    assert set(answers.values()) == {404}, answers


@pytest.mark.django_db
def test_nobody_changes_their_address_or_ends_sessions_past_the_desk(client: Client) -> None:
    person = member()
    client.force_login(person, backend="backoffice.accounts.backend.StaffBackend")
    row = UserSession.objects.create(user=person, ip="192.0.2.1", user_agent="Other", session_key="other")
    client.post(reverse("usersessions_list"))
    client.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"})
    assert UserSession.objects.filter(pk=row.pk).exists()
    assert list(EmailAddress.objects.filter(user=person).values_list("email", flat=True)) == [person.email]
    assert User.objects.get(pk=person.pk).email == person.email


def test_ones_own_pages_send_a_visitor_to_sign_in(client: Client, db: None) -> None:
    own = routes(access.SESSION)
    assert {route.name for route in own} == THEIR_OWN
    wrong = {}
    for route in own:
        for method in ("GET", "POST"):
            answer = client.generic(method, address(route.pattern))
            if answer.status_code != 302 or not answer["Location"].startswith("/accounts/login/"):
                wrong[route.name, method] = answer.status_code
    assert wrong == {}


def test_what_is_open_to_everyone_says_nothing_but_how_to_sign_in(client: Client, db: None) -> None:
    answers = {
        route.name: client.get(address(route.pattern)).status_code
        for route in routes(access.EVERYONE)
        if route.pattern.startswith(DOOR)
    }
    assert answers == SIGNING_IN


@pytest.mark.parametrize("who", ["visitor", "super_admin"])
def test_a_signature_that_is_none_opens_nothing_by_any_method(client: Client, db: None, who: str) -> None:
    if who != "visitor":
        sign_in(client, staff(who))
    signed = routes(access.SIGNED)
    assert {route.name for route in signed} == {"storage_part", "storage_file", "storage_play", "api_webhook_stripe"}
    wrong = {}
    for route in signed:
        for method in access.METHODS:
            status = client.generic(method, address(route.pattern)).status_code
            if status not in (400, 403, 404, 405) and not (method == "OPTIONS" and status == 200):
                wrong[route.name, method] = status
    assert wrong == {}


def test_the_bare_address_of_the_door_leads_to_signing_in(client: Client, db: None) -> None:
    answer = client.get("/accounts/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert sign_in(client, staff("editor")).get("/accounts/", follow=True).status_code == 200


def test_the_process_refuses_to_start_without_its_door(settings: Any) -> None:
    order = list(settings.MIDDLEWARE)
    assert doors.door_is_guarded(None) == []
    with override_settings(MIDDLEWARE=[name for name in order if name != doors.MIDDLEWARE]):
        assert [found.id for found in doors.door_is_guarded(None)] == ["accounts.E010"]


def test_the_languages_of_public_pages_are_those_of_the_product() -> None:
    for code, _name in settings.LANGUAGES:
        assert access.without_language(f"{code}/pages/x/") == "pages/x/"
