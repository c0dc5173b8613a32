"""Staff accounts are made by invitation: asking somebody in, sending the link again, taking it back (P-001, W-028)."""

import datetime as dt
import zoneinfo
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import roles, stepup
from backoffice.accounts.models import User
from backoffice.accounts.services import invitations
from backoffice.accounts.services import roles as role_services
from backoffice.configuration import values
from backoffice.core.errors import DomainError
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.system import staff


class InviteForm(forms.Form):
    """Who, how we address them, and which roles they shall have."""

    display_name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=150)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=User.Language.choices)
    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    roles = forms.MultipleChoiceField(label=gettext_lazy("Roles"), required=False, widget=forms.CheckboxSelectMultiple)
    until = forms.DateTimeField(
        label=gettext_lazy("Roles until"),
        required=False,
        help_text=gettext_lazy("Empty: for good. Your time zone."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)

    def __init__(self, *args: Any, gives_roles: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zoneinfo.available_timezones())
        self.fields["timezone"].choices = [(zone, zone.replace("_", " ")) for zone in zones]  # type: ignore[attr-defined]
        if not gives_roles:
            del self.fields["roles"], self.fields["until"]
            return
        two = values.get("roles.two_people")
        self.fields["roles"].choices = [  # type: ignore[attr-defined]
            (code, _("%(role)s (a second Super Admin approves)") % {"role": name} if code in two else name)
            for code, name in roles.ROLES.items()
        ]


@screen(permission=staff.EDIT, title=gettext_lazy("Invite somebody"), methods=("GET", "HEAD", "POST"))
@stepup.required
def staff_invite(request: StaffRequest) -> HttpResponse:
    """Asks for name, address, language, time zone and roles, and sends the link."""
    gives_roles = request.user.may(staff.DECIDE)
    initial = {"language": request.user.language, "timezone": request.user.timezone}
    form = InviteForm(request.POST or None, initial=initial, gives_roles=gives_roles, auto_id="invite-%s")
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        until: dt.datetime | None = given.get("until")
        try:
            invitation = invitations.invite(
                email=given["email"],
                display_name=given["display_name"],
                language=given["language"],
                timezone=given["timezone"],
                wanted=given.get("roles", []),
                until=until,
                reason=given["reason"],
                by=request.user,
            )
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _("The invitation is on its way."))
            tell_of_waiting(request, invitation.user)
            return redirect("desk:staff_detail", pk=invitation.user_id)
    context = {"form": form, "hours": values.get("staff.invite_hours"), "domains": values.get("staff.email_domains")}
    return render(request, "desk/system/staff/invite.html", context, status=400 if form.errors else 200)


@screen(permission=staff.EDIT, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def staff_invite_again(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Sends a new link; the one before ends."""
    person = staff.find(pk)
    invitations.again(user=person, by=request.user)
    messages.success(request, _("A new link is on its way; the one before does not work any more."))
    return redirect("desk:staff_detail", pk=pk)


@screen(permission=staff.EDIT, title=gettext_lazy("Staff"), methods=("POST",))
@stepup.required
def staff_invite_revoke(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes the invitation back, with everything that it would have given."""
    form = staff.ReasonForm(request.POST, auto_id="revoke-%s")
    return staff.act(
        request,
        pk,
        form,
        lambda person, given: invitations.revoke(user=person, by=request.user, reason=given["reason"]),
        opened="revoke",
        done=_("The invitation is taken back."),
    )


def tell_of_waiting(request: StaffRequest, person: User) -> None:
    """Says that roles wait for a second Super Admin, and what to do when there is none (P-030)."""
    if not role_services.waiting(person).exists():
        return
    if role_services.approvers(user=person, by=request.user).exists():
        messages.info(request, _("Another Super Admin is asked to approve what takes two."))
    else:
        messages.warning(request, role_services.nobody_else())


urlpatterns = [
    path("staff/invite/", staff_invite, name="staff_invite"),
    path("staff/<uuid:pk>/invite/again/", staff_invite_again, name="staff_invite_again"),
    path("staff/<uuid:pk>/invite/revoke/", staff_invite_revoke, name="staff_invite_revoke"),
]
