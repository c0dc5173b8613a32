"""Tells the page which words were carried out, so that it forgets them (static/desk/kept.js keeps them till then)."""

from django.conf import settings
from django.http import HttpResponse

COOKIE = "backlot_settled"
# The next page reads and removes it; should it never come, the note is gone soon.
SECONDS = 60


def settle[Answer: HttpResponse](answer: Answer, thing: str) -> Answer:
    """The answer with the note that ``thing`` was carried out: the ``data-keep`` of a form, or what it begins with."""
    answer.set_cookie(
        COOKIE, thing, max_age=SECONDS, path="/admin/", secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
    )
    return answer
