"""``{{ amount|money:currency }}`` for minor units."""

from django import template

from backoffice.core import money as core_money

register = template.Library()


@register.filter
def money(amount: int | None, currency: str) -> str:
    """Minor units in the reader's form; empty when there is no amount."""
    return "" if amount is None or not currency else core_money.display(amount, currency)
