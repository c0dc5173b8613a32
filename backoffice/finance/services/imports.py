"""Past sales taken over from another system (M-004): purchase, payment, split and ledger entry for each.

The money is booked by `payments.record_sale` under the fee rules of the time of the sale. What the old system has
already paid to the creator leaves the creator's balance in the same transaction, so that it is never paid twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.commerce.services import imports as purchases
from backoffice.core.errors import Invalid
from backoffice.finance.models import AccountKind, Earning, EntryKind, Payment
from backoffice.finance.policies.commission import NoRule, Sale
from backoffice.finance.services import accounts, commission, fx, ledger, payments
from backoffice.finance.states import POSTED_PAYMENTS, EarningStatus

PROVIDER = "legacy"
"""The clearing account that stands for the old system's payment provider."""


@dataclass(slots=True)
class PastSale:
    """A checked row. ``price_minor`` in minor units of ``currency``, ``sold_at`` in UTC."""

    external_id: str
    title: Title
    buyer: User
    price_minor: int
    currency: str
    sold_at: datetime
    paid_out: bool


def problem(*, title: Title, price_minor: int, currency: str, sold_at: datetime) -> str:
    """Why a sale of that time could not be booked (no fee rule, no exchange rate); empty when it can."""
    creator = title.creator
    converts = creator is not None and creator.currency != currency
    try:
        commission.resolve(
            Sale(
                gross_minor=price_minor,
                currency=currency,
                at=sold_at,
                creator_id=creator.pk if creator else None,
                tier=creator.tier if creator else "",
                country=creator.country if creator else "",
                category_id=title.category_id,
                product=title.kind,
                promotion_code="",
                converts=converts,
            )
        )
        if creator is not None and converts:
            fx.rate(base=currency, quote=creator.currency, at=sold_at)
    except (NoRule, fx.NoRate) as error:
        return str(error)
    return ""


def import_past(
    *, rows: Sequence[PastSale], by: User, tell: Callable[[int], None] = lambda done: None
) -> list[Payment]:
    """Books every sale, all or none, in the order of their times; ``tell`` hears how many are done.

    The external id is the provider's payment id of the old system: the same sale twice is refused by the
    database.
    Raises Invalid when a sale cannot be booked.
    """
    made: dict[str, Payment] = {}
    with transaction.atomic():
        for number, row in enumerate(sorted(rows, key=lambda row: (row.sold_at, row.external_id)), start=1):
            purchase = purchases.take_over(
                title=row.title,
                buyer=row.buyer,
                price_minor=row.price_minor,
                currency=row.currency,
                by=by,
                at=row.sold_at,
            )
            payment = payments.record_sale(
                purchase=purchase,
                provider=PROVIDER,
                provider_payment_id=row.external_id,
                by=by,
                at=row.sold_at,
            )
            if payment.status not in POSTED_PAYMENTS:
                raise Invalid(
                    _("Sale “%(id)s” cannot be booked: %(why)s") % {"id": row.external_id, "why": payment.problem},
                    code="not_bookable",
                )
            if row.paid_out:
                _take_out(payment, by=by)
            made[row.external_id] = payment
            tell(number)
    return [made[row.external_id] for row in rows]


def _take_out(payment: Payment, *, by: User) -> None:
    """The old system paid the creator: nothing of this earning is left to pay."""
    earning = Earning.objects.select_related("creator").filter(payment=payment).first()
    if earning is None or not earning.amount_minor or payment.captured_at is None:
        return
    at = payment.captured_at
    kind = AccountKind.CREATOR_PENDING
    if earning.status == EarningStatus.RELEASED:
        kind = AccountKind.CREATOR_AVAILABLE
    ledger.post(
        key=f"legacy-paid-out:{payment.pk}",
        kind=EntryKind.ADJUSTMENT,
        source=payment,
        by=by,
        effective_date=at.date(),
        postings=[
            (accounts.creator(kind, earning.creator, earning.currency), -earning.amount_minor),
            (accounts.clearing(PROVIDER, earning.currency), earning.amount_minor),
        ],
        memo=payment.reference,
        data={"paid_out_by": PROVIDER},
    )
    Earning.objects.filter(pk=earning.pk).update(
        status=EarningStatus.RELEASED, released_at=at, allocated_minor=earning.amount_minor, updated_at=at
    )
