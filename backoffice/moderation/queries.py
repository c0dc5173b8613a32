"""Reading cases and decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet, UUIDField
from django.db.models.functions import Cast

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.moderation.models import Case, Decision, Enforcement, PolicyRule
from backoffice.moderation.states import WAITING, Status
from backoffice.queues.models import WorkItem

# A rejection counts as a strike for this long.
STRIKE_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What happened to a creator's titles before."""

    approved_titles: int
    rejected_cases: int
    strikes: int


def record_of(title: Title, *, at: datetime | None = None) -> TrackRecord:
    """The record of a title's creator; `rejected_cases` are those of this very title. At most three statements."""
    rejected = Case.objects.filter(title=title, status=Status.REJECTED).count()
    if title.creator is None:
        return TrackRecord(approved_titles=0, rejected_cases=rejected, strikes=0)
    published = Title.objects.filter(creator=title.creator, published_at__isnull=False).exclude(pk=title.pk)
    return TrackRecord(
        approved_titles=published.count(), rejected_cases=rejected, strikes=strikes(title.creator, at=at)
    )


def strikes(creator: Creator, *, at: datetime | None = None) -> int:
    """Applied rejections of a creator's titles under a policy of medium or high severity, within a year."""
    return Enforcement.objects.filter(
        effect=Enforcement.Effect.APPLIED,
        at__gt=(at or clock.now()) - STRIKE_LIFE,
        decision__verdict=Decision.Verdict.REJECT,
        decision__policy__severity__in=[PolicyRule.Severity.MEDIUM, PolicyRule.Severity.HIGH],
        decision__case__title__creator=creator,
    ).count()


def escalated_by(case: Case) -> UUID | None:
    """The id of the person who escalated the case last, if anybody did."""
    return (
        Decision.objects.filter(case=case, verdict=Decision.Verdict.ESCALATE)
        .order_by("-decided_at", "-id")
        .values_list("by_id", flat=True)
        .first()
    )


def unsettled(at: datetime) -> QuerySet[Decision]:
    """Decisions whose undo window is over and which have not taken effect, oldest first."""
    return Decision.objects.filter(
        enforcement=None,
        effective_at__lte=at,
        verdict__in=[Decision.Verdict.APPROVE, Decision.Verdict.REJECT],
    ).order_by("effective_at")


def without_holder() -> QuerySet[Case]:
    """Cases in review whose work item lies open: the lease ran out."""
    waiting = WorkItem.objects.filter(
        queue="moderation", subject_type=Case._meta.label_lower, state=WorkItem.State.OPEN
    ).annotate(case_id=Cast("subject_id", UUIDField()))
    return Case.objects.filter(status=Status.IN_REVIEW, pk__in=waiting.values("case_id"))


TABS: dict[str, Q] = {
    "waiting": Q(status=Status.QUEUED),
    "in_review": Q(status=Status.IN_REVIEW),
    "escalated": Q(status=Status.ESCALATED),
    "cultural": Q(status__in=WAITING, cultural_review=True),
    "overdue": Q(status__in=WAITING),
    "settling": Q(status=Status.SETTLING),
    "decided": Q(status__in=[Status.APPROVED, Status.REJECTED, Status.AUTO_APPROVED]),
}


def _tab(name: str, at: datetime) -> Q:
    return TABS[name] & Q(due_at__lte=at) if name == "overdue" else TABS[name]


def tab_counts(at: datetime) -> dict[str, int]:
    """How many cases stand behind each tab but the last; one statement over the open cases only."""
    names = [name for name in TABS if name != "decided"]
    return Case.objects.open().aggregate(**{name: Count("id", filter=_tab(name, at)) for name in names})


def cases(tab: str, *, at: datetime) -> QuerySet[Case]:
    """The cases of a tab with what a list row shows: waiting ones as they will be handed out, decided ones newest
    first."""
    found = Case.objects.filter(_tab(tab, at)).select_related("title__creator", "assignee", "decided_by")
    if tab in ("decided", "settling"):
        return found.order_by("-id")
    return found.order_by("-priority", "due_at", "id")


def policies_in_force() -> list[PolicyRule]:
    """The rules that a rejection may name, in the order of their keys. One statement."""
    return list(PolicyRule.objects.filter(is_active=True).order_by("digit"))


def decisions_of(user: User) -> QuerySet[Decision]:
    """What this moderator decided, newest first, with what came of it."""
    return Decision.objects.filter(by=user).select_related("case__title__creator", "policy", "enforcement")


def history(title: Title) -> QuerySet[Decision]:
    """Every decision on a title, newest first."""
    return Decision.objects.filter(case__title=title).select_related("case", "policy", "by", "enforcement")


def last_message(title: Title) -> str:
    """What the creator was told at the last rejection that took effect, or an empty string."""
    found = Decision.objects.filter(
        case__title=title, verdict=Decision.Verdict.REJECT, enforcement__effect=Enforcement.Effect.APPLIED
    )
    return found.order_by("-decided_at").values_list("message", flat=True).first() or ""


def other_cases(case: Case, *, limit: int = 8) -> QuerySet[Case]:
    """The newest other cases of the same creator."""
    creator = case.title.creator
    if creator is None:
        return Case.objects.none()
    found = Case.objects.filter(title__creator=creator).exclude(pk=case.pk)
    return found.select_related("title").order_by("-id")[:limit]
