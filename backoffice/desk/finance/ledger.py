"""The ledger to read: trial balance, what each creator has, and the entries."""

from itertools import groupby

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from backoffice.creators.models import Creator
from backoffice.desk.finance.entries import shown
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.finance.models import Account, Entry, EntryKind, Posting
from backoffice.finance.queries import balances

TABS = [("trial", _("Trial balance")), ("creators", _("Creators")), ("entries", _("Entries"))]


@screen(permission="payouts.view", title=_("Ledger"), methods=("GET", "HEAD"))
def trial(request: StaffRequest) -> HttpResponse:
    """Every kind of account per currency. The sum of each currency is zero, or something is wrong."""
    grouped = groupby(balances.trial_balance(), key=lambda line: line.currency)
    lines_of = {currency: list(lines) for currency, lines in grouped}
    currencies = [
        {"code": currency, "lines": lines, "total": sum(line.total for line in lines)}
        for currency, lines in lines_of.items()
    ]
    return render(request, "desk/finance/ledger/trial.html", {"tabs": TABS, "tab": "trial", "currencies": currencies})


@screen(permission="payouts.view", title=_("Ledger"), methods=("GET", "HEAD"))
def creators(request: StaffRequest) -> HttpResponse:
    """What each creator has: in the refund window, available, asked for, on its way, owed."""
    rows = Creator.objects.filter(Exists(Account.objects.filter(creator=OuterRef("pk"))))
    query = request.GET.get("q", "").strip()
    if query:
        rows = rows.filter(Q(reference__iexact=query) | Q(stage_name__icontains=query))
    page = keyset(request, rows)
    found = balances.for_creators([creator.pk for creator in page.items])
    return render(
        request,
        "desk/finance/ledger/creators.html",
        {
            "tabs": TABS,
            "tab": "creators",
            "page": page,
            "q": query,
            "rows": [(creator, [*found.get(creator.pk, {}).values()]) for creator in page.items],
        },
    )


@screen(permission="payouts.view", title=_("Ledger"), methods=("GET", "HEAD"))
def entries(request: StaffRequest) -> HttpResponse:
    """The entries, newest first, each with its postings."""
    rows = Entry.objects.select_related("actor", "reverses").prefetch_related(
        Prefetch("postings", Posting.objects.select_related("account__creator").order_by("id"))
    )
    kind = request.GET.get("kind", "")
    if kind in EntryKind.values:
        rows = rows.filter(kind=kind)
    query = request.GET.get("q", "").strip().removeprefix("#")
    if query:
        by_number = Q(pk=int(query)) if query.isdecimal() and len(query) < 19 else Q(pk=None)
        rows = rows.filter(by_number | Q(source_id=query) | Q(memo=query) | Q(key=query))
    page = keyset(request, rows, size=25)
    return render(
        request,
        "desk/finance/ledger/entries.html",
        {
            "tabs": TABS,
            "tab": "entries",
            "page": page,
            "rows": [shown(entry) for entry in page.items],
            "kinds": EntryKind.choices,
            "kind": kind,
            "q": query,
        },
    )


urlpatterns = [
    path("ledger/", trial, name="ledger"),
    path("ledger/creators/", creators, name="ledger_creators"),
    path("ledger/entries/", entries, name="ledger_entries"),
]
