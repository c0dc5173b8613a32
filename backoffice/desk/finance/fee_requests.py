"""Changing the fee rules: proposing with the replay of a month, and the page on which somebody else decides."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backoffice.accounts import stepup
from backoffice.approvals import kinds
from backoffice.approvals import queries as approvals
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit import exports
from backoffice.audit import queries as audit
from backoffice.core import money, tables
from backoffice.core.errors import DomainError, Forbidden
from backoffice.core.tables import Table
from backoffice.creators.models import Creator
from backoffice.desk import downloads
from backoffice.desk.finance.fee_forms import CancelForm, EndForm, RuleForm, StartForm, month_of, months
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.work.requests import TONES, carry_out, seen_revision
from backoffice.finance.models import RuleVersion
from backoffice.finance.policies import fee_rules as rules_policy
from backoffice.finance.policies.fee_rules import Proposal
from backoffice.finance.services import fee_replay, fee_rules
from backoffice.finance.services.fee_replay import Month, Replay, Row

VIEW, EDIT, APPROVE = "fees.view", fee_rules.EDIT, fee_rules.APPROVE
EXPORT = "payments.export"
# Creators on the page; the export has them all.
SHOWN = 100


@screen(permission=EDIT, title=gettext_lazy("New fee rule"))
def fee_rule_new(request: StaffRequest) -> HttpResponse:
    """A rule beside those that exist: first what it is about, then what it says, then what it would have done."""
    data = request.POST if request.method == "POST" else None
    start = StartForm(data if data is not None else request.GET)
    component, scope = start.chosen
    form = RuleForm(data, component=component, scope=scope)
    return _propose(
        request,
        form,
        lambda: Proposal.new(form.terms()),
        {
            "start": start,
            "about": f"{component.label} · {scope.label}",
            "back": reverse("desk:fee_rule_list"),
        },
    )


@screen(permission=EDIT, title=gettext_lazy("Replace a fee rule"))
def fee_rule_replace(request: StaffRequest, rule_id: UUID) -> HttpResponse:
    """The next version of a rule: the running one ends in the moment in which it starts."""
    rule = _rule(rule_id)
    form = RuleForm(
        request.POST if request.method == "POST" else None, component=rule.component, scope=rule.scope, rule=rule
    )
    return _propose(request, form, lambda: Proposal.replacement(rule, form.terms()), _about(rule))


@screen(permission=EDIT, title=gettext_lazy("End a fee rule"))
def fee_rule_end(request: StaffRequest, rule_id: UUID) -> HttpResponse:
    """The end of a rule that nothing replaces."""
    rule = _rule(rule_id)
    form = EndForm(request.POST if request.method == "POST" else None)
    return _propose(request, form, lambda: Proposal.end(rule, form.cleaned_data["valid_from"]), _about(rule))


@screen(permission=EDIT, title=gettext_lazy("Cancel a fee rule"))
def fee_rule_cancel(request: StaffRequest, rule_id: UUID) -> HttpResponse:
    """Calls a rule off that has not started; what it would have replaced goes on."""
    rule = _rule(rule_id)
    form = CancelForm(request.POST if request.method == "POST" else None)
    return _propose(request, form, lambda: fee_rules.cancellation(rule), _about(rule) | {"cancels": True})


def _rule(rule_id: UUID) -> RuleVersion:
    return get_object_or_404(RuleVersion.objects.select_related("creator", "category", "approval"), pk=rule_id)


def _about(rule: RuleVersion) -> dict[str, Any]:
    return {
        "rule": rule,
        "about": f"{rules_policy.name(rule)} · {rules_policy.rate(rule)}",
        "back": reverse("desk:fee_rule", args=[rule.pk]),
    }


def _propose(
    request: StaffRequest, form: RuleForm | EndForm | CancelForm, build: Callable[[], Proposal], context: dict[str, Any]
) -> HttpResponse:
    """One form, two buttons: looking at the replay changes nothing, proposing opens the request."""
    month = month_of(request.POST.get("month", ""))
    context |= {"form": form, "zone": timezone.get_current_timezone_name(), "months": months(), "month": str(month)}
    if request.method == "POST" and form.is_valid():
        try:
            proposal = build()
            if request.POST.get("step") == "propose":
                opened = fee_rules.propose(
                    proposal=proposal, reason=form.cleaned_data["reason"], by=request.user, month=month
                )
                messages.success(request, _("The change waits for approval by somebody else."))
                return HttpResponseRedirect(reverse("desk:fee_request", args=[opened.pk]))
            fee_rules.check(proposal, at=timezone.now())
            context |= _replayed(fee_rules.replay(proposal, month))
            context["needed"] = rules_policy.approvals_needed(proposal)
        except DomainError as error:
            form.refuse(error)
    return render(
        request, "desk/finance/fees/propose.html", context, status=400 if form.is_bound and form.errors else 200
    )


def _replayed(replay: Replay) -> dict[str, Any]:
    """The replay as the page shows it: creators whose share changes, who loses most first, with their names."""
    touched = [row for row in replay.rows if row.difference or row.by_change]
    # Who loses most in each currency stands first; the smallest changes are left to the export.
    shown = sorted(touched, key=lambda row: row.difference)[:SHOWN] if len(touched) > SHOWN else touched
    names = Creator.objects.in_bulk([row.creator_id for row in shown if row.creator_id])
    return {
        "replay": replay,
        "rows": [(row, names.get(row.creator_id)) for row in shown],
        "hidden": len(touched) - len(shown),
        "untouched": len(replay.rows) - len(touched),
        "limit": fee_replay.MOST_GROUPS,
    }


# --- The request ------------------------------------------------------------------------------------------------------


def _asked(request_id: UUID) -> ApprovalRequest:
    return get_object_or_404(
        ApprovalRequest.objects.select_related("requested_by", "decided_by"), pk=request_id, kind=fee_rules.KIND
    )


@screen(permission=VIEW, title=gettext_lazy("Change of the fees"), methods=("GET", "HEAD"))
def fee_request(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """What changes, what it would have done to a month, and the decision. Everybody who sees fees may read it."""
    asked = _asked(request_id)
    proposal = fee_rules.proposal_of(asked)
    kept = asked.payload["replay"]
    wanted = request.GET.get("month", "")
    month = month_of(wanted) if wanted else Month.read(kept["month"])
    waits, own = asked.status == Status.PENDING, asked.requested_by_id == request.user.pk
    decides = request.user.may(APPROVE)
    described = kinds.of(asked).lines
    assert described is not None
    given = approvals.given(asked)
    request.desk["title"] = asked.reference
    context: dict[str, Any] = {
        "asked": asked,
        "lines": described(asked),
        "approvals": given,
        "missing": max(0, asked.needed - len(approvals.counting(asked, given))),
        "rule_id": proposal.rule_id,
        "created": RuleVersion.objects.filter(approval=asked).first(),
        "tones": TONES,
        "months": sorted({*months(), kept["month"]}, reverse=True),
        "month": str(month),
        "kept_month": kept["month"],
        "waits": waits,
        "decides": waits and decides,
        "why_not": requests.why_not(asked, request.user) if waits and decides else "",
        "may_withdraw": waits and own,
        "may_export": request.user.may(EXPORT),
        "timeline": list(audit.for_subject(asked)[:40]),
    }
    try:
        replay = fee_rules.replay(proposal, month, request=asked)
    except DomainError as error:
        context["no_replay"] = str(error)
    else:
        context |= _replayed(replay)
        if str(month) == kept["month"] and replay.summary()["digest"] != kept["digest"]:
            context["kept_totals"] = fee_replay.read_totals(kept)
    return render(request, "desk/finance/fees/request.html", context)


def _back(asked: ApprovalRequest) -> str:
    return reverse("desk:fee_request", args=[asked.pk])


@require_POST
@screen(permission=APPROVE, title=gettext_lazy("Change of the fees"))
@stepup.required
def fee_request_approve(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """One person's yes to the revision that they saw, given with a fresh second factor."""
    asked, revision = _asked(request_id), seen_revision(request)
    return carry_out(
        request,
        lambda: requests.approve(request=asked, by=request.user, revision=revision),
        _("Your approval is recorded."),
        back=_back(asked),
    )


