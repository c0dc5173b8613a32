"""Payouts: the queue, one run with its preview and decisions, and what became of every creator's money."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.audit import queries as audit
from backoffice.configuration import values
from backoffice.core import money, stored
from backoffice.core.errors import DomainError
from backoffice.desk.finance.entries import entries_of
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import Attempt, PayoutItem, PayoutMethod, PayoutRun
from backoffice.finance.policies.payouts import approvals_needed
from backoffice.finance.queries import payouts as queries
from backoffice.finance.services import payouts
from backoffice.finance.states import ITEM, RUN, TROUBLED_ITEMS, ItemStatus, RunStatus

# Somebody has to do something about one of its payouts, or about the run itself.
TROUBLED = (Q(status=RunStatus.APPROVED) & ~Q(stopped_reason="")) | Q(
    Exists(
        PayoutItem.objects.filter(run=OuterRef("pk")).filter(
            Q(status__in=TROUBLED_ITEMS) | Q(failure_code__in=payouts.FLAGS)
        )
    ),
    status__in=[RunStatus.EXECUTING, RunStatus.SETTLED, RunStatus.PARTIALLY_FAILED],
)
TABS: dict[str, tuple[Any, Q]] = {
    "waiting": (gettext_lazy("Waiting for approval"), Q(status=RunStatus.SUBMITTED)),
    "attention": (gettext_lazy("Needs attention"), TROUBLED),
    "sending": (gettext_lazy("Under way"), Q(status__in=[RunStatus.APPROVED, RunStatus.EXECUTING])),
    "drafts": (gettext_lazy("Drafts"), Q(status__in=[RunStatus.DRAFT, RunStatus.PREVIEWED])),
    "settled": (gettext_lazy("Settled"), Q(status__in=[RunStatus.SETTLED, RunStatus.PARTIALLY_FAILED])),
    "closed": (gettext_lazy("Not paid"), Q(status__in=[RunStatus.REJECTED, RunStatus.CANCELLED])),
}
# Only what waits for somebody is counted and added up: the rest grows for ever.
COUNTED = ("waiting", "attention", "sending", "drafts")

RUN_TONES = {
    RunStatus.SUBMITTED: "warn",
    RunStatus.APPROVED: "info",
    RunStatus.EXECUTING: "info",
    RunStatus.SETTLED: "ok",
    RunStatus.PARTIALLY_FAILED: "danger",
    RunStatus.REJECTED: "muted",
    RunStatus.CANCELLED: "muted",
}
ITEM_TONES = {
    ItemStatus.HELD: "warn",
    ItemStatus.SUBMITTING: "info",
    ItemStatus.SENT: "info",
    ItemStatus.UNKNOWN: "warn",
    ItemStatus.NEEDS_HUMAN: "danger",
    ItemStatus.PAID: "ok",
    ItemStatus.FAILED: "danger",
    ItemStatus.RETURNED: "muted",
    ItemStatus.CANCELLED: "muted",
}
# What is known about the money, and whose turn it is.
NEXT_STEP = {
    ItemStatus.HELD: gettext_lazy(
        "The money is here. Finance ends the hold (not the person who set it) or takes the payout out."
    ),
    ItemStatus.UNKNOWN: gettext_lazy(
        "The provider's answer is missing. It is asked again by itself; after 23 hours a person has to look."
    ),
    ItemStatus.NEEDS_HUMAN: gettext_lazy(
        "Nothing more is sent by itself. Finance looks at the provider and then lets it go on."
    ),
    ItemStatus.FAILED: gettext_lazy(
        "The money lies on the creator's account with the provider and cannot go back to the balance from here. "
        "The creator corrects the bank account; then finance pays it again."
    ),
}
FLAGGED = gettext_lazy(
    "What the provider did differs from what is written here. Finance settles it with the provider; no button here "
    "moves this money."
)
LEFT_OUT = {
    "not_active": gettext_lazy("the creator is not active"),
    "payout_hold": gettext_lazy("payouts of this creator are on hold"),
    "tax_form_missing": gettext_lazy("no valid tax form"),
    "reverification_overdue": gettext_lazy("re-verification is overdue"),
    "no_account": gettext_lazy("no payout account for this method"),
    "method_disabled": gettext_lazy("the payout method is switched off"),
    "account_disabled": gettext_lazy("the payout account is disabled"),
    "account_unverified": gettext_lazy("the payout account is not verified"),
    "receivable": gettext_lazy("owes money to the platform"),
    "below_minimum": gettext_lazy("below the smallest payout"),
    "above_available": gettext_lazy("more than the balance covers"),
    "above_ceiling": gettext_lazy("more than a payout can be"),
    "already_open": gettext_lazy("another payout is still open"),
}


@screen(permission="payouts.view", title=gettext_lazy("Payouts"), methods=("GET", "HEAD"))
def payout_list(request: StaffRequest) -> HttpResponse:
    """One tab per state with the sums per currency of what waits; search by reference or creator."""
    counts = PayoutRun.objects.aggregate(**{code: Count("id", filter=TABS[code][1]) for code in COUNTED})
    tab = request.GET.get("tab", "waiting")
    if tab not in TABS:
        tab = "waiting"
    runs = PayoutRun.objects.filter(TABS[tab][1])
    query = request.GET.get("q", "").strip()
    if query:
        runs = PayoutRun.objects.filter(
            Q(reference__iexact=query)
            | Q(items__creator__reference__iexact=query)
            | Q(items__creator__stage_name__icontains=query)
        ).distinct()
    shown = runs.select_related("method", "requested_by")
    return render(
        request,
        "desk/finance/payouts/list.html",
        {
            "page": keyset(request, shown),
            "totals": _totals(runs) if tab in COUNTED and not query else [],
            "tabs": [(code, label, counts.get(code)) for code, (label, _where) in TABS.items()],
            "tab": "" if query else tab,
            "q": query,
            "tones": RUN_TONES,
            "methods": PayoutMethod.objects.filter(enabled=True) if request.user.may("payouts.edit") else [],
        },
    )


def _totals(runs: QuerySet[PayoutRun]) -> list[dict[str, Any]]:
    """Count and sums per currency of what these runs pay, one statement."""
    return list(
        PayoutItem.objects.filter(run__in=runs)
        .exclude(status__in=[ItemStatus.CANCELLED, ItemStatus.RETURNED])
        .values("currency")
        .annotate(count=Count("id"), gross=Sum("gross_minor"), fee=Sum("fee_minor"), net=Sum("net_minor"))
        .order_by("currency")
    )


@screen(permission="payouts.view", title=gettext_lazy("Payout run"), methods=("GET", "HEAD"))
def payout(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """The preview that is decided on, the decisions so far, and what became of every item."""
    run = get_object_or_404(PayoutRun.objects.select_related("method", "requested_by"), pk=run_id)
    page = keyset(request, run.items.select_related("creator", "account__method", "held_by"), by=("id",))
    items = page.items
    ids = [item.pk for item in items]
    attempts: dict[UUID, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(subject_id__in=ids).order_by("first_sent_at"):
        attempts.setdefault(attempt.subject_id, []).append(attempt)
    consent = queries.consent(run)
    needed = _needed(run, consent)
    happened = [
        *audit.for_subject(run)[:30],
        *queries.history_of_consent(consent.request)[:30],
        *audit.for_subjects("finance.payoutitem", [str(pk) for pk in ids])[:30],
    ]
    context = {
        "title": run.reference,
        "run": run,
        "totals": run.preview.get("totals", {}),
        "left_out": _left_out(run),
        "page": page,
        "rows": [
            (item, attempts.get(item.pk, []), _item_verbs(item, request.user), _next_step(item)) for item in items
        ],
        "consent": consent,
        "needed": needed,
        "why_two": _why_two(run) if needed > 1 else "",
        "missing": max(0, needed - len(consent.counting)),
        "entries": entries_of(*items) if items else [],
        "timeline": sorted(happened, key=lambda entry: entry.pk, reverse=True)[:40],
        "run_tones": RUN_TONES,
        "item_tones": ITEM_TONES,
        "verbs": _run_verbs(run, request.user),
        "why_not": _why_not(run, request.user, consent),
    }
    return render(request, "desk/finance/payouts/detail.html", context)


def _left_out(run: PayoutRun) -> list[dict[str, Any]]:
    """Everybody who is not paid by this run, and every reason why."""
    return [
        {
            "creator": row["creator"],
            "reference": row["reference"],
            "available_minor": row["available_minor"],
            "reasons": [str(LEFT_OUT.get(code, code)) for code in row["reasons"]],
        }
        for row in run.preview.get("left_out", [])
    ]


def _run_verbs(run: PayoutRun, user: User) -> set[str]:
    """What this person may be offered for the run; the services decide again."""
    verbs = {
        verb for verb in RUN.verbs_from(run.status) if (permission := RUN.permission(verb)) and user.may(permission)
    }
    if run.status == RunStatus.APPROVED and run.stopped_reason and user.may("payouts.decide"):
        verbs.add("run_again")
    return verbs - ({"reject"} if run.requested_by_id == user.pk else {"preview", "submit"})


def _item_verbs(item: PayoutItem, user: User) -> set[str]:
    """What this person may be offered for the item."""
    return {
        verb for verb in ITEM.verbs_from(item.status) if (permission := ITEM.permission(verb)) and user.may(permission)
    }


def _next_step(item: PayoutItem) -> str:
    """Where the money of a payout in trouble is, and who acts; empty when nobody has to."""
    if item.failure_code in payouts.FLAGS:
        return str(FLAGGED)
    return str(NEXT_STEP.get(ItemStatus(item.status), ""))


def _needed(run: PayoutRun, consent: queries.Consent) -> int:
    """How many people have to approve: as was asked for, or, before that, as would be asked for."""
    if consent.request is not None:
        return consent.request.needed
    return approvals_needed(
        gross_minor=run.preview.get("totals", {}).get("gross_minor", 0),
        currency=run.currency,
        threshold_usd_minor=values.get("payout.dual_approval_over"),
    )


def _why_not(run: PayoutRun, user: User, consent: queries.Consent) -> str:
    """Why this person cannot approve a run that waits; empty when they can, or when it does not wait."""
    if run.status != RunStatus.SUBMITTED or not user.may("payouts.approve"):
        return ""
    if run.requested_by_id == user.pk:
        return _("You asked for this payout: somebody else has to approve it.")
    if user.pk in queries.people_paid(run.pk):
        return _("You are paid by this run: somebody else has to approve it.")
    if any(approval.approver_id == user.pk for approval in consent.valid):
        return _("You have approved this run; it needs a second person.")
    return ""


def _why_two(run: PayoutRun) -> str:
    """Why two people have to approve this run (N-016)."""
    limit = {"limit": money.display(values.get("payout.dual_approval_over"), "USD")}
    if run.currency == "USD":
        return _("Payouts above %(limit)s need two people.") % limit
    return (
        _(
            "One person may approve up to %(limit)s. The limit is in US dollars and no exchange rate is applied to it: "
            "in another currency two people approve every amount."
        )
        % limit
    )


def _back(run_id: Any) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("desk:payout", args=[run_id]))


def _carry_out(request: HttpRequest, act: Callable[[], Any], done: str, run_id: Any) -> HttpResponse:
    """Calls the service and tells the person what came of it; a refusal comes back as its sentence."""
    try:
        act()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return _back(run_id)


def _run(run_id: UUID) -> PayoutRun:
    return get_object_or_404(PayoutRun, pk=run_id)


def _item(item_id: UUID) -> PayoutItem:
    return get_object_or_404(PayoutItem, pk=item_id)


@require_POST
@screen(permission="payouts.edit", title=gettext_lazy("Payouts"))
def payout_draft(request: StaffRequest) -> HttpResponse:
    """Puts together a run of everybody who can be paid by a method now."""
    try:
        wanted = UUID(request.POST.get("method", ""))
    except ValueError as error:
        raise Http404 from error
    method = get_object_or_404(PayoutMethod, pk=wanted, enabled=True)
    run = payouts.draft(method=method, by=request.user)
    return _back(run.pk)


@require_POST
@screen(permission="payouts.edit", title=gettext_lazy("Payout run"))
def payout_preview(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Collects a draft anew."""
    run = _run(run_id)
    return _carry_out(request, lambda: payouts.preview(run=run, by=request.user), _("The preview is new."), run_id)


