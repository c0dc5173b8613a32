"""Whatever a member of staff was refused goes on record: which page, by which method, from where (X-037, E-081)."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.audit import entries

EDITOR = "/cms/"


class RefusalMiddleware:
    """Goes after authentication. Writes one audit row for every refusal that staff are answered with.

    Wagtail refuses by sending to its first page, so a page of the editor that leads there counts too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        response = self.get_response(request)
        if (
            isinstance(user, User)
            and user.is_staff
            and (response.status_code == 403 or _turned_away(request, response))
        ):
            match = request.resolver_match
            with transaction.atomic():
                entries.record(
                    action="access.refuse",
                    by=user,
                    data={
                        "path": request.path[:300],
                        "method": request.method,
                        "page": match.view_name if match else "",
                    },
                )
        return response


def _turned_away(request: HttpRequest, response: HttpResponse) -> bool:
    if response.status_code != 302 or not request.path.startswith(EDITOR) or request.method not in ("GET", "HEAD"):
        return False
    home = reverse("wagtailadmin_home")
    return request.path != home and response["Location"] == home