@require_POST
@screen(permission=APPROVE, title=gettext_lazy("Change of the fees"))
@stepup.required
def fee_request_reject(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """One person's no; whoever asked reads the reason."""
    asked, reason = _asked(request_id), request.POST.get("reason", "")
    done = _("The change is rejected; whoever asked is told.")
    return carry_out(
        request, lambda: requests.reject(request=asked, by=request.user, reason=reason), done, back=_back(asked)
    )


@require_POST
@screen(permission=EDIT, title=gettext_lazy("Change of the fees"))
def fee_request_withdraw(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Whoever asked takes it back."""
    asked, reason = _asked(request_id), request.POST.get("reason", "")
    done = _("The change is withdrawn.")
    return carry_out(
        request, lambda: requests.withdraw(request=asked, by=request.user, reason=reason), done, back=_back(asked)
    )


# --- The replay as a file ---------------------------------------------------------------------------------------------


@screen(permission=EXPORT, title=gettext_lazy("Change of the fees"), methods=("POST",))
@stepup.required
def fee_replay_export(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Every creator of the replay as a file, on record with its reason."""
    if not request.user.may(VIEW):
        raise Forbidden(_("Your role does not include this page."))
    asked = _asked(request_id)
    month = month_of(request.POST.get("month", "") or asked.payload["replay"]["month"])
    replay = fee_rules.replay(fee_rules.proposal_of(asked), month, request=asked)
    made = exports.record(
        dataset="fee_replay",
        by=request.user,
        format=request.POST.get("format", "csv"),
        reason=request.POST.get("reason", ""),
        filters={"request": asked.reference, "month": str(month)},
        subject=asked,
    )
    table = Table(_("Replay"), HEADER, _lines(replay))
    return downloads.answer(made, [table], name=f"{asked.reference}-{month}")


HEADER = [
    "creator",
    "stage_name",
    "currency",
    "sales",
    "gross",
    "commission_before",
    "processing_before",
    "conversion_before",
    "creator_before",
    "commission_after",
    "processing_after",
    "conversion_after",
    "creator_after",
    "difference",
    "difference_by_this_change",
]


def _lines(replay: Replay) -> Iterator[tables.Row]:
    """A line per creator and currency in the screen's order, then the totals."""
    keys = [row.creator_id for row in replay.rows if row.creator_id]
    names = {
        pk: (reference, name)
        for pk, reference, name in Creator.objects.filter(pk__in=keys).values_list("pk", "reference", "stage_name")
    }
    for row in replay.rows:
        yield [*names.get(row.creator_id, ("", "")), *_cells(row)]  # type: ignore[arg-type]
    for total in replay.totals:
        yield [_("Total"), "", *_cells(total)]


def _cells(row: Row) -> list[Any]:
    def plain(minor: int) -> Any:
        return money.from_minor(minor, row.currency).amount

    return [
        row.currency,
        row.sales,
        plain(row.gross),
        *[plain(minor) for minor in row.before.as_list()],
        *[plain(minor) for minor in row.after.as_list()],
        plain(row.difference),
        plain(row.by_change),
    ]


urlpatterns = [
    path("fees/new/", fee_rule_new, name="fee_rule_new"),
    path("fees/<uuid:rule_id>/replace/", fee_rule_replace, name="fee_rule_replace"),
    path("fees/<uuid:rule_id>/cancel/", fee_rule_cancel, name="fee_rule_cancel"),
    path("fees/<uuid:rule_id>/end/", fee_rule_end, name="fee_rule_end"),
    path("fees/requests/<uuid:request_id>/", fee_request, name="fee_request"),
    path("fees/requests/<uuid:request_id>/approve/", fee_request_approve, name="fee_request_approve"),
    path("fees/requests/<uuid:request_id>/reject/", fee_request_reject, name="fee_request_reject"),
    path("fees/requests/<uuid:request_id>/withdraw/", fee_request_withdraw, name="fee_request_withdraw"),
    path("fees/requests/<uuid:request_id>/replay/", fee_replay_export, name="fee_replay_export"),
]
