"""What the process refuses to start with. `backoffice.starting` runs these in every server process."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from backoffice.accounts import sealing

DEMO_SETTINGS = "backoffice.settings.demo"
PRESENCE = "backoffice.accounts.presence.StaffPresenceMiddleware"
SHORTEST_KEY = 50
# What Django, our tests and a hurried copy of the documentation would leave in place.
KNOWN_KEYS = ("django-insecure-", "only-for-tests", "change-me", "changeme", "secret")


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
    if PRESENCE not in order or (wanted in order and order.index(PRESENCE) > order.index(wanted)):
        return [
            Error(
                "Staff sessions are not held to their networks and time limits.",
                hint=f"Put {PRESENCE} before {wanted} in MIDDLEWARE.",
                id="accounts.E003",
            )
        ]
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


@register(Tags.security)
def production_is_closed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """In production: no debug pages, keys of one's own, named hosts, factors that can be read."""
    if not settings.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(Error("DEBUG is on in production.", hint="It shows settings to visitors.", id="accounts.E004"))
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_KEY or len(set(key)) < 10 or key.lower().startswith(KNOWN_KEYS):
        found.append(
            Error(
                "SECRET_KEY is short or a well-known one.",
                hint=f"At least {SHORTEST_KEY} random characters: it signs sessions, links and tokens.",
                id="accounts.E005",
            )
        )
    if not settings.DOCUMENT_MASTER_KEYS:
        found.append(
            Error(
                "DOCUMENT_MASTER_KEYS is missing.",
                hint="Identity documents and second-factor secrets are encrypted with it.",
                id="accounts.E006",
            )
        )
    else:
        try:
            sealing.keys()
        except ImproperlyConfigured as error:
            found.append(Error(str(error), id="accounts.E007"))
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error("ALLOWED_HOSTS names no hosts.", hint="Reset links would carry any host.", id="accounts.E008")
        )
    if settings.MFA_ADAPTER != "backoffice.accounts.adapter.FactorAdapter":
        found.append(Error("Second-factor secrets would be stored in clear.", id="accounts.E009"))
    return found
