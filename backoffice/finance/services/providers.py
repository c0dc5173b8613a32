"""The payment provider's client, made from the settings, and its failures in the words of this domain."""

from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _

from backoffice.core.errors import DomainError
from integrations.stripe.client import StripeClient

STRIPE = "stripe"
# Money that has left the platform's Stripe balance and lies on creators' connected accounts.
STRIPE_CONNECT = "stripe-connect"


class ProviderUnavailable(DomainError):
    """The provider did not answer, or is not set up; nothing is lost by trying again."""

    default_code = "provider_unavailable"


def stripe() -> StripeClient:
    """The Stripe client of these settings; ProviderUnavailable when no key is set."""
    if not settings.STRIPE_API_KEY:
        raise ProviderUnavailable(_("Payments are not set up on this installation."))
    return _client(settings.STRIPE_API_KEY, settings.STRIPE_BASE_URL)


@lru_cache(maxsize=4)
def _client(api_key: str, base_url: str) -> StripeClient:
    return StripeClient(api_key, base_url or None)
