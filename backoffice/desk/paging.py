"""Paging by key: a page starts after the last row of the one before, so a deep page costs what the first
does.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

SIZE = 50


@dataclass(frozen=True, slots=True)
class Page[M: Model]:
    """One page. ``next_query`` and ``first_query`` are query strings that keep every other parameter, or
    None.
    """

    items: list[M]
    next_query: str | None
    first_query: str | None


def keyset[M: Model](
    request: HttpRequest, rows: QuerySet[M], *, by: Sequence[str] = ("-id",), size: int = SIZE
) -> Page[M]:
    """The page that the request's ``after`` asks for, in one statement.

    ``by`` are field names, "-" for descending, never null, the last one unique. An unreadable
    ``after`` shows the first page.
    """
    after = _decode(request.GET.get("after", ""), len(by))
    ordered = rows.order_by(*by)
    try:
        found = list((ordered if after is None else ordered.filter(_beyond(by, after)))[: size + 1])
    except (ValidationError, ValueError):
        after, found = None, list(ordered[: size + 1])
    items = found[:size]
    return Page(
        items=items,
        next_query=_query(request, _encode(items[-1], by)) if len(found) > size else None,
        first_query=_query(request, "") if after is not None else None,
    )


def _beyond(by: Sequence[str], values: list[Any]) -> Q:
    """Rows that come after ``values`` in the order: differs in one field, equal in all before it."""
    beyond, equal = Q(), Q()
    for name, value in zip(by, values, strict=True):
        field = name.removeprefix("-")
        beyond |= equal & Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{field: value})
    return beyond


def _query(request: HttpRequest, after: str) -> str:
    parameters = request.GET.copy()
    parameters.pop("after", None)
    if after:
        parameters["after"] = after
    return "?" + parameters.urlencode()


def _encode(row: Model, by: Sequence[str]) -> str:
    values = [getattr(row, name.removeprefix("-")) for name in by]
    plain = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode(token: str, length: int) -> list[str] | None:
    if not token or len(token) > 500:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error):
        return None
    # `_encode` writes texts and nothing else.
    if not isinstance(values, list) or len(values) != length:
        return None
    return values if all(isinstance(value, str) and "\x00" not in value for value in values) else None


def number(text: str, default: int, *, most: int = 10_000) -> int:
    """A number from 1 to ``most`` out of a query string; ``default`` for anything else, however long it is."""
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 10 else default
