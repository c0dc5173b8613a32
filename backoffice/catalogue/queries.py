"""Reading the catalogue, shaped for the screens and endpoints that ask."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Value

from backoffice.catalogue.models import Category, FeaturedSection, FeaturedSlot, Title
from backoffice.catalogue.models.titles import TitleQuerySet
from backoffice.catalogue.states import Moderation, Processing
from backoffice.core import clock
from backoffice.creators.models import Creator


def published(at: datetime | None = None, *, country: str | None = None) -> TitleQuerySet:
    """Titles that are public at this moment (section 4.5), with what a list shows, newest first."""
    return _for_lists(Title.objects.published(at or clock.now(), country=country))


def listed(*, country: str | None = None) -> TitleQuerySet:
    """Published titles and those whose time gate is still closed (U-029), newest first."""
    return _for_lists(Title.objects.listed(country=country))


def _for_lists(titles: TitleQuerySet) -> TitleQuerySet:
    return (
        titles.select_related("creator", "category", "poster").prefetch_related("tags").order_by("-published_at", "-id")
    )


def for_creator(creator: Creator) -> QuerySet[Title]:
    """Every title of a creator, whatever its state, newest first (U-024)."""
    return (
        Title.objects.filter(creator=creator)
        .select_related("creator", "category", "poster", "video")
        .prefetch_related("tags")
        .order_by("-id")
    )


def category_names() -> dict[str, str]:
    """Every category's name in the reader's language by its slug; one statement."""
    return {category.slug: category.name for category in Category.objects.all()}


def is_creator_shown(creator_id: UUID) -> bool:
    """Whether the public may see this creator's shelf."""
    return Creator.objects.live().filter(pk=creator_id).exists()


def for_staff() -> QuerySet[Title]:
    """Every title with what a staff list shows, newest first."""
    return Title.objects.select_related("creator", "category", "poster").order_by("-id")


def search(titles: QuerySet[Title], text: str) -> QuerySet[Title]:
    """Narrows `titles` to those whose name, or whose creator's name, contains `text`.

    A union of two sets of ids: an OR across the two tables would leave the trigram indexes unused.
    """
    words = text.strip()
    if not words:
        return titles
    by_name = Title.objects.filter(title__icontains=words).values("id")
    creators = Creator.objects.filter(stage_name__icontains=words).values("id")
    by_creator = Title.objects.filter(creator__in=creators).values("id")
    return titles.filter(id__in=by_name.order_by().union(by_creator.order_by()))


@dataclass(frozen=True, slots=True)
class Shelf:
    """A featured section with the slots that are shown in it at one moment."""

    section: FeaturedSection
    slots: list[FeaturedSlot]


def featured_now(
    section_slug: str | None = None,
    *,
    language: str | None = None,
    at: datetime | None = None,
    country: str | None = None,
    page: str | None = None,
) -> list[Shelf]:
    """What is featured at this moment for this reader, section by section, in order (U-034). Two statements.

    Only live slots of published titles; never more than the section's maximum. `language` and `country` pick the
    sections addressed to them; without one, only sections for everybody.
    """
    at = at or clock.now()
    audience = Q(languages=[])
    if language:
        audience |= Q(languages__contains=[language[:2]])
    region = Q(regions=[])
    if country:
        region |= Q(regions__contains=[country])
    sections = FeaturedSection.objects.filter(audience, region, is_active=True)
    if section_slug is not None:
        sections = sections.filter(slug=section_slug)
    if page is not None:
        sections = sections.filter(page=page)
    found = {section.id: Shelf(section, []) for section in sections}
    slots = (
        FeaturedSlot.objects.filter(
            section__in=list(found), title__in=Title.objects.published(at, country=country).values("id")
        )
        .live(at)
        .select_related("section", "title__creator", "title__category", "title__poster")
        .order_by("position", "starts_at", "id")
    )
    for slot in slots:
        shelf = found[slot.section_id]
        if len(shelf.slots) < shelf.section.max_items:
            shelf.slots.append(slot)
    return list(found.values())


def section_board(section: FeaturedSection, *, at: datetime) -> dict[str, list[FeaturedSlot]]:
    """Every slot of a section by state ("live", "scheduled", "unpaid", "ended", "removed"), for the editor. One
    statement; of what is over, the newest fifty."""
    slots = section.slots.select_related("title__creator", "title__poster", "curated_by").order_by(
        "position", "starts_at"
    )
    board: dict[str, list[FeaturedSlot]] = {str(state): [] for state in FeaturedSlot.State}
    for slot in slots:
        board[slot.state(at)].append(slot)
    for state in (FeaturedSlot.State.ENDED, FeaturedSlot.State.REMOVED):
        board[state] = sorted(board[state], key=lambda slot: slot.updated_at, reverse=True)[:50]
    return board


def work_counts() -> dict[str, int]:
    """How many titles wait for a decision and how many failed in processing; one statement over two small indexes."""
    pending = Title.objects.filter(moderation_status=Moderation.PENDING)
    failed = Title.objects.filter(processing_status=Processing.ERROR)
    return {
        str(row["what"]): int(row["number"])
        for row in pending.order_by()
        .annotate(what=Value("pending"))
        .values("what")
        .annotate(number=Count("id"))
        .union(failed.order_by().annotate(what=Value("error")).values("what").annotate(number=Count("id")))
    }


def creator_counts(creator: Creator) -> dict[str, int]:
    """How many titles a creator has, by what became of them. One statement."""
    return Title.objects.filter(creator=creator).aggregate(
        total=Count("id"),
        approved=Count("id", filter=Q(moderation_status=Moderation.APPROVED)),
        rejected=Count("id", filter=Q(moderation_status=Moderation.REJECTED, removed_at=None)),
        removed=Count("id", filter=Q(removed_at__isnull=False)),
    )
