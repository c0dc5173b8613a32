"""The application queue and the dossier where one is decided (W-001 to W-003)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from backoffice.accounts import stepup
from backoffice.audit import queries as audit
from backoffice.catalogue import queries as catalogue
from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError, Forbidden, NotFound
from backoffice.creators import policies, queries, states
from backoffice.creators.models import CreatorApplication
from backoffice.creators.queries import Dossier
from backoffice.creators.services import applications, reviews
from backoffice.desk import kept
from backoffice.desk.creators.documents import shown, viewer
from backoffice.desk.creators.forms import ReviewForm, initial
from backoffice.desk.paging import keyset, number
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.media import queries as media
from backoffice.media.models import Asset
from backoffice.media.services import links
from backoffice.queues.models import WorkItem
from backoffice.queues.services import items
from backoffice.queues.services.items import AtCapacity, LeaseLost, OffDuty
from backoffice.support import queries as support

VIEW = "applications.view"
DECIDE = states.DECIDE
TIMELINE = 40
TAB_LABELS = {
    "unclaimed": gettext_lazy("Unclaimed"),
    "mine": gettext_lazy("Mine"),
    "waiting": gettext_lazy("Waiting on applicant"),
    "overdue": gettext_lazy("Overdue"),
    "decided": gettext_lazy("Decided"),
}
ORDER = ("submitted_at", "id")
ORDER_DECIDED = ("-decided_at", "-id")
FILTERS = ("q", "country", "language", "category", "reviewer", "missing", "age", "followers")
# What an applicant may still owe, in a word or two.
MISSING = {
    "government_id": gettext_lazy("Government ID"),
    "social": gettext_lazy("Social account"),
    "sample": gettext_lazy("Sample video"),
    "profile": gettext_lazy("Profile"),
    "background": gettext_lazy("Papers for the background check"),
    "note": gettext_lazy("Written answer"),
}
DAYS = (1, 3, 7, 30)
FOLLOWERS = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list: the application, its work item, who holds it, whether it is late."""

    application: CreatorApplication
    item: WorkItem | None
    holder: str
    late: bool
    missing: list[str | Promise]


@screen(permission=VIEW, title=gettext_lazy("Creator applications"), methods=("GET", "HEAD"))
def application_list(request: StaffRequest) -> HttpResponse:
    """The queue in five tabs; the same few statements whatever it holds."""
    at = clock.now()
    tab = request.GET.get("tab", "")
    tab = tab if tab in TAB_LABELS else "unclaimed"
    filters = {name: request.GET.get(name, "").strip()[:60] for name in FILTERS}
    kept = {name: value for name, value in filters.items() if value}
    reviewers = {str(person.pk): person.display_name for person in support.staff_with(DECIDE)}
    rows = queries.matching(
        queries.in_tab(tab, user=request.user, at=at),
        text=filters["q"],
        country=filters["country"],
        language=filters["language"],
        category=filters["category"],
        reviewer=filters["reviewer"] if filters["reviewer"] in ("nobody", *reviewers) else "",
        missing=filters["missing"],
        submitted_before=at - timedelta(days=days) if (days := number(filters["age"], 0)) else None,
        followers=number(filters["followers"], 0, most=10**9),
    )
    page = keyset(request, rows, by=ORDER_DECIDED if tab == "decided" else ORDER)
    work = queries.work_items(page.items)
    counts = queries.tab_counts(user=request.user, at=at)
    return render(
        request,
        "desk/creators/applications/list.html",
        {
            "tab": tab,
            "tabs": [
                {
                    "code": code,
                    "label": label,
                    "count": counts.get(code),
                    "query": "?" + urlencode({"tab": code, **kept}),
                }
                for code, label in TAB_LABELS.items()
            ],
            "lines": [_line(application, work.get(application.pk), at) for application in page.items],
            "page": page,
            "filters": filters,
            "category_names": catalogue.category_names(),
            "reviewers": reviewers,
            "missing": MISSING,
            "days": DAYS,
            "followers": FOLLOWERS,
            "filtered": bool(kept),
            "may_decide": request.user.may(DECIDE),
            "undoable": queries.undoable(request.user, at=at),
        },
    )


