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

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.audit import queries as audit
from backoffice.core import clock, money
from backoffice.core.errors import DomainError, Invalid
from backoffice.desk import badges
from backoffice.desk.finance import refunds as refund_screens
from backoffice.desk.finance.entries import entries_of
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import Allocation, Attempt, Earning, EventOutcome, Payment, RefundReason
from backoffice.finance.policies import refunds as refund_policy
from backoffice.finance.queries import refunds as refund_queries
from backoffice.finance.services import payments, refunds
from backoffice.finance.states import PaymentStatus as Status
from backoffice.support import queries as support

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
        rows = _search(rows, query, at_provider=request.user.may("payments.view"))
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


def _search(rows: QuerySet[Payment], query: str, *, at_provider: bool) -> QuerySet[Payment]:
    """Exact references only: each is an index lookup, and nothing leaks by its beginning.

    The provider's own ids are for those who see payments; the others see orders (P-018).
    """
    fits = Q(reference__iexact=query) | Q(purchase__reference__iexact=query) | Q(creator__reference__iexact=query)
    if at_provider:
        fits |= Q(provider_payment_id=query) | Q(provider_session_id=query)
    return rows.filter(fits)


@screen(permission=VIEW, title=_("Payment"), methods=("GET", "HEAD"))
def payment(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """The whole way of one payment, and why every cent went where it went."""
    return _show(request, _find(payment_id))


def _find(payment_id: UUID) -> Payment:
    rows = Payment.objects.select_related("purchase__title", "creator", "user", "sale_entry")
    return get_object_or_404(rows, pk=payment_id)


def _show(
    request: StaffRequest, found: Payment, *, typed: Any = None, error: DomainError | None = None
) -> HttpResponse:
    """The page; with what was typed and the reason when a refund was not accepted."""
    outcomes = list(EventOutcome.objects.filter(payment=found).select_related("event").order_by("event__received_at"))
    context: dict[str, Any] = {
        "title": found.reference,
        "payment": found,
        "tones": TONES,
        "outcomes": outcomes,
        "attempts": list(Attempt.objects.filter(subject_id=found.pk).order_by("first_sent_at")),
        "refunds": list(found.refunds.select_related("reversal").order_by("refunded_at", "id")),
        "refund_requests": list(refund_queries.of_payment(found)),
        "refund_tones": refund_screens.TONES,
        "refund_form": _refund_form(request, found, typed, error),
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
            "lines": list(found.commission_lines.select_related("rule__creator", "rule__category").order_by("id")),
            "entries": entries_of(*sources),
            "shows_payouts": request.user.may("payouts.view"),
        }
    status = 200 if error is None else 400 if isinstance(error, Invalid) else 409
    return render(request, "desk/finance/payments/detail.html", context, status=status)


def _refund_form(request: StaffRequest, found: Payment, typed: Any, error: DomainError | None) -> dict[str, Any] | None:
    """What the dialog for a refund shows; None for who may not ask, or when nothing can be given back."""
    user = request.user
    if not (user.may(refund_policy.PROPOSE) or user.may(refund_policy.DECIDE)):
        return None
    left = refund_queries.left(found)
    if error is None and (left <= 0 or refund_policy.why_not_refundable(found)):
        return None
    ticket = request.GET.get("ticket", "")[:20]
    return {
        "typed": typed if typed is not None else {"amount": money.api_amount(left, found.currency), "ticket": ticket},
        "error": error,
        "is_open": error is not None or bool(ticket),
        "left": left,
        "reasons": RefundReason.choices,
        "decides": user.may(refund_policy.DECIDE),
        "limit": money.display(refund_queries.limit_alone(found, user, at=clock.now()), "USD"),
        # What the creator's balance bears: not for support (P-018).
        "burden": refunds.burden(found, left) if user.may("payments.view") else None,
    }


@require_POST
@screen(permission=(refund_policy.PROPOSE, refund_policy.DECIDE), title=_("Payment"))
def refund_propose(request: StaffRequest, payment_id: UUID) -> HttpResponse:
    """Asks for a refund. Finance can send a small one alone, so it confirms with its second factor first."""
    found = _find(payment_id)
    if request.user.may(refund_policy.DECIDE) and not stepup.is_fresh(request):
        return stepup.demand(request)
    typed = request.POST
    try:
        ticket = _ticket(request.user, found, typed.get("ticket", ""))
        made = refunds.propose(
            payment=found,
            amount_minor=_amount(typed.get("amount", ""), found.currency),
            reason=typed.get("reason", ""),
            note=typed.get("note", "")[:2000],
            ticket=ticket,
            by=request.user,
        )
    except DomainError as error:
        return _show(request, _find(payment_id), typed=typed, error=error)
    messages.success(
        request,
        gettext("%(reference)s is being sent to the provider.") % {"reference": made.reference}
        if made.is_single_handed
        else gettext("%(reference)s waits for somebody of finance.") % {"reference": made.reference},
    )
    return HttpResponseRedirect(reverse("desk:refund", args=[made.pk]))


def _amount(text: str, currency: str) -> int:
    """The typed amount in minor units; the refusal belongs to its field."""
    try:
        return money.parse(text.strip(), currency)
    except money.MoneyError as error:
        raise Invalid(str(error), code=error.code, field="amount") from error


def _ticket(user: User, found: Payment, reference: str) -> str:
    """The reference of a ticket of this customer that the person may read; empty when none is named."""
    reference = reference.strip()
    if not reference:
        return ""
    ticket = support.visible_to(user).filter(reference__iexact=reference[:40], requester=found.user).first()
    if ticket is None:
        raise Invalid(gettext("There is no such ticket of this customer."), field="ticket")
    return ticket.reference


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
    path("payments/<uuid:payment_id>/refund/", refund_propose, name="refund_propose"),
]
