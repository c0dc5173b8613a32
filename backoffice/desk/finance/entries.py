"""Ledger entries as the screens show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model, Prefetch, Q

from backoffice.finance.models import Entry, Posting


@dataclass(frozen=True, slots=True)
class Line:
    """One posting with the sign that a reader of its account expects, minor units."""

    account: str
    owner: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry with its lines."""

    entry: Entry
    lines: Sequence[Line]


def entries_of(*sources: Model) -> list[Shown]:
    """The entries that tell of these objects, oldest first, in two statements."""
    ids: dict[str, list[str]] = {}
    for source in sources:
        ids.setdefault(source._meta.label_lower, []).append(str(source.pk))
    wanted = Q(pk__in=[])
    for kind, keys in ids.items():
        wanted |= Q(source_type=kind, source_id__in=keys)
    postings = Posting.objects.select_related("account__creator").order_by("id")
    entries = (
        Entry.objects.filter(wanted)
        .select_related("actor", "reverses")
        .prefetch_related(Prefetch("postings", postings))
        .order_by("id")
    )
    return [shown(entry) for entry in entries]


def shown(entry: Entry) -> Shown:
    """The entry ready for `desk/finance/entry.html`; its postings and their accounts are fetched already."""
    return Shown(
        entry,
        [
            Line(
                posting.account.get_kind_display(),
                posting.account.creator.stage_name if posting.account.creator else posting.account.provider,
                posting.account.shown(posting.amount),
                posting.currency,
            )
            for posting in entry.postings.all()
        ],
    )
