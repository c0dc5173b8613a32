"""The creator directory and a creator's page (W-004)."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.audit import queries as audit
from backoffice.audit.models import AuditEntry
from backoffice.catalogue import queries as catalogue
from backoffice.core import clock
from backoffice.core.errors import DomainError, NotFound
from backoffice.creators import queries, states
from backoffice.creators.models import Creator, TaxProfile
from backoffice.creators.services import badges, creators, onboarding
from backoffice.desk.creators import page
from backoffice.desk.creators.forms import ReasonForm
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.journeys.services import suspension

VIEW = "users.view"
MONEY = "payouts.view"
# What the history says of payouts is for those who see payouts (P-013, P-018).
MONEY_ACTIONS = ("creator.hold_payouts", "creator.release_payouts", "creator.tax_form", "creator.payout_account")
TIMELINE = 60
STATUSES = (
    ("", gettext_lazy("All")),
    ("active", gettext_lazy("Live")),
    (states.VerificationStatus.PENDING, gettext_lazy("Pending")),
    (states.VerificationStatus.SUSPENDED, gettext_lazy("Suspended")),
    (states.VerificationStatus.REJECTED, gettext_lazy("Rejected")),
)


@screen(permission=VIEW, title=gettext_lazy("Creators"), methods=("GET", "HEAD"))
def creator_list(request: StaffRequest) -> HttpResponse:
    """The directory by name; one statement for the rows whatever their number."""
    text = request.GET.get("q", "").strip()[:60]
    status = request.GET.get("status", "")
    status = status if status in {str(code) for code, _label in STATUSES} else ""
    held = request.GET.get("held") == "1"
    found = keyset(request, queries.directory(text=text, status=status, held=held), by=("stage_name", "id"))
    return render(
        request,
        "desk/creators/creators/list.html",
        {
            "page": found,
            "text": text,
            "status": status,
            "held": held,
            "statuses": STATUSES,
            "filtered": bool(text or status or held),
        },
    )


def find(pk: UUID) -> Creator:
    """The creator with person and picture. Raises NotFound."""
    creator = Creator.objects.select_related("user", "avatar").filter(pk=pk).first()
    if creator is None:
        raise NotFound(_("There is no such creator."))
    return creator


@screen(permission=VIEW, title=gettext_lazy("Creator"), methods=("GET", "HEAD"))
def creator_detail(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One creator: state, applications, titles, holds and what happened."""
    return _page(request, find(pk))


