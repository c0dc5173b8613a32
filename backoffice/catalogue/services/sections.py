"""Defining the shelves of the storefront (E-033)."""

from datetime import datetime

from django.db import transaction

from backoffice.accounts.models import User
from backoffice.accounts.permissions import require
from backoffice.audit import entries
from backoffice.catalogue.models import FeaturedSection


def define(
    *,
    slug: str,
    headings: dict[str, str],
    layout: str,
    max_items: int,
    position: int,
    by: User | None,
    languages: list[str] | None = None,
    regions: list[str] | None = None,
    at: datetime | None = None,
) -> FeaturedSection:
    """The section with this slug, made when there is none; one that is there keeps what editors made of it.

    `headings` maps language codes to text, "en" among them; empty `languages` and `regions` mean everybody.
    """
    if by is not None:
        require(by, "cms.edit")
    with transaction.atomic():
        section, made = FeaturedSection.objects.get_or_create(
            slug=slug,
            defaults={
                **{f"heading_{language}": heading for language, heading in headings.items()},
                "layout": layout,
                "max_items": max_items,
                "position": position,
                "languages": languages or [],
                "regions": regions or [],
            },
        )
        if made:
            entries.record(action="featured.define", by=by, subject=section, after={"slug": slug}, at=at)
    return section
