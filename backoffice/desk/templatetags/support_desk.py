"""Small pieces of the support screens."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

from backoffice.support.models import Ticket
from backoffice.support.states import Status

register = template.Library()


@register.filter
def of(mapping: dict[str, Any], key: Any) -> Any:
    """The value of a key, by its text; None when there is none."""
    return mapping.get(str(key))


@register.simple_tag
def due(ticket: Ticket, at: datetime) -> SafeString:
    """How long until the nearest due time, how late it is, or that the clock stands."""
    if ticket.status == Status.PENDING_CUSTOMER:
        return format_html('<span class="bl-muted">{}</span>', _("clock stands"))
    moment = ticket.next_due()
    if moment is None:
        return format_html('<span class="bl-muted">{}</span>', "–")
    if moment < at:
        tone, text = "bl-text--danger", _("%(time)s late") % {"time": timesince(moment, at)}
    else:
        tone = "bl-text--warn" if (moment - at).total_seconds() < 4 * 3600 else ""
        text = timeuntil(moment, at)
    what = _("answer") if ticket.response_open() else _("solution")
    return format_html(
        '<time datetime="{}" class="{}">{}</time><span class="bl-table__sub">{}</span>',
        moment.isoformat(),
        tone,
        text,
        what,
    )


@register.filter
def minutes(amount: int | None) -> str:
    """Minutes as hours where they are whole hours; "no target" for none."""
    if amount is None:
        return _("no target")
    if amount % 60 == 0:
        return _("%(hours)d h") % {"hours": amount // 60}
    return _("%(minutes)d min") % {"minutes": amount}
