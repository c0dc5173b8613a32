"""The review bench: one case at a time, decided with one key, the next one claimed (W-006)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError, Invalid, NotFound
from backoffice.desk import kept
from backoffice.desk.moderation import evidence
from backoffice.desk.paging import number
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.moderation import queries
from backoffice.moderation.models import Case, PolicyRule
from backoffice.moderation.services import cases
from backoffice.queues import queries as queues
from backoffice.queues.services.items import AtCapacity, OffDuty

DECIDE = "cases.decide"
MOST_TIMECODES = 50


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("GET", "HEAD"))
def moderation_bench(request: StaffRequest) -> HttpResponse:
    """The case in hand (`?case=` for one of several), or the way to the next one."""
    return _bench(request, wanted=_uuid(request.GET.get("case", "")))


def _bench(
    request: StaffRequest,
    *,
    wanted: UUID | None = None,
    problem: DomainError | None = None,
    typed: QueryDict | None = None,
    dialog: str = "",
    lost: Case | None = None,
    status: int = 200,
) -> HttpResponse:
    at = clock.now()
    case_id = queries.held_by(request.user, case_id=wanted)
    dossier = queries.dossier(case_id) if case_id is not None else None
    context: dict[str, Any] = {
        "undoable": queries.undoable(request.user, at=at),
        "counts": queues.counts([queries.QUEUE])[queries.QUEUE],
        "problem": problem,
        "lost": lost,
        "kept": evidence.kept(lost.pk) if lost is not None else "",
        "now": at,
    }
    if dossier is None or dossier.item is None:
        return render(request, "desk/moderation/bench/empty.html", context, status=status)
    context |= evidence.of(dossier)
    owner: User | None = context["owner"]
    language = owner.language if owner is not None else "en"
    context |= {
        "item": dossier.item,
        "of_creator": queues.waiting_of_group(queries.QUEUE, dossier.item.group_key),
        "policies": evidence.choices(queries.policies_in_force(), language),
        "message_language": owner.get_language_display() if owner is not None else "English",
        "message_code": language,
        "typed": typed or {},
        "dialog": dialog,
    }
    context["kept"] += f" {evidence.kept(dossier.case.pk)}"
    request.desk["title"] = dossier.case.title.title
    return render(request, "desk/moderation/bench/case.html", context, status=status)


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def moderation_next(request: StaffRequest) -> HttpResponse:
    """Shows the case in hand, or claims the next one."""
    return _next(request)


def _next(request: StaffRequest) -> HttpResponse:
    # After an undo there is one in hand already; taking another would only let that one's lease run out.
    if queries.held_by(request.user) is None:
        try:
            cases.claim_next(by=request.user)
        except (OffDuty, AtCapacity) as refusal:
            messages.warning(request, str(refusal))
    return redirect("desk:moderation_bench")


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_claim(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Claims one particular case and shows it; a case that is not free says who has it."""
    try:
        cases.claim(_case(pk), by=request.user)
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:case", pk)
    return HttpResponseRedirect(f"{reverse('desk:moderation_bench')}?case={pk}")


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_claim_group(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes all waiting cases of this case's creator; the bench shows them one after another."""
    try:
        taken = cases.claim_group(_case(pk), by=request.user)
    except (OffDuty, AtCapacity) as refusal:
        messages.warning(request, str(refusal))
        return redirect("desk:moderation_bench")
    if taken:
        text = ngettext(
            "%(count)s more case of this creator is yours.",
            "%(count)s more cases of this creator are yours.",
            len(taken),
        )
        messages.success(request, text % {"count": len(taken)})
    else:
        messages.info(request, _("No other case of this creator waits for you."))
    return HttpResponseRedirect(f"{reverse('desk:moderation_bench')}?case={pk}")


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_heartbeat(request: StaffRequest, pk: UUID) -> JsonResponse:
    """Renews the lease; 409 says who has the case now."""
    try:
        item = cases.heartbeat(_case(pk), token=request.POST.get("token", ""), by=request.user)
    except Conflict as error:
        return JsonResponse({"message": str(error)}, status=409)
    return JsonResponse({"until": item.lease_until.isoformat() if item.lease_until else ""})


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_approve(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Approves and hands out the next case."""
    return _decide(request, pk, lambda case, held: cases.approve(case, **held))


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_reject(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Rejects with a policy and the message that was shown, and hands out the next case."""

    def act(case: Case, held: dict[str, Any]) -> object:
        chosen = _uuid(request.POST.get("policy", ""))
        policy = PolicyRule.objects.filter(pk=chosen).first() if chosen is not None else None
        if policy is None:
            raise Invalid(_("Choose the policy that the title breaks."), field="policy")
        return cases.reject(case, policy=policy, message=request.POST.get("message", ""), **held)

    return _decide(request, pk, act, dialog="reject")


def _decide(
    request: StaffRequest, pk: UUID, act: Callable[[Case, dict[str, Any]], object], *, dialog: str = ""
) -> HttpResponse:
    case = _case(pk)
    held = {
        "token": request.POST.get("token", ""),
        "by": request.user,
        "revision": _number(request.POST.get("revision", "")),
        "reason": request.POST.get("reason", "").strip(),
        "timecodes": _timecodes(request.POST.get("timecodes", "")),
    }
    try:
        act(case, held)
    except (Conflict, Invalid) as problem:
        return _refused(request, case, problem, dialog=dialog if isinstance(problem, Invalid) else "")
    return kept.settle(_next(request), f"case:{case.pk}")


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_escalate(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Passes the case on to somebody else, with a reason, and hands out the next."""
    case = _case(pk)
    try:
        cases.escalate(
            case, token=request.POST.get("token", ""), by=request.user, reason=request.POST.get("reason", "")
        )
    except (Conflict, Invalid) as problem:
        return _refused(request, case, problem, dialog="escalate")
    messages.success(request, _("%(reference)s was passed on.") % {"reference": case.reference})
    return kept.settle(_next(request), f"case:{case.pk}")


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_skip(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Gives the case back, does not offer it to this person again, and hands out the next."""
    case = _case(pk)
    try:
        cases.skip(case, token=request.POST.get("token", ""), by=request.user)
    except Conflict as problem:
        return _refused(request, case, problem)
    return kept.settle(_next(request), f"case:{case.pk}")


@screen(permission=DECIDE, title=gettext_lazy("Review bench"), methods=("POST",))
def case_release(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Gives the case back to the queue and goes to the list."""
    case = _case(pk)
    try:
        cases.release(case, token=request.POST.get("token", ""), by=request.user)
    except Conflict as problem:
        return _refused(request, case, problem)
    messages.info(request, _("%(reference)s is back in the queue.") % {"reference": case.reference})
    return kept.settle(redirect("desk:case_list"), f"case:{case.pk}")


def _refused(request: StaffRequest, case: Case, problem: DomainError, *, dialog: str = "") -> HttpResponse:
    """The bench again with the sentence and with what was typed: in the form while the case is still held, else
    beside the way back to the case.
    """
    status = 400 if isinstance(problem, Invalid) else 409
    if queries.held_by(request.user, case_id=case.pk) is None:
        problem = type(problem)(f"{case.reference}: {problem}", code=problem.code)
        return _bench(request, problem=problem, lost=case, status=status)
    return _bench(request, wanted=case.pk, problem=problem, typed=request.POST, dialog=dialog, status=status)


def _case(pk: UUID) -> Case:
    case = Case.objects.select_related("title__creator__user", "title__created_by").filter(pk=pk).first()
    if case is None:
        raise NotFound(_("There is no such case."))
    return case


def _number(text: str) -> int:
    return number(text, 0, most=10**9)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _timecodes(text: str) -> list[int]:
    """Whole seconds, separated by commas; anything else is left out."""
    parts = [part.strip() for part in text.split(",")]
    fitting = {int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 7}
    return sorted(fitting)[:MOST_TIMECODES]


urlpatterns = [
    path("bench/", moderation_bench, name="moderation_bench"),
    path("bench/next/", moderation_next, name="moderation_next"),
    path("cases/<uuid:pk>/claim/", case_claim, name="case_claim"),
    path("cases/<uuid:pk>/claim-group/", case_claim_group, name="case_claim_group"),
    path("cases/<uuid:pk>/heartbeat/", case_heartbeat, name="case_heartbeat"),
    path("cases/<uuid:pk>/approve/", case_approve, name="case_approve"),
    path("cases/<uuid:pk>/reject/", case_reject, name="case_reject"),
    path("cases/<uuid:pk>/escalate/", case_escalate, name="case_escalate"),
    path("cases/<uuid:pk>/skip/", case_skip, name="case_skip"),
    path("cases/<uuid:pk>/release/", case_release, name="case_release"),
]
