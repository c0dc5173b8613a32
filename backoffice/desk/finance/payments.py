"""Customers' payments, each traced from the checkout page to the creator's bank reference."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from backoffice.audit import queries as audit
from backoffice.core.errors import DomainError
from backoffice.desk import badges
from backoffice.desk.finance.entries import entries_of
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import Allocation, Attempt, Earning, EventOutcome, Payment
from backoffice.finance.services import payments
from backoffice.finance.states import PaymentStatus as Status

# Support sees orders and their payment; who earns what is finance's (P-018).
VIEW = ("payments.view", "payments.view_orders")

TABS: dict[str, tuple[Any, list[str]]] = {
    "all": (_("All"), []),
    "problem": (_("Needs a person"), [Status.NEEDS_HUMAN]),
    "open": (_("Waiting"), [Status.CREATED, Status.AUTHORIZED, Status.PENDING_MANUAL]),
    "captured": (_("Captured"), [Status.CAPTURED]),
    "refunded": (_("Refunded"), [Status.PARTIALLY_REFUNDED, Status.REFUNDED]),
    "disputed": (_("Disputed"), [Status.DISPUTED, Status.CHARGED_BACK]),
    "failed": (_("Failed"), [Status.FAILED]),
}
TONES = {
    Status.CAPTURED: "ok",
    Status.NEEDS_HUMAN: "danger",
    Status.DISPUTED: "danger",
    Status.CHARGED_BACK: "danger",
    Status.PARTIALLY_REFUNDED: "warn",
    Status.REFUNDED: "warn",
    Status.FAILED: "muted",
}


@screen(permission=VIEW, title=_("Payments"), methods=("GET", "HEAD"))
def payment_list(request: StaffRequest) -> HttpResponse:
    """One tab per state, search by any reference that appears on a receipt or at the provider."""
    tab = request.GET.get("tab", "all")
    if tab not in TABS:
        tab = "all"
    rows = Payment.objects.select_related("purchase__title", "creator", "user")
    if states := TABS[tab][1]:
        rows = rows.filter(status__in=states)
    query = request.GET.get("q", "").strip()
    if query:
        rows = _search(rows, query)
    return render(
        request,
        "desk/finance/payments/list.html",
        {
            "page": keyset(request, rows),
            "tabs": [(code, label) for code, (label, _states) in TABS.items()],
            "tab": tab,
            "q": query,
            "tones": TONES,
            "needing": badges.payments_in_trouble(request),
            "shows_earnings": request.user.may("payments.view"),
        },
    )


def _search(rows: QuerySet[Payment], query: str) -> QuerySet[Payment]:
    """Exact references only: each is an index lookup, and nothing leaks by its beginning."""
    return rows.filter(
        Q(reference__iexact=query)
        | Q(purchase__reference__iexact=query)
        | Q(creator__reference__iexact=query)
        | Q(provider_payment_id=query)
        | Q(provider_session_id=query)
    )


@screen(permission=VIEW, title=_("Payment"), methods=("GET", "HEAD"))
def payment(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """The whole way of one payment, and why every cent went where it went."""
    found = get_object_or_404(
        Payment.objects.select_related("purchase__title", "creator", "user", "sale_entry"), pk=payment_id
    )
    outcomes = list(EventOutcome.objects.filter(payment=found).select_related("event").order_by("event__received_at"))
    context: dict[str, Any] = {
        "title": found.reference,
        "payment": found,
        "tones": TONES,
        "outcomes": outcomes,
        "attempts": list(Attempt.objects.filter(subject_id=found.pk).order_by("first_sent_at")),
        "refunds": list(found.refunds.order_by("refunded_at")),
        "timeline": list(audit.for_subject(found)[:30]),
        "shows_earnings": request.user.may("payments.view"),
        "may_look_again": found.status == Status.NEEDS_HUMAN and request.user.may("payments.decide"),
    }
    if context["shows_earnings"]:
        earning = Earning.objects.filter(payment=found).first()
        allocations = (
            list(Allocation.objects.filter(earning=earning).select_related("item__run", "item__account").order_by("id"))
            if earning
            else []
        )
        sources = [found, *([earning] if earning else []), *(allocation.item for allocation in allocations)]
        context |= {
            "earning": earning,
            "allocations": allocations,
            "lines": list(found.commission_lines.select_related("rule").order_by("id")),
            "entries": entries_of(*sources),
            "shows_payouts": request.user.may("payouts.view"),
        }
    return render(request, "desk/finance/payments/detail.html", context)


@require_POST
@screen(permission="payments.decide", title=_("Payment"))
def payment_look_again(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """Asks the provider how the money stands and books it, or closes the payment when it went back."""
    found = get_object_or_404(Payment, pk=payment_id)
    try:
        found = payments.look_again(payment=found, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("The payment is now: %(state)s.") % {"state": found.get_status_display()})
    return HttpResponseRedirect(reverse("desk:payment", args=[payment_id]))


urlpatterns = [
    path("payments/", payment_list, name="payment_list"),
    path("payments/<uuid:payment_id>/", payment, name="payment"),
    path("payments/<uuid:payment_id>/look-again/", payment_look_again, name="payment_look_again"),
]
