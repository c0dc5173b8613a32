"""What open lists and badges ask every few seconds: how the queues stand, and whether anything moved."""

import hashlib
import json

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy

from backoffice.desk.screens import StaffRequest, screen
from backoffice.desk.work import queues as desks
from backoffice.queues import queries

# Their menu entries count something else than the queue.
OTHER_BADGES = ("payouts",)


@screen(permission=None, title=gettext_lazy("Queues"), methods=("GET", "HEAD"))
def queue_pulse(request: StaffRequest) -> HttpResponse:
    """The queues that this person may look at, as JSON; 304 while nothing changed. One statement, whatever waits."""
    seen = desks.seen_by(request.user)
    pulses = queries.pulses([desk.code for desk in seen]) if seen else {}
    content = json.dumps(
        {
            "queues": {
                code: {
                    "open": queries.shown(pulse.open),
                    "claimed": queries.shown(pulse.claimed),
                    "paused": queries.shown(pulse.paused),
                    "overdue": queries.shown(pulse.overdue),
                    "escalated": queries.shown(pulse.escalated),
                    "mark": hashlib.sha256(pulse.mark.encode()).hexdigest()[:16],
                }
                for code, pulse in pulses.items()
            },
            "badges": {
                reverse(desk.list_url): queries.shown(pulses[desk.code].open)
                for desk in seen
                if desk.code not in OTHER_BADGES
            },
        }
    )
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(content, content_type="application/json")
    answer["ETag"] = tag
    return answer


urlpatterns = [
    path("pulse/", queue_pulse, name="queue_pulse"),
]
