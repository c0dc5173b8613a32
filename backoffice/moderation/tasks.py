"""Background work of moderation."""

from backoffice.catalogue.models import Title
from backoffice.catalogue.services.titles import OPEN_CASE
from backoffice.core import jobs
from backoffice.moderation.models import Decision
from backoffice.moderation.services import cases, upkeep


@jobs.handler(OPEN_CASE)
def open_case(job: jobs.JobContext, *, title_id: str) -> None:
    """A submitted title has a playable video: it goes to review."""
    cases.open_for_title(Title.objects.get(pk=title_id))


@jobs.handler(cases.SETTLE)
def settle(job: jobs.JobContext, *, decision_id: str) -> None:
    """The undo window of a decision is over."""
    cases.settle(Decision.objects.get(pk=decision_id))


@jobs.handler("moderation.tick")
def tick(job: jobs.JobContext) -> None:
    """Every minute: cases whose reviewer went away, cases past their due time, decisions that were left over."""
    upkeep.return_lapsed()
    upkeep.flag_breaches()
    upkeep.escalate_due()
    cases.settle_due()
