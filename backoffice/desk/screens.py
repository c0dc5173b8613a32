"""What every staff screen goes through: who may see it, what the page around it needs, how a refusal
looks.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, Protocol

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from backoffice.accounts import factor, returning, stepup
from backoffice.accounts.models import User
from backoffice.core.errors import DomainError, Forbidden, Invalid, NotFound
from backoffice.desk.site import desk_site, door


class StaffRequest(HttpRequest):
    """A request that passed ``screen``: the user is staff and ``desk`` holds the page's title."""

    user: User  # type: ignore[assignment]
    desk: dict[str, Any]


class Screen(Protocol):
    """A view behind ``screen``; what it asks for can be read from it (the published matrix does)."""

    desk_permissions: tuple[str, ...]
    desk_methods: tuple[str, ...]

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse: ...


def screen[**P](
    *,
    permission: str | Iterable[str] | None,
    title: str | Promise = "",
    methods: Iterable[str] = ("GET", "HEAD", "POST"),
) -> Callable[[Callable[Concatenate[Any, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]]:
    """Makes a view a staff screen.

    ``permission`` is a permission, or several of which one is enough, or None for every member of staff. Visitors
    go to the door, people without the right get the 403 page. A domain refusal that the view does not answer itself
    becomes a page with its sentence: Forbidden 403, NotFound 404, Invalid 400, anything else 409.
    """
    asked = (permission,) if isinstance(permission, str) else tuple(permission or ())
    allowed = tuple(methods)

    def decorate(
        view: Callable[Concatenate[Any, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            user = request.user
            if isinstance(user, AnonymousUser) or not user.is_authenticated:
                return door(request, returning.page(request))
            request.desk = {"title": title}  # type: ignore[attr-defined]
            if not (user.is_active and user.is_staff):
                return refuse(request, _("This part of Backlot is for staff."), bare=True)
            if not factor.in_session(request):
                return factor.ask(request)
            if asked and not any(user.may(code) for code in asked):
                # Nobody reads the answer to another method than these: it needs no frame and no menu.
                bare = request.method not in ("GET", "POST")
                return refuse(request, _("Your role does not include this page."), bare=bare)
            if request.method not in allowed:
                return stepup.way_back(request) or HttpResponseNotAllowed(allowed)
            if _holds_zero_byte(request):
                return refuse(request, _("A zero byte is no text."), status=400)
            try:
                return view(request, *args, **kwargs)
            except NotFound as error:
                raise Http404(str(error)) from error
            except Forbidden as error:
                return refuse(request, str(error))
            except DomainError as error:
                return refuse(request, str(error), status=400 if isinstance(error, Invalid) else 409)

        guarded.desk_permissions = asked  # type: ignore[attr-defined]
        guarded.desk_methods = allowed  # type: ignore[attr-defined]
        return guarded

    return decorate


def _holds_zero_byte(request: HttpRequest) -> bool:
    """Whether anything sent holds the one character that the database takes in no text."""
    return any(
        "\x00" in value for given in (request.GET, request.POST) for _name, row in given.lists() for value in row
    )


def render(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> TemplateResponse:
    """The page inside the desk's frame: Unfold's context, the screen's title, then ``context``."""
    request.current_app = desk_site.name  # type: ignore[attr-defined]
    page = getattr(request, "desk", {})
    return TemplateResponse(
        request,
        template,
        {**desk_site.each_context(request), **page, **(context or {})},
        status=status,
        headers=headers,
    )


def partial(request: HttpRequest, template: str, context: dict[str, Any] | None = None) -> TemplateResponse:
    """A piece of a page for an HTMX swap: no frame, no menu, no statements of theirs."""
    return TemplateResponse(request, template, context or {})


def refuse(request: HttpRequest, sentence: str, *, status: int = 403, bare: bool = False) -> HttpResponse:
    """A refusal with its reason. ``bare`` leaves the desk's frame out, for people who are not staff."""
    title = {400: _("This was not accepted"), 403: _("You may not do this"), 409: _("This has changed")}[status]
    if bare:
        return TemplateResponse(
            request, "desk/refused_bare.html", {"sentence": sentence, "title": title}, status=status
        )
    request.desk = {"title": title}  # type: ignore[attr-defined]
    request.is_refused = True  # type: ignore[attr-defined]
    return render(request, "desk/refused.html", {"sentence": sentence}, status=status)
