"""Languages: short codes in storage, names in the reader's language."""

from collections.abc import Iterable
from functools import cache

from babel import Locale
from django.utils.translation import get_language

# CLDR has no names in Haitian Creole; they are read in French there.
READ_IN = {"en": "en", "fr": "fr", "ht": "fr"}


@cache
def _names(language: str) -> dict[str, str]:
    return {code: str(label) for code, label in Locale.parse(language).languages.items()}


def name(code: str, language: str | None = None) -> str:
    """The language's name in the reader's language: "fr-CA" is "French (CA)"; the code itself when it is not known."""
    reader = READ_IN.get((language or get_language() or "en")[:2], "en")
    base, _dash, region = code.partition("-")
    found = _names(reader).get(base)
    if found is None:
        return code
    return f"{found} ({region})" if region else found


def names(codes: Iterable[str], language: str | None = None) -> str:
    """Several, after one another."""
    return ", ".join(name(code, language) for code in codes)
