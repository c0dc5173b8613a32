"""Revenue straight from the ledger (K-001, K-002, K-003, K-006, K-014): every number is a sum of postings.

A sale debits the provider's clearing account with what the customer paid and credits the creator, the
commission, the fees and the tax; a refund posts the opposite. So per currency, of every sale,
what was paid = tax + creator + commission + fees, to the cent, and so are the rows here.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from backoffice.catalogue.models import Category, Title
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Entry, EntryKind, Payment, Posting

By = Literal["creator", "category", "title"]

_CUSTOMER_MONEY: Final = (
    AccountKind.PROVIDER_CLEARING,
    AccountKind.PLATFORM_CASH,
    AccountKind.CUSTOMER_CREDIT,
)
# A sale in one currency for a creator who is paid in another passes through the exchange account; seen in the
# currency of the sale, that leg is the creator's share.
_CREATORS_MONEY: Final = (
    AccountKind.CREATOR_PENDING,
    AccountKind.CREATOR_AVAILABLE,
    AccountKind.CREATOR_RECEIVABLE,
    AccountKind.FX_TRADING,
)
_TOLD: Final = (EntryKind.SALE, EntryKind.REFUND, EntryKind.PROVIDER_FEE)

_KEYS: Final[dict[By, str]] = {
    "creator": "creator",
    "category": "purchase__title__category",
    "title": "purchase__title",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the report is narrowed to; None is everything."""

    currency: str | None = None
    creator: UUID | None = None
    category: UUID | None = None


def by_day(*, start: dt.date, end: dt.date, scope: Scope) -> list[dict[str, Any]]:
    """Rows with `day`, `currency` and every measure, both dates included.

    Days are the ledger's effective dates, counts entries, amounts minor units. One SQL statement.
    """
    rows = _postings(start, end, scope).values("currency", day=F("entry__effective_date"))
    return list(rows.annotate(**_measures()).order_by("day", "currency"))


def by_key(*, start: dt.date, end: dt.date, scope: Scope, by: By) -> list[dict[str, Any]]:
    """The same measures by creator, category or title: rows with `key` and `currency`.

    The key is text, "" where there is none. One SQL statement.
    """
    rows = _postings(start, end, scope).annotate(_key=_of_payment(_KEYS[by])).values("currency", "_key")
    found = list(rows.annotate(**_measures()).order_by("currency", "_key"))
    for row in found:
        row["key"] = str(row.pop("_key") or "")
    return found


def names(keys: set[str], *, by: By) -> dict[str, str]:
    """The text of each key of `by_key`, in the reader's language. One SQL statement."""
    ids = [UUID(key) for key in keys if key]
    if by == "creator":
        pairs = Creator.objects.filter(pk__in=ids).values_list("pk", "stage_name")
        return {str(pk): name for pk, name in pairs}
    if by == "title":
        titles = Title.objects.filter(pk__in=ids).values_list("pk", "title")
        return {str(pk): name for pk, name in titles}
    return {str(category.pk): category.name for category in Category.objects.filter(pk__in=ids)}


def currencies() -> list[str]:
    """Every currency that a sale was made in. One SQL statement."""
    found = Posting.objects.filter(entry__kind=EntryKind.SALE).order_by().values_list("currency", flat=True)
    return sorted(found.distinct())


def _postings(start: dt.date, end: dt.date, scope: Scope) -> QuerySet[Posting]:
    postings = (
        Posting.objects.order_by()
        .filter(entry__effective_date__gte=start, entry__effective_date__lte=end)
        # A reversal counts as what it reverses; its postings have the opposite sign already.
        .annotate(
            told=Case(
                When(entry__kind=EntryKind.REVERSAL, then=F("entry__reverses__kind")),
                default=F("entry__kind"),
            )
        )
        .filter(told__in=_TOLD)
        .annotate(
            provider_fee_known=Exists(
                Entry.objects.filter(
                    source_type=OuterRef("entry__source_type"),
                    source_id=OuterRef("entry__source_id"),
                    kind=EntryKind.PROVIDER_FEE,
                )
            )
        )
    )
    if scope.currency is not None:
        postings = postings.filter(currency=scope.currency)
    if scope.creator is not None:
        postings = postings.annotate(_creator=_of_payment("creator")).filter(_creator=scope.creator)
    if scope.category is not None:
        postings = postings.annotate(_category=_of_payment("purchase__title__category"))
        postings = postings.filter(_category=scope.category)
    return postings


def _of_payment(path: str) -> Coalesce:
    """A field of the payment that an entry, or the entry it reverses, tells of."""
    by_source = Payment.objects.filter(pk=Cast(OuterRef("entry__source_id"), UUIDField()))
    return Coalesce(
        f"entry__sale_of__{path}",
        f"entry__refund_of__payment__{path}",
        f"entry__reverses__sale_of__{path}",
        f"entry__reverses__refund_of__payment__{path}",
        # No row points to the entry of a provider's fee; it names its payment as its source.
        Case(
            When(
                entry__kind=EntryKind.PROVIDER_FEE,
                entry__source_type=Payment._meta.label_lower,
                then=Subquery(by_source.values(path)),
            ),
            default=None,
            output_field=UUIDField(),
        ),
        output_field=UUIDField(),
    )


def _measures() -> dict[str, Any]:
    sale, refund, cost = (Q(told=kind) for kind in _TOLD)
    undone = Q(entry__kind=EntryKind.REVERSAL)
    paid, tax = Q(account__kind__in=_CUSTOMER_MONEY), Q(account__kind=AccountKind.TAX_PAYABLE)
    processing = Q(account__kind=AccountKind.PROCESSING_FEES)
    conversion = Q(account__kind=AccountKind.CONVERSION_FEES)
    return {
        "sales": _entries(sale & ~undone) - _entries(sale & undone),
        "refunded": _entries(refund & ~undone) - _entries(refund & undone),
        # What the customer paid is a debit, so both legs count with the other sign: paid less tax (K-001).
        "gmv": -_sum(sale & (paid | tax)),
        "tax": _sum((sale | refund) & tax),
        "refunds": _sum(refund & (paid | tax)),
        "commission": _sum(sale & Q(account__kind=AccountKind.PLATFORM_COMMISSION)),
        "commission_returned": -_sum(refund & Q(account__kind=AccountKind.PLATFORM_COMMISSION)),
        "processing": _sum(sale & processing),
        "processing_returned": -_sum(refund & processing),
        "processing_settled": _sum(sale & processing & Q(provider_fee_known=True)),
        "provider_fees": -_sum(cost & processing),
        "conversion": _sum(sale & conversion),
        "conversion_returned": -_sum(refund & conversion),
        "creators": _sum(sale & Q(account__kind__in=_CREATORS_MONEY)),
        "creators_returned": -_sum(refund & Q(account__kind__in=_CREATORS_MONEY)),
    }


def _sum(which: Q) -> Coalesce:
    return Coalesce(Sum("amount", filter=which), Value(0), output_field=BigIntegerField())


def _entries(which: Q) -> Count:
    return Count("entry", filter=which, distinct=True)
