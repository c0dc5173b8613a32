"""Imports: upload, dry run, errors, confirmation, progress (W-033)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.audit import exports
from backoffice.configuration import values
from backoffice.core.errors import DomainError, Invalid, NotFound
from backoffice.core.models import Job
from backoffice.core.tables import XLSX, Table
from backoffice.desk import downloads
from backoffice.desk.paging import number
from backoffice.desk.screens import StaffRequest, partial, render, screen
from backoffice.journeys.models import ImportRun
from backoffice.journeys.queries import imports as queries
from backoffice.journeys.services.imports import forms, runs
from backoffice.journeys.services.imports.resources import TABLES
from backoffice.journeys.states import EDIT, RUNNING

VIEW = "imports.view"
PAGE = 30


@screen(permission=VIEW, title=gettext_lazy("Imports"), methods=("GET", "HEAD"))
def import_list(request: StaffRequest) -> HttpResponse:
    """The runs, newest first, and the way to a new one."""
    page = number(request.GET.get("page", ""), 1)
    rows = list(queries.run_list()[(page - 1) * PAGE : page * PAGE + 1])
    return render(
        request,
        "desk/imports/runs/list.html",
        {
            "runs": rows[:PAGE],
            "page": page,
            "has_next": len(rows) > PAGE,
            "may_edit": request.user.may(EDIT),
            "tables": _tables(),
        },
    )


@screen(permission=EDIT, title=gettext_lazy("New import"))
def import_new(request: StaffRequest, resource: str) -> HttpResponse:
    """The upload of one table, with its columns explained."""
    table = TABLES.get(resource)
    if table is None:
        raise NotFound(_("There is no such table."))
    error: DomainError | None = None
    if request.method == "POST":
        upload = request.FILES.get("file")
        try:
            if not isinstance(upload, UploadedFile):
                raise Invalid(_("Choose a file."), field="file")
            run = runs.start(
                resource=resource,
                filename=upload.name or "file",
                content=_content(upload),
                by=request.user,
                session=request.session.session_key or "",
            )
        except DomainError as refusal:
            error = refusal
        else:
            return redirect("desk:import_run", run.pk)
    request.desk = {"title": _("Import: %(what)s") % {"what": ImportRun.Resource(resource).label}}
    return render(
        request,
        "desk/imports/runs/new.html",
        {
            "resource": resource,
            "describes": table.describes,
            "columns": table.columns(),
            "error": error,
            "max_mebibytes": values.get("import.max_mebibytes"),
            "max_rows": values.get("import.max_rows"),
        },
        status=200 if error is None else 400 if isinstance(error, Invalid) else 409,
    )


@screen(permission=VIEW, title=gettext_lazy("Import"), methods=("GET", "HEAD"))
def import_template(request: StaffRequest, resource: str, kind: str) -> HttpResponse:
    """The empty table to fill in."""
    if resource not in TABLES or kind not in ("csv", "xlsx"):
        raise NotFound(_("There is no such table."))
    content = forms.csv_template(resource) if kind == "csv" else forms.xlsx_template(resource)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8" if kind == "csv" else XLSX)
    response["Content-Disposition"] = f'attachment; filename="{resource}-template.{kind}"'
    return response


@screen(permission=VIEW, title=gettext_lazy("Import"), methods=("GET", "HEAD"))
def import_run(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """One run: progress while a job works, then what was found, then the confirmation."""
    run = _find(run_id)
    request.desk = {"title": f"{run.reference} · {run.get_resource_display()}"}
    return render(request, "desk/imports/runs/detail.html", _context(request, run))


@screen(permission=VIEW, title=gettext_lazy("Import"), methods=("GET", "HEAD"))
def import_progress(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """The part of the page that changes while a job works; asks the page to load anew when it is done."""
    run = _find(run_id)
    context = _context(request, run)
    response = partial(request, "desk/imports/runs/_progress.html", context)
    if not context["working"]:
        response["HX-Refresh"] = "true"
    return response


@screen(permission=VIEW, title=gettext_lazy("Import"), methods=("POST",))
@stepup.required
def import_errors(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Every error with what was typed, as CSV; on record with its reason."""
    run = _find(run_id)
    made = exports.record(
        dataset="import_run",
        by=request.user,
        format="csv",
        reason=request.POST.get("reason", ""),
        subject=run,
    )
    header = [_("row"), _("column"), _("value"), _("cause")]
    return downloads.answer(made, [Table(_("Errors"), header, queries.all_errors(run))], name=f"{run.reference}-errors")


@screen(permission=EDIT, title=gettext_lazy("Import"), methods=("POST",))
def import_confirm(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Asks for the writing of a checked file."""
    run = _find(run_id)
    try:
        runs.confirm(
            run=run,
            by=request.user,
            session=request.session.session_key or "",
            digest=request.POST.get("digest", ""),
        )
    except DomainError as error:
        run = _find(run_id)
        request.desk = {"title": f"{run.reference} · {run.get_resource_display()}"}
        return render(request, "desk/imports/runs/detail.html", {**_context(request, run), "error": error}, status=409)
    return redirect("desk:import_run", run.pk)


@screen(permission=EDIT, title=gettext_lazy("Import"), methods=("POST",))
def import_discard(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Throws a file away that was not written."""
    run = runs.discard(run=_find(run_id), by=request.user)
    messages.success(request, _("%(reference)s was discarded.") % {"reference": run.reference})
    return redirect("desk:import_list")


def _content(upload: UploadedFile) -> bytes:
    """The bytes, read only as far as the limit: one more byte is enough for the refusal."""
    limit = values.get("import.max_mebibytes") * runs.MIB
    return upload.read(limit + 1)


def _tables() -> list[dict[str, Any]]:
    return [
        {"code": code, "label": ImportRun.Resource(code).label, "describes": table.describes}
        for code, table in TABLES.items()
    ]


def _find(run_id: UUID) -> ImportRun:
    run = queries.run_list().filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such import."))
    return run


def _context(request: StaffRequest, run: ImportRun) -> dict[str, Any]:
    job = run.job
    stopped = job is not None and job.state in (Job.State.DEAD, Job.State.DISCARDED) and run.status in RUNNING
    mine = run.created_by_id == request.user.pk
    same_session = run.session_digest == runs.session_digest(request.session.session_key or "")
    errors = queries.first_errors(run) if run.errors_total else []
    return {
        "run": run,
        "job": job,
        "stopped": stopped,
        "working": run.status in RUNNING and not stopped,
        "errors": errors,
        "more_errors": run.errors_total - len(errors),
        "may_edit": request.user.may(EDIT),
        "may_confirm": mine and same_session and request.user.may(EDIT),
        "can_discard": run.machine.allows(run.status, "discard") and request.user.may(EDIT),
    }


urlpatterns = [
    path("", import_list, name="import_list"),
    path("new/<slug:resource>/", import_new, name="import_new"),
    path("template/<slug:resource>.<slug:kind>", import_template, name="import_template"),
    path("<uuid:run_id>/", import_run, name="import_run"),
    path("<uuid:run_id>/progress/", import_progress, name="import_progress"),
    path("<uuid:run_id>/errors.csv", import_errors, name="import_errors"),
    path("<uuid:run_id>/confirm/", import_confirm, name="import_confirm"),
    path("<uuid:run_id>/discard/", import_discard, name="import_discard"),
]
