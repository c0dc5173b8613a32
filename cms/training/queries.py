"""Reads of the lessons."""

from django.conf import settings

from cms.training.models import TrainingPage


def lessons(language: str) -> dict[str, TrainingPage]:
    """The published lesson of every module by its code: in this language, or in the platform's first."""
    found: dict[str, TrainingPage] = {}
    pages = TrainingPage.objects.live().filter(locale__language_code__in={language, settings.LANGUAGE_CODE})
    for page in pages.select_related("locale"):
        if page.code not in found or page.locale.language_code == language:
            found[page.code] = page
    return found
