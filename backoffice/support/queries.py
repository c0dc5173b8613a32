"""Reads of support, shaped for the screens and the API, each with a fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import Case, Count, F, Prefetch, Q, QuerySet, When
from django.db.models.functions import Least

from backoffice.accounts.models import User
from backoffice.support.models import IssueType, ResponseTemplate, SlaPolicy, Ticket, TicketMessage
from backoffice.support.states import (
    ACTIVE,
    DECIDE,
    RUNNING,
    SUPERVISE,
    WAITING,
    Status,
)

DUE_SOON = timedelta(hours=4)
TABS = ("mine", "unassigned", "due_soon", "breached", "waiting", "all")


def staff_with(permission: str) -> QuerySet[User]:
    """Active staff whose roles include the permission, by name."""
    return (
        User.objects.filter(
            is_active=True,
            is_staff=True,
            groups__permissions__codename=permission,
            groups__permissions__content_type__app_label="accounts",
        )
        .distinct()
        .order_by("display_name", "id")
    )


def supervisors() -> QuerySet[User]:
    """Who is told of escalations and may hand an escalated ticket to an agent."""
    return staff_with(SUPERVISE)


def agents() -> QuerySet[User]:
    """Who may work on tickets."""
    return staff_with(DECIDE)


def late(at: datetime) -> Q:
    """A running clock has passed its due time."""
    return Q(status__in=RUNNING) & (Q(first_responded_at=None, first_response_due__lt=at) | Q(resolution_due__lt=at))


def due_soon(at: datetime) -> Q:
    """A running clock ends within four hours and has not ended yet."""
    soon = at + DUE_SOON
    return (
        Q(status__in=RUNNING)
        & (Q(first_responded_at=None, first_response_due__lt=soon) | Q(resolution_due__lt=soon))
        & ~late(at)
    )


def tab_filter(tab: str, *, user: User, at: datetime) -> Q:
    """What a tab of the ticket list holds."""
    return {
        "mine": Q(assignee=user, status__in=ACTIVE),
        "unassigned": Q(assignee=None, status__in=ACTIVE),
        "due_soon": due_soon(at),
        "breached": late(at),
        "waiting": Q(status__in=WAITING),
        "all": Q(),
    }[tab]


def visible_to(user: User) -> QuerySet[Ticket]:
    """The tickets that this staff person may read (PG-012): all, those about money, or those they worked
    on."""
    if user.may("tickets.view"):
        return Ticket.objects.all()
    may_read = Q(pk__in=[])
    if user.may("tickets.view_finance"):
        may_read |= Q(issue_type=IssueType.PAYMENT)
    if user.may("tickets.view_own"):
        may_read |= Q(assignee=user) | Q(pk__in=TicketMessage.objects.filter(author=user).values("ticket"))
    return Ticket.objects.filter(may_read)


def tab_counts(*, user: User, at: datetime) -> dict[str, int]:
    """How many active tickets each tab holds; one statement."""
    counted = (
        visible_to(user)
        .filter(status__in=ACTIVE)
        .aggregate(**{tab: Count("id", filter=tab_filter(tab, user=user, at=at)) for tab in TABS if tab != "all"})
    )
    return {tab: counted[tab] or 0 for tab in TABS if tab != "all"}


def ticket_list(
    *,
    user: User,
    tab: str,
    at: datetime,
    issue_type: str = "",
    status: str = "",
    language: str = "",
    words: str = "",
) -> QuerySet[Ticket]:
    """The tickets of a tab, most urgent first, with customer and agent."""
    found = visible_to(user).filter(tab_filter(tab, user=user, at=at)).select_related("requester", "assignee")
    if issue_type:
        found = found.filter(issue_type=issue_type)
    if status:
        found = found.filter(status=status)
    if language:
        found = found.filter(language=language)
    if words:
        vector = SearchVector("subject", config="simple")
        query = SearchQuery(words, config="simple", search_type="websearch")
        fits = Q(found_words=query) | Q(reference__iexact=words)
        if user.may("users.edit") or user.may("users.assist"):
            fits |= Q(requester__email__iexact=words)
        found = found.annotate(found_words=vector).filter(fits)
    if tab == "all":
        return found.order_by("-created_at", "-id")
    # The nearest due time: the first answer while it is owed, the solution otherwise; tickets without one
    # come last.
    nearest = Case(
        When(first_responded_at=None, then=Least("first_response_due", "resolution_due")),
        default=F("resolution_due"),
    )
    return found.annotate(nearest=nearest).order_by(F("nearest").asc(nulls_last=True), "id")


def of_customer(user: User) -> QuerySet[Ticket]:
    """A customer's own tickets, newest first."""
    return Ticket.objects.filter(requester=user).prefetch_related("links").order_by("-created_at", "-id")


