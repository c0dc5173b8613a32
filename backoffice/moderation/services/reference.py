"""The content policy as rows: loaded from `data/policies.json`, in every language."""

import json
from pathlib import Path

from django.db import transaction

from backoffice.moderation.models import PolicyRule

SOURCE = Path(__file__).resolve().parent.parent / "data" / "policies.json"


def load() -> int:
    """Puts the rules of the file in force and returns how many rows were written.

    A rule whose text, severity or key differs from the one in force becomes a new version; decisions keep pointing
    at the version they named. Rules that left the file are no longer in force. Loading again changes nothing.
    """
    wanted = {row["code"]: row for row in json.loads(SOURCE.read_text(encoding="utf-8"))}
    written = 0
    with transaction.atomic():
        in_force = {rule.code: rule for rule in PolicyRule.objects.select_for_update().filter(is_active=True)}
        stale = [
            rule.pk
            for code, rule in in_force.items()
            if code not in wanted or any(getattr(rule, name) != value for name, value in wanted[code].items())
        ]
        PolicyRule.objects.filter(pk__in=stale).update(is_active=False)
        for code, row in wanted.items():
            rule = in_force.get(code)
            if rule is not None and rule.pk not in stale:
                continue
            PolicyRule.objects.create(version=_next_version(code), **row)
            written += 1
    return written


def _next_version(code: str) -> int:
    last = PolicyRule.objects.filter(code=code).order_by("-version").values_list("version", flat=True).first()
    return (last or 0) + 1
