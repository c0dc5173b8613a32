"""The living style page: every component of the desk in every state, to look at and to test against."""

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from backoffice.desk.screens import StaffRequest, render, screen


@screen(permission=None, title=_("Style"), methods=("GET", "HEAD"))
def style(request: StaffRequest) -> HttpResponse:
    """Shows the components; nothing on it does anything."""
    return render(request, "desk/system/style.html")
