"""What the process refuses to start with."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

DEMO_SETTINGS = "backoffice.settings.demo"


@register(Tags.security)
def demo_is_not_production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The one-click sign-in of the demo exists under the demo's settings and nowhere else."""
    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if settings.DEMO_MODE and module != DEMO_SETTINGS:
        return [
            Error(
                f"DEMO_MODE is on under {module or 'unnamed settings'}.",
                hint=f"Demo mode signs anybody in as any role; only {DEMO_SETTINGS} may have it.",
                id="accounts.E001",
            )
        ]
    return []


@register(Tags.security)
def staff_factor_is_enforced(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without the middleware a password alone would open the desk."""
    wanted = "backoffice.accounts.middleware.StaffFactorMiddleware"
    order = list(settings.MIDDLEWARE)
    before = [
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ]
    if wanted not in order or any(name not in order or order.index(name) > order.index(wanted) for name in before):
        return [
            Error(
                "Staff sessions are not held to their second factor.",
                hint=f"Put {wanted} after {' and '.join(before)} in MIDDLEWARE.",
                id="accounts.E002",
            )
        ]
    return []
