"""The published matrix of addresses: every URL pattern, who may reach it and by which methods.

Read from what each view declares; the menu is made from it. What packages bring is listed one by one, here, in
`accounts.doors` and in `cms.doors`; an address that nobody declares raises `Undeclared`, and so does the page in docs/
that is made from this.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from backoffice.accounts import doors, roles
from backoffice.accounts.models import User
from backoffice.accounts.roles import API_VERBS, MATRIX, ROLES, api_actor
from backoffice.desk.base import DeskAdmin
from cms import doors as cms_doors

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

# Kinds of access
EVERYONE = "everyone"
STAFF = "staff"
MEMBER = "member"
CREATOR = "creator"
SIGNED = "signed"
SESSION = "session"
NOBODY = "nobody"
ACTOR_KINDS = {roles.VISITOR: EVERYONE, roles.MEMBER: MEMBER, roles.CREATOR: CREATOR}
# In the place of a permission: reading only, for everybody.
CLOSED = "closed"

# What is neither of the desk, the editor, the API nor the door: the whole pattern of each.
DECLARED: dict[str, tuple[str, str]] = {
    "healthz": (EVERYONE, "for load balancers"),
    "readyz": (EVERYONE, "for load balancers"),
    "i18n/setlang/": (EVERYONE, "the language switch"),
    "storage/parts/<str:token>": (SIGNED, "opened by a signed link that expires"),
    "storage/files/<str:token>/<str:name>": (SIGNED, "opened by a signed link that expires"),
    "storage/play/<str:token>/<path:name>": (SIGNED, "opened by a signed link that expires"),
    "api/v1/webhooks/stripe": (SIGNED, "opened by the provider's signature"),
    "": (EVERYONE, "sends to the public pages"),
    r"pages/^((?:[\w\-]+/)*)$": (EVERYONE, "public pages"),
    "pages/_util/login/": (EVERYONE, "sends to the one door"),
    r"documents/^(\d+)/(.*)$": (EVERYONE, "files that public pages offer"),
    "pages/_util/authenticate_with_password/<int:page_view_restriction_id>/<int:page_id>/": (NOBODY, "closed"),
    "documents/authenticate_with_password/<int:restriction_id>/": (NOBODY, "closed"),
    "admin/login/": (EVERYONE, "sends to the one door"),
    "admin/logout/": (EVERYONE, "signs out"),
}
DOOR_NOTES = {
    doors.EVERYONE: "signing in, and what leads there",
    doors.SESSION: "their own password and second factor",
    doors.CLOSED: "closed",
}
LANGUAGE = re.compile(rf"^(?:{'|'.join(code for code, _name in settings.LANGUAGES)})/(?=pages/)")
# Pages of the admin site itself: for any member of staff, or closed.
SITE_PAGES = {"index": STAFF, "search": STAFF, "jsi18n": STAFF, "app_list": STAFF, "password_change": STAFF}
SITE_PAGES |= {"password_change_done": STAFF, "autocomplete": NOBODY, "view_on_site": STAFF}


class Undeclared(LookupError):
    """An address that says nowhere who may reach it."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``permissions`` (any one of them is enough) are asked of staff; none means any member of staff."""

    pattern: str
    name: str
    kind: str
    permissions: tuple[str, ...]
    note: str = ""
    # What a change asks for where reading asks for less.
    to_change: str = ""
    # Where the methods of an address of the API differ: who may use which.
    by_method: tuple[tuple[str, str], ...] = ()

    def kind_for(self, method: str) -> str:
        """Who may use the address by this method."""
        return dict(self.by_method).get(method, self.kind)

    def open_to(self, user: User) -> bool:
        """Whether this person may reach it: what the menu asks."""
        if self.kind == STAFF:
            return user.is_staff and (not self.permissions or any(user.may(code) for code in self.permissions))
        return self.kind == EVERYONE

    @property
    def roles(self) -> tuple[str, ...]:
        """The staff roles that may reach it."""
        if self.kind != STAFF:
            return ()
        return tuple(role for role in ROLES if not self.permissions or any(has(role, p) for p in self.permissions))


def has(role: str, permission: str) -> bool:
    """Whether the matrix gives a role ``area.verb``."""
    area, _dot, verb = permission.partition(".")
    return permission != CLOSED and verb in MATRIX[area].get(role, "").split()


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every URL pattern with its whole path."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        else:
            yield path, entry


