"""Refunds that staff ask for: the list, one refund with its approvals and calls, and what a person can do about it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backoffice.accounts import stepup
from backoffice.approvals import queries as approvals
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status as ApprovalStatus
from backoffice.audit import queries as audit
from backoffice.core.errors import DomainError
from backoffice.desk.finance.entries import Shown, entries_of
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import Attempt, RefundRequest
from backoffice.finance.queries import refunds as queries
from backoffice.finance.services import refunds
from backoffice.finance.states import RefundStatus

# Support follows what it proposed; who earns what and the calls are finance's (P-018).
VIEW = ("payments.view", "payments.view_orders")

TABS: dict[str, tuple[Any, Q]] = {
    "waiting": (gettext_lazy("Waiting for approval"), queries.WAITING),
    "attention": (gettext_lazy("Needs attention"), queries.TROUBLED),
    "under_way": (gettext_lazy("Under way"), queries.UNDER_WAY),
    "succeeded": (gettext_lazy("Refunded"), Q(status=RefundStatus.SUCCEEDED)),
    "failed": (gettext_lazy("Failed"), Q(status=RefundStatus.FAILED)),
    "closed": (
        gettext_lazy("Rejected or withdrawn"),
        Q(status__in=[RefundStatus.REJECTED, RefundStatus.WITHDRAWN]),
    ),
    "all": (gettext_lazy("All"), Q()),
}
# Only what waits for somebody is counted: the rest grows for ever.
COUNTED = ("waiting", "attention", "under_way")

TONES = {
    RefundStatus.REQUESTED: "warn",
    RefundStatus.APPROVED: "info",
    RefundStatus.PROCESSING: "info",
    RefundStatus.UNKNOWN: "warn",
    RefundStatus.NEEDS_HUMAN: "danger",
    RefundStatus.SUCCEEDED: "ok",
    RefundStatus.FAILED: "danger",
    RefundStatus.REJECTED: "muted",
    RefundStatus.WITHDRAWN: "muted",
}
# Where the money is, and whose turn it is.
NEXT_STEP = {
    RefundStatus.REQUESTED: gettext_lazy("Nothing is sent yet: somebody of finance has to approve it."),
    RefundStatus.APPROVED: gettext_lazy("It is about to be sent."),
    RefundStatus.PROCESSING: gettext_lazy("The provider is asked how it ended; nobody has to do anything."),
    RefundStatus.UNKNOWN: gettext_lazy(
        "The provider's answer is missing. It is asked again by itself; after 23 hours a person has to look."
    ),
    RefundStatus.NEEDS_HUMAN: gettext_lazy(
        "Nothing more is sent by itself. Finance looks at the provider and then lets it go on, or gives it up."
    ),
    RefundStatus.FAILED: gettext_lazy(
        "The customer has not got this money. It can be asked for again on the payment's page, or finance gives it "
        "back another way."
    ),
}
CAME_BACK = gettext_lazy(
    "The customer's bank sent it back: the money lies with the provider again and the sale stands in the ledger as "
    "before. Finance asks for the refund again, or gives the money back another way; the customer was told."
)
CONTRADICTION = gettext_lazy(
    "The provider did what was closed here, and the ledger counts it. Finance finds out why with the provider; no "
    "button here moves this money."
)


@screen(permission=VIEW, title=gettext_lazy("Refunds"), methods=("GET", "HEAD"))
def refund_list(request: StaffRequest) -> HttpResponse:
    """One tab per state, what waits first; search by any reference that is on paper."""
    counts = queries.open_ones().aggregate(**{code: Count("id", filter=TABS[code][1]) for code in COUNTED})
    tab = request.GET.get("tab", "waiting")
    tab = tab if tab in TABS else "waiting"
    rows = queries.listing().filter(TABS[tab][1])
    query = request.GET.get("q", "").strip()
    if query:
        rows = _search(queries.listing(), query, at_provider=request.user.may("payments.view"))
    return render(
        request,
        "desk/finance/refunds/list.html",
        {
            "page": keyset(request, rows),
            "tabs": [(code, label, counts.get(code)) for code, (label, _where) in TABS.items()],
            "tab": "" if query else tab,
            "q": query,
            "tones": TONES,
        },
    )


def _search(rows: QuerySet[RefundRequest], query: str, *, at_provider: bool) -> QuerySet[RefundRequest]:
    """Exact references only: each is an index lookup, and nothing leaks by its beginning.

    The provider's own ids are for those who see payments; the others see orders (P-018).
    """
    fits = (
        Q(reference__iexact=query)
        | Q(payment__reference__iexact=query)
        | Q(payment__purchase__reference__iexact=query)
        | Q(ticket__iexact=query)
    )
    if at_provider:
        fits |= Q(provider_refund_id=query)
    return rows.filter(fits)


@screen(permission=VIEW, title=gettext_lazy("Refund"), methods=("GET", "HEAD"))
def refund(request: StaffRequest, refund_id: UUID) -> HttpResponse:
    """What is given back and why, who has to agree, what the provider was told and answered."""
    found = get_object_or_404(
        RefundRequest.objects.select_related(
            "payment__purchase__title", "payment__user", "requested_by", "approval__decided_by", "refund__entry"
        ),
        pk=refund_id,
    )
    user, asked = request.user, found.approval
    shows_money = user.may("payments.view")
    waits = asked is not None and asked.status == ApprovalStatus.PENDING
    decides = asked is not None and asked.kind in approvals.kinds_of(user)
    given = approvals.given(asked) if asked is not None else []
    why_not = requests.why_not(asked, user) if asked is not None and waits and decides else ""
    is_troubled = found.status == RefundStatus.NEEDS_HUMAN and user.may("payments.decide")
    context: dict[str, Any] = {
        "title": found.reference,
        "refund": found,
        "asked": asked,
        "given": given,
        "missing": max(0, asked.needed - len(approvals.counting(asked, given))) if asked is not None else 0,
        "shows_request": asked is not None and (decides or asked.requested_by_id == user.pk),
        "may_decide": waits and decides and not why_not,
        "why_not": why_not,
        "may_withdraw": waits and found.requested_by_id == user.pk,
        "may_resume": is_troubled,
        "next_step": _next_step(found),
        "tones": TONES,
        "shows_money": shows_money,
        "timeline": _timeline(found),
        "burden": refunds.burden(found.payment, found.amount_minor) if shows_money and waits else None,
    }
    if shows_money:
        context |= {
            "attempts": list(Attempt.objects.filter(subject_id=found.pk).order_by("first_sent_at", "id")),
            "entries": _posting(found),
        }
    return render(request, "desk/finance/refunds/detail.html", context)


def _timeline(found: RefundRequest) -> list[Any]:
    """The refund's own history and that of the request for approval, newest first."""
    happened = list(audit.for_subject(found)[:30])
    if found.approval is not None:
        happened += audit.for_subject(found.approval)[:30]
    return sorted(happened, key=lambda entry: entry.pk, reverse=True)[:40]


