"""The real Stripe client: the one folder that imports the `stripe` package.

Every method makes one HTTP call (or one per page), never retries by itself, and returns values of `types.py`.
Amounts are integers in minor units. A failure is `Refused` (nothing was done) or `Unknown` (look it up).
"""

from integrations.stripe.client.accounts import AccountCalls
from integrations.stripe.client.balances import BalanceCalls
from integrations.stripe.client.checkout import CheckoutCalls
from integrations.stripe.client.events import EventCalls
from integrations.stripe.client.payments import PaymentCalls
from integrations.stripe.client.payouts import PayoutCalls


class StripeClient(CheckoutCalls, PaymentCalls, BalanceCalls, AccountCalls, PayoutCalls, EventCalls):
    """Calls Stripe with one secret key. Safe to share between threads.

    `StripeClient(api_key, base_url=None, *, connect_timeout=5, read_timeout=30)`: `base_url` replaces
    https://api.stripe.com (the loopback server of tests and demo); timeouts are seconds.
    """


__all__ = ["StripeClient"]
