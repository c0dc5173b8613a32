"""Countries: ISO 3166 codes in storage, names in the reader's language."""

import re
from functools import cache

from babel import Locale
from django.utils.translation import get_language

# Haitian Creole has no country names in CLDR; they are read in French there.
LANGUAGES = {"en": "en", "fr": "fr", "ht": "fr"}
# Regions of the world, and codes that no country has.
_NOT_COUNTRIES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}


@cache
def _names(language: str) -> dict[str, str]:
    territories = Locale.parse(language).territories
    return {
        code: str(label)
        for code, label in territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_COUNTRIES
    }


def codes() -> frozenset[str]:
    """Every known code."""
    return frozenset(_names("en"))


def name(code: str, language: str | None = None) -> str:
    """The country's name in the reader's language; the code itself when it is not known."""
    return _names(LANGUAGES.get((language or get_language() or "en")[:2], "en")).get(code, code)


def choices(language: str | None = None) -> list[tuple[str, str]]:
    """Codes with their names, by name."""
    spoken = LANGUAGES.get((language or get_language() or "en")[:2], "en")
    return sorted(_names(spoken).items(), key=lambda pair: pair[1])
