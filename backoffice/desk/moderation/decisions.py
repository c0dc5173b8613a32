"""What this moderator decided lately, and taking it back while that is possible."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.core import clock
from backoffice.core.errors import Conflict, NotFound
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.moderation import policies, queries
from backoffice.moderation.models import Decision
from backoffice.moderation.services import cases

DECIDE = "cases.decide"
TONES = {"approve": "ok", "reject": "danger", "escalate": "warn"}


@screen(permission=DECIDE, title=gettext_lazy("My recent decisions"), methods=("GET", "HEAD"))
def decision_list(request: StaffRequest) -> HttpResponse:
    """Newest first, each with what came of it."""
    at = clock.now()
    page = keyset(request, queries.decisions_of(request.user), by=("-decided_at", "-id"))
    rows = [(decision, not policies.why_not_undo(decision, by=request.user, at=at)) for decision in page.items]
    return render(request, "desk/moderation/decisions/list.html", {"page": page, "rows": rows, "tones": TONES})


@screen(permission=DECIDE, title=gettext_lazy("My recent decisions"), methods=("POST",))
def decision_undo(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes a decision back and shows its case on the bench again."""
    decision = Decision.objects.filter(pk=pk, by=request.user).first()
    if decision is None:
        raise NotFound(_("There is no such decision."))
    try:
        case = cases.undo(decision, by=request.user)
    except Conflict as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:decision_list")
    messages.success(request, _("The decision on %(reference)s was taken back.") % {"reference": case.reference})
    return HttpResponseRedirect(f"{reverse('desk:moderation_bench')}?case={case.pk}")


@screen(permission=DECIDE, title=gettext_lazy("My recent decisions"), methods=("POST",))
def case_undo(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The same by the case: this moderator's newest decision on it."""
    decision = Decision.objects.filter(case=pk, by=request.user).order_by("-decided_at", "-id").first()
    if decision is None:
        raise NotFound(_("There is no such decision."))
    return decision_undo(request, decision.pk)


urlpatterns = [
    path("cases/<uuid:pk>/undo/", case_undo, name="case_undo"),
    path("decisions/", decision_list, name="decision_list"),
    path("decisions/<uuid:pk>/undo/", decision_undo, name="decision_undo"),
]
