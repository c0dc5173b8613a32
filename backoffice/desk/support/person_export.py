"""Taking out one person's data (Q-017): tied to a ticket, with a reason, on record."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.core.errors import Forbidden, Invalid
from backoffice.desk import downloads
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.journeys.queries import person_data
from backoffice.journeys.services import person_export

TITLE = gettext_lazy("Take out one person's data")


@screen(permission=(person_export.ANY, person_export.ONE), title=TITLE)
@stepup.required
def person_data_export(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The form with what will and will not be in the file; then the file."""
    person = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return _form(request, person, {"ticket": request.GET.get("ticket", "")[:20]})
    try:
        made = person_export.start(
            person=person,
            by=request.user,
            format=request.POST.get("format", ""),
            reason=request.POST.get("reason", ""),
            ticket=request.POST.get("ticket", ""),
        )
    except (Invalid, Forbidden) as refusal:
        return _form(request, person, request.POST.dict(), refusal)
    return downloads.answer(made, person_data.of(person), name=f"{made.reference}-{person}")


def _form(
    request: StaffRequest, person: User, typed: dict[str, str], refusal: Invalid | Forbidden | None = None
) -> HttpResponse:
    return render(
        request,
        "desk/support/person_export.html",
        {
            "person": person,
            "typed": typed,
            "refusal": refusal,
            "needs_ticket": not request.user.may(person_export.ANY),
            "tables": [table.name for table in person_data.of(person)],
        },
        status=200 if refusal is None else 403 if isinstance(refusal, Forbidden) else 400,
    )


urlpatterns = [path("people/<uuid:pk>/export/", person_data_export, name="person_data_export")]
