"""The API is as open as the matrix says: every view, every method, every kind of caller."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIRequestFactory, force_authenticate

from backoffice.accounts import roles
from backoffice.api.base import ApiView, ByMatrix, actor_for, ok
from backoffice.desk import access
from tests.factories import accounts
from tests.factories.creators import creator

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def api_patterns() -> Iterator[tuple[str, URLPattern]]:
    for path, entry in access.patterns(get_resolver()):
        if path.startswith("api/v1/") and "/webhooks/" not in path:
            yield path, entry


def views() -> dict[str, Any]:
    return {path: entry.callback.view_class for path, entry in api_patterns()}  # type: ignore[attr-defined]


def handled(view: Any) -> list[str]:
    return [method for method in METHODS if hasattr(view, method.lower())]


def test_every_view_of_the_api_asks_the_matrix_and_nothing_else() -> None:
    assert len(views()) > 40
    assert {
        path: view.permission_classes for path, view in views().items() if view.permission_classes != (ByMatrix,)
    } == {}


def test_the_matrix_speaks_of_every_method_of_every_view() -> None:
    silent = [
        f"{method} {path}"
        for path, view in views().items()
        for method in handled(view)
        if actor_for(view, method) is None
    ]
    assert silent == []


def test_the_matrix_gives_nothing_that_no_view_does() -> None:
    done = {(view.resource, roles.API_VERBS[method]) for view in views().values() for method in handled(view)}
    given = {(resource, verb) for resource in roles.API for verb in roles.api_verbs(resource)}
    assert given == done


def test_every_cell_uses_known_actors_and_verbs_and_says_each_once() -> None:
    for resource, row in roles.API.items():
        verbs = roles.api_verbs(resource)
        assert set(row) <= set(roles.ACTORS), resource
        assert set(verbs) <= set(roles.API_VERBS.values()), resource
        assert len(verbs) == len(set(verbs)), resource


class Undeclared(ApiView):
    def get(self, request: Any) -> Any:
        return ok({})


class HalfDeclared(ApiView):
    resource = "library_of_nobody"

    def post(self, request: Any) -> Any:
        return ok({})


class TooMuch(ApiView):
    resource = "titles"

    def get(self, request: Any) -> Any:
        return ok({})

    def delete(self, request: Any) -> Any:
        return ok({})


@pytest.mark.django_db
def test_a_view_without_a_row_in_the_matrix_refuses_everybody() -> None:
    make = APIRequestFactory()
    for view, request in ((Undeclared, make.get("/x")), (HalfDeclared, make.post("/x")), (TooMuch, make.delete("/x"))):
        assert view.as_view()(request).status_code == 401
        for person in (accounts.member(), creator().user):
            force_authenticate(request, person)
            assert view.as_view()(request).status_code == 403
    assert TooMuch.as_view()(make.get("/x")).status_code == 200


@pytest.mark.parametrize("view", [Undeclared, HalfDeclared, TooMuch])
def test_an_address_of_such_a_view_fails_the_published_page(view: Any) -> None:
    with pytest.raises(access.Undeclared, match="the matrix says nothing"):
        access._route("api/v1/x", "x", view.as_view())


@pytest.mark.django_db
def test_each_kind_of_caller_gets_as_far_as_the_matrix_lets_them() -> None:
    visitor = accounts.api_client()
    member = accounts.api_client(accounts.member())
    maker = accounts.api_client(creator().user)
    answers = {
        path: tuple(client.get(f"/api/v1/{path}").status_code for client in (visitor, member, maker))
        for path in ("titles", "users/me", "creators/me")
    }
    assert answers == {"titles": (200, 200, 200), "users/me": (401, 200, 200), "creators/me": (401, 403, 200)}


@pytest.mark.django_db
def test_a_method_that_a_view_does_not_have_is_told_only_to_whom_it_answers() -> None:
    assert accounts.api_client().delete("/api/v1/users/me").status_code == 401
    assert accounts.api_client(accounts.member()).delete("/api/v1/users/me").status_code == 405
    assert accounts.api_client(accounts.member()).delete("/api/v1/creators/me").status_code == 403
