"""Walks every address as every role, anonymous and as an API member, by every method, against the published matrix.

A page that does not exist for the made-up key answers 404, a missing field 400: what counts is that who may not, gets
refused before anything else, that who may is not refused, and that nobody ever gets a server error.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from backoffice.accounts import tokens
from backoffice.accounts.roles import ROLES
from backoffice.desk import access
from tests.factories.accounts import member, sign_in, staff

UNKNOWN = "0195b2a0-0000-7000-8000-000000000000"
SAMPLES = {
    r"<uuid:\w+>": UNKNOWN,
    r"<int:\w+>": "999999",
    r"<path:\w+>": UNKNOWN,
    r"<str:\w+>": "unknown",
    r"<slug:\w+>": "unknown",
    r"<\w+>": "unknown",
}
REGEX = {
    r"admin/^(?P<app_label>catalogue|accounts)/$": "admin/catalogue/",
    r"admin/(?P<url>.*)$": "admin/no-such-page/",
    r"documents/^(\d+)/(.*)$": "documents/999999/x.pdf",
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": "accounts/confirm-email/unknown/",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "accounts/password/reset/key/1-unknown/",
    r"en/pages/^((?:[\w\-]+/)*)$": "en/pages/",
}
# Leaving ends the session that the walk needs; these are tested by themselves.
LEAVING = {"account_logout", "logout", "wagtailadmin_logout", "api_logout"}
# 405 before 403 tells nothing: the methods of an address are published.
REFUSED = {403, 405}
# What is not listed in cms.doors is not there at all.
REFUSED_BY_WAGTAIL = {403, 404, 405}
# A member reads the same sentence for anybody's ticket and for none (U-050).
NOT_YOURS = "api/v1/tickets/<uuid:ticket_id>"
# Wagtail's own views that fail on a made-up key, or on purpose; they are open to editors only.
WAGTAILS_OWN = (
    "/cms/failwhale/",
    "/cms/choose-external-link/",
    "/cms/documents/chooser/chosen/",
    "/cms/images/chooser/chosen/",
)
DOOR = {301, 302}
READING = {"GET", "HEAD", "OPTIONS"}


def address(pattern: str) -> str:
    """The pattern with made-up keys in the place of its parameters."""
    if pattern in REGEX:
        return "/" + REGEX[pattern]
    for placeholder, value in SAMPLES.items():
        pattern = re.sub(placeholder, value, pattern)
    path = re.sub(r"\(\?P?<?\w*>?[^)]*\)", "1", pattern)
    return "/" + path.replace("^", "").replace("$", "").replace("\\", "")


ROUTES = access.routes()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals: writing each into the log takes a tenth of the time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def walk(client: Client, **headers: Any) -> Iterator[tuple[access.Route, str, str, Any]]:
    """Every route by every method."""
    for route in ROUTES:
        if route.name in LEAVING:
            continue
        for method in access.METHODS:
            answer = client.generic(method, address(route.pattern), **headers)
            yield route, method, address(route.pattern), answer


def leads_to_the_door(answer: Any) -> bool:
    """Whether the answer sends to the sign-in page."""
    return answer.status_code in DOOR and "/accounts/login/" in answer["Location"]


def test_every_address_is_declared() -> None:
    assert len(ROUTES) > 300
    assert [route for route in ROUTES if route.kind == access.STAFF and not route.roles] == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_the_matrix_says_and_nothing_else(client: Client, role: str) -> None:
    client.raise_request_exception = False
    sign_in(client, staff(role))
    cache.clear()
    wrong = []
    for route, method, path, answer in walk(client):
        status = answer.status_code
        if status >= 500:
            if not (role in route.roles and path.startswith(WAGTAILS_OWN)):
                wrong.append(f"{method} {path}: {status}")
        elif route.kind == access.STAFF and route.pattern.startswith("admin/"):
            reads_only = bool(route.to_change) and not access.has(role, route.to_change) and method not in READING
            if role in route.roles and not reads_only and (status == 403 or leads_to_the_door(answer)):
                wrong.append(f"{method} {path}: {status} although the role may")
            if role not in route.roles and status not in REFUSED:
                wrong.append(f"{method} {path}: {status} although the role may not")
        elif route.kind == access.STAFF and route.pattern.startswith("cms/"):
            if role not in route.roles and status not in REFUSED_BY_WAGTAIL:
                wrong.append(f"{method} {path}: {status} although the role may not")
            if role in route.roles and (status == 403 or leads_to_the_door(answer)):
                wrong.append(f"{method} {path}: {status} although the role may")
        elif route.kind_for(method) in (access.MEMBER, access.CREATOR) and status not in (401, 405):
            wrong.append(f"{method} {path}: {status}: a staff session is no API token")
        elif route.kind == access.NOBODY and method != "OPTIONS" and status not in (403, 404, 405):
            wrong.append(f"{method} {path}: {status} although it is closed")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("bearer", [False, True], ids=["anonymous", "API member"])
def test_nobody_else_reaches_a_staff_address(client: Client, bearer: bool) -> None:
    client.raise_request_exception = False
    headers = {"HTTP_AUTHORIZATION": f"Bearer {tokens.issue(member()).access}"} if bearer else {}
    wrong = []
    for route, method, path, answer in walk(client, **headers):
        status = answer.status_code
        if status >= 500:
            wrong.append(f"{method} {path}: {status}")
        elif route.kind in (access.STAFF, access.NOBODY) and not (route.kind == access.NOBODY and method == "OPTIONS"):
            refused = status in REFUSED or status in (404, 405) or leads_to_the_door(answer)
            if not (refused or (status in DOOR and answer["Location"].startswith(("/admin/", "/cms/")))):
                wrong.append(f"{method} {path}: {status} {answer.get('Location', '')}")
        elif route.kind_for(method) in (access.MEMBER, access.CREATOR):
            if not bearer and status != 401:
                wrong.append(f"{method} {path}: {status} without a token")
            if bearer and route.kind_for(method) == access.CREATOR and status not in (403, 405):
                wrong.append(f"{method} {path}: {status} for a member who is no creator")
            may = route.kind_for(method) == access.MEMBER and route.pattern != NOT_YOURS
            if bearer and may and status in (401, 403):
                wrong.append(f"{method} {path}: {status} although a member may")
    assert not wrong, "\n".join(wrong)
