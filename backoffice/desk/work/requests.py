"""Requests for approval: what waits for whom, what exactly is asked for, and the decision (S-125)."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.approvals import kinds, queries
from backoffice.approvals.models import Approval, ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import UNFINISHED, Status
from backoffice.audit import queries as audit
from backoffice.core import stored
from backoffice.core.errors import DomainError
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.system import subjects

# Whoever may ask for something that needs a second person, or be that person.
MAY = (
    "payouts.approve",
    "payments.approve",
    "payments.propose_refund",
    "fees.approve",
    "staff.decide",
    "settings.decide",
    "settings.edit_limited",
    "switches.edit",
)
# These are decided on a page of their own, which shows more than before and after.
OWN_PAGES: dict[str, str] = {"payout": "desk:payout"}
# The same, where the page is about the request and not about its object.
REQUEST_PAGES: dict[str, str] = {"fee_rule": "desk:fee_request"}

TABS = {
    "mine": gettext_lazy("Waits for me"),
    "asked": gettext_lazy("Asked by me"),
    "open": gettext_lazy("All open"),
    "over": gettext_lazy("Decided"),
}
TONES = {
    Status.PENDING: "warn",
    Status.APPROVED: "info",
    Status.APPLIED: "ok",
    Status.FAILED: "danger",
    Status.REJECTED: "muted",
    Status.EXPIRED: "muted",
    Status.WITHDRAWN: "muted",
}


@screen(permission=MAY, title=gettext_lazy("Approvals"), methods=("GET", "HEAD"))
def approval_list(request: StaffRequest) -> HttpResponse:
    """What waits for this person first; then what they asked for, everything open, and what is over."""
    tab = request.GET.get("tab", "mine")
    tab = tab if tab in TABS else "mine"
    rows = _rows(request.user, tab)
    about = request.GET.get("q", "").strip()[:200]
    if about:
        rows = queries.visible_to(request.user).filter(Q(reference__iexact=about) | Q(label__icontains=about))
    kind = request.GET.get("kind", "")
    if kind in kinds.KINDS:
        rows = rows.filter(kind=kind)
    given = (
        Approval.objects.filter(request=OuterRef("pk"), revision=OuterRef("revision"))
        .order_by()
        .values("request")
        .annotate(count=Count("id"))
        .values("count")
    )
    page = keyset(
        request,
        rows.select_related("requested_by").annotate(given=Coalesce(Subquery(given), 0)),
        by=("id",) if tab == "mine" and not about else ("-id",),
    )
    return render(
        request,
        "desk/work/requests/list.html",
        {
            "page": page,
            "rows": [(row, _label_of(row)) for row in page.items],
            "tabs": TABS.items(),
            "tab": "" if about else tab,
            "q": about,
            "kind": kind,
            "kinds": sorted(((rule.code, str(rule.label)) for rule in kinds.KINDS.values()), key=lambda pair: pair[1]),
            "tones": TONES,
        },
    )


def _rows(user: User, tab: str) -> QuerySet[ApprovalRequest]:
    if tab == "mine":
        return queries.waiting_for(user)
    if tab == "asked":
        return ApprovalRequest.objects.filter(requested_by=user)
    visible = queries.visible_to(user)
    return visible.filter(status__in=UNFINISHED) if tab == "open" else visible.exclude(status__in=UNFINISHED)


def _label_of(asked: ApprovalRequest) -> str:
    rule = kinds.KINDS.get(asked.kind)
    return str(rule.label) if rule is not None else asked.kind


@screen(permission=MAY, title=gettext_lazy("Request for approval"), methods=("GET", "HEAD"))
def approval_detail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """What is asked for, line by line against what is in force, who asked and why, and who has said yes."""
    asked = _visible(request.user, pk)
    approvals = list(asked.approvals.select_related("approver").order_by("approved_at", "id"))
    counting = [approval for approval in approvals if approval.revision == asked.revision]
    waits = asked.status == Status.PENDING
    own = asked.requested_by_id == request.user.pk
    decides = asked.kind in queries.kinds_of(request.user)
    subject_id = asked.subject_id.partition(":")[0]
    request.desk["title"] = asked.reference
    return render(
        request,
        "desk/work/requests/detail.html",
        {
            "asked": asked,
            "kind": _label_of(asked),
            "lines": _lines(asked),
            "approvals": counting,
            "void": len(approvals) - len(counting),
            "missing": max(0, asked.needed - len(queries.counting(asked, counting))),
            "own_page": own_page(asked),
            "subject_page": subjects.page(asked.subject_type, subject_id) if subject_id else "",
            "waits": waits,
            "own": own,
            "decides": decides,
            "why_not": requests.why_not(asked, request.user) if waits and decides else "",
            "may_withdraw": own and asked.status in UNFINISHED and not own_page(asked),
            "tones": TONES,
            "timeline": audit.for_subject(asked)[:40],
        },
    )


def own_page(asked: ApprovalRequest) -> str:
    """Where a request of its kind is decided, when that is not here."""
    if asked.kind in REQUEST_PAGES:
        return reverse(REQUEST_PAGES[asked.kind], args=[asked.pk])
    return reverse(OWN_PAGES[asked.kind], args=[asked.subject_id]) if asked.kind in OWN_PAGES else ""


def _lines(asked: ApprovalRequest) -> list[kinds.Line]:
    """The request in words; the plain keys where its kind has none."""
    rule = kinds.KINDS.get(asked.kind)
    if rule is not None and rule.lines is not None:
        return rule.lines(asked)
    before = asked.before or {}
    names = dict.fromkeys([*before, *asked.payload])
    return [kinds.Line(name, str(before.get(name, "")), str(asked.payload.get(name, ""))) for name in names]


def _visible(user: User, pk: UUID) -> ApprovalRequest:
    """The request; 404 for who has nothing to do with it."""
    asked = queries.visible_to(user).select_related("requested_by", "decided_by").filter(pk=pk).first()
    if asked is None:
        raise Http404(_("There is no such request."))
    return asked


def seen_revision(request: StaffRequest) -> int:
    """The revision that the person saw; 0, which no request has, when the form does not say."""
    seen = request.POST.get("revision", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 9 else 0


def carry_out(request: StaffRequest, act: Callable[[], ApprovalRequest], done: str, *, back: str) -> HttpResponse:
    """Calls the service, tells the person what came of it (a refusal as its sentence), and goes to ``back``."""
    try:
        result = act()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        if result.status == Status.FAILED:
            messages.error(
                request, _("Approved, but it could not be carried out: %(why)s") % {"why": stored.shown(result.failure)}
            )
        else:
            messages.success(request, done)
    return HttpResponseRedirect(back)


def _decide(
    request: StaffRequest, pk: UUID, act: Callable[[ApprovalRequest], ApprovalRequest], done: str
) -> HttpResponse:
    """One decision here, or the way to the page on which requests of this kind are decided."""
    asked = _visible(request.user, pk)
    if page := own_page(asked):
        return HttpResponseRedirect(page)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("desk:approval_detail", args=[pk])
    return carry_out(request, lambda: act(asked), done, back=back)


@require_POST
@screen(permission=MAY, title=gettext_lazy("Request for approval"))
@stepup.required
def approval_approve(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One person's yes to the revision that they saw, given with a fresh second factor."""
    revision = seen_revision(request)
    return _decide(
        request,
        pk,
        lambda asked: requests.approve(request=asked, by=request.user, revision=revision),
        _("Your approval is recorded."),
    )


@require_POST
@screen(permission=MAY, title=gettext_lazy("Request for approval"))
@stepup.required
def approval_reject(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One person's no, with its reason."""
    reason = request.POST.get("reason", "")
    return _decide(
        request,
        pk,
        lambda asked: requests.reject(request=asked, by=request.user, reason=reason),
        _("The request is rejected."),
    )


@require_POST
@screen(permission=MAY, title=gettext_lazy("Request for approval"))
def approval_withdraw(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes one's own request back."""
    reason = request.POST.get("reason", "")
    return _decide(
        request,
        pk,
        lambda asked: requests.withdraw(request=asked, by=request.user, reason=reason),
        _("The request is withdrawn."),
    )


urlpatterns = [
    path("approvals/", approval_list, name="approval_list"),
    path("approvals/<uuid:pk>/", approval_detail, name="approval_detail"),
    path("approvals/<uuid:pk>/approve/", approval_approve, name="approval_approve"),
    path("approvals/<uuid:pk>/reject/", approval_reject, name="approval_reject"),
    path("approvals/<uuid:pk>/withdraw/", approval_withdraw, name="approval_withdraw"),
]
