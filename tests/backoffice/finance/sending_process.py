"""A worker of its own process that sends one payout or one refund; the tests kill it."""

import os
import sys

import django


def main(what: str, key: str) -> None:
    """Runs the service that the job handler calls."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings.test"
    django.setup()
    from django.conf import settings

    from backoffice.finance.services import payouts, refunds

    settings.STRIPE_API_KEY = os.environ["STRIPE_API_KEY"]
    settings.STRIPE_BASE_URL = os.environ["STRIPE_BASE_URL"]
    if what == "refund":
        refunds.send(request_id=key)
    else:
        payouts.send_item(item_id=key)


if __name__ == "__main__":
    main(*sys.argv[1:])