def _line(application: CreatorApplication, item: WorkItem | None, at: datetime) -> Line:
    held = _holder(item, at)
    return Line(
        application=application,
        item=item,
        holder=held.holder.display_name if held is not None and held.holder is not None else "",
        late=item is not None
        and item.state in (WorkItem.State.OPEN, WorkItem.State.CLAIMED)
        and item.due_at is not None
        and item.due_at < at,
        missing=[MISSING[code] for code in queries.missing(application)],
    )


def _holder(item: WorkItem | None, at: datetime) -> WorkItem | None:
    """The item if somebody holds it under a running lease."""
    held = item is not None and item.state == WorkItem.State.CLAIMED and item.lease_until is not None
    return item if held and item is not None and item.lease_until and item.lease_until >= at else None


def find(pk: UUID) -> Dossier:
    """The dossier. Raises NotFound."""
    dossier = queries.dossier(pk)
    if dossier is None:
        raise NotFound(_("There is no such application."))
    return dossier


@screen(permission=VIEW, title=gettext_lazy("Application"), methods=("GET", "HEAD"))
def application_detail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """The dossier: everything about one application beside the decision."""
    return show(request, find(pk))


def show(
    request: StaffRequest,
    dossier: Dossier,
    *,
    form: ReviewForm | None = None,
    problem: DomainError | None = None,
    document: str = "",
    refusal: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The dossier page: ``form`` with what was typed, ``problem`` why it was refused, ``document`` in the viewer;
    ``refusal`` is why that document could not be refused and the reason that was typed.
    """
    at = clock.now()
    application = dossier.application
    held = _holder(dossier.item, at)
    mine = held is not None and held.holder_id == request.user.pk
    if form is None:
        form = ReviewForm(initial=initial(dossier), dossier=dossier)
    request.desk["title"] = application.reference
    sees_documents = request.user.may("documents.view")
    bench = "1" in (request.GET.get("bench"), request.POST.get("bench"))
    in_view = shown(dossier.documents, document or request.GET.get("document", ""))
    papers = viewer(request, dossier.documents, in_view, bench=bench)
    return render(
        request,
        "desk/creators/applications/detail.html",
        {
            "dossier": dossier,
            "application": application,
            "item": dossier.item,
            "form": form,
            "token": held.lease_token if mine and held is not None else "",
            "mine": mine,
            "holder": held.holder if held is not None and not mine else None,
            "seconds_left": int((held.lease_until - at).total_seconds()) if held and held.lease_until else 0,
            "claimable": dossier.item is not None
            and held is None
            and dossier.item.state in (WorkItem.State.OPEN, WorkItem.State.CLAIMED),
            "bench": bench,
            "kept": _thing(application.pk),
            "undoable": queries.undoable(request.user, at=at),
            "problem": problem,
            "refusal": refusal,
            "unmet": problem.unmet if isinstance(problem, policies.NotReady) else (),
            "may_decide": request.user.may(DECIDE),
            "sees_documents": sees_documents,
            **(papers if sees_documents else {"documents": dossier.documents}),
            "held": list(queries.holds_on(application.applicant_id, at=at)),
            "sees_holds": request.user.may("privacy.view"),
            "places_holds": request.user.may("privacy.decide"),
            "category_names": catalogue.category_names(),
            "sample": _sample(application.sample) if application.sample is not None else None,
            "reasons": _reject_reasons(application.applicant.language),
            "asks": _asks(application.applicant.language),
            "request_intro": _intro(application.applicant.language),
            "to_activate": policies.missing_to_activate(application.creator)
            if application.creator is not None and application.status == states.ApplicationStatus.APPROVED
            else None,
            "entries": audit.for_subject(application)[:TIMELINE],
        },
        status=status,
    )


def _thing(pk: UUID) -> str:
    """By what name the page keeps what is typed about this application."""
    return f"application:{pk}"


def _sample(sample: Asset) -> dict[str, Any]:
    """Links to what a reviewer plays and looks at, each valid for minutes."""
    found = media.renditions(sample)
    player = found["preview"] or sample
    return {
        "asset": sample,
        "player": _link(player),
        "poster": _link(found["thumbnail"]),
        "frames": _link(found["frame_grid"]),
        "seconds": (sample.duration_ms or 0) // 1000,
        **_quality(sample),
    }


# Speech of other platforms lies between -24 and -9; what is outside is worth a second listen.
QUIET, LOUD = -30.0, -6.0
LINES = 720


def _quality(sample: Asset) -> dict[str, Any]:
    """What was measured of picture and sound, and what stands out."""
    details = sample.details
    loudness = details.get("loudness_lufs")
    volume = ""
    if loudness is not None:
        volume = "quiet" if loudness < QUIET else "loud" if loudness > LOUD else ""
    fps = details.get("fps")
    return {
        "fps": round(fps) if fps else None,
        "small": 0 < min(sample.width or 0, sample.height or 0) < LINES,
        "sound": bool(details.get("audio_codec")) or "audio_codec" not in details,
        "loudness": loudness,
        "volume": volume,
    }


def _link(asset: Asset | None) -> str:
    return links.signed_url(asset) if asset is not None and asset.is_ready else ""


def _reject_reasons(language: str) -> list[dict[str, str]]:
    return [
        {
            "key": str(number),
            "code": str(code.value),
            "label": str(code.label),
            "text": reviews.rejection_text(code, language=language),
        }
        for number, code in enumerate(states.STAFF_REJECT_REASONS, start=1)
    ]


def _asks(language: str) -> list[dict[str, str]]:
    """What can be asked for: the reviewer's label and the line that the applicant reads."""
    with override(language):
        lines = {item: str(item.label) for item in states.InfoItem}
    return [{"code": item.value, "label": str(item.label), "line": lines[item]} for item in states.InfoItem]


def _intro(language: str) -> str:
    return reviews.request_text([], language=language)


# --- verbs -----------------------------------------------------------------------------------------------


@screen(permission=DECIDE, title=gettext_lazy("Next application"), methods=("POST",))
def application_next(request: StaffRequest) -> HttpResponse:
    """Claims the next application and opens it."""
    return _next(request)


def _next(request: StaffRequest) -> HttpResponse:
    try:
        claimed = applications.claim_next(by=request.user)
    except (OffDuty, AtCapacity) as refusal:
        messages.warning(request, str(refusal))
        return redirect("desk:application_list")
    if claimed is None:
        messages.info(request, _("Nothing waits for you. Well done."))
        return redirect("desk:application_list")
    application, _item = claimed
    return HttpResponseRedirect(f"{reverse('desk:application_detail', args=[application.pk])}?bench=1")


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_claim(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Claims this application; what was typed before a lease ran out stays in the form."""
    dossier = find(pk)
    typed = "notes" in request.POST
    try:
        applications.claim(application=dossier.application, by=request.user)
    except (Conflict, Forbidden) as error:
        kept = ReviewForm(request.POST, dossier=dossier) if typed else None
        return show(request, find(pk), form=kept, problem=error, status=409)
    if not typed:
        return HttpResponseRedirect(reverse("desk:application_detail", args=[pk]) + _bench(request.POST))
    dossier = find(pk)
    return show(request, dossier, form=ReviewForm(request.POST, dossier=dossier))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_release(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Gives the application back to the queue."""
    dossier = find(pk)
    try:
        applications.release(application=dossier.application, by=request.user, token=request.POST.get("token", ""))
    except Conflict as error:
        return show(request, find(pk), form=ReviewForm(request.POST, dossier=dossier), problem=error, status=409)
    messages.info(request, _("%(reference)s is back in the queue.") % {"reference": dossier.application})
    return kept.settle(redirect("desk:application_list"), _thing(pk))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_skip(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Gives the application back, does not offer it to this person again, and hands out the next."""
    dossier = find(pk)
    try:
        applications.skip(application=dossier.application, by=request.user, token=request.POST.get("token", ""))
    except Conflict as error:
        return show(request, find(pk), form=ReviewForm(request.POST, dossier=dossier), problem=error, status=409)
    return kept.settle(_next(request), _thing(pk))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_heartbeat(request: StaffRequest, pk: UUID) -> JsonResponse:
    """Renews the lease; 409 says who has the application now."""
    dossier = find(pk)
    try:
        if dossier.item is None:
            raise LeaseLost(_("This is finished."))
        item = items.heartbeat(dossier.item, token=request.POST.get("token", ""), by=request.user)
    except Conflict as error:
        return JsonResponse({"message": str(error)}, status=409)
    return JsonResponse({"until": item.lease_until.isoformat() if item.lease_until else ""})


type Act = Callable[[Dossier, ReviewForm, reviews.Findings, UUID | str], None]


def _act(
    request: StaffRequest, pk: UUID, act: Act, *, done: str, stay: bool = False, strict: bool | None = None
) -> HttpResponse:
    """Runs one verb with the posted form. A refusal shows the dossier again with all that was typed.

    `strict` as in `_to_verify`; None is a verb that verifies nothing. Findings that decide about documents need a
    factor from the last minutes, as every such decision; whoever has just looked at the document has given it.
    """
    dossier = find(pk)
    form = ReviewForm(request.POST, dossier=dossier)
    if not form.is_valid():
        return show(request, dossier, form=form, status=400)
    findings = form.findings(documents=() if strict is None else _to_verify(request, dossier, strict=strict))
    if reviews.judges_documents(dossier.documents, findings, by=request.user) and not stepup.is_fresh(request):
        return stepup.demand(request)
    try:
        act(dossier, form, findings, form.cleaned_data["token"] or "")
    except DomainError as error:
        fresh = find(pk)
        return show(request, fresh, form=ReviewForm(request.POST, dossier=fresh), problem=error, status=409)
    messages.success(request, done % {"reference": dossier.application.reference})
    if stay:
        query = _bench(request.POST)
        return HttpResponseRedirect(reverse("desk:application_detail", args=[pk]) + query)
    answer = _next(request) if _bench(request.POST) else redirect("desk:application_list")
    return kept.settle(answer, _thing(pk))


def _bench(posted: QueryDict) -> str:
    return "?bench=1" if posted.get("bench") == "1" else ""


def _to_verify(request: StaffRequest, dossier: Dossier, *, strict: bool) -> tuple[UUID, ...]:
    """The pending IDs that this decision verifies: those that this reviewer opened.

    `strict` names an unopened one when none is, so that the domain says "open it first".
    """
    if not request.user.may("documents.decide"):
        return ()
    pending = [
        d
        for d in dossier.documents
        if d.document_type in states.IDENTITY_TYPES and d.status == states.DocumentStatus.PENDING
    ]
    opened = [d.pk for d in pending if d.opened_by_id == request.user.pk]
    return tuple(opened or ([d.pk for d in pending] if strict else []))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_save(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Keeps the findings without deciding."""

    def act(dossier: Dossier, form: ReviewForm, findings: reviews.Findings, token: UUID | str) -> None:
        applications.save_review(
            application=dossier.application,
            by=request.user,
            token=token,
            findings=findings,
        )

    return _act(request, pk, act, done=_("Saved."), stay=True, strict=False)


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_approve(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Approves: every check that still stands is recorded as passed."""

    def act(dossier: Dossier, form: ReviewForm, findings: reviews.Findings, token: UUID | str) -> None:
        applications.approve(
            application=dossier.application,
            by=request.user,
            token=token,
            findings=findings,
        )

    return _act(request, pk, act, done=_("%(reference)s is approved."), strict=True)


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_reject(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Rejects with the reason of the pressed button; the reviewer's own words follow its sentence."""

    def act(dossier: Dossier, form: ReviewForm, findings: reviews.Findings, token: UUID | str) -> None:
        code = request.POST.get("code", "")
        own = form.cleaned_data["reject_text"].strip()
        if own and code in states.STAFF_REJECT_REASONS and code != states.RejectReason.OTHER:
            sentence = reviews.rejection_text(code, language=dossier.application.applicant.language)
            own = f"{sentence}\n\n{own}"
        applications.reject(
            application=dossier.application,
            by=request.user,
            token=token,
            code=code,
            text=own,
            findings=findings,
        )

    return _act(request, pk, act, done=_("%(reference)s is rejected."))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_request_info(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Asks the applicant for what is missing; the clock pauses and the answer comes back to this reviewer."""

    def act(dossier: Dossier, form: ReviewForm, findings: reviews.Findings, token: UUID | str) -> None:
        applications.request_info(
            application=dossier.application,
            by=request.user,
            token=token,
            text=form.cleaned_data["request_text"],
            asked=form.cleaned_data["asked"],
            findings=findings,
        )

    return _act(request, pk, act, done=_("The applicant of %(reference)s is asked."))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_escalate(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Passes the application on to the supervisors, with a note and what was found so far."""

    def act(dossier: Dossier, form: ReviewForm, findings: reviews.Findings, token: UUID | str) -> None:
        applications.escalate(
            application=dossier.application,
            by=request.user,
            token=token,
            reason=form.cleaned_data["escalate_reason"],
            findings=findings,
        )

    return _act(request, pk, act, done=_("%(reference)s was passed on to the supervisors."))


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_undo(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes a decision back before it takes effect and opens its application again."""
    dossier = find(pk)
    try:
        applications.undo(application=dossier.application, by=request.user)
    except Conflict as error:
        return show(request, find(pk), problem=error, status=409)
    messages.success(request, _("The decision on %(reference)s was taken back.") % {"reference": dossier.application})
    return HttpResponseRedirect(f"{reverse('desk:application_detail', args=[pk])}?bench=1")


@screen(permission=DECIDE, title=gettext_lazy("Application"), methods=("POST",))
def application_activate(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Lets an approved creator go live when every fact is there."""
    dossier = find(pk)
    try:
        applications.activate(application=dossier.application, by=request.user)
    except DomainError as error:
        return show(request, find(pk), problem=error, status=409)
    messages.success(request, _("The creator is live."))
    return redirect("desk:application_detail", pk=pk)


urlpatterns = [
    path("applications/", application_list, name="application_list"),
    path("applications/next/", application_next, name="application_next"),
    path("applications/<uuid:pk>/", application_detail, name="application_detail"),
    path("applications/<uuid:pk>/claim/", application_claim, name="application_claim"),
    path("applications/<uuid:pk>/release/", application_release, name="application_release"),
    path("applications/<uuid:pk>/skip/", application_skip, name="application_skip"),
    path("applications/<uuid:pk>/heartbeat/", application_heartbeat, name="application_heartbeat"),
    path("applications/<uuid:pk>/save/", application_save, name="application_save"),
    path("applications/<uuid:pk>/approve/", application_approve, name="application_approve"),
    path("applications/<uuid:pk>/reject/", application_reject, name="application_reject"),
    path("applications/<uuid:pk>/request-info/", application_request_info, name="application_request_info"),
    path("applications/<uuid:pk>/escalate/", application_escalate, name="application_escalate"),
    path("applications/<uuid:pk>/undo/", application_undo, name="application_undo"),
    path("applications/<uuid:pk>/activate/", application_activate, name="application_activate"),
]
