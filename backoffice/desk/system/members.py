"""The account of one person: open, suspended or closed, by whom and why, and changing that (W-027, P-001, P-006)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.models import Suspension, User
from backoffice.accounts.services import suspensions
from backoffice.core.errors import DomainError, NotFound
from backoffice.creators import queries as creators
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.system.security import HELPS
from backoffice.journeys.services import members

SHOWN = 20
VIEW = "users.view"
Kind = suspensions.Kind
SUSPEND, DEACTIVATE = suspensions.PERMISSION[Kind.SUSPENSION], suspensions.PERMISSION[Kind.DEACTIVATION]
TITLE = gettext_lazy("Account")


class CloseForm(forms.Form):
    """Why, in words that the person reads."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=suspensions.MOST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The person reads this in the mail."),
    )


class OpenForm(forms.Form):
    """Why the account is opened again; the person is told without it."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=suspensions.MOST_REASON)


def find(pk: UUID) -> User:
    """The person. Raises NotFound."""
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


@screen(permission=VIEW, title=TITLE, methods=("GET", "HEAD"))
def person_account(request: StaffRequest, pk: UUID) -> HttpResponse:
    """How the account stands, what stood against it, and what this colleague may do about it."""
    return _page(request, find(pk))


def _page(
    request: StaffRequest,
    person: User,
    *,
    form: forms.Form | None = None,
    opened: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    request.desk["title"] = person.display_name
    user = request.user
    history = list(
        Suspension.objects.filter(user=person).select_related("started_by", "ended_by").order_by("-id")[:SHOWN]
    )
    running = next((row for row in history if row.ended_at is None), None)
    creator = creators.for_user(person)
    is_creator = members.is_creator(creator)
    closable = not person.is_staff and not is_creator and person.is_active
    made: dict[str, forms.Form] = {
        "suspend": CloseForm(auto_id="suspend-%s"),
        "deactivate": CloseForm(auto_id="deactivate-%s"),
        "restore": OpenForm(auto_id="restore-%s"),
    }
    if form is not None:
        made[opened] = form
    return render(
        request,
        "desk/system/people/account.html",
        {
            "person": person,
            "reference": f"U-{str(person.pk)[-8:]}",
            "history": history,
            "running": running,
            "creator": creator,
            "is_creator": is_creator,
            "may_suspend": closable and user.may(SUSPEND),
            "may_deactivate": closable and user.may(DEACTIVATE),
            "may_restore": running is not None and user.may(suspensions.PERMISSION[running.kind]),
            "helps": any(user.may(right) for right in HELPS),
            "sees_staff": person.is_staff and user.may("staff.view"),
            "forms": made,
            "opened": opened,
            "problem": problem,
        },
        status=status,
    )


def _act(
    request: StaffRequest,
    pk: UUID,
    form: forms.Form,
    verb: Callable[[User, str], object],
    *,
    opened: str,
    done: str,
) -> HttpResponse:
    """Runs a verb; a refusal shows the page again with what was typed."""
    person, problem = find(pk), ""
    if form.is_valid():
        try:
            verb(person, form.cleaned_data["reason"])
        except DomainError as error:
            # The form may not be offered any more when the account is not as it was.
            problem = str(error)
        else:
            messages.success(request, done)
            return redirect("desk:person_account", pk=pk)
    return _page(request, find(pk), form=form, opened=opened, problem=problem, status=400)


def _closing(request: StaffRequest, kind: str) -> Callable[[User, str], Any]:
    return lambda person, reason: members.close(user=person, kind=kind, by=request.user, reason=reason)


@screen(permission=SUSPEND, title=TITLE, methods=("POST",))
@stepup.required
def person_suspend(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Suspends a member: out at the next request, told by mail."""
    return _act(
        request,
        pk,
        CloseForm(request.POST, auto_id="suspend-%s"),
        _closing(request, Kind.SUSPENSION),
        opened="suspend",
        done=_("The account is suspended, its sessions have ended, and the person is told."),
    )


@screen(permission=DEACTIVATE, title=TITLE, methods=("POST",))
@stepup.required
def person_deactivate(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Closes a member's account for good; nothing is deleted."""
    return _act(
        request,
        pk,
        CloseForm(request.POST, auto_id="deactivate-%s"),
        _closing(request, Kind.DEACTIVATION),
        opened="deactivate",
        done=_("The account is closed, its sessions have ended, and the person is told."),
    )


@screen(permission=(SUSPEND, DEACTIVATE), title=TITLE, methods=("POST",))
@stepup.required
def person_restore(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Opens the account again."""
    return _act(
        request,
        pk,
        OpenForm(request.POST, auto_id="restore-%s"),
        lambda person, reason: suspensions.end(user=person, by=request.user, reason=reason),
        opened="restore",
        done=_("The account is open again, and the person is told."),
    )


urlpatterns = [
    path("people/<uuid:pk>/account/", person_account, name="person_account"),
    path("people/<uuid:pk>/account/suspend/", person_suspend, name="person_suspend"),
    path("people/<uuid:pk>/account/deactivate/", person_deactivate, name="person_deactivate"),
    path("people/<uuid:pk>/account/restore/", person_restore, name="person_restore"),
]
