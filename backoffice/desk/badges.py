"""Counts beside menu entries: each is one cheap statement, asked once per request."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest

from backoffice.core import jobs


def once(count: Callable[[HttpRequest], int]) -> Callable[[HttpRequest], int | None]:
    """Remembers the count on the request; nothing is shown for zero."""

    @wraps(count)
    def remembered(request: HttpRequest) -> int | None:
        kept = request.__dict__.setdefault("_badges", {})
        if count.__name__ not in kept:
            kept[count.__name__] = count(request)
        return kept[count.__name__] or None

    return remembered


@once
def dead_jobs(request: HttpRequest) -> int:
    """Jobs that wait for somebody to retry or discard them."""
    return jobs.counts()["dead"]