@require_POST
@screen(permission="payouts.edit", title=gettext_lazy("Payout run"))
def payout_submit(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Hands a previewed run to the approvers."""
    run = _run(run_id)
    done = _("The run waits for approval by somebody else.")
    return _carry_out(request, lambda: payouts.submit(run=run, by=request.user), done, run_id)


@require_POST
@screen(permission="payouts.approve", title=gettext_lazy("Payout run"))
@stepup.required
def payout_approve(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """One person's yes to the preview that they saw, given with a fresh second factor."""
    run = _run(run_id)
    seen = request.POST.get("snapshot", "")
    return _carry_out(
        request,
        lambda: payouts.approve(run=run, by=request.user, snapshot_hash=seen),
        _("Your approval is recorded."),
        run_id,
    )


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout run"))
@stepup.required
def payout_reject(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Refuses a run; its creators read the reason."""
    run, reason = _run(run_id), request.POST.get("reason", "")
    done = _("The run was rejected and its creators were told.")
    return _carry_out(request, lambda: payouts.reject(run=run, by=request.user, reason=reason), done, run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout run"))
def payout_cancel(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Takes a run back before it is sent."""
    run, reason = _run(run_id), request.POST.get("reason", "")
    done = _("The run was cancelled.")
    return _carry_out(request, lambda: payouts.cancel(run=run, by=request.user, reason=reason), done, run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout run"))
@stepup.required
def payout_run_again(request: StaffRequest, run_id: UUID) -> HttpResponse:
    """Starts a run again that was stopped by a difference."""
    run = _run(run_id)
    done = _("The run is checked again and then sent.")
    return _carry_out(request, lambda: payouts.run_again(run=run, by=request.user), done, run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout"))
def item_hold(request: StaffRequest, item_id: UUID) -> HttpResponse:
    """Keeps one creator's payout back."""
    item, reason = _item(item_id), request.POST.get("reason", "")
    done = _("The payout is on hold.")
    return _carry_out(request, lambda: payouts.hold(item=item, by=request.user, reason=reason), done, item.run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout"))
@stepup.required
def item_release(request: StaffRequest, item_id: UUID) -> HttpResponse:
    """Ends a hold that somebody else set."""
    item, reason = _item(item_id), request.POST.get("reason", "")
    done = _("The hold has ended.")
    return _carry_out(request, lambda: payouts.release(item=item, by=request.user, reason=reason), done, item.run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout"))
def item_drop(request: StaffRequest, item_id: UUID) -> HttpResponse:
    """Takes one creator out of the run."""
    item, reason = _item(item_id), request.POST.get("reason", "")
    done = _("The payout was taken out of the run.")
    return _carry_out(request, lambda: payouts.drop(item=item, by=request.user, reason=reason), done, item.run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout"))
@stepup.required
def item_retry(request: StaffRequest, item_id: UUID) -> HttpResponse:
    """Pays a payout again that came back from the bank."""
    item, reason = _item(item_id), request.POST.get("reason", "")
    done = _("The payout is sent again.")
    return _carry_out(request, lambda: payouts.retry(item=item, by=request.user, reason=reason), done, item.run_id)


@require_POST
@screen(permission="payouts.decide", title=gettext_lazy("Payout"))
@stepup.required
def item_resume(request: StaffRequest, item_id: UUID) -> HttpResponse:
    """Sends a payout on its way again after a person has looked into it."""
    item, reason = _item(item_id), request.POST.get("reason", "")
    is_absent = request.POST.get("is_absent") == "on"
    try:
        item = payouts.resume(item=item, by=request.user, reason=reason, is_absent=is_absent)
    except DomainError as error:
        messages.error(request, str(error))
        return _back(item.run_id)
    if item.status == ItemStatus.RETURNED:
        # The person wanted it sent: they read that it was not, and why.
        done = _("Nothing was sent: %(why)s The amount is back in the creator's balance.")
        messages.warning(request, done % {"why": stored.shown(item.failure_message)})
    else:
        messages.success(request, _("The payout goes on."))
    return _back(item.run_id)


urlpatterns = [
    path("payouts/", payout_list, name="payout_list"),
    path("payouts/draft/", payout_draft, name="payout_draft"),
    path("payouts/<uuid:run_id>/", payout, name="payout"),
    path("payouts/<uuid:run_id>/preview/", payout_preview, name="payout_preview"),
    path("payouts/<uuid:run_id>/submit/", payout_submit, name="payout_submit"),
    path("payouts/<uuid:run_id>/approve/", payout_approve, name="payout_approve"),
    path("payouts/<uuid:run_id>/reject/", payout_reject, name="payout_reject"),
    path("payouts/<uuid:run_id>/cancel/", payout_cancel, name="payout_cancel"),
    path("payouts/<uuid:run_id>/run-again/", payout_run_again, name="payout_run_again"),
    path("payouts/items/<uuid:item_id>/hold/", item_hold, name="payout_item_hold"),
    path("payouts/items/<uuid:item_id>/release/", item_release, name="payout_item_release"),
    path("payouts/items/<uuid:item_id>/drop/", item_drop, name="payout_item_drop"),
    path("payouts/items/<uuid:item_id>/retry/", item_retry, name="payout_item_retry"),
    path("payouts/items/<uuid:item_id>/resume/", item_resume, name="payout_item_resume"),
]
