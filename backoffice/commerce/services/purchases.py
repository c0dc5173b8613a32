"""Starting, paying and undoing purchases (S-095)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue.models import Title
from backoffice.commerce import policies
from backoffice.commerce.models import Purchase
from backoffice.commerce.states import ACTIVE, PurchaseStatus
from backoffice.core import clock
from backoffice.core.errors import Conflict
from backoffice.core.states import advance


class AlreadyOwned(Conflict):
    """The buyer has this title already (U-030)."""

    default_code = "already_owned"


def start(*, title: Title, by: User, country: str | None = None, at: datetime | None = None) -> Purchase:
    """A pending purchase at the title's price of this moment; the one that waits for payment when there is one.

    Raises NotForSale or AlreadyOwned.
    """
    at = at or clock.now()
    existing = _active(title, by)
    if existing is not None and existing.status == PurchaseStatus.PAID:
        raise AlreadyOwned(_("You own this title already."))
    policies.check_for_sale(title, at=at, country=country)
    if existing is None:
        try:
            with transaction.atomic():
                purchase = Purchase.objects.create(
                    title=title,
                    buyer=by,
                    price_minor=title.price_minor,
                    currency=title.currency,
                    created_at=at,
                )
                entries.record(action="purchase.start", by=by, subject=purchase, at=at)
                return purchase
        except IntegrityError:
            existing = _active(title, by)
            if existing is None:
                raise
    if existing.status == PurchaseStatus.PAID:
        raise AlreadyOwned(_("You own this title already."))
    return _at_present_price(existing, title, by, at)


def mark_paid(*, purchase: Purchase, at: datetime | None = None, by: User | None = None) -> Purchase:
    """The payment was captured: the title is in the buyer's library from now on."""
    at = at or clock.now()
    advance(purchase, "pay", by=by, at=at, changes={"purchased_at": at})
    return purchase


def mark_refunded(
    *, purchase: Purchase, at: datetime | None = None, by: User | None = None, reason: str = ""
) -> Purchase:
    """The whole price went back: the title leaves the buyer's library."""
    at = at or clock.now()
    advance(purchase, "refund", by=by, at=at, reason=reason, changes={"refunded_at": at})
    return purchase


def restore(*, purchase: Purchase, at: datetime | None = None, by: User | None = None, reason: str = "") -> Purchase:
    """The refund did not reach the buyer: the title is in their library again.

    Raises AlreadyOwned when the buyer has bought the title again meanwhile, or is about to.
    """
    at = at or clock.now()
    try:
        with transaction.atomic():
            advance(purchase, "restore", by=by, at=at, reason=reason, changes={"refunded_at": None})
    except IntegrityError as error:
        purchase.refresh_from_db()
        raise AlreadyOwned(_("The title was bought again after this purchase was refunded.")) from error
    return purchase


def _at_present_price(purchase: Purchase, title: Title, by: User, at: datetime) -> Purchase:
    """A purchase that still waits takes the price of today: an old checkout page does not keep an old price."""
    if (purchase.price_minor, purchase.currency) != (title.price_minor, title.currency):
        with transaction.atomic():
            entries.record(
                action="purchase.reprice",
                by=by,
                subject=purchase,
                before={"price_minor": purchase.price_minor, "currency": purchase.currency},
                after={"price_minor": title.price_minor, "currency": title.currency},
                at=at,
            )
            Purchase.objects.filter(pk=purchase.pk, status=PurchaseStatus.PENDING).update(
                price_minor=title.price_minor, currency=title.currency, updated_at=at
            )
        purchase.refresh_from_db()
    return purchase


def _active(title: Title, buyer: User) -> Purchase | None:
    return Purchase.objects.filter(title=title, buyer=buyer, status__in=ACTIVE).first()
