"""The tables of the catalogue."""

from backoffice.catalogue.models.featured import FeaturedSection, FeaturedSlot
from backoffice.catalogue.models.taxonomy import Category, Tag
from backoffice.catalogue.models.titles import Title, TitleFile

__all__ = ["Category", "FeaturedSection", "FeaturedSlot", "Tag", "Title", "TitleFile"]