def _page(
    request: StaffRequest,
    creator: Creator,
    *,
    form: ReasonForm | None = None,
    opened: str = "",
    problem: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    request.desk["title"] = creator.stage_name
    own = creator.user_id == request.user.pk
    return render(
        request,
        "desk/creators/creators/detail.html",
        {
            "creator": creator,
            "category_names": catalogue.category_names(),
            **page.around(creator, request.user),
            "applications": creator.applications.order_by("-created_at"),
            "accounts": creator.social_accounts.all(),
            "titles": catalogue.creator_counts(creator),
            "entries": _history(request, creator),
            "sees_money": request.user.may(MONEY),
            "form": form or ReasonForm(),
            "opened": opened,
            "problem": problem,
            "may_suspend": request.user.may(states.SUSPEND),
            "may_decide": request.user.may(states.DECIDE),
            "may_hold": request.user.may("payouts.edit"),
            "tax_profile": TaxProfile.objects.filter(creator=creator, status__in=states.CURRENT_TAX).first(),
            "sees_tax": request.user.may("payouts.view"),
            "review_due": not own and queries.in_review(creator),
            "held": list(queries.holds_on(creator.user_id, at=clock.now())),
            "sees_holds": request.user.may("privacy.view"),
            "places_holds": request.user.may("privacy.decide"),
            "sees_applications": request.user.may("applications.view"),
            # Nobody decides about themselves.
            "verbs": [] if own else creator.machine.verbs_from(creator.verification_status),
        },
        status=status,
    )


def _history(request: StaffRequest, creator: Creator) -> list[AuditEntry]:
    found = audit.for_subject(creator)
    if not request.user.may(MONEY):
        found = found.exclude(action__in=MONEY_ACTIONS)
    return list(found[:TIMELINE])


def _with_reason(
    request: StaffRequest, pk: UUID, act: Callable[[Creator, ReasonForm], None], *, dialog: str, done: str
) -> HttpResponse:
    """Runs a verb that needs a reason; a refusal opens its dialog again with what was typed."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, find(pk), form=form, opened=dialog, status=400)
    try:
        act(find(pk), form)
    except DomainError as error:
        return _page(request, find(pk), form=form, opened=dialog, problem=error, status=409)
    messages.success(request, done)
    return redirect("desk:creator_detail", pk=pk)


@screen(permission=states.SUSPEND, title=gettext_lazy("Creator"), methods=("POST",))
def creator_suspend(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Suspends with a reason and optionally an end date (S-014)."""

    def act(creator: Creator, form: ReasonForm) -> None:
        day: dt.date | None = form.cleaned_data["until"]
        until = timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None
        suspension.suspend(creator=creator, by=request.user, reason=form.cleaned_data["reason"], until=until)

    return _with_reason(request, pk, act, dialog="suspend", done=_("The creator is suspended."))


@screen(permission=states.SUSPEND, title=gettext_lazy("Creator"), methods=("POST",))
def creator_restore(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Restores a suspended creator (S-015)."""

    def act(creator: Creator, form: ReasonForm) -> None:
        suspension.restore(creator=creator, by=request.user, reason=form.cleaned_data["reason"])

    return _with_reason(request, pk, act, dialog="restore", done=_("The creator is restored."))


@screen(permission="payouts.edit", title=gettext_lazy("Creator"), methods=("POST",))
def creator_hold(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Holds the payouts with a reason."""

    def act(creator: Creator, form: ReasonForm) -> None:
        creators.hold_payouts(creator=creator, by=request.user, reason=form.cleaned_data["reason"])

    return _with_reason(request, pk, act, dialog="hold", done=_("Payouts are held."))


@screen(permission="payouts.edit", title=gettext_lazy("Creator"), methods=("POST",))
@stepup.required
def creator_release(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Releases the payouts after review."""

    def act(creator: Creator, form: ReasonForm) -> None:
        creators.release_payouts(creator=creator, by=request.user, reason=form.cleaned_data["reason"])

    return _with_reason(request, pk, act, dialog="release", done=_("Payouts are released."))


@screen(permission=states.DECIDE, title=gettext_lazy("Creator"), methods=("POST",))
def creator_reverify(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Asks a verified creator to prove identity again (S-017)."""

    def act(creator: Creator, form: ReasonForm) -> None:
        creators.reverify(creator=creator, by=request.user, reason=form.cleaned_data["reason"])

    return _with_reason(request, pk, act, dialog="reverify", done=_("The creator is asked for an ID."))


@screen(permission=states.DECIDE, title=gettext_lazy("Creator"), methods=("POST",))
def creator_refuse(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Refuses a pending verification (S-013)."""

    def act(creator: Creator, form: ReasonForm) -> None:
        suspension.refuse_verification(creator=creator, by=request.user, reason=form.cleaned_data["reason"])

    return _with_reason(request, pk, act, dialog="refuse", done=_("The verification is refused."))


@screen(permission=states.DECIDE, title=gettext_lazy("Creator"), methods=("POST",))
def creator_confirm(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Confirms the identity at the end of a re-verification (S-012)."""
    try:
        creators.confirm_verification(creator=find(pk), by=request.user)
    except DomainError as error:
        return _page(request, find(pk), problem=error, status=409)
    messages.success(request, _("The identity is confirmed."))
    return redirect("desk:creator_detail", pk=pk)


@screen(permission=badges.EDIT, title=gettext_lazy("Creator"), methods=("POST",))
def creator_badge(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Gives a badge, or takes it back (E-013)."""
    badge, taking = request.POST.get("badge", ""), request.POST.get("take") == "1"

    def act(creator: Creator, form: ReasonForm) -> None:
        change = badges.revoke if taking else badges.grant
        change(creator=creator, badge=badge, by=request.user, reason=form.cleaned_data["reason"])

    done = _("The badge is taken back.") if taking else _("The badge is given.")
    return _with_reason(request, pk, act, dialog=f"take-{badge}" if taking else "badge", done=done)


@screen(permission=badges.EDIT, title=gettext_lazy("Creator"), methods=("POST",))
@stepup.required
def creator_tier(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Confirms another tier (P-034)."""

    def act(creator: Creator, form: ReasonForm) -> None:
        tier = request.POST.get("tier", "")
        badges.set_tier(creator=creator, tier=tier, by=request.user, reason=form.cleaned_data["reason"])

    return _with_reason(request, pk, act, dialog="tier", done=_("The tier is changed."))


@screen(permission=states.DECIDE, title=gettext_lazy("Creator"), methods=("POST",))
def creator_onboarding(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ticks a step of the help for new creators off, or takes the tick back (F-005)."""
    code, done = request.POST.get("code", ""), request.POST.get("done") == "1"
    try:
        onboarding.tick(creator=find(pk), code=code, done=done, by=request.user)
    except DomainError as error:
        return _page(request, find(pk), problem=error, status=409)
    return redirect(reverse("desk:creator_detail", args=[pk]) + "#onboarding-title")


urlpatterns = [
    path("", creator_list, name="creator_list"),
    path("<uuid:pk>/", creator_detail, name="creator_detail"),
    path("<uuid:pk>/suspend/", creator_suspend, name="creator_suspend"),
    path("<uuid:pk>/restore/", creator_restore, name="creator_restore"),
    path("<uuid:pk>/reverify/", creator_reverify, name="creator_reverify"),
    path("<uuid:pk>/refuse/", creator_refuse, name="creator_refuse"),
    path("<uuid:pk>/confirm/", creator_confirm, name="creator_confirm"),
    path("<uuid:pk>/hold/", creator_hold, name="creator_hold"),
    path("<uuid:pk>/badge/", creator_badge, name="creator_badge"),
    path("<uuid:pk>/tier/", creator_tier, name="creator_tier"),
    path("<uuid:pk>/onboarding/", creator_onboarding, name="creator_onboarding"),
    path("<uuid:pk>/release/", creator_release, name="creator_release"),
]
