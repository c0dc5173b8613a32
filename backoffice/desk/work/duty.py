"""Going on and off duty, for oneself."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.services import duty
from backoffice.desk.screens import StaffRequest, screen


@screen(permission=None, title=gettext_lazy("On duty"), methods=("POST",))
def duty_switch(request: StaffRequest) -> HttpResponse:
    """Off duty nothing is handed out, and what was to return goes to anybody; what is held stays."""
    on = request.POST.get("on") == "1"
    duty.switch(user=request.user, on=on, by=request.user)
    messages.success(request, _("You are on duty.") if on else _("You are off duty. Nothing new is handed to you."))
    return redirect("desk:work")


urlpatterns = [
    path("duty/", duty_switch, name="duty_switch"),
]
