"""Verifications to look at again: a year old, an ID that ends, an ID that has come (S-017)."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.creators import queries, states
from backoffice.creators.models import Creator
from backoffice.creators.services import renewals
from backoffice.desk.creators.creators import find
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.queues.models import WorkItem


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the work item and whom it is about."""

    item: WorkItem
    creator: Creator | None


@screen(permission="applications.view", title=gettext_lazy("Verifications to renew"), methods=("GET", "HEAD"))
def review_list(request: StaffRequest) -> HttpResponse:
    """The queue of reviews, what is due first on top."""
    page = keyset(request, queries.reviews_waiting(), by=("due_at", "id"))
    creators = Creator.objects.in_bulk([UUID(item.subject_id) for item in page.items])
    lines = [Line(item, creators.get(UUID(item.subject_id))) for item in page.items]
    return render(request, "desk/creators/reviews/list.html", {"page": page, "lines": lines})


@screen(permission=states.DECIDE, title=gettext_lazy("Creator"), methods=("POST",))
def review_keep(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The verification stands for another year."""
    renewals.keep(creator=find(pk), by=request.user, note=request.POST.get("note", "")[:2000])
    messages.success(request, _("The verification stands for another year."))
    return redirect("desk:review_list")


urlpatterns = [
    path("reviews/", review_list, name="review_list"),
    path("<uuid:pk>/keep/", review_keep, name="review_keep"),
]
