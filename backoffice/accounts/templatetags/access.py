"""``{% if request.user|may:"payouts.view" %}``."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def may(user: Any, permission: str) -> bool:
    """Whether the person holds the permission; False for anonymous visitors."""
    return bool(user.is_authenticated and user.may(permission))
