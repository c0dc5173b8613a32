"""Small things that desk templates need."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import template

from backoffice.core import countries, languages, percent, stored
from backoffice.desk import actions

register = template.Library()


@register.filter
def tone(tones: Mapping[str, str], state: str) -> str:
    """The badge class for a state: ``{{ tones|tone:row.status }}``; nothing for a state without a tone."""
    name = tones.get(state)
    return f" bl-badge--{name}" if name else ""


@register.filter
def basis_points(value: int) -> str:
    """Basis points as a percentage in the reader's form: 250 is "2.5 %"."""
    return percent.display(value)


@register.filter
def country(code: str) -> str:
    """A country's name in the reader's language: ``{{ creator.country|country }}``."""
    return countries.name(code)


@register.filter
def spoken(codes: Iterable[str]) -> str:
    """Languages by name, after one another: ``{{ creator.languages|spoken }}``."""
    return languages.names(codes)


@register.filter
def named(codes: Iterable[str], names: Mapping[str, str]) -> str:
    """Codes by the names that the page has for them, after one another; a code without one stands for itself."""
    return ", ".join(names.get(code, code) for code in codes)


@register.filter
def as_json(value: Any) -> str:
    """A value as indented JSON, for payloads."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)


@register.filter
def kept(text: str) -> str:
    """A sentence that the system has stored, in the reader's language: ``{{ refund.failure|kept }}``."""
    return stored.shown(text)


@register.filter
def in_words(action: str) -> str:
    """An audit action for people: ``{{ entry.action|in_words }}``."""
    return actions.in_words(action)
