"""Pieces of the queues on other pages: the live line, the badges that follow, the duty switch."""

from typing import Any

from django import template
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.accounts.services.staff import profile_of
from backoffice.desk.work import queues as desks
from backoffice.queues import queries
from backoffice.queues.models import WorkItem

register = template.Library()


@register.filter
def shown(number: int) -> str:
    """A count of a queue: ``{{ counts.open|shown }}``, "999+" where counting stopped."""
    return queries.shown(number)


@register.filter
def explained(item: WorkItem | None) -> list[queries.Reason]:
    """Why an unfinished item stands where it stands, its age among it: ``{% for reason in item|explained %}``."""
    finished = (WorkItem.State.DONE, WorkItem.State.CANCELLED)
    return queries.explained(item) if isinstance(item, WorkItem) and item.state not in finished else []


@register.inclusion_tag("desk/work/queues/_live.html")
def live(region: str, *codes: str) -> dict[str, Any]:
    """Keeps the element with the id ``region`` up to date with these queues, and says how fresh it is.

    Without a region only the counts marked ``data-live-count`` follow.
    """
    return {"region": region, "codes": " ".join(codes), "url": reverse("desk:queue_pulse")}


@register.inclusion_tag("desk/work/queues/_badges.html", takes_context=True)
def live_badges(context: dict[str, Any]) -> dict[str, Any]:
    """Lets the counts in the menu follow, for people who see a queue."""
    user = getattr(context.get("request"), "user", None)
    sees = isinstance(user, User) and user.is_staff and bool(desks.seen_by(user))
    return {"url": reverse("desk:queue_pulse") if sees else ""}


@register.inclusion_tag("desk/work/queues/_duty.html", takes_context=True)
def duty(context: dict[str, Any], held: int) -> dict[str, Any]:
    """Whether this person is on duty, the switch, and how much of their room is taken. One statement."""
    return {"profile": profile_of(context["request"].user), "held": held, "csrf_token": context.get("csrf_token")}
