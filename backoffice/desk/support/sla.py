"""The table of due times (E-066, N-017 to N-021)."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.core.errors import NotFound
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.support import queries
from backoffice.support.models import SlaPolicy
from backoffice.support.services import sla


class SlaForm(forms.ModelForm[SlaPolicy]):
    """The targets of one issue type and why they change."""

    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500)

    class Meta:
        model = SlaPolicy
        fields = ("priority", "respond_within", "resolve_within", "escalate_after", "active")


@screen(permission="tickets.view", title=gettext_lazy("Due times of tickets"), methods=("GET", "HEAD"))
def sla_list(request: StaffRequest) -> HttpResponse:
    """The table."""
    return render(
        request,
        "desk/support/sla/list.html",
        {"policies": list(queries.sla_table()), "may_edit": request.user.may("tickets.edit")},
    )


@screen(permission="tickets.edit", title=gettext_lazy("Due times"))
def sla_edit(request: StaffRequest, policy_id: UUID) -> HttpResponse:
    """One row. Open tickets keep the times they were given."""
    found = SlaPolicy.objects.filter(pk=policy_id).first()
    if found is None:
        raise NotFound(_("There is no such row."))
    form = SlaForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        sla.change(SlaPolicy.objects.get(pk=found.pk), by=request.user, **form.cleaned_data)
        messages.success(request, _("The due times were saved. New tickets get them."))
        return redirect("desk:sla_list")
    return render(
        request,
        "desk/support/sla/form.html",
        {"form": form, "policy": found},
        status=400 if form.errors else 200,
    )


urlpatterns = [
    path("due-times/", sla_list, name="sla_list"),
    path("due-times/<uuid:policy_id>/", sla_edit, name="sla"),
]
