"""Background work: what runs, what is due, and the dead letters with their errors (O-025)."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backoffice.audit import entries
from backoffice.core import clock, jobs
from backoffice.core.models import Job
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, partial, render, screen

TABS = {
    "running": (Job.State.RUNNING, gettext_lazy("Running")),
    "due": (Job.State.DUE, gettext_lazy("Due")),
    "dead": (Job.State.DEAD, gettext_lazy("Dead letters")),
    "done": (Job.State.DONE, gettext_lazy("Done")),
    "discarded": (Job.State.DISCARDED, gettext_lazy("Discarded")),
}


@screen(permission="jobs.view", title=gettext_lazy("Jobs"), methods=("GET", "HEAD"))
def job_list(request: StaffRequest) -> HttpResponse:
    """One tab per state; the running tab refreshes itself."""
    counts = jobs.counts()
    tab = request.GET.get("tab", "")
    if tab not in TABS:
        tab = "dead" if counts["dead"] else "running"
    state, _label = TABS[tab]
    rows = Job.objects.filter(state=state).select_related("created_by")
    kind = request.GET.get("kind", "").strip()
    if kind:
        rows = rows.filter(kind__startswith=kind)
    context = {
        "tab": tab,
        "tabs": [(code, label, counts.get(code)) for code, (_state, label) in TABS.items()],
        "page": keyset(request, rows, by=("run_after", "id") if tab == "due" else ("-id",)),
        "kind": kind,
        "now": clock.now(),
        "may_edit": request.user.may("jobs.edit"),
    }
    if request.headers.get("HX-Request"):
        return partial(request, "desk/system/jobs/rows.html", context)
    return render(request, "desk/system/jobs/list.html", context)


@require_POST
@screen(permission="jobs.edit", title=gettext_lazy("Jobs"))
def job_retry(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Puts a dead letter back in line."""
    job = get_object_or_404(Job, id=job_id)
    with transaction.atomic():
        moved = jobs.retry(job)
        if moved:
            entries.record(action="job.retry", by=request.user, subject=job, data={"kind": job.kind})
    return _back(request, moved, _("The job is in line again."))


@require_POST
@screen(permission="jobs.edit", title=gettext_lazy("Jobs"))
def job_discard(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """Takes a dead letter off the list, with the reason why nobody needs it."""
    job = get_object_or_404(Job, id=job_id)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Say why this job is not needed any more."))
        return HttpResponseRedirect(reverse("desk:job_list") + "?tab=dead")
    with transaction.atomic():
        moved = jobs.discard(job)
        if moved:
            entries.record(action="job.discard", by=request.user, subject=job, reason=reason, data={"kind": job.kind})
    return _back(request, moved, _("The job was discarded."))


def _back(request: HttpRequest, moved: bool, sentence: str) -> HttpResponseRedirect:
    if moved:
        messages.success(request, sentence)
    else:
        messages.error(request, _("This job is not a dead letter any more: somebody was faster."))
    return HttpResponseRedirect(reverse("desk:job_list") + "?tab=dead")
