"""Percentages: basis points in storage, a number in the reader's form at the edges, never a float."""

import re
from decimal import Decimal

from babel.numbers import format_decimal
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backoffice.core.errors import Invalid
from backoffice.core.money import LOCALES

# A hundred basis points are one percent.
EXPONENT = 2
MOST = 10_000
_NUMBER = re.compile(r"[0-9]{1,3}(?:[.,](?P<decimals>[0-9]+))?")


class PercentError(Invalid):
    """A percentage that cannot be read."""

    default_code = "invalid_percent"


def display(basis_points: int, language: str | None = None) -> str:
    """Basis points in the form of the reader's language: 2250 is ``22.5 %``, in French ``22,5 %``."""
    return f"{written(basis_points, language)} %"


def written(basis_points: int, language: str | None = None) -> str:
    """The number alone, as it stands in a form: ``22.5``, ``22,5``."""
    locale = LOCALES.get((language or get_language() or "en")[:2], "en_US")
    return str(format_decimal(Decimal(basis_points).scaleb(-EXPONENT), format="0.##", locale=locale))


def parse(text: str) -> int:
    """What a person typed, as basis points: ``22.5``, ``22,5`` and ``22.5 %`` are 2250. From 0 to 100 percent.

    Raises PercentError naming what is wrong.
    """
    shown = text.strip()[:20]
    cleaned = re.sub(r"[\s\u00a0\u202f]", "", text.strip()).removesuffix("%")
    found = _NUMBER.fullmatch(cleaned)
    if len(text) > 40 or found is None:
        raise PercentError(_("“%(text)s” is not a percentage.") % {"text": shown})
    # Three digits would rather be thousands.
    if len(found["decimals"] or "") > EXPONENT:
        raise PercentError(_("“%(text)s” has more than two decimals.") % {"text": shown})
    scaled = Decimal(cleaned.replace(",", ".")).scaleb(EXPONENT)
    if scaled > MOST:
        raise PercentError(_("“%(text)s” is more than 100 percent.") % {"text": shown})
    return int(scaled)
