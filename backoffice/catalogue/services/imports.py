"""Titles taken over from another system, many at a time (M-002). Called by `journeys.services.imports`.

An imported title is like one that a creator has just made: pending, without a video, not submitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.text import slugify

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue.models import Category, Tag, Title
from backoffice.catalogue.states import Visibility
from backoffice.core import clock
from backoffice.core.ids import uuid7
from backoffice.creators.models import Creator


@dataclass(slots=True)
class NewTitle:
    """A checked row. `price_minor` in minor units of `currency`."""

    creator: Creator | None = None
    title: str = ""
    description: str = ""
    kind: str = Title.Kind.VIDEO
    language: str = "en"
    category: Category | None = None
    tags: list[str] = field(default_factory=list)
    access_model: str = Title.Access.FREE
    price_minor: int = 0
    currency: str = "USD"
    visibility: str = Visibility.PUBLIC


def import_batch(*, rows: Sequence[NewTitle], by: User, at: datetime | None = None) -> list[Title]:
    """New titles in the rows' order; missing tags are made. The caller has checked the rows with
    `policies`."""
    at = at or clock.now()
    wanted = [slugify(row.title)[:240] or "title" for row in rows]
    taken = set(Title.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    made = []
    for row, base in zip(rows, wanted, strict=True):
        pk = uuid7()
        slug = base if base not in taken else f"{base}-{str(pk)[-12:]}"
        taken.add(slug)
        made.append(
            Title(
                id=pk,
                creator=row.creator,
                created_by=by,
                kind=row.kind,
                title=row.title,
                slug=slug,
                description=row.description,
                language=row.language,
                category=row.category,
                access_model=row.access_model,
                price_minor=row.price_minor,
                currency=row.currency,
                visibility=row.visibility,
                created_at=at,
            )
        )
    Title.objects.bulk_create(made, batch_size=1000)
    _tag(made, rows)
    entries.record_each(action="title.import", by=by, subjects=made, at=at)
    return made


def _tag(made: Sequence[Title], rows: Sequence[NewTitle]) -> None:
    names = {slugify(name)[:80]: name[:80] for row in rows for name in row.tags}
    names.pop("", None)
    Tag.objects.bulk_create(
        [Tag(slug=slug, name_en=name) for slug, name in sorted(names.items())],
        ignore_conflicts=True,
        batch_size=1000,
    )
    known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=names)}
    link = Title.tags.through
    link.objects.bulk_create(
        [
            link(title_id=title.pk, tag_id=known[slug].pk)
            for title, row in zip(made, rows, strict=True)
            for slug in dict.fromkeys(slugify(name)[:80] for name in row.tags)
            if slug in known
        ],
        batch_size=2000,
    )
