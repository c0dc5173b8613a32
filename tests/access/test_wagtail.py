"""Wagtail's addresses, one by one: who comes in, what is shut for everybody, and that nothing is left undecided."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import ResolverMatch, reverse
from wagtail.images.models import Image
from wagtail.models import Page

from backoffice.accounts.models import User
from backoffice.accounts.roles import ROLES
from backoffice.desk import access
from cms import doors
from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.home.models import HomePage
from cms.services import pages
from tests.access.test_every_address import address
from tests.factories.accounts import member, sign_in, staff

EDITORS = {"super_admin", "admin", "editor"}
READERS = {"ops_manager", "content_moderator", "customer_support"}  # `cms.view` and no more

# What each part of Wagtail is here. A part that is not named fails the tests, and so the next version's news.
OPEN_TO_EDITORS = {"cms", "pages", "choose-page", "images", "documents", "featured", "account", "translation"}
SHUT = {"users", "groups", "sites", "collections", "workflows", "reports", "snippets", "locales", "embeds"}
SHUT_INSIDE = {
    "pages/workflow",
    "pages/<int:page_id>/privacy",
    "pages/<int:page_id>/workflow_history",
    "images/<int:image_id>/generate_url",
    "images/<int:image_id>/preview",
    "translation/submit/snippet",
    "tag-autocomplete/<slug:app_name>",
    "api/main/^documents",
    "api/main/^images",
    "api/main/^pages/<int:pk>/action",
}
SMALL = {
    "api": True,
    "bulk": True,
    "choose-external-link": True,
    "choose-email-link": True,
    "choose-phone-link": True,
    "choose-anchor-link": True,
    "dismissibles": True,
    "editing-sessions": True,
    "tag-autocomplete": True,
    "block-preview": False,
    "test404": False,
    "failwhale": False,
    "^.*": False,
}
DOOR = {"login", "logout", "password_reset", "jsi18n", "sprite"}


def wagtails() -> Iterator[tuple[str, str]]:
    """(pattern below /cms/, qualified name) of every address."""
    for path, name in doors.patterns().items():
        yield path.removeprefix("cms/"), name


def expected(path: str) -> str:
    """The rule that the tables above give an address. KeyError for a part that nobody named."""
    part = path.split("/")[0] or "cms"
    if any(path.startswith(inside) for inside in SHUT_INSIDE) or part in SHUT:
        return doors.CLOSED
    if part in DOOR:
        return doors.EVERYONE
    return doors.EDIT if part in OPEN_TO_EDITORS or SMALL[part] else doors.CLOSED


def test_every_address_of_wagtail_has_the_rule_of_its_part() -> None:
    found = list(wagtails())
    assert len(found) > 180
    assert {path: doors.rule(name) for path, name in found} == {path: expected(path) for path, _name in found}


def test_the_published_addresses_say_the_same() -> None:
    published = {route.pattern: route.kind for route in access.routes() if route.pattern.startswith("cms/")}
    kinds = {doors.EDIT: access.STAFF, doors.EVERYONE: access.EVERYONE, doors.CLOSED: access.NOBODY}
    assert published == {f"cms/{path}": kinds[expected(path)] for path, _name in wagtails()}


def test_no_rule_is_left_over_from_an_address_that_is_gone() -> None:
    assert set(doors.RULES) <= {name for _path, name in wagtails()}


def test_an_address_that_nobody_listed_is_answered_not_found(rf: RequestFactory) -> None:
    request = rf.get("/cms/news/")
    request.user = AnonymousUser()
    request.resolver_match = ResolverMatch(
        lambda given: HttpResponse(), (), {}, url_name="index", namespaces=["wagtailnews"]
    )
    middleware = doors.DoorMiddleware(lambda given: HttpResponse())
    with pytest.raises(Http404):
        middleware.process_view(request, None, (), {})


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_role_comes_as_far_as_the_table_says(client: Client, role: str) -> None:
    client.raise_request_exception = False
    sign_in(client, staff(role))
    wrong = []
    for path, name in wagtails():
        rule = expected(path)
        if rule == doors.EVERYONE:
            continue
        for method in ("GET", "POST"):
            status = client.generic(method, address(f"cms/{path}")).status_code
            shut = rule == doors.CLOSED or name in doors.MODELS
            if (status != 404) if shut else (role not in EDITORS and status != 403):
                wrong.append(f"{method} {path}: {status}")
            if not shut and role in EDITORS and status in (401, 403):
                wrong.append(f"{method} {path}: {status} although the role may")
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def article(db: None) -> Page:
    parent = HelpIndexPage.objects.get(locale__language_code="en")
    return pages.publish(parent, HelpArticlePage(title="Payouts", body="<p>x</p>"), language="en", by=None)


@pytest.fixture
def editor(client: Client, db: None) -> Client:
    return sign_in(client, staff("editor"))


def test_what_editors_work_with_opens(editor: Client, article: Page) -> None:
    kind = ["cms", "helparticlepage"]
    names: list[tuple[str, list[Any]]] = [
        ("wagtailadmin_home", []),
        ("wagtailadmin_account", []),
        ("wagtailadmin_explore", [article.get_parent().pk]),
        ("wagtailadmin_pages:edit", [article.pk]),
        ("wagtailadmin_pages:history", [article.pk]),
        ("wagtailadmin_pages:usage", [article.pk]),
        ("wagtailadmin_pages:type_use", kind),
        ("wagtailadmin_pages:search", []),
        ("wagtailadmin_pages:copy", [article.pk]),
        ("wagtailadmin_choose_page", []),
        ("wagtailadmin_api:pages:listing", []),
        ("wagtailimages_chooser:choose", []),
        ("wagtaildocs_chooser:choose", []),
        ("cms_featured", []),
    ]
    assert {name: editor.get(reverse(name, args=args)).status_code for name, args in names} == {
        name: 200 for name, _args in names
    }


def test_the_pages_of_an_editor_lead_nowhere_that_is_shut(editor: Client, article: Page) -> None:
    dead = {}
    for name, args in (
        ("wagtailadmin_home", []),
        ("wagtailadmin_account", []),
        ("wagtailadmin_explore", [article.get_parent().pk]),
        ("wagtailadmin_pages:edit", [article.pk]),
        ("wagtailadmin_pages:history", [article.pk]),
    ):
        content = editor.get(reverse(name, args=args)).content.decode()
        for link in sorted(set(re.findall(r'href="(/cms/[^"#?]*)"', content))):
            # What is done with chosen pages needs pages to be chosen.
            if not link.startswith("/cms/bulk/") and editor.get(link).status_code in (403, 404):
                dead[link] = name
    assert dead == {}


@pytest.mark.parametrize(
    ("app", "model"),
    [("accounts", "user"), ("auth", "group"), ("wagtailcore", "site"), ("finance", "payment")],
)
def test_addresses_that_name_a_model_open_no_other(editor: Client, app: str, model: str) -> None:
    for where in (
        reverse("wagtail_bulk_action", args=[app, model, "delete"]),
        reverse("wagtailadmin_pages:type_use", args=[app, model]),
        reverse("wagtailadmin_editing_sessions:ping", args=[app, model, "1", 1]),
    ):
        assert editor.post(where).status_code == 404


def test_bulk_actions_on_people_are_shut(client: Client, db: None) -> None:
    colleague = staff("analyst")
    desk = sign_in(client, staff("super_admin"))
    for action in ("assign_role", "delete", "set_active_state"):
        where = reverse("wagtail_bulk_action", args=["accounts", "user", action])
        assert desk.post(f"{where}?id={colleague.pk}", {"mark_as_active": "", "role": 1}).status_code == 404
    assert User.objects.get(pk=colleague.pk).is_active


@pytest.mark.parametrize("role", sorted(READERS))
def test_roles_that_only_read_pages_change_none(client: Client, article: Page, role: str) -> None:
    desk = sign_in(client, staff(role))
    before = Page.objects.get(pk=article.pk)
    for name in ("edit", "delete", "unpublish", "lock", "copy", "move"):
        answer = desk.post(reverse(f"wagtailadmin_pages:{name}", args=[article.pk]), {"title": "Changed"})
        assert answer.status_code == 403
    assert desk.post(reverse("wagtail_bulk_action", args=["wagtailcore", "page", "delete"])).status_code == 403
    assert desk.post(reverse("wagtailimages:add")).status_code == 403
    assert desk.post(reverse("wagtaildocs:add")).status_code == 403
    assert desk.post(reverse("cms_featured_place")).status_code == 403
    after = Page.objects.get(pk=article.pk)
    assert (after.title, after.live, after.locked) == (before.title, before.live, before.locked)
    assert Image.objects.count() == 0


def test_an_editor_changes_nothing_above_the_home_pages(editor: Client) -> None:
    root = Page.get_first_root_node()
    for name in ("edit", "delete", "unpublish", "lock", "copy", "move"):
        answer = editor.post(reverse(f"wagtailadmin_pages:{name}", args=[root.pk]))
        assert answer.status_code in (302, 403, 404)
    assert HomePage.objects.live().count() == 3


def test_visitors_are_sent_to_the_door_and_members_refused(client: Client, db: None) -> None:
    assert "/accounts/login/" in client.get(reverse("wagtailadmin_home"))["Location"]
    assert client.get(reverse("wagtailusers_users:index")).status_code == 404
    client.force_login(member(), backend="backoffice.accounts.backend.StaffBackend")
    assert client.get(reverse("wagtailadmin_home")).status_code == 403


def test_the_process_refuses_to_start_without_its_doors(settings: Any) -> None:
    order = list(settings.MIDDLEWARE)
    assert doors.doors_are_guarded(None) == []
    with override_settings(MIDDLEWARE=[name for name in order if name != doors.MIDDLEWARE]):
        assert [found.id for found in doors.doors_are_guarded(None)] == ["cms.E001"]
    with override_settings(MIDDLEWARE=[doors.MIDDLEWARE, *(name for name in order if name != doors.MIDDLEWARE)]):
        assert [found.id for found in doors.doors_are_guarded(None)] == ["cms.E001"]
