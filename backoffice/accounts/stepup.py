"""Step-up: for payouts, documents, roles and exports the factor must be minutes old (spec 08,
security.md).
"""

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.core.internal.httpkit import serialize_request
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from backoffice.accounts import factor, returning
from backoffice.accounts.models import User

WITHIN_SECONDS = 300
# In the session: the page on which a dropped form stood.
PAGE = "backlot.stepup_page"
# So long a submitted form waits for the factor.
KEPT_SECONDS = 300


def is_fresh(request: HttpRequest, within: int = WITHIN_SECONDS) -> bool:
    """Whether this session gave its second factor within ``within`` seconds (sign-in counts)."""
    return factor.fresh(request, within=within)


def demand(request: HttpRequest) -> HttpResponse:
    """Asks for the factor and comes back to where the person was.

    A submitted form is kept in the session and carried out once the factor is given, so nothing that was typed is
    lost. Chosen files cannot be kept: the person is told to choose them again. A form that was kept before is dropped:
    the factor is given for what was asked last.
    """
    user = request.user
    assert isinstance(user, User)
    request.session.pop(STATE_SESSION_KEY, None)
    if request.method != "POST":
        return HttpResponseRedirect(factor.prompt_url(user, request.get_full_path()))
    if request.FILES:
        messages.warning(request, _("Please choose the file again after confirming that it is you."))
        return HttpResponseRedirect(factor.prompt_url(user, returning.page(request)))
    kept = json.loads(serialize_request(request))
    kept["META"] = {name: value for name, value in kept["META"].items() if name not in _SECRET_HEADERS}
    request.session[STATE_SESSION_KEY] = {
        "request": json.dumps(kept),
        "at": time.time(),
        "page": returning.page(request),
    }
    return HttpResponseRedirect(factor.prompt_url(user, request.path))


def drop_stale(request: HttpRequest) -> None:
    """Forgets a kept form that waited too long, and says so. Goes before the prompt is shown or answered."""
    kept = request.session.get(STATE_SESSION_KEY)
    if kept is not None and not 0 <= time.time() - kept.get("at", 0) < KEPT_SECONDS:
        del request.session[STATE_SESSION_KEY]
        request.session[PAGE] = kept.get("page")
        messages.warning(
            request,
            _("What you sent before was not carried out: it waited too long. Please check it and send it again."),
        )


def way_back(request: HttpRequest) -> HttpResponse | None:
    """The page of a form that was dropped, for who now comes to the address that it was sent to, which shows nothing.

    None without such a form.
    """
    if request.method != "GET" or not (page := request.session.pop(PAGE, None)):
        return None
    return HttpResponseRedirect(page)


# The kept request is read back in the same session, which brings its own cookies.
_SECRET_HEADERS = {"HTTP_COOKIE", "HTTP_AUTHORIZATION"}


def required[**P](
    view: Callable[Concatenate[Any, P], HttpResponse],
) -> Callable[Concatenate[Any, P], HttpResponse]:
    """View decorator: the view runs only with a fresh factor, otherwise `demand` answers."""

    @wraps(view)
    def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if is_fresh(request) else demand(request)

    guarded.stepup = True  # type: ignore[attr-defined]
    return guarded
