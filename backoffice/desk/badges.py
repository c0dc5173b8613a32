"""Counts beside menu entries: each is one cheap statement, asked once per request."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest

from backoffice.accounts.models import User
from backoffice.approvals import queries as approvals
from backoffice.core import jobs
from backoffice.creators import queries as creators
from backoffice.finance.models import EventOutcome, Payment, PayoutRun
from backoffice.finance.queries import refunds
from backoffice.finance.states import EventStatus, PaymentStatus, RunStatus
from backoffice.queues import queries as queues


def once(count: Callable[[HttpRequest], int | str]) -> Callable[[HttpRequest], int | str | None]:
    """Remembers the count on the request; nothing is shown for zero, and nothing counted for a refusal."""

    @wraps(count)
    def remembered(request: HttpRequest) -> int | str | None:
        if getattr(request, "is_refused", False):
            return None
        kept = request.__dict__.setdefault("_badges", {})
        if count.__name__ not in kept:
            kept[count.__name__] = count(request)
        return kept[count.__name__] or None

    return remembered


def _waiting(queue: str) -> int | str:
    number = queues.counts([queue])[queue]["open"]
    return queues.shown(number) if number else 0


@once
def dead_jobs(request: HttpRequest) -> int:
    """Jobs that wait for somebody to retry or discard them."""
    return jobs.counts()["dead"]


@once
def reviews_waiting(request: HttpRequest) -> int:
    """Verified creators whom somebody has to look at again."""
    return queues.counts([creators.REVIEWS])[creators.REVIEWS]["open"]


@once
def tax_forms_waiting(request: HttpRequest) -> int:
    """Tax forms that finance has not judged."""
    return creators.tax_forms_waiting()


@once
def applications_waiting(request: HttpRequest) -> int | str:
    """Creator applications that nobody has taken up."""
    return _waiting("applications")


@once
def approvals_waiting(request: HttpRequest) -> int:
    """Requests that this person may decide, payouts apart: those are counted beside Payouts."""
    user = request.user
    assert isinstance(user, User)
    return approvals.waiting_for(user, [code for code in approvals.kinds_of(user) if code != "payout"]).count()


@once
def payouts_to_approve(request: HttpRequest) -> int:
    """Payout runs that wait for an approval."""
    return PayoutRun.objects.filter(status=RunStatus.SUBMITTED).count()


@once
def payments_in_trouble(request: HttpRequest) -> int:
    """Payments whose money arrived and could not be booked."""
    return Payment.objects.filter(status=PaymentStatus.NEEDS_HUMAN).count()


@once
def refunds_waiting(request: HttpRequest) -> int:
    """Refunds that wait for an approval or need a person."""
    return refunds.waiting_count()


@once
def failed_events(request: HttpRequest) -> int:
    """Provider events that could not be applied."""
    return EventOutcome.objects.filter(status=EventStatus.FAILED).count()


@once
def cases_waiting(request: HttpRequest) -> int | str:
    """Titles that wait for a moderator."""
    return _waiting("moderation")


@once
def tickets_waiting(request: HttpRequest) -> int | str:
    """Tickets that nobody has taken up."""
    return _waiting("tickets")
