"""Ledger entries by what they are about."""

from collections.abc import Sequence

from django.db.models import Model, Prefetch, Q, QuerySet

from backoffice.finance.models import Account, Entry, Posting


def _with_postings(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    postings = Posting.objects.select_related("account__creator").order_by("amount")
    return entries.select_related("actor").prefetch_related(Prefetch("postings", postings)).order_by("id")


def of_sources(sources: Sequence[Model]) -> QuerySet[Entry]:
    """The entries whose source is one of these rows, in posting order, with their postings; two statements."""
    condition = Q(pk__in=[])
    for source in sources:
        condition |= Q(source_type=source._meta.label_lower, source_id=str(source.pk))
    return _with_postings(Entry.objects.filter(condition))


def of_source(source: Model) -> QuerySet[Entry]:
    """The entries about one payment, earning or payout."""
    return of_sources([source])


def of_account(account: Account) -> QuerySet[Posting]:
    """The postings of one account, newest first, with their entries."""
    return Posting.objects.filter(account=account).select_related("entry").order_by("-id")
