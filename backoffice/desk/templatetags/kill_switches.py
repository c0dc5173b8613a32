"""The notice that something is switched off (C-005)."""

from typing import Any

from django import template
from django.template import Context

from backoffice.configuration import switches

register = template.Library()


@register.inclusion_tag("desk/system/settings/stopped.html", takes_context=True)
def kill_switches(context: Context, *keys: str) -> dict[str, Any]:
    """A line for each kill switch that is off: of these keys, or of all. Costs no statement while nothing changes."""
    user = getattr(context.get("request"), "user", None)
    return {
        "stopped": [(key, switches.NOTICES[key]) for key in switches.stopped() if not keys or key in keys],
        "may_see": user is not None and user.is_authenticated and user.may("switches.view"),
    }
