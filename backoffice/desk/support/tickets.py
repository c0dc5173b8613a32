"""The ticket queue and the ticket workspace (W-019)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.models import User
from backoffice.audit import queries as audit
from backoffice.audit.models import AuditEntry
from backoffice.commerce import queries as commerce
from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError, Invalid, NotFound
from backoffice.creators import queries as creators
from backoffice.desk import kept
from backoffice.desk.paging import number
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import Payment, RefundRequest
from backoffice.finance.queries import refunds
from backoffice.finance.states import REFUNDABLE_PAYMENTS
from backoffice.queues import queries as queues
from backoffice.queues.models import WorkItem
from backoffice.queues.services.items import AtCapacity, OffDuty
from backoffice.support import queries
from backoffice.support.models import LANGUAGES, Dismissal, IssueType, Resolution, Ticket, TicketLink
from backoffice.support.services import templates, tickets
from backoffice.support.services.steps import StaleTicket
from backoffice.support.states import DECIDE, QUEUE, SUPERVISE, Status

VIEW = ("tickets.view", "tickets.view_finance", "tickets.view_own")
PAGE = 50
TIMELINE = 60

TABS = {
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Unassigned"),
    "due_soon": gettext_lazy("Due soon"),
    "breached": gettext_lazy("Late"),
    "waiting": gettext_lazy("Waiting"),
    "all": gettext_lazy("All"),
}

EVENTS = {
    "ticket.open": gettext_lazy("opened the ticket"),
    "ticket.claim": gettext_lazy("took the ticket"),
    "ticket.assign": gettext_lazy("took the ticket"),
    "ticket.reply": gettext_lazy("answered the customer"),
    "ticket.note": gettext_lazy("wrote an internal note"),
    "ticket.answer": gettext_lazy("wrote, as the customer"),
    "ticket.wait": gettext_lazy("set it to wait for the customer"),
    "ticket.hold": gettext_lazy("put it on hold"),
    "ticket.resume": gettext_lazy("took it back to work"),
    "ticket.escalate": gettext_lazy("escalated it"),
    "ticket.reassign": gettext_lazy("handed it to an agent"),
    "ticket.resolve": gettext_lazy("resolved it"),
    "ticket.reopen": gettext_lazy("opened it again"),
    "ticket.close": gettext_lazy("closed it"),
    "ticket.dismiss": gettext_lazy("closed it unworked"),
    "ticket.merge": gettext_lazy("merged another ticket into it"),
    "ticket.rate": gettext_lazy("rated it"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline, ready for the page."""

    at: datetime
    who: str
    what: str
    reason: str


@screen(permission=VIEW, title=gettext_lazy("Tickets"), methods=("GET", "HEAD"))
def ticket_list(request: StaffRequest) -> HttpResponse:
    """The queue in tabs, most urgent first; seven statements whatever it holds."""
    at = clock.now()
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else ("mine" if request.user.may(DECIDE) else "all")
    filters = {name: request.GET.get(name, "") for name in ("issue_type", "status", "language", "words")}
    filters["words"] = filters["words"].strip()[:100]
    for name, known in (
        ("issue_type", IssueType.values),
        ("status", Status.values),
        ("language", [code for code, _name in LANGUAGES]),
    ):
        filters[name] = filters[name] if filters[name] in known else ""
    page = number(request.GET.get("page", ""), 1)
    rows = list(queries.ticket_list(user=request.user, tab=tab, at=at, **filters)[(page - 1) * PAGE : page * PAGE + 1])
    counts = queries.tab_counts(user=request.user, at=at)
    kept: dict[str, str | int] = {name: value for name, value in filters.items() if value}
    return render(
        request,
        "desk/support/tickets/list.html",
        {
            "at": at,
            "tab": tab,
            "tabs": [
                {
                    "code": code,
                    "label": label,
                    "count": counts.get(code),
                    "query": urlencode({"tab": code, **kept}),
                }
                for code, label in TABS.items()
            ],
            "tickets": rows[:PAGE],
            "holders": _holders(rows[:PAGE], at=at),
            "filters": filters,
            "filtered": bool(kept),
            "issue_types": IssueType.choices,
            "statuses": Status.choices,
            "languages": LANGUAGES,
            "page": page,
            "previous": urlencode({"tab": tab, **kept, "page": page - 1}) if page > 1 else "",
            "next": urlencode({"tab": tab, **kept, "page": page + 1}) if len(rows) > PAGE else "",
        },
    )


@screen(permission=DECIDE, title=gettext_lazy("Tickets"), methods=("POST",))
def ticket_next(request: StaffRequest) -> HttpResponse:
    """Takes the highest ticket that nobody holds and opens it."""
    return _next(request)


