"""Tax forms: what waits for finance, what ends, one form with the last signs of its number (W-017, E-021)."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.audit import queries as audit
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import DomainError, Invalid, NotFound
from backoffice.core.states import IllegalTransition, LostRace
from backoffice.creators import queries, states
from backoffice.creators.models import TaxProfile
from backoffice.creators.services import tax
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen

TIMELINE = 40
TABS = {
    "waiting": gettext_lazy("Waiting"),
    "ending": gettext_lazy("Ending soon"),
    "expired": gettext_lazy("Expired"),
    "missing": gettext_lazy("Missing"),
    "verified": gettext_lazy("Accepted"),
    "past": gettext_lazy("Past"),
}


def in_tab(tab: str, *, at: dt.datetime) -> QuerySet[TaxProfile]:
    """The forms of one tab."""
    S = states.TaxProfileStatus
    rows = TaxProfile.objects.select_related("creator")
    if tab == "waiting":
        return rows.filter(status=S.SUBMITTED)
    if tab == "ending":
        ends = at.date() + dt.timedelta(days=values.get("tax.expiring_days"))
        return rows.filter(status=S.VERIFIED, valid_until__lte=ends)
    if tab == "past":
        return rows.filter(status__in=(S.REJECTED, S.REPLACED, S.PURGED))
    return rows.filter(status=S.EXPIRED if tab == "expired" else S.VERIFIED)


@screen(permission=tax.SEE, title=gettext_lazy("Tax forms"), methods=("GET", "HEAD"))
def tax_list(request: StaffRequest) -> HttpResponse:
    """Tax forms by state, oldest signature first."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "waiting"
    shared = {"tab": tab, "tabs": TABS.items()}
    if tab == "missing":
        lacking = keyset(request, queries.without_tax_form(), by=("stage_name", "id"))
        return render(request, "desk/creators/tax/missing.html", {**shared, "page": lacking})
    page = keyset(request, in_tab(tab, at=clock.now()), by=("signed_at", "id"))
    return render(request, "desk/creators/tax/list.html", {**shared, "page": page})


def find(pk: UUID) -> TaxProfile:
    """The form with its creator. Raises NotFound."""
    profile = TaxProfile.objects.select_related("creator__user", "judged_by").filter(pk=pk).first()
    if profile is None:
        raise NotFound(_("There is no such tax form."))
    return profile


@screen(permission=tax.SEE, title=gettext_lazy("Tax form"), methods=("GET", "HEAD"))
def tax_detail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One form: its facts, the last signs of the number, the creator's other forms, what happened."""
    return _page(request, find(pk))


def _page(
    request: StaffRequest,
    profile: TaxProfile,
    *,
    number: str = "",
    opened: str = "",
    problem: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    typed = request.POST if opened else {}
    return render(
        request,
        "desk/creators/tax/detail.html",
        {
            "profile": profile,
            "creator": profile.creator,
            "number": number,
            "opened": opened,
            "problem": problem,
            "typed_reason": typed.get("reason", ""),
            "typed_rate": typed.get("withholding", ""),
            "may_decide": request.user.may(states.TAX),
            "others": TaxProfile.objects.filter(creator=profile.creator).exclude(pk=profile.pk),
            "entries": audit.for_subject(profile)[:TIMELINE],
        },
        status=status,
    )


def _refused(request: StaffRequest, pk: UUID, error: DomainError, *, opened: str) -> HttpResponse:
    """The page again with what was typed; 400 for a wrong field, 409 when somebody was faster."""
    status = 400 if isinstance(error, Invalid) else 409
    return _page(request, find(pk), opened=opened, problem=error, status=status)


@screen(permission=states.TAX, title=gettext_lazy("Tax form"), methods=("POST",))
@stepup.required
def tax_verify(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Accepts a form, with the share that is withheld, in percent, where one applies."""
    try:
        tax.verify(profile=find(pk), by=request.user, withholding_rate=rate(request.POST.get("withholding", "")))
    except (Invalid, IllegalTransition, LostRace) as error:
        return _refused(request, pk, error, opened="verify")
    messages.success(request, _("The tax form is accepted."))
    return redirect("desk:tax_detail", pk=pk)


def rate(text: str) -> int | None:
    """Percent with at most two decimals as hundredths of a percent; None when empty. Raises Invalid."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    whole, _dot, part = text.partition(".")
    if not (text.isascii() and whole.isdigit() and len(whole) <= 3 and (part + "0").isdigit() and len(part) <= 2):
        raise Invalid(_("Enter percent with at most two decimals."), field="withholding")
    return int(whole) * 100 + int(part.ljust(2, "0"))


@screen(permission=states.TAX, title=gettext_lazy("Tax form"), methods=("POST",))
@stepup.required
def tax_reject(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Refuses a form with a reason that the creator reads."""
    try:
        tax.reject(profile=find(pk), by=request.user, reason=request.POST.get("reason", ""))
    except (Invalid, IllegalTransition, LostRace) as error:
        return _refused(request, pk, error, opened="reject")
    messages.success(request, _("The tax form is refused and the creator is told."))
    return redirect("desk:tax_detail", pk=pk)


@screen(permission=states.TAX, title=gettext_lazy("Tax form"), methods=("POST",))
@stepup.required
def tax_reveal(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Shows the whole number once, on this answer only; the look and its reason are on record."""
    profile = find(pk)
    try:
        number = tax.reveal(profile=profile, by=request.user, reason=request.POST.get("reason", ""))
    except Invalid as error:
        return _refused(request, pk, error, opened="reveal")
    answer = _page(request, profile, number=number)
    answer["Cache-Control"] = "no-store, private"
    return answer


urlpatterns = [
    path("tax/", tax_list, name="tax_list"),
    path("tax/<uuid:pk>/", tax_detail, name="tax_detail"),
    path("tax/<uuid:pk>/verify/", tax_verify, name="tax_verify"),
    path("tax/<uuid:pk>/reject/", tax_reject, name="tax_reject"),
    path("tax/<uuid:pk>/number/", tax_reveal, name="tax_reveal"),
]
