"""Is the machinery keeping up: depth of the queues, dead letters, the oldest thing that waits."""

from django.db.models import Count, Min, Q
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import Job
from backoffice.desk import badges
from backoffice.desk.screens import StaffRequest, render, screen


@screen(permission="jobs.view", title=_("Health"), methods=("GET", "HEAD"))
def overview(request: StaffRequest) -> HttpResponse:
    """One row per queue of background work."""
    now = clock.now()
    queues = list(
        Job.objects.filter(state__in=[Job.State.DUE, Job.State.RUNNING, Job.State.DEAD])
        .values("queue")
        .annotate(
            due=Count("id", filter=Q(state=Job.State.DUE, run_after__lte=now)),
            later=Count("id", filter=Q(state=Job.State.DUE, run_after__gt=now)),
            running=Count("id", filter=Q(state=Job.State.RUNNING)),
            dead=Count("id", filter=Q(state=Job.State.DEAD)),
            oldest=Min("run_after", filter=Q(state=Job.State.DUE, run_after__lte=now)),
        )
        .order_by("queue")
    )
    totals = {name: sum(row[name] for row in queues) for name in ("due", "later", "running", "dead")}
    oldest = min((row["oldest"] for row in queues if row["oldest"]), default=None)
    return render(
        request,
        "desk/system/health.html",
        {
            "queues": queues,
            "totals": totals,
            "oldest": oldest,
            "now": now,
            "failed_events": badges.failed_events(request) or 0 if request.user.may("payments.view") else None,
        },
    )
