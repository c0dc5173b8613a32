"""A staff session at every request: does it come from an allowed network, is it still in use (X-007)."""

import time
from collections.abc import Callable

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from backoffice.accounts import devices, networks, returning
from backoffice.accounts.models import SecurityEvent, User
from backoffice.accounts.services import roles, security, sessions
from backoffice.configuration import values

SINCE, SEEN, LISTED = "backlot.since", "backlot.seen", "backlot.listed"
LEAVING = "/accounts/logout/"


class StaffPresenceMiddleware:
    """Goes after authentication and before the factor's middleware.

    Drops roles whose time is over, turns away other networks with a page that says so, and ends sessions that nobody
    used for ``staff.idle_minutes`` or that are older than ``staff.session_hours``. What a page asks for by itself,
    such as the heartbeat of a claimed item, is no use of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not (isinstance(user, User) and user.is_staff):
            return self.get_response(request)
        found = networks.read(user)
        request.staff_factor = found.has_factor  # type: ignore[attr-defined]  # for the factor's middleware
        if found.lapsed:
            roles.expire_due(user=user)
            # The networks of a role that is over keep nobody out.
            found = networks.read(user)
        visit = devices.visit(request)
        if request.path != LEAVING and not found.allows(visit.ip):
            return self._turn_away(request, user)
        return self._ended(request, user) or self.get_response(request)

    def _turn_away(self, request: HttpRequest, user: User) -> HttpResponse:
        visit = devices.visit(request)
        # One event per session: a page that reloads itself would fill the table.
        if not request.session.get("backlot.refused"):
            request.session["backlot.refused"] = True
            security.record(kind=SecurityEvent.Kind.ADDRESS_REFUSED, user=user, visit=visit)
        sentence = _("Your account does not open from this network address: %(address)s. Ask a Super Admin.")
        return TemplateResponse(
            request,
            "desk/refused_bare.html",
            {"title": _("Not from here"), "sentence": sentence % {"address": visit.ip}},
            status=403,
        ).render()

    def _ended(self, request: HttpRequest, user: User) -> HttpResponse | None:
        now = time.time()
        session = request.session
        since, seen = session.get(SINCE), session.get(SEEN)
        if since is None or seen is None:
            since = seen = now
            session[SINCE] = session[SEEN] = now
        listed = session.get(LISTED, 0)
        # What happened within the last minute needs no second look, and no statement.
        if now - seen < sessions.TOUCH_SECONDS and now - listed < sessions.TOUCH_SECONDS:
            return None
        idle = now - seen > 60 * values.get("staff.idle_minutes")
        if idle or now - since > 3600 * values.get("staff.session_hours"):
            return self._expire(request, user, idle=idle)
        if now - seen >= sessions.TOUCH_SECONDS and not by_itself(request):
            session[SEEN] = now
        if now - listed >= sessions.TOUCH_SECONDS:
            session[LISTED] = now
            if not session.session_key:
                session.save()
            sessions.note(user=user, session_key=str(session.session_key), visit=devices.visit(request), door="desk")
        return None

    def _expire(self, request: HttpRequest, user: User, *, idle: bool) -> HttpResponse:
        security.record(
            kind=SecurityEvent.Kind.SESSION_EXPIRED,
            user=user,
            visit=devices.visit(request),
            data={"why": "idle" if idle else "age"},
        )
        auth.logout(request)
        asked_in_page = by_itself(request) or request.headers.get("HX-Request") == "true"
        then = returning.page(request, part=asked_in_page)
        target = f"{reverse('account_login')}?{urlencode({'ended': '1', 'next': then})}"
        if asked_in_page:
            return HttpResponse(status=401, headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)


def by_itself(request: HttpRequest) -> bool:
    """Whether the page sent this without anybody at it: a heartbeat, or a part that refreshes itself."""
    return request.headers.get("Backlot-By-Itself") == "1"
