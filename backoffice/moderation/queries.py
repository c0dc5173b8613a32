"""Reading cases and decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet, UUIDField
from django.db.models.functions import Cast

from backoffice.accounts.models import User
from backoffice.catalogue import queries as catalogue
from backoffice.catalogue.models import Tag, Title, TitleFile
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.media import queries as media
from backoffice.media.queries import Renditions
from backoffice.moderation.models import Case, Decision, Enforcement, PolicyRule
from backoffice.moderation.states import WAITING, Status
from backoffice.queues import queries as queues
from backoffice.queues.models import WorkItem

QUEUE = "moderation"
NOTHING_MADE: Renditions = {"thumbnail": None, "frame_grid": None, "hls": None, "preview": None}

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
        queue=QUEUE, subject_type=Case._meta.label_lower, state=WorkItem.State.OPEN
    ).annotate(case_id=Cast("subject_id", UUIDField()))
    return Case.objects.filter(status=Status.IN_REVIEW, pk__in=waiting.values("case_id"))


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that a moderator looks at beside the video."""

    case: Case
    item: WorkItem | None
    files: list[TitleFile]
    renditions: Renditions
    tags: list[Tag]
    history: list[Decision]
    others: list[Case]
    strikes: int
    titles: dict[str, int]

    @property
    def proofs(self) -> list[TitleFile]:
        """The proof-of-rights documents (E-026)."""
        return [file for file in self.files if file.role == TitleFile.Role.PROOF]

    @property
    def other_files(self) -> list[TitleFile]:
        """Subtitles and audio tracks."""
        return [file for file in self.files if file.role != TitleFile.Role.PROOF]


def dossier(case_id: UUID) -> Dossier | None:
    """A case with all that belongs to it, in ten statements at most; None when there is no such case."""
    case = (
        Case.objects.select_related(
            "title__creator__user",
            "title__created_by",
            "title__category",
            "title__video",
            "title__poster",
            "assignee",
            "decided_by",
        )
        .filter(pk=case_id)
        .first()
    )
    if case is None:
        return None
    title = case.title
    return Dossier(
        case=case,
        item=queues.for_subject(QUEUE, case),
        files=list(title.files.select_related("asset")),
        renditions=media.renditions(title.video) if title.video is not None else NOTHING_MADE,
        tags=list(title.tags.all()),
        history=list(history(title)[:20]),
        others=list(other_cases(case)),
        strikes=strikes(title.creator) if title.creator is not None else 0,
        titles=catalogue.creator_counts(title.creator) if title.creator is not None else {},
    )


def held_by(user: User, *, case_id: UUID | None = None) -> UUID | None:
    """The case that this moderator took last and still holds, or `case_id` if they hold that. One statement."""
    held = queues.held_by(user).filter(queue=QUEUE)
    if case_id is not None:
        held = held.filter(subject_id=str(case_id))
    item = held.order_by("-claimed_at").first()
    return UUID(item.subject_id) if item is not None else None


def undoable(user: User, *, at: datetime) -> Decision | None:
    """This moderator's newest decision, while it can still be undone. One statement."""
    return (
        Decision.objects.filter(by=user, enforcement=None, effective_at__gt=at)
        .exclude(verdict=Decision.Verdict.ESCALATE)
        .select_related("case__title", "policy")
        .order_by("-decided_at", "-id")
        .first()
    )


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