def _posting(found: RefundRequest) -> list[Shown]:
    """The ledger entry that counts this refund."""
    if found.refund is None:
        return []
    return [shown for shown in entries_of(found.payment) if shown.entry.pk == found.refund.entry_id]


def _next_step(found: RefundRequest) -> str:
    """Where the money is and who acts; empty when it is over for good."""
    if found.failure_code == refunds.CONTRADICTION:
        return str(CONTRADICTION)
    if found.status == RefundStatus.FAILED and found.succeeded_at is not None:
        return str(CAME_BACK)
    return str(NEXT_STEP.get(RefundStatus(found.status), ""))


def _carry_out(request: StaffRequest, act: Callable[[], Any], done: str, refund_id: UUID) -> HttpResponse:
    """Calls the service and tells the person what came of it; a refusal comes back as its sentence."""
    try:
        act()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("desk:refund", args=[refund_id]))


@require_POST
@screen(permission="payments.decide", title=gettext_lazy("Refund"))
@stepup.required
def refund_resume(request: StaffRequest, refund_id: UUID) -> HttpResponse:
    """Sends a refund on its way again after a person has looked into it."""
    found, reason = get_object_or_404(RefundRequest, pk=refund_id), request.POST.get("reason", "")
    is_absent = request.POST.get("is_absent") == "on"
    return _carry_out(
        request,
        lambda: refunds.resume(request=found, by=request.user, reason=reason, is_absent=is_absent),
        _("The refund goes on."),
        refund_id,
    )


@require_POST
@screen(permission="payments.decide", title=gettext_lazy("Refund"))
@stepup.required
def refund_give_up(request: StaffRequest, refund_id: UUID) -> HttpResponse:
    """Ends a refund that the provider never carried out."""
    found, reason = get_object_or_404(RefundRequest, pk=refund_id), request.POST.get("reason", "")
    return _carry_out(
        request,
        lambda: refunds.give_up(request=found, by=request.user, reason=reason),
        _("The refund is given up; nothing was sent."),
        refund_id,
    )


urlpatterns = [
    path("refunds/", refund_list, name="refund_list"),
    path("refunds/<uuid:refund_id>/", refund, name="refund"),
    path("refunds/<uuid:refund_id>/resume/", refund_resume, name="refund_resume"),
    path("refunds/<uuid:refund_id>/give-up/", refund_give_up, name="refund_give_up"),
]
