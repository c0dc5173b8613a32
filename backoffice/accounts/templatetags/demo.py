"""What the sign-in pages of the demo show besides their forms; empty everywhere else."""

from typing import Any

from django import template
from django.conf import settings

from backoffice.accounts import demo
from backoffice.accounts.models import User

register = template.Library()


@register.simple_tag
def demo_mode() -> bool:
    """Whether this is the demo."""
    return bool(settings.DEMO_MODE)


@register.simple_tag
def demo_people() -> list[demo.DemoPerson]:
    """The people of the one-click sign-in."""
    return demo.people() if settings.DEMO_MODE else []


@register.simple_tag(takes_context=True)
def demo_code(context: template.Context) -> dict[str, Any]:
    """The code that the app of whoever is being asked shows now, and the seconds to wait if it was used."""
    request = context.get("request")
    if not settings.DEMO_MODE or request is None:
        return {}
    stage = getattr(request, "_login_stage", None)
    user = stage.login.user if stage is not None else request.user
    if not isinstance(user, User):
        return {}
    code = demo.current_code(user)
    return {"code": code, "wait": demo.seconds_until_usable(user, code) if code else 0}
