"""One look at one identity document (W-002): audited, and kept by nobody on the way."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, NotFound
from backoffice.creators import queries, states
from backoffice.creators.models import VerificationDocument
from backoffice.creators.services import documents as services
from backoffice.desk.screens import StaffRequest, partial, screen
from backoffice.queues import queries as queues

# A link opens for whom it was made, and no longer than this.
LINK_SECONDS = 300
SALT = "desk.document"
# The frame may stand on our own pages only; nothing inside it may load or run anything else. A picture has no need
# of its page's rights either; browsers show a PDF in a frame only when the frame is not sandboxed.
FRAME_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
PICTURE_POLICY = f"{FRAME_POLICY}; sandbox"


def link_to(document: VerificationDocument, user: User, *, at: dt.datetime | None = None) -> str:
    """The address of one document's content, for this person and for `LINK_SECONDS`."""
    until = (at or clock.now()) + dt.timedelta(seconds=LINK_SECONDS)
    claims = {"document": str(document.pk), "user": str(user.pk), "until": int(until.timestamp())}
    key = signing.dumps(claims, salt=SALT)
    return f"{reverse('desk:document_content', args=[document.pk])}?{urlencode({'key': key})}"


def _fits(key: str, document: UUID, user: User) -> bool:
    try:
        claims = signing.loads(key, salt=SALT)
    except signing.BadSignature:
        return False
    mine = (claims["document"], claims["user"]) == (str(document), str(user.pk))
    return bool(mine and claims["until"] >= clock.now().timestamp())


def shown(documents: Sequence[VerificationDocument], wanted: str) -> VerificationDocument | None:
    """The one document in the viewer: the one asked for, else the first ID, else the first."""
    present = [document for document in documents if document.status != states.DocumentStatus.PURGED]
    for document in present:
        if str(document.pk) == wanted:
            return document
    ids = [document for document in present if document.document_type in states.IDENTITY_TYPES]
    return next(iter([*ids, *present]), None)


def viewer(
    request: StaffRequest,
    documents: Sequence[VerificationDocument],
    document: VerificationDocument | None,
    *,
    bench: bool,
) -> dict[str, Any]:
    """What `_viewer.html` needs; the link is made for this person at this moment."""
    present = [each for each in documents if each.status != states.DocumentStatus.PURGED]
    place = present.index(document) if document in present else -1
    closed = ""
    if document is not None:
        try:
            services.check_open(document, by=request.user)
        except (Conflict, Forbidden) as error:
            closed = str(error.message)
    fresh = stepup.is_fresh(request)
    return {
        "documents": documents,
        "document": document,
        "document_link": link_to(document, request.user) if document is not None and fresh and not closed else "",
        "document_closed": closed,
        "documents_fresh": fresh,
        "decides_documents": request.user.may("documents.decide")
        and (document is None or document.subject_id != request.user.pk),
        "earlier": present[place - 1] if place > 0 else None,
        "later": present[place + 1] if 0 <= place < len(present) - 1 else None,
        "position": place + 1,
        "of": len(present),
        "mark": f"{request.user.display_name} · {clock.now():%Y-%m-%d %H:%M} UTC",
        "marks": range(12),
        "bench": bench,
    }


def find(pk: UUID) -> VerificationDocument:
    """The document with its person and application. Raises NotFound."""
    document = (
        VerificationDocument.objects.select_related("subject", "application__creator", "opened_by")
        .filter(pk=pk)
        .first()
    )
    if document is None:
        raise NotFound(_("There is no such document."))
    return document


@screen(permission="documents.view", title=gettext_lazy("Document"), methods=("GET", "HEAD"))
def document_viewer(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The viewer with one document, to be put in the place of the one before: what is typed beside it stays."""
    return fragment(request, find(pk))


def fragment(
    request: StaffRequest,
    document: VerificationDocument,
    *,
    refusal: dict[str, Any] | None = None,
    said: str = "",
    status: int = 200,
) -> HttpResponse:
    """The viewer alone; ``refusal`` is why the document could not be refused and the reason that was typed."""
    papers = list(document.application.documents.select_related("reviewer"))
    bench = "1" in (request.GET.get("bench"), request.POST.get("bench"))
    context = viewer(request, papers, document, bench=bench)
    item = queues.for_subject(queries.QUEUE, document.application)
    mine = item is not None and item.state == item.State.CLAIMED and item.holder_id == request.user.pk
    answer = partial(
        request,
        "desk/creators/applications/_viewer.html",
        {
            **context,
            "application": document.application,
            "mine": mine,
            "sees_documents": True,
            "held": list(queries.holds_on(document.subject_id, at=clock.now())),
            "refusal": refusal,
            "said": said,
        },
    )
    answer.status_code = status
    return answer


@screen(permission="documents.view", title=gettext_lazy("Document"), methods=("GET", "HEAD"))
def document_content(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The content, shown in place by a signed link. Without a factor from the last minutes nothing is opened."""
    document = find(pk)
    if not stepup.is_fresh(request) or not _fits(request.GET.get("key", ""), pk, request.user):
        return TemplateResponse(request, "desk/creators/applications/locked.html", status=403)
    content = services.open_for_view(document=document, by=request.user)
    response = HttpResponse(content, content_type=document.content_type)
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "no-store, private"
    response["Pragma"] = "no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    response["Content-Security-Policy"] = FRAME_POLICY if document.content_type == "application/pdf" else PICTURE_POLICY
    return response


@screen(permission="documents.view", title=gettext_lazy("Documents"), methods=("GET", "HEAD"))
@stepup.required
def document_unlock(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for the factor and comes back to the dossier, where the documents then open."""
    address = reverse("desk:application_detail", args=[pk])
    return HttpResponseRedirect(f"{address}?bench=1" if request.GET.get("bench") == "1" else address)


urlpatterns = [
    path("documents/<uuid:pk>/viewer/", document_viewer, name="document_viewer"),
    path("documents/<uuid:pk>/content/", document_content, name="document_content"),
    path("applications/<uuid:pk>/documents/unlock/", document_unlock, name="document_unlock"),
]
