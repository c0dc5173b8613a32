"""What the process refuses to start with where money comes in."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def stripe_webhooks_are_signed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With Stripe in use its events need a secret, and key and mode must agree."""
    if not settings.STRIPE_API_KEY and not settings.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if not settings.STRIPE_WEBHOOK_SECRET.strip():
        found.append(
            Error(
                "STRIPE_WEBHOOK_SECRET is empty.",
                hint="Without it no payment could be confirmed; copy it from the webhook endpoint at Stripe.",
                id="api.E001",
            )
        )
    if settings.STRIPE_LIVEMODE is not ("_live_" in settings.STRIPE_API_KEY):
        found.append(
            Error(
                "STRIPE_LIVEMODE and the mode of STRIPE_API_KEY differ.",
                hint="Every event would be refused as one of the other mode.",
                id="api.E002",
            )
        )
    return found
