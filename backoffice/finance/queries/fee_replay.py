"""The sales of a span with the fees that were frozen with them, put together by what the choice of rules looks at.

Sales of the same creator, price and facts are split alike, so one row stands for all of them: a month of any size is
one statement, read in pieces. The facts are those kept with the fees; for sales older than that, what is known today.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from backoffice.catalogue.models import Title
from backoffice.commerce.models import Purchase
from backoffice.creators.models import Creator
from backoffice.finance.models import CommissionLine, Earning, Payment
from backoffice.finance.states import POSTED_PAYMENTS

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Group:
    """``sales`` sales of one price that no rule can tell apart. Frozen sums in minor units of ``currency``.

    ``creator_minor`` is what was left for the creator. ``is_kept`` says that the facts were kept with the fees.
    """

    creator_id: UUID | None
    currency: str
    price_minor: int
    promotion_code: str
    converts: bool
    tier: str
    country: str
    category_id: UUID | None
    product: str
    is_kept: bool
    sales: int
    processing_minor: int
    conversion_minor: int
    creator_minor: int


def _table(model: type) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # type: ignore[attr-defined]


def _statement() -> str:
    payment, line, purchase = _table(Payment), _table(CommissionLine), _table(Purchase)
    title, creator, earning = _table(Title), _table(Creator), _table(Earning)
    # Every name below is a table of ours, the values are parameters.
    return f"""
        WITH sale AS (
          SELECT payment.id, payment.creator_id, payment.currency, payment.amount_minor, payment.promotion_code,
                 payment.purchase_id,
                 coalesce(sum(line.amount_minor) FILTER (WHERE line.component = 'processing'), 0) AS processing,
                 coalesce(sum(line.amount_minor) FILTER (WHERE line.component = 'conversion'), 0) AS conversion,
                 coalesce(sum(line.amount_minor)
                   FILTER (WHERE line.component = 'commission' OR line.bearer = 'creator'), 0) AS borne,
                 (array_agg(line.trace -> 'sale') FILTER (WHERE line.trace ? 'sale'))[1] AS facts
            FROM {payment} payment
            LEFT JOIN {line} line ON line.payment_id = payment.id
           WHERE payment.captured_at >= %(start)s AND payment.captured_at < %(end)s
             AND payment.status = ANY (%(posted)s)
           GROUP BY payment.id
        )
        SELECT sale.creator_id, sale.currency, sale.amount_minor, sale.promotion_code,
               coalesce(earning.currency <> sale.currency, false) AS converts,
               coalesce(sale.facts ->> 'tier', creator.tier, '') AS tier,
               coalesce(sale.facts ->> 'country', creator.country, '') AS country,
               nullif(coalesce(sale.facts ->> 'category', title.category_id::text), '')::uuid AS category_id,
               coalesce(sale.facts ->> 'product', title.kind) AS product,
               sale.facts IS NOT NULL AS is_kept,
               count(*), sum(sale.processing)::bigint, sum(sale.conversion)::bigint,
               sum(CASE WHEN sale.creator_id IS NULL THEN 0
                        ELSE greatest(0, sale.amount_minor - sale.borne) END)::bigint
          FROM sale
          JOIN {purchase} purchase ON purchase.id = sale.purchase_id
          JOIN {title} title ON title.id = purchase.title_id
          LEFT JOIN {creator} creator ON creator.id = sale.creator_id
          LEFT JOIN {earning} earning ON earning.payment_id = sale.id
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    """  # noqa: S608


def groups(*, start: datetime, end: datetime, ceiling: int) -> Iterator[Group]:
    """The groups of all sales captured from ``start`` until before ``end`` (UTC), whatever was refunded since.

    At most ``ceiling`` groups are read; asking for one more than wanted tells whether there are more.
    """
    values: dict[str, Any] = {"start": start, "end": end, "posted": [str(status) for status in POSTED_PAYMENTS]}
    # A server-side cursor: the answer of a large month never lies in memory as a whole.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"{_statement()} LIMIT {int(ceiling)}", values)
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                yield Group(*row)
