"""What is decided about one identity document beside the review (W-002)."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.core.errors import DomainError, Invalid
from backoffice.creators.services import documents as services
from backoffice.desk import kept
from backoffice.desk.creators import applications, documents
from backoffice.desk.screens import StaffRequest, screen


@screen(permission="documents.decide", title=gettext_lazy("Document"), methods=("POST",))
@stepup.required
def document_verify(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Accepts one document that this reviewer has opened, with the day that stands on it (S-018)."""
    document = documents.find(pk)
    services.verify(document=document, by=request.user, expires_on=_day(request))
    messages.success(request, _("The document is accepted."))
    return redirect("desk:application_detail", pk=document.application_id)


def _day(request: StaffRequest) -> dt.date | None:
    """The day typed, None for none. Raises Invalid for what is no day."""
    typed = request.POST.get("expires_on", "").strip()
    try:
        return dt.date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise Invalid(_("Enter a day."), field="document_expires_on") from error


@screen(permission="documents.decide", title=gettext_lazy("Document"), methods=("POST",))
@stepup.required
def document_expiry(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Corrects the day until which a verified document is valid."""
    document = documents.find(pk)
    services.correct_expiry(document=document, by=request.user, expires_on=_day(request))
    messages.success(request, _("The date is corrected."))
    return redirect("desk:application_detail", pk=document.application_id)


@screen(permission="documents.decide", title=gettext_lazy("Document"), methods=("POST",))
@stepup.required
def document_withdraw(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes a verification back on which nothing was built yet."""
    document = documents.find(pk)
    services.withdraw(document=document, by=request.user, reason="taken back on its page")
    messages.success(request, _("The document is to be judged again."))
    return redirect("desk:application_detail", pk=document.application_id)


@screen(permission="documents.decide", title=gettext_lazy("Document"), methods=("POST",))
@stepup.required
def document_reject(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Refuses one document with a reason that its owner reads (S-019).

    With ``part`` the answer is the viewer alone, so that the review beside it stays as it is. A refusal comes back with
    the reason that was typed.
    """
    document = documents.find(pk)
    reason, part = request.POST.get("reason", ""), request.POST.get("part") == "1"
    done = _("The document is refused and its owner is told.")
    try:
        services.reject(document=document, by=request.user, reason=reason)
    except DomainError as problem:
        status = 400 if isinstance(problem, Invalid) else 409
        refusal = {"problem": problem, "reason": reason}
        if part:
            return documents.fragment(request, documents.find(pk), refusal=refusal, status=status)
        dossier = applications.find(document.application_id)
        return applications.show(request, dossier, document=str(pk), refusal=refusal, status=status)
    if part:
        return kept.settle(documents.fragment(request, document, said=done), f"document:{pk}")
    messages.success(request, done)
    query = {"document": str(pk)} | ({"bench": "1"} if request.POST.get("bench") == "1" else {})
    address = f"{reverse('desk:application_detail', args=[document.application_id])}?{urlencode(query)}"
    return kept.settle(HttpResponseRedirect(address), f"document:{pk}")


urlpatterns = [
    path("documents/<uuid:pk>/verify/", document_verify, name="document_verify"),
    path("documents/<uuid:pk>/expiry/", document_expiry, name="document_expiry"),
    path("documents/<uuid:pk>/withdraw/", document_withdraw, name="document_withdraw"),
    path("documents/<uuid:pk>/reject/", document_reject, name="document_reject"),
]