def with_public_messages(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """The tickets with what their customer may read: internal notes are never loaded."""
    public = TicketMessage.objects.filter(visibility=TicketMessage.Visibility.PUBLIC).select_related("author")
    return tickets.prefetch_related(Prefetch("messages", queryset=public, to_attr="public_messages"))


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that was said on a ticket, in order."""

    ticket: Ticket
    messages: Sequence[TicketMessage]
    merged: Sequence[Ticket]


def conversation(ticket: Ticket) -> Conversation:
    """The messages with their authors, and the tickets merged into this one; two statements."""
    return Conversation(
        ticket=ticket,
        messages=list(ticket.messages.select_related("author")),
        merged=list(ticket.merged.all()),
    )


def similar(ticket: Ticket, *, user: User, limit: int = 5) -> list[Ticket]:
    """Tickets about the same thing that share words with this one's subject, best first (W-019), of those that
    this staff person may read; one statement."""
    words = [word for word in ticket.subject.split() if len(word) > 3][:12]
    if not words:
        return []
    query = SearchQuery(words[0], config="simple")
    for word in words[1:]:
        query = query | SearchQuery(word, config="simple")
    vector = SearchVector("subject", config="simple")
    return list(
        visible_to(user)
        .annotate(found_words=vector, rank=SearchRank(vector, query))
        .filter(found_words=query, issue_type=ticket.issue_type)
        .exclude(pk=ticket.pk)
        .select_related("assignee")
        .order_by("-rank", "-created_at")[:limit]
    )


def templates_for(ticket: Ticket) -> list[ResponseTemplate]:
    """The reply templates in the ticket's language, those about its issue first, then the English ones it
    lacks."""
    rows = ResponseTemplate.objects.filter(active=True, language__in={ticket.language, "en"})
    chosen: dict[str, ResponseTemplate] = {}
    for row in rows:
        if row.code not in chosen or row.language == ticket.language:
            chosen[row.code] = row
    return sorted(chosen.values(), key=lambda row: (row.category != ticket.issue_type, row.code))


def sla_table() -> QuerySet[SlaPolicy]:
    """The table of due times."""
    return SlaPolicy.objects.order_by("respond_within", "issue_type")


def to_escalate(at: datetime) -> QuerySet[Ticket]:
    """Tickets whose time to be escalated has come (S-109)."""
    return Ticket.objects.filter(escalate_at__lte=at, status__in=[Status.NEW, Status.OPEN]).order_by("escalate_at")


def to_close(before: datetime) -> QuerySet[Ticket]:
    """Resolved tickets whose reopen window ended (S-113)."""
    return Ticket.objects.filter(status=Status.RESOLVED, resolved_at__lte=before).order_by("resolved_at")


def to_warn(at: datetime) -> QuerySet[Ticket]:
    """Tickets with a clock that needs a word: near its end, or past it and not told yet (V-020)."""
    response = Q(first_responded_at=None) & (
        Q(response_warn_at__lte=at) | Q(first_response_due__lte=at, response_breached_at=None)
    )
    resolution = Q(resolution_warn_at__lte=at) | Q(resolution_due__lte=at, resolution_breached_at=None)
    return (
        Ticket.objects.filter(Q(status__in=RUNNING) & (response | resolution))
        .select_related("assignee")
        .order_by("first_response_due")
    )