@screen(permission=VIEW, title=gettext_lazy("Ticket"), methods=("GET", "HEAD"))
def ticket(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """One ticket with everything that is needed to answer it."""
    return _workspace(request, _find(request, ticket_id))


@screen(permission=DECIDE, title=gettext_lazy("Ticket"), methods=("POST",))
def ticket_claim(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """Takes the ticket; text that was typed before stays in the composer."""
    found = _find(request, ticket_id)
    try:
        tickets.claim(found, by=request.user)
    except DomainError as error:
        return _workspace(request, _find(request, ticket_id), error=error)
    if request.POST.get("body"):
        return _workspace(request, _find(request, ticket_id))
    return redirect("desk:ticket", ticket_id)


@screen(permission=DECIDE, title=gettext_lazy("Ticket"), methods=("POST",))
def ticket_release(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """Gives the ticket back to the queue and goes to the list; with ``skip`` it goes to the next one."""
    skip = bool(request.POST.get("skip"))
    tickets.release(_find(request, ticket_id), by=request.user, token=request.POST.get("token", ""), skip=skip)
    answer = _next(request) if skip else redirect("desk:ticket_list")
    return kept.settle(answer, f"ticket:{ticket_id}:reply")


@screen(permission=DECIDE, title=gettext_lazy("Ticket"), methods=("POST",))
def ticket_heartbeat(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """Renews the lease; 409 with the reason when it is lost."""
    try:
        item = tickets.heartbeat(_find(request, ticket_id), by=request.user, token=request.POST.get("token", ""))
    except Conflict as error:
        return JsonResponse({"message": str(error)}, status=409)
    return JsonResponse({"until": item.lease_until.isoformat() if item.lease_until else ""})


@screen(permission=DECIDE, title=gettext_lazy("Ticket"), methods=("POST",))
def ticket_reply(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """Sends the answer with its status; "next" opens the next ticket."""
    data = request.POST

    def act(found: Ticket) -> None:
        tickets.reply(
            found,
            by=request.user,
            token=data.get("token", ""),
            seen=_seen(request),
            body=data.get("body", ""),
            then=data.get("then", ""),
            resolution_code=data.get("resolution_code", ""),
            reason=data.get("reason", ""),
            template_code=data.get("template_code", "")[:60],
        )
        if data.get("after") == "next" and data.get("then", "") == "":
            tickets.release(found, by=request.user, token=data.get("token", ""), skip=True)

    return _do(request, ticket_id, act, done=_("Your answer to %(reference)s was sent."), what="reply")


@screen(permission=DECIDE, title=gettext_lazy("Ticket"), methods=("POST",))
def ticket_note(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """Adds an internal note."""

    def act(found: Ticket) -> None:
        tickets.note(found, by=request.user, body=request.POST.get("note", ""))

    return _do(request, ticket_id, act, done=_("The note was added to %(reference)s."), what="note")


@screen(permission=DECIDE, title=gettext_lazy("Ticket"), methods=("POST",))
def ticket_status(request: StaffRequest, ticket_id: UUID) -> HttpResponse:
    """Everything that moves a ticket without an answer: wait, hold, resume, escalate, reassign, resolve,
    dismiss."""
    data = request.POST
    verb = data.get("verb", "")
    token = data.get("token", "")
    reason = data.get("reason", "")
    by = request.user

    def act(found: Ticket) -> None:
        seen = _seen(request)
        if verb == "wait":
            tickets.wait(found, by=by, token=token, seen=seen)
        elif verb == "hold":
            tickets.hold(found, by=by, token=token, reason=reason, seen=seen)
        elif verb == "resume":
            tickets.resume(found, by=by, seen=seen)
        elif verb == "escalate":
            tickets.escalate(found, by=by, reason=reason, token=token or None, seen=seen)
        elif verb == "reassign":
            chosen = _uuid(data.get("to", ""))
            to = queries.agents().filter(pk=chosen).first() if chosen is not None else None
            if to is None:
                raise Invalid(_("Choose an agent."), field="to")
            tickets.reassign(found, to=to, by=by, reason=reason, token=token or None, seen=seen)
        elif verb == "resolve":
            tickets.resolve(found, by=by, token=token, code=data.get("resolution_code", ""), seen=seen)
        elif verb == "dismiss":
            into = None
            if data.get("into", "").strip():
                into = Ticket.objects.filter(reference__iexact=data["into"].strip()).first()
                if into is None:
                    raise Invalid(_("There is no ticket with this reference."), field="into")
            tickets.dismiss(found, by=by, token=token, dismissal=data.get("dismissal", ""), into=into, seen=seen)
        else:
            raise Invalid(_("Unknown action."), field="verb")

    return _do(request, ticket_id, act, done=_("%(reference)s was changed."), what="")


def _do(request: StaffRequest, ticket_id: UUID, act: Callable[[Ticket], None], *, done: str, what: str) -> HttpResponse:
    """Runs one verb; a refusal comes back to the workspace with the reason and everything that was typed.

    ``what`` is the form whose words are carried out by it, if any: "reply" or "note".
    """
    found = _find(request, ticket_id)
    try:
        act(found)
    except DomainError as error:
        return _workspace(request, _find(request, ticket_id), error=error)
    messages.success(request, done % {"reference": found.reference})
    answer = _next(request) if request.POST.get("after") == "next" else redirect("desk:ticket", ticket_id)
    return kept.settle(answer, f"ticket:{ticket_id}:{what}") if what else answer


def _next(request: StaffRequest) -> HttpResponseRedirect:
    try:
        taken = tickets.claim_next(by=request.user)
    except (OffDuty, AtCapacity) as refusal:
        messages.warning(request, str(refusal))
        return redirect("desk:ticket_list")
    if taken is None:
        messages.info(request, _("No ticket is waiting for you."))
        return redirect("desk:ticket_list")
    return redirect("desk:ticket", taken[0].pk)


def _workspace(request: StaffRequest, found: Ticket, *, error: DomainError | None = None) -> HttpResponse:
    at = clock.now()
    user = request.user
    item = queues.for_subject(QUEUE, found)
    mine = (
        item is not None
        and item.state == WorkItem.State.CLAIMED
        and item.holder_id == user.pk
        and item.lease_until is not None
        and item.lease_until >= at
    )
    others = (
        item is not None
        and item.state == WorkItem.State.CLAIMED
        and not mine
        and item.holder_id != user.pk
        and item.lease_until is not None
        and item.lease_until >= at
    )
    trail = list(audit.for_subject(found)[:TIMELINE])
    may_decide = user.may(DECIDE)
    status = 200
    if error is not None:
        status = 400 if isinstance(error, Invalid) else 409
    request.desk = {"title": f"{found.reference} · {found.subject}"}
    return render(
        request,
        "desk/support/tickets/detail.html",
        {
            "ticket": found,
            "talk": queries.conversation(found),
            "at": at,
            "item": item,
            "mine": mine,
            "held_by": item.holder if item is not None and others else None,
            "can_take": may_decide
            and item is not None
            and not mine
            and not others
            and not found.is_waiting
            and not found.is_finished,
            "may_decide": may_decide,
            "can_reply": mine and found.status in (Status.OPEN, Status.ESCALATED),
            "can_wait": found.machine.allows(found.status, "wait"),
            "can_hold": found.machine.allows(found.status, "hold"),
            "can_resume": may_decide and found.machine.allows(found.status, "resume"),
            "can_escalate": may_decide and found.machine.allows(found.status, "escalate"),
            "can_reassign": user.may(SUPERVISE) and found.machine.allows(found.status, "reassign"),
            "can_resolve": mine and found.machine.allows(found.status, "resolve"),
            "can_dismiss": mine and found.machine.allows(found.status, "dismiss"),
            "agents": list(queries.agents()) if found.status == Status.ESCALATED and user.may(SUPERVISE) else [],
            "resolutions": Resolution.choices,
            "dismissals": Dismissal.choices,
            "clocks": _clocks(found, at=at),
            "timeline": [_event(entry) for entry in trail],
            "error": error,
            "changes": _changes(trail, error),
            "kept": f"ticket:{found.pk}:reply ticket:{found.pk}:note",
            "typed": request.POST if error is not None or request.POST.get("body") else {},
            "templates": [
                {
                    "code": template.code,
                    "subject": template.subject,
                    "language": template.language,
                    "text": templates.fill(template, ticket=found, by=user),
                }
                for template in queries.templates_for(found)
            ]
            if mine
            else [],
            "similar": queries.similar(found, user=user),
            "customer": _customer(request, found),
            "refunds": _refunds(request, found),
        },
        status=status,
    )


def _customer(request: StaffRequest, found: Ticket) -> dict[str, Any]:
    """The person on the other side, as far as the reader's roles go."""
    user = request.user
    person = found.requester
    orders = user.may("payments.view") or user.may("payments.view_orders")
    return {
        "person": person,
        "creator": creators.for_user(person),
        "shows_orders": orders,
        "purchases": list(commerce.of_buyer(person)[:6]) if orders else [],
        "shows_payments": user.may("payments.view"),
        "payments": list(Payment.objects.filter(user=person).order_by("-created_at")[:6])
        if user.may("payments.view")
        else [],
        "tickets": list(queries.visible_to(user).filter(requester=person).exclude(pk=found.pk).order_by("-id")[:6]),
        "may_see_person": user.may("users.edit") or user.may("users.assist"),
    }


def _refunds(request: StaffRequest, found: Ticket) -> dict[str, Any]:
    """Payments that this ticket is about and that can be refunded, for who may propose it, and what was asked for."""
    user = request.user
    if not (user.may("payments.propose_refund") or user.may("payments.decide")):
        return {}
    links = list(found.links.all())
    linked = {kind: [link.subject_id for link in links if link.kind == kind] for kind in TicketLink.Kind}
    payments = Payment.objects.filter(
        Q(pk__in=linked[TicketLink.Kind.PAYMENT]) | Q(purchase__in=linked[TicketLink.Kind.PURCHASE]),
        user=found.requester,
        status__in=REFUNDABLE_PAYMENTS,
    )
    left = refunds.lefts(payments)
    return {
        "payments": [payment for payment in payments if left[payment.pk] > 0],
        "asked": list(RefundRequest.objects.filter(ticket=found.reference).order_by("-id")[:6]),
    }


def _clocks(found: Ticket, *, at: datetime) -> list[dict[str, Any]]:
    """The two clocks as the page shows them: label, due, state and how much of the time is used (percent)."""
    shown: list[dict[str, Any]] = []
    for name, label, due, done, breached in (
        (
            "response",
            _("First answer"),
            found.first_response_due,
            found.first_responded_at,
            found.response_breached_at,
        ),
        ("resolution", _("Solution"), found.resolution_due, found.resolved_at, found.resolution_breached_at),
    ):
        if due is None:
            shown.append({"name": name, "label": label, "due": None, "state": "none", "used": 0})
            continue
        end = done or found.closed_at
        stands = name == "resolution" and found.paused_since is not None
        moment = end or (found.paused_since if stands else None) or at
        start = found.created_at
        used = (moment - start) / (due - start) if due > start else 1
        state = "done" if end else "stands" if stands else "late" if moment > due else "soon" if used >= 0.8 else "ok"
        if end and moment > due:
            state = "done_late"
        shown.append(
            {
                "name": name,
                "label": label,
                "due": due,
                "done": end,
                "state": state,
                "breached": breached,
                "used": max(0, min(100, round(used * 100))),
            }
        )
    return shown


def _event(entry: AuditEntry) -> Event:
    actor: User | None = entry.actor
    return Event(
        at=entry.at,
        who=actor.display_name if actor is not None else _("Backlot"),
        what=str(EVENTS.get(entry.action, entry.action)),
        reason=entry.reason,
    )


def _changes(trail: list[AuditEntry], error: DomainError | None) -> list[Event]:
    """What happened since the version that the refused person had on the screen."""
    if not isinstance(error, StaleTicket):
        return []
    return [_event(entry) for entry in trail if int(entry.data.get("version") or 0) > error.seen]


def _holders(rows: list[Ticket], *, at: datetime) -> dict[str, str]:
    """Who holds which of these tickets now, by ticket key; one statement."""
    held = WorkItem.objects.filter(
        queue=QUEUE,
        state=WorkItem.State.CLAIMED,
        lease_until__gte=at,
        subject_type=Ticket._meta.label_lower,
        subject_id__in=[str(row.pk) for row in rows],
    ).select_related("holder")
    return {item.subject_id: item.holder.display_name for item in held if item.holder is not None}


def _find(request: StaffRequest, ticket_id: UUID) -> Ticket:
    visible: QuerySet[Ticket] = queries.visible_to(request.user)
    found = (
        visible.filter(pk=ticket_id)
        .select_related("requester", "assignee", "merged_into")
        .prefetch_related("links")
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such ticket."))
    return found


def _seen(request: HttpRequest) -> int:
    """The version on the actor's screen; a form without one has seen nothing."""
    return number(request.POST.get("seen", ""), 0, most=10**9)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


urlpatterns = [
    path("tickets/", ticket_list, name="ticket_list"),
    path("tickets/next/", ticket_next, name="ticket_next"),
    path("tickets/<uuid:ticket_id>/", ticket, name="ticket"),
    path("tickets/<uuid:ticket_id>/claim/", ticket_claim, name="ticket_claim"),
    path("tickets/<uuid:ticket_id>/release/", ticket_release, name="ticket_release"),
    path("tickets/<uuid:ticket_id>/heartbeat/", ticket_heartbeat, name="ticket_heartbeat"),
    path("tickets/<uuid:ticket_id>/reply/", ticket_reply, name="ticket_reply"),
    path("tickets/<uuid:ticket_id>/note/", ticket_note, name="ticket_note"),
    path("tickets/<uuid:ticket_id>/status/", ticket_status, name="ticket_status"),
]
