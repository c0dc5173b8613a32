"""The featured board as one reading: sections, what is in them, what was, and titles to choose from."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import Coalesce, RowNumber

from backoffice.catalogue import queries as catalogue
from backoffice.catalogue.models import FeaturedSection, FeaturedSlot, Title
from backoffice.catalogue.models.featured import SlotQuerySet

PAST_SHOWN: Final = 5
CHOICES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Card:
    """One slot as the board shows it; `state` is a FeaturedSlot.State value at the board's moment."""

    slot: FeaturedSlot
    state: str
    fits: bool  # within the section's room, counted over what is live


@dataclass(frozen=True, slots=True)
class Shelf:
    """One section: open slots in their order, the latest past ones, and how full it is."""

    section: FeaturedSection
    heading: str
    number: int
    open: list[Card] = field(default_factory=list)
    past: list[Card] = field(default_factory=list)

    @property
    def live(self) -> int:
        """How many titles visitors see in the section."""
        return sum(card.state == FeaturedSlot.State.LIVE and card.fits for card in self.open)


def board(*, at: datetime, language: str = "", country: str = "") -> list[Shelf]:
    """Every section in page order as it stands at `at`; three SQL statements whatever its size.

    With `language` or `country` (two letters) only the sections that such a visitor is shown.
    """
    sections = [s for s in FeaturedSection.objects.order_by("page", "position", "slug") if _for(s, language, country)]
    open_slots = _by_section(_slots(sections).open(at).order_by("section", "position", "starts_at", "id"))
    past_slots = _by_section(
        _slots(sections)
        .filter(Q(ends_at__lte=at) | Q(removed_at__isnull=False))
        .annotate(
            over_at=Coalesce("removed_at", "ends_at"),
            recency=Window(RowNumber(), partition_by="section", order_by=F("over_at").desc()),
        )
        .filter(recency__lte=PAST_SHOWN)
        .order_by("section", "recency")
    )
    return [
        Shelf(
            section=section,
            heading=section.heading_in(language or None) if language else section.heading,
            number=number,
            open=_cards(open_slots[section.pk], section, at),
            past=[Card(slot, slot.state(at), fits=True) for slot in past_slots[section.pk]],
        )
        for number, section in enumerate(sections, start=1)
    ]


def choices(*, at: datetime, text: str = "", title_id: UUID | None = None) -> list[Title]:
    """Published titles by name or creator, newest first, or the one with `title_id`; one SQL statement."""
    found = Title.objects.published(at).select_related("creator", "category")
    if title_id is not None:
        return list(found.filter(pk=title_id))
    if not text.strip():
        return []
    return list(catalogue.search(found, text).order_by("-published_at", "-id")[:CHOICES_SHOWN])


def _for(section: FeaturedSection, language: str, country: str) -> bool:
    if language and section.languages and language not in section.languages:
        return False
    return not country or not section.regions or country in section.regions


def _slots(sections: Iterable[FeaturedSection]) -> SlotQuerySet:
    slots: SlotQuerySet = FeaturedSlot.objects.filter(section__in=[s.pk for s in sections])
    return slots.select_related("title", "title__creator")


def _by_section(slots: Iterable[FeaturedSlot]) -> defaultdict[UUID, list[FeaturedSlot]]:
    grouped: defaultdict[UUID, list[FeaturedSlot]] = defaultdict(list)
    for slot in slots:
        grouped[slot.section_id].append(slot)
    return grouped


def _cards(slots: list[FeaturedSlot], section: FeaturedSection, at: datetime) -> list[Card]:
    cards, room = [], section.max_items
    for slot in slots:
        state = slot.state(at)
        cards.append(Card(slot, state, fits=state != FeaturedSlot.State.LIVE or room > 0))
        room -= state == FeaturedSlot.State.LIVE
    return cards
