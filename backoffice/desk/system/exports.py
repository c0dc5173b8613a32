"""What was taken out, by whom and why (E-088), and where a bundle is made and fetched."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.audit.models import ExportRecord
from backoffice.core import clock
from backoffice.core.models import Job
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, partial, render, screen
from backoffice.desk.system import subjects
from backoffice.desk.system.audit import people_called
from backoffice.journeys.services import evidence

VIEW = "audit.view"
DATASETS = {
    "audit": gettext_lazy("Audit log"),
    "evidence": gettext_lazy("Evidence bundle"),
    "fee_replay": gettext_lazy("Replay of a change of the fees"),
    "import_run": gettext_lazy("Errors of an import"),
    "person": gettext_lazy("One person's data"),
    "report": gettext_lazy("Report"),
}


@screen(permission=VIEW, title=gettext_lazy("Exports"), methods=("GET", "HEAD"))
def export_list(request: StaffRequest) -> HttpResponse:
    """Every file that left the desk, newest first."""
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("person", "dataset", "about")}
    rows = ExportRecord.objects.select_related("user", "job")
    if asked["person"]:
        rows = rows.filter(user__in=people_called(asked["person"]))
    if asked["dataset"] in DATASETS:
        rows = rows.filter(dataset=asked["dataset"])
    if asked["about"]:
        rows = rows.filter(
            Q(reference__iexact=asked["about"])
            | Q(ticket__iexact=asked["about"])
            | Q(subject_label__iexact=asked["about"])
            | Q(subject_id=asked["about"].lower())
        )
    page = keyset(request, rows)
    return render(
        request,
        "desk/system/exports/list.html",
        {
            "page": page,
            "rows": [(made, DATASETS.get(made.dataset, made.dataset)) for made in page.items],
            "asked": asked,
            "searching": any(asked.values()),
            "datasets": DATASETS.items(),
        },
    )


@screen(permission=VIEW, title=gettext_lazy("Export"), methods=("GET", "HEAD"))
def export(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One export; a bundle shows how far it is and is fetched here by whoever asked for it."""
    made = get_object_or_404(ExportRecord.objects.select_related("user", "job"), pk=pk)
    request.desk["title"] = made.reference
    return render(request, "desk/system/exports/detail.html", _context(request, made))


@screen(permission=VIEW, title=gettext_lazy("Export"), methods=("GET", "HEAD"))
def export_progress(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The part of the page that changes while the bundle is made."""
    made = get_object_or_404(ExportRecord.objects.select_related("user", "job"), pk=pk)
    context = _context(request, made)
    response = partial(request, "desk/system/exports/_progress.html", context)
    if not context["working"]:
        response["HX-Refresh"] = "true"
    return response


@screen(permission=evidence.EXPORT, title=gettext_lazy("Export"), methods=("GET",))
@stepup.required
def export_download(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Leads to the bundle by a link of five minutes; every link is on record."""
    made = get_object_or_404(ExportRecord, pk=pk)
    return HttpResponseRedirect(evidence.link(made=made, by=request.user))


def _context(request: StaffRequest, made: ExportRecord) -> dict[str, Any]:
    job = made.job
    unfinished = made.dataset == evidence.DATASET and made.finished_at is None
    stopped = unfinished and (job is None or job.state in (Job.State.DEAD, Job.State.DISCARDED))
    kept = bool(made.storage_key) and made.purged_at is None
    return {
        "made": made,
        "what": DATASETS.get(made.dataset, made.dataset),
        "job": job,
        "working": unfinished and not stopped,
        "stopped": stopped,
        "over": made.expires_at is not None and made.expires_at <= clock.now(),
        "ready": kept and made.expires_at is not None and made.expires_at > clock.now(),
        "mine": made.user_id == request.user.pk and request.user.may(evidence.EXPORT),
        "subject_page": subjects.page(made.subject_type, made.subject_id) if made.subject_id else "",
    }


urlpatterns = [
    path("exports/", export_list, name="export_list"),
    path("exports/<uuid:pk>/", export, name="export"),
    path("exports/<uuid:pk>/progress/", export_progress, name="export_progress"),
    path("exports/<uuid:pk>/download/", export_download, name="export_download"),
]
