"""Purchases taken over from another system. Called by `finance.services.imports`, which books their money."""

from datetime import datetime

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue.models import Title
from backoffice.commerce.models import Purchase


def take_over(*, title: Title, buyer: User, price_minor: int, currency: str, by: User, at: datetime) -> Purchase:
    """A pending purchase at the price that was paid then; whether the title is for sale today does not
    matter.

    ``at`` is when it was bought. A second one of the same title and buyer raises IntegrityError.
    """
    purchase = Purchase.objects.create(
        title=title, buyer=buyer, price_minor=price_minor, currency=currency, created_at=at
    )
    entries.record(action="purchase.import", by=by, subject=purchase, data={"bought_at": at})
    return purchase
