"""Payout methods: their fees, minimums and countries, changed by two people (N-006 to N-011, PG-010)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.approvals import queries as approvals
from backoffice.approvals.states import UNFINISHED
from backoffice.audit import queries as audit
from backoffice.core import countries
from backoffice.core.errors import DomainError
from backoffice.desk.finance.fee_forms import MethodForm
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.work.requests import TONES as REQUEST_TONES
from backoffice.finance.approvals.payout_methods import changes
from backoffice.finance.models import PayoutMethod
from backoffice.finance.policies import payout_methods as policy
from backoffice.finance.policies.payout_methods import Settings
from backoffice.finance.queries import fees as queries
from backoffice.finance.services import payout_methods

VIEW, EDIT = "fees.view", payout_methods.EDIT


@screen(permission=VIEW, title=gettext_lazy("Payout methods"), methods=("GET", "HEAD"))
def payout_method_list(request: StaffRequest) -> HttpResponse:
    """Every method with its fee and minimum; a handful of rows, those in use first."""
    waiting = {asked.subject_id: asked for asked in queries.open_requests(payout_methods.KIND)}
    return render(
        request,
        "desk/finance/methods/list.html",
        {
            "rows": [
                (
                    method,
                    policy.fee_words(Settings.of(method), method.currency),
                    ", ".join(countries.name(code) for code in method.countries),
                    waiting.get(str(method.pk)),
                )
                for method in queries.methods()
            ]
        },
    )


@screen(permission=VIEW, title=gettext_lazy("Payout method"), methods=("GET", "HEAD"))
def payout_method(request: StaffRequest, method_id: UUID) -> HttpResponse:
    """One method: what is in force and what was asked about it."""
    method = _method(request, method_id)
    now = Settings.of(method)
    asked = list(approvals.of_subject(method).select_related("requested_by", "decided_by")[:20])
    return render(
        request,
        "desk/finance/methods/detail.html",
        {
            "method": method,
            "fee": policy.fee_words(now, method.currency),
            "countries": ", ".join(countries.name(code) for code in now.countries),
            "live": queries.live_items(method),
            "requests": asked,
            "waiting": next((row for row in asked if row.status in UNFINISHED), None),
            "request_tones": REQUEST_TONES,
            "timeline": list(audit.for_subject(method)[:30]),
            "may_edit": request.user.may(EDIT),
        },
    )


@screen(permission=EDIT, title=gettext_lazy("Payout method"))
def payout_method_change(request: StaffRequest, method_id: UUID) -> HttpResponse:
    """Proposes other terms: one button shows what would change, the other asks for it."""
    method = _method(request, method_id)
    form = MethodForm(request.POST if request.method == "POST" else None, method=method)
    context: dict[str, Any] = {"method": method, "form": form, "live": queries.live_items(method)}
    if form.is_bound and form.is_valid():
        settings = form.cleaned_data["settings"]
        try:
            if request.POST.get("step") == "propose":
                opened = payout_methods.propose(
                    method=method, settings=settings, reason=form.cleaned_data["reason"], by=request.user
                )
                messages.success(request, _("The change waits for approval by somebody else."))
                return HttpResponseRedirect(reverse("desk:approval_detail", args=[opened.pk]))
            policy.check(settings, countries=countries.codes())
            context |= {"checked": True, "changes": changes(Settings.of(method), settings, method.currency)}
        except DomainError as error:
            form.refuse(error)
    return render(
        request, "desk/finance/methods/change.html", context, status=400 if form.is_bound and form.errors else 200
    )


def _method(request: StaffRequest, method_id: UUID) -> PayoutMethod:
    method = get_object_or_404(PayoutMethod, pk=method_id)
    request.desk["title"] = f"{method.name}, {method.currency}"
    return method


urlpatterns = [
    path("payout-methods/", payout_method_list, name="payout_method_list"),
    path("payout-methods/<uuid:method_id>/", payout_method, name="payout_method"),
    path("payout-methods/<uuid:method_id>/change/", payout_method_change, name="payout_method_change"),
]
