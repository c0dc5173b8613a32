"""One look at one identity document (W-002): audited, and kept by nobody on the way."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.core.errors import NotFound
from backoffice.creators.models import VerificationDocument
from backoffice.creators.services import documents
from backoffice.desk.screens import StaffRequest, screen

# The frame may stand on our own pages only; nothing inside it may load or run anything else.
FRAME_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def find(pk: UUID) -> VerificationDocument:
    """The document with its person and application. Raises NotFound."""
    document = VerificationDocument.objects.select_related("subject", "application", "opened_by").filter(pk=pk).first()
    if document is None:
        raise NotFound(_("There is no such document."))
    return document


@screen(permission="documents.view", title=gettext_lazy("Document"), methods=("GET", "HEAD"))
def document_content(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The content, shown in place. Without a factor from the last minutes nothing is opened."""
    if not stepup.is_fresh(request):
        return TemplateResponse(request, "desk/creators/applications/locked.html", status=403)
    document = find(pk)
    content = documents.open_for_view(document=document, by=request.user)
    response = HttpResponse(content, content_type=document.content_type)
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "no-store, private"
    response["Pragma"] = "no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Security-Policy"] = FRAME_POLICY
    return response


@screen(permission="documents.view", title=gettext_lazy("Documents"), methods=("GET", "HEAD"))
@stepup.required
def document_unlock(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for the factor and comes back to the dossier, where the documents then open."""
    return redirect("desk:application_detail", pk=pk)


@screen(permission="documents.decide", title=gettext_lazy("Document"), methods=("POST",))
@stepup.required
def document_verify(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Accepts one document that this reviewer has opened (S-018)."""
    document = find(pk)
    documents.verify(document=document, by=request.user)
    messages.success(request, _("The document is accepted."))
    return redirect("desk:application_detail", pk=document.application_id)


@screen(permission="documents.decide", title=gettext_lazy("Document"), methods=("POST",))
@stepup.required
def document_reject(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Refuses one document with a reason that its owner reads (S-019)."""
    document = find(pk)
    documents.reject(document=document, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, _("The document is refused and its owner is told."))
    return redirect("desk:application_detail", pk=document.application_id)


urlpatterns = [
    path("documents/<uuid:pk>/content/", document_content, name="document_content"),
    path("documents/<uuid:pk>/verify/", document_verify, name="document_verify"),
    path("documents/<uuid:pk>/reject/", document_reject, name="document_reject"),
    path("applications/<uuid:pk>/documents/unlock/", document_unlock, name="document_unlock"),
]