def without_language(path: str) -> str:
    """The pattern of a public page without the language that it begins with."""
    return LANGUAGE.sub("", path)


def routes() -> list[Route]:
    """Every address of the product. Raises Undeclared for one that nobody speaks for."""
    return [_route(path, entry.name or "", entry.callback) for path, entry in patterns()]


@cache
def route_of(name: str) -> Route:
    """The address behind a name that takes no arguments. Raises Undeclared."""
    match = resolve(reverse(name))
    return _route(match.route, match.url_name or "", match.func)


def _route(path: str, name: str, view: Any) -> Route:
    if hasattr(view, "desk_permissions"):
        return Route(path, name, STAFF, tuple(view.desk_permissions))
    if hasattr(getattr(view, "view_class", None), "resource"):
        return _api_route(path, name, view.view_class)
    if path in cms_doors.patterns():
        return _editor_route(path, name)
    if path.startswith(doors.PLACE):
        return _door_route(path, name)
    if (bare := without_language(path)) in DECLARED:
        return Route(path, name, DECLARED[bare][0], (), DECLARED[bare][1])
    if path.startswith("admin/"):
        return _admin_route(path, name, view)
    raise Undeclared(f"{path}: nobody says who may reach it")


def _api_route(path: str, name: str, view: Any) -> Route:
    """What the matrix says about each method that the view has; Undeclared where it says nothing."""
    methods = [method for method in API_VERBS if method != "HEAD" and hasattr(view, method.lower())]
    actors = {method: api_actor(view.resource, API_VERBS[method]) for method in methods}
    kinds = {method: ACTOR_KINDS[actor] for method, actor in actors.items() if actor is not None}
    if not methods or len(kinds) < len(methods):
        silent = sorted(set(methods) - set(kinds))
        raise Undeclared(f"{path}: the matrix says nothing of {', '.join(silent) or 'any method'} on {view.__name__}")
    least = next(kind for actor, kind in ACTOR_KINDS.items() if kind in kinds.values())
    mixed = len(set(kinds.values())) > 1
    return Route(path, name, least, (), by_method=tuple(kinds.items()) if mixed else ())


def _editor_route(path: str, name: str) -> Route:
    rule = cms_doors.rule(cms_doors.patterns()[path])
    if rule is None:
        raise Undeclared(f"{path}: cms.doors does not list it")
    if rule == cms_doors.EVERYONE:
        return Route(path, name, EVERYONE, (), "sends to the one door, or carries nothing of anybody")
    if rule == cms_doors.CLOSED:
        return Route(path, name, NOBODY, (), "closed")
    return Route(path, name, STAFF, (rule,))


def _door_route(path: str, name: str) -> Route:
    rule = doors.rule(name)
    if rule is None:
        raise Undeclared(f"{path}: accounts.doors does not list it")
    kind = {doors.EVERYONE: EVERYONE, doors.SESSION: SESSION, doors.CLOSED: NOBODY}[rule]
    return Route(path, name, kind, (), DOOR_NOTES[rule])


def _admin_route(path: str, name: str, view: Any) -> Route:
    model_admin = getattr(view, "model_admin", None)
    if not name:
        return Route(path, name, STAFF, (), "sends on or answers 404")
    if isinstance(model_admin, DeskAdmin):
        own = type(model_admin)
        if name.endswith("_add") and own.has_add_permission is not DeskAdmin.has_add_permission:
            return Route(path, name, STAFF, (f"{model_admin.area}.edit",))
        if name.endswith("_delete") and own.has_delete_permission is not DeskAdmin.has_delete_permission:
            return Route(path, name, STAFF, (f"{model_admin.area}.edit",))
        if name.endswith(("_add", "_delete", "_history")):
            return Route(path, name, NOBODY, (), "closed")
        to_change = f"{model_admin.area}.edit" if model_admin.editable else CLOSED
        return Route(path, name, STAFF, (f"{model_admin.area}.view",), to_change=to_change)
    if name in SITE_PAGES:
        return Route(path, name, SITE_PAGES[name], ())
    raise Undeclared(f"{path}: nobody says who may reach it")
