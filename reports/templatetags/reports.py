"""Numbers of reports as people read them."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def percent(basis_points: int | None) -> str:
    """Basis points as a percentage in the reader's form: 7050 is "70.5 %"; a dash when there is none."""
    if basis_points is None:
        return "–"
    return f"{number_format(Decimal(basis_points).scaleb(-2), 1)} %"


@register.filter
def signed_percent(basis_points: int | None) -> str:
    """The same with its sign, for changes: "+12.5 %"."""
    if basis_points is None:
        return "–"
    return f"{'+' if basis_points > 0 else ''}{percent(basis_points)}"
