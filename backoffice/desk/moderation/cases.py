"""The moderation queue and the page of one case (W-006)."""

from uuid import UUID

from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue.models import TitleFile
from backoffice.core import clock
from backoffice.core.errors import NotFound
from backoffice.desk.moderation import evidence
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.media.services import links
from backoffice.moderation import policies, queries

VIEW = "cases.view"
DECIDE = "cases.decide"
TABS = {
    "waiting": gettext_lazy("Waiting"),
    "in_review": gettext_lazy("In review"),
    "escalated": gettext_lazy("Escalated"),
    "cultural": gettext_lazy("Cultural review"),
    "overdue": gettext_lazy("Overdue"),
    "settling": gettext_lazy("Can be undone"),
    "decided": gettext_lazy("Decided"),
}
NEWEST_FIRST = ("settling", "decided")


@screen(permission=VIEW, title=gettext_lazy("Moderation"), methods=("GET", "HEAD"))
def case_list(request: StaffRequest) -> HttpResponse:
    """The queue in tabs, waiting cases in the order in which they are handed out."""
    at = clock.now()
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "waiting"
    language = request.GET.get("language", "")
    rows = queries.cases(tab, at=at)
    if language in User.Language.values:
        rows = rows.filter(language__startswith=language)
    page = keyset(request, rows, by=("-id",) if tab in NEWEST_FIRST else ("-priority", "due_at", "id"))
    counts = queries.tab_counts(at)
    kept = {"language": language} if language else {}
    return render(
        request,
        "desk/moderation/cases/list.html",
        {
            "tab": tab,
            "tabs": [
                {
                    "code": code,
                    "label": label,
                    "count": counts.get(code),
                    "query": "?" + urlencode({"tab": code, **kept}),
                }
                for code, label in TABS.items()
            ],
            "page": page,
            "rows": [
                (case, [policies.reason_text(row) for row in case.reasons], case.is_overdue(at)) for case in page.items
            ],
            "language": language,
            "languages": User.Language.choices,
            "may_decide": request.user.may(DECIDE),
            "tones": evidence.TONES,
        },
    )


@screen(permission=VIEW, title=gettext_lazy("Case"), methods=("GET", "HEAD"))
def case(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One case with its evidence and decisions, read only; deciding happens on the bench."""
    at = clock.now()
    dossier = queries.dossier(pk)
    if dossier is None:
        raise NotFound(_("There is no such case."))
    item = dossier.item
    live = item is not None and item.state == item.State.CLAIMED and item.lease_until is not None
    held = item if live and item is not None and item.lease_until and item.lease_until >= at else None
    request.desk["title"] = dossier.case.reference
    return render(
        request,
        "desk/moderation/cases/detail.html",
        {
            **evidence.of(dossier),
            "item": item,
            "holder": held.holder if held is not None else None,
            "mine": held is not None and held.holder_id == request.user.pk,
            "claimable": request.user.may(DECIDE)
            and held is None
            and item is not None
            and item.state in (item.State.OPEN, item.State.CLAIMED),
            "kept": evidence.kept(dossier.case.pk),
            "now": at,
        },
    )


@screen(permission=DECIDE, title=gettext_lazy("Proof of rights"), methods=("GET", "HEAD"))
def case_proof(request: StaffRequest, pk: UUID, file_pk: UUID) -> HttpResponse:
    """Leads to a proof document by a link of minutes, and writes down who looked (E-026)."""
    file = (
        TitleFile.objects.select_related("asset").filter(pk=file_pk, title__cases=pk, role=TitleFile.Role.PROOF).first()
    )
    if file is None:
        raise NotFound(_("There is no such document."))
    with transaction.atomic():
        entries.record(action="proof.view", by=request.user, subject=file, data={"case": str(pk)})
        url = links.signed_url(file.asset)
    return HttpResponseRedirect(url)


urlpatterns = [
    path("cases/", case_list, name="case_list"),
    path("cases/<uuid:pk>/", case, name="case"),
    path("cases/<uuid:pk>/proofs/<uuid:file_pk>/", case_proof, name="case_proof"),
]
