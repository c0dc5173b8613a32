"""Reads of the knowledge base."""

from django.conf import settings
from django.db.models import QuerySet
from wagtail.models import Locale, Page

from cms.help.models import HelpArticlePage


def articles(*, language: str, text: str = "", most: int = 50) -> list[HelpArticlePage]:
    """Published articles of a language, best match first when `text` is given (U-052).

    `language` is a code such as "fr"; a language without a tree has no articles. At most `most` come back.
    """
    locale = Locale.objects.filter(language_code=language).first()
    if locale is None:
        return []
    found: QuerySet[HelpArticlePage] = (
        HelpArticlePage.objects.live().public().filter(locale=locale).order_by("topic", "title")
    )
    if text.strip():
        return list(found.search(text.strip(), order_by_relevance=True)[:most])  # type: ignore[attr-defined]
    return list(found[:most])


def missing_translations(language: str) -> QuerySet[Page]:
    """Published pages of the default language that have no published page in `language` (W-020, L-001)."""
    translated = Page.objects.live().filter(locale__language_code=language).values("translation_key")
    return (
        Page.objects.live()
        .filter(locale__language_code=settings.LANGUAGE_CODE, depth__gt=1)
        .exclude(translation_key__in=translated)
        .order_by("path")
    )
