"""A worker of its own process that sends one payout; the tests kill it."""

import os
import sys

import django


def main(item_id: str) -> None:
    """Runs the service that the job handler calls."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings.test"
    django.setup()
    from django.conf import settings

    from backoffice.finance.services import payouts

    settings.STRIPE_API_KEY = os.environ["STRIPE_API_KEY"]
    settings.STRIPE_BASE_URL = os.environ["STRIPE_BASE_URL"]
    payouts.send_item(item_id=item_id)


if __name__ == "__main__":
    main(sys.argv[1])
