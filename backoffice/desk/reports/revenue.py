"""The revenue report at /admin/reports/revenue/ (W-032, K-006)."""

import datetime as dt
from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.audit import exports
from backoffice.catalogue.models import Category
from backoffice.core import clock
from backoffice.core.errors import Forbidden
from backoffice.core.tables import Table
from backoffice.creators.models import Creator
from backoffice.desk import downloads
from backoffice.desk.screens import StaffRequest, render, screen
from reports.pages.filters import RevenueFilters
from reports.queries import revenue as queries

DEFAULT_DAYS = 30
LONGEST_DAYS = 5 * 366
# Room for the period of comparison before, and for the end of a period after.
EARLIEST_YEAR, LATEST_YEAR = 1990, 9998
YEARS = {"first": EARLIEST_YEAR, "last": LATEST_YEAR}


class RevenueForm(forms.Form):
    """What the report is about; everything has a default, so an empty form is a report."""

    start = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    end = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    compare = forms.ChoiceField(
        label=gettext_lazy("Compare with"),
        choices=[
            ("previous", gettext_lazy("The period before")),
            ("year", gettext_lazy("The year before")),
            ("none", gettext_lazy("Nothing")),
        ],
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    category = forms.ModelChoiceField(
        Category.objects.filter(kind=Category.Kind.TITLE),
        label=gettext_lazy("Category"),
        required=False,
        to_field_name="slug",
        empty_label=gettext_lazy("All"),
    )
    creator = forms.CharField(
        label=gettext_lazy("Creator"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": gettext_lazy("Stage name or CR-…")}),
    )
    by = forms.ChoiceField(
        choices=[
            ("creator", gettext_lazy("By creator")),
            ("category", gettext_lazy("By category")),
            ("title", gettext_lazy("By title")),
        ],
        widget=forms.HiddenInput,
    )

    def __init__(self, given: dict[str, str], *, anonymous: bool) -> None:
        today = clock.now().date()
        defaults = {
            "start": str(today - dt.timedelta(days=DEFAULT_DAYS - 1)),
            "end": str(today),
            "compare": "previous",
            "by": "creator",
        }
        super().__init__(defaults | {name: value for name, value in given.items() if value})
        self.fields["currency"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            *((code, code) for code in queries.currencies()),
        ]
        if anonymous:
            # Whoever sees sums without names may not ask for one person's sums either.
            del self.fields["creator"]

    def clean_creator(self) -> Creator | None:
        text = self.cleaned_data["creator"].strip()
        if not text:
            return None
        match = Q(reference__iexact=text) | Q(slug=text.lower()) | Q(stage_name__iexact=text)
        with suppress(ValueError):  # a link names the creator by key, people type a name
            match |= Q(pk=UUID(text))
        found = list(Creator.objects.filter(match)[:2])
        if not found:
            raise forms.ValidationError(_("No creator has this name or reference."))
        if len(found) > 1:
            raise forms.ValidationError(_("Several creators have this name; use the reference."))
        # What a link named by its key is shown by the name that people know.
        self.data = {**self.data, "creator": found[0].slug}
        return found[0]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        start, end = data.get("start"), data.get("end")
        if start and end:
            if start.year < EARLIEST_YEAR or end.year > LATEST_YEAR:
                self.add_error("start", _("Choose days between the years %(first)s and %(last)s.") % YEARS)
            elif end < start:
                self.add_error("end", _("The end lies before the start."))
            elif (end - start).days >= LONGEST_DAYS:
                self.add_error("end", _("At most five years at a time."))
        return data


@screen(permission="reports.view", title=gettext_lazy("Revenue"), methods=("GET", "HEAD"))
def revenue(request: StaffRequest) -> HttpResponse:
    """The chart, its table and the breakdown for the asked period."""
    # pandas takes most of a second to import: only the process that shows a report pays for it.
    from reports.pages import revenue as page

    anonymous = _sees_no_names(request)
    form = RevenueForm(request.GET.dict(), anonymous=anonymous)
    filters = _filters(form, anonymous=anonymous)
    nameless = _takes_no_names(request)
    return render(
        request,
        "desk/reports/revenue/page.html",
        {
            "form": form,
            "report": page.build(filters) if filters else None,
            "by_label": page.by_label(filters.by) if filters else "",
            "zone": timezone.get_current_timezone_name(),
            "may_export": request.user.may("reports.export") and not (filters and filters.creator and nameless),
            "nameless_file": nameless and filters is not None and filters.by != "category",
            "links_creators": bool(filters and filters.by == "creator" and not anonymous),
        },
    )


@screen(permission="reports.export", methods=("POST",))
@stepup.required
def revenue_export(request: StaffRequest) -> HttpResponse:
    """One of the page's tables as a file, on record with its reason (P-005)."""
    from reports.pages import revenue as page  # loads pandas, see above

    anonymous = _takes_no_names(request)
    if anonymous and request.POST.get("creator", "").strip():
        raise Forbidden(_("Your role takes out sums of all creators, not of one."))
    form = RevenueForm(request.POST.dict(), anonymous=anonymous)
    filters = _filters(form, anonymous=anonymous)
    if filters is None or not request.user.may("reports.view"):
        return HttpResponse(_("This file cannot be made; load the report again."), status=400)
    table = "breakdown" if request.POST.get("table") == "breakdown" else "periods"
    made = exports.record(
        dataset="report",
        by=request.user,
        format=request.POST.get("format", "csv"),
        reason=request.POST.get("reason", ""),
        filters={
            "report": "revenue",
            "table": table,
            "from": filters.start,
            "to": filters.end,
            "currency": filters.currency,
            "creator": filters.creator.reference if filters.creator else None,
            "category": filters.category.slug if filters.category else None,
            "by": filters.by if table == "breakdown" else None,
            "names": "none" if anonymous else None,
        },
    )
    header, rows = page.breakdown_file(filters) if table == "breakdown" else page.periods_file(filters)
    name = f"revenue-{filters.start}-{filters.end}{f'-by-{filters.by}' if table == 'breakdown' else ''}"
    return downloads.answer(made, [Table(_("Revenue"), header, rows)], name=name)


def _sees_no_names(request: StaffRequest) -> bool:
    """Analysts see sums; who earned them is for those who may see payments (PG-016)."""
    return not request.user.may("payments.view")


def _takes_no_names(request: StaffRequest) -> bool:
    """Who earned how much leaves the desk with those who may take payments out; others take sums (P-010)."""
    return not request.user.may("payments.export")


def _filters(form: RevenueForm, *, anonymous: bool) -> RevenueFilters | None:
    if not form.is_valid():
        return None
    data = form.cleaned_data
    return RevenueFilters(
        start=data["start"],
        end=data["end"],
        compare=data["compare"],
        currency=data["currency"] or None,
        creator=data.get("creator"),
        category=data["category"],
        by=data["by"],
        anonymous=anonymous,
    )


urlpatterns = [
    path("revenue/", revenue, name="revenue"),
    path("revenue/export/", revenue_export, name="revenue_export"),
]
