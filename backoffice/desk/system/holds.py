"""Legal holds: who is held and why, placing one, lifting one (W-026, PG-020)."""

import datetime as dt
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import DomainError, NotFound
from backoffice.creators.models import LegalHold
from backoffice.creators.services import holds
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen

VIEW = "privacy.view"


class PlaceForm(forms.Form):
    """A new hold."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=holds.LONGEST, widget=forms.Textarea(attrs={"rows": 4})
    )
    authority = forms.CharField(label=gettext_lazy("Reference of the authority"), max_length=200, required=False)
    until = forms.DateField(
        label=gettext_lazy("Until (empty: until somebody lifts it)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class LiftForm(forms.Form):
    """The end of a hold."""

    reason = forms.CharField(
        label=gettext_lazy("Why the hold ends"), max_length=holds.LONGEST, widget=forms.Textarea(attrs={"rows": 4})
    )


def listed(*, past: bool, at: dt.datetime) -> QuerySet[LegalHold]:
    """Holds that stand, or those that have ended."""
    rows = LegalHold.objects.select_related("person", "placed_by", "lifted_by")
    return rows.filter(Q(lifted_at__isnull=False) | Q(until__lte=at)) if past else rows.active(at)


@screen(permission=VIEW, title=gettext_lazy("Legal holds"), methods=("GET", "HEAD"))
def hold_list(request: StaffRequest) -> HttpResponse:
    """Every hold, newest first."""
    past = request.GET.get("tab") == "past"
    page = keyset(request, listed(past=past, at=clock.now()), by=("-placed_at", "-id"))
    return render(request, "desk/system/holds/list.html", {"page": page, "past": past})


def find(pk: UUID) -> LegalHold:
    """The hold with its people. Raises NotFound."""
    hold = LegalHold.objects.select_related("person", "placed_by", "lifted_by").filter(pk=pk).first()
    if hold is None:
        raise NotFound(_("There is no such hold."))
    return hold


@screen(permission=VIEW, title=gettext_lazy("Legal hold"), methods=("GET", "HEAD"))
def hold_detail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One hold with its reason and what happened."""
    return _detail(request, find(pk), LiftForm())


def _detail(request: StaffRequest, hold: LegalHold, form: LiftForm, *, status: int = 200) -> HttpResponse:
    request.desk["title"] = hold.reference
    context = {
        "hold": hold,
        "active": hold.is_active(clock.now()),
        "form": form,
        "may_decide": request.user.may(holds.DECIDE),
        "entries": audit.for_subject(hold)[:20],
    }
    return render(request, "desk/system/holds/detail.html", context, status=status)


@screen(permission=holds.DECIDE, title=gettext_lazy("Legal hold"), methods=("POST",))
@stepup.required
def hold_lift(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ends a hold, with a reason."""
    form = LiftForm(request.POST)
    hold = find(pk)
    if not form.is_valid():
        return _detail(request, hold, form, status=400)
    try:
        holds.lift(hold=hold, by=request.user, reason=form.cleaned_data["reason"])
    except DomainError as error:
        form.add_error("reason", str(error))
        return _detail(request, find(pk), form, status=409)
    messages.success(request, _("The hold is lifted."))
    return redirect("desk:hold_detail", pk=pk)


@screen(permission=holds.DECIDE, title=gettext_lazy("Place a legal hold"))
@stepup.required
def hold_place(request: StaffRequest, person: UUID) -> HttpResponse:
    """Keeps everything of one person from now on."""
    found = User.objects.filter(pk=person).first()
    if found is None:
        raise NotFound(_("There is no such person."))
    form = PlaceForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                hold = holds.place(
                    person=found,
                    by=request.user,
                    reason=form.cleaned_data["reason"],
                    authority=form.cleaned_data["authority"],
                    until=_end_of(form.cleaned_data["until"]),
                )
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                messages.success(request, _("Nothing of this person is destroyed while the hold stands."))
                return redirect("desk:hold_detail", pk=hold.pk)
    standing = LegalHold.objects.active(clock.now()).filter(person=found)
    context = {"person": found, "form": form, "standing": standing}
    return render(request, "desk/system/holds/place.html", context, status=status)


def _end_of(day: dt.date | None) -> dt.datetime | None:
    """The first moment after that day, in the reader's time zone."""
    return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time())) if day else None


urlpatterns = [
    path("holds/", hold_list, name="hold_list"),
    path("holds/<uuid:pk>/", hold_detail, name="hold_detail"),
    path("holds/<uuid:pk>/lift/", hold_lift, name="hold_lift"),
    path("people/<uuid:person>/hold/", hold_place, name="hold_place"),
]
