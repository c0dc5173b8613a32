"""The investigation view (W-031): a person's journey, the way of a payment's money, and the evidence bundle."""

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import stepup
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core.errors import Invalid
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.system import subjects
from backoffice.desk.system.audit import changes
from backoffice.journeys.queries import investigations
from backoffice.journeys.queries.investigations import CHAPTERS, MoneyTrace, Span
from backoffice.journeys.services import evidence

ALL, MONEY = "audit.view", "audit.view_finance"
PAGE = 50
ADDRESSES = {
    "person": "desk:investigate_person",
    "payment": "desk:investigate_payment",
    "payout": "desk:investigate_payout",
}


class SpanForm(forms.Form):
    """Which part of the record: chapters and days; empty is everything."""

    chapter = forms.MultipleChoiceField(
        label=gettext_lazy("Show"),
        choices=list(CHAPTERS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    start = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    end = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("start", "end"):
            if data.get(name) and not 1900 < data[name].year < 9000:
                self.add_error(name, _("This day is not in the record."))
        if data.get("start") and data.get("end") and data["end"] < data["start"]:
            self.add_error("end", _("The end lies before the start."))
        return data

    def span(self) -> Span:
        """What was asked for; everything when it cannot be read."""
        if not self.is_valid():
            return Span()
        data = self.cleaned_data
        end = data["end"]
        return Span(
            chapters=frozenset(data["chapter"]),
            first=_midnight(data["start"]) if data["start"] else None,
            last=_midnight(end + timedelta(days=1)) - timedelta(microseconds=1) if end else None,
        )


@screen(permission=(ALL, MONEY), title=gettext_lazy("Investigations"), methods=("GET", "HEAD"))
def investigation_search(request: StaffRequest) -> HttpResponse:
    """Whole references, addresses and keys only; what is found leads on."""
    text = request.GET.get("q", "").strip()
    found = investigations.search(text, people=request.user.may(ALL))
    return render(
        request,
        "desk/system/investigations/search.html",
        {"q": text, "found": found, "addresses": ADDRESSES, "sees_people": request.user.may(ALL)},
    )


@screen(permission=ALL, title=gettext_lazy("Investigation"), methods=("GET", "HEAD"))
def investigate_person(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Everything that a person did and that was done to them, in one line of time; the look is on record."""
    person = get_object_or_404(User, pk=pk)
    form = SpanForm(request.GET)
    span = form.span()
    after = _place(request.GET.get("after", ""))
    _looked(request, person)
    followed = investigations.follow(person)
    moments = investigations.journey(followed, span, most=PAGE + 1, after=after)
    request.desk["title"] = _("Journey of %(person)s") % {"person": person}
    return render(
        request,
        "desk/system/investigations/person.html",
        {
            "person": person,
            "creator": followed.creator,
            "cut": followed.cut,
            "form": form,
            "lines": [_line(moment) for moment in moments[:PAGE]],
            "page": {
                "next_query": _query(request, after=_written(moments[PAGE - 1])) if len(moments) > PAGE else "",
                "first_query": _query(request) if after else "",
            },
            "filtered": bool(span.chapters or span.first or span.last),
            **_bundle(request, "person", person, form),
        },
    )


@screen(permission=(ALL, MONEY), title=gettext_lazy("Investigation"), methods=("GET", "HEAD"))
def investigate_payment(request: StaffRequest, pk: UUID) -> HttpResponse:
    """A payment from the checkout page through ledger, earning and payout to the bank reference."""
    payment = get_object_or_404(evidence.KINDS["payment"], pk=pk)
    return _money(request, "payment", payment, payment.reference, investigations.of_payment(payment))


@screen(permission=(ALL, MONEY), title=gettext_lazy("Investigation"), methods=("GET", "HEAD"))
def investigate_payout(request: StaffRequest, pk: UUID) -> HttpResponse:
    """A payout from the bank back to every payment that it pays a part of."""
    item = get_object_or_404(evidence.KINDS["payout"], pk=pk)
    return _money(request, "payout", item, item.run.reference, investigations.of_payout(item))


@screen(permission=evidence.EXPORT, title=gettext_lazy("Investigation"), methods=("POST",))
@stepup.required
def investigation_bundle(request: StaffRequest) -> HttpResponse:
    """Asks for the evidence bundle and leads to where it is made."""
    form = SpanForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("These days cannot be read; load the page again."))
    made = evidence.ask(
        kind=request.POST.get("kind", ""),
        key=_key(request.POST.get("key", "")),
        span=form.span(),
        by=request.user,
        reason=request.POST.get("reason", ""),
    )
    return redirect("desk:export", made.pk)


def _money(request: StaffRequest, kind: str, subject: Any, label: str, trace: MoneyTrace) -> HttpResponse:
    _looked(request, subject)
    request.desk["title"] = _("Trace of %(reference)s") % {"reference": label}
    return render(
        request,
        "desk/system/investigations/money.html",
        {
            "kind": kind,
            "subject": subject,
            "trace": trace,
            "sees_people": request.user.may(ALL),
            "page": subjects.page(subject._meta.label_lower, str(subject.pk)) if kind == "payment" else "",
            **_bundle(request, kind, subject, SpanForm({})),
        },
    )


def _looked(request: StaffRequest, subject: Model) -> None:
    """Whoever follows a person or money leaves a trace too."""
    if request.method == "GET":
        with transaction.atomic():
            entries.record(action="investigation.view", by=request.user, subject=subject)


def _bundle(request: StaffRequest, kind: str, subject: Model, form: SpanForm) -> dict[str, Any]:
    carried: list[tuple[str, Any]] = [("kind", kind), ("key", subject.pk)]
    if form.is_valid():
        carried += [("chapter", chapter) for chapter in form.cleaned_data["chapter"]]
        carried += [(name, form.cleaned_data[name]) for name in ("start", "end") if form.cleaned_data[name]]
    return {
        "may_export": request.user.may(evidence.EXPORT),
        "carried": [(name, str(value)) for name, value in carried],
    }


def _line(moment: investigations.Moment) -> dict[str, Any]:
    entry = moment.entry
    return {
        "moment": moment,
        "chapter": CHAPTERS[moment.chapter],
        "entry": entry,
        "event": moment.event,
        "changed": changes(entry) if entry else [],
        "page": subjects.page(entry.subject_type, entry.subject_id) if entry and entry.subject_id else "",
        "weighty": moment.chapter == investigations.SANCTIONS,
    }


def _query(request: StaffRequest, **more: str) -> str:
    kept = [(name, value) for name, row in request.GET.lists() if name != "after" for value in row]
    return "?" + urlencode([*kept, *more.items()])


def _written(moment: investigations.Moment) -> str:
    at, rank, key = moment.order
    return f"{at.isoformat()}~{rank}~{key}"


def _place(text: str) -> investigations.Place | None:
    at, _tilde, rest = text.partition("~")
    rank, _tilde, key = rest.partition("~")
    try:
        moment = parse_datetime(at)
    except ValueError:
        return None
    known = rank in ("0", "1") and key.isascii() and key.isdigit() and len(key) < 19
    if moment is None or not known or not timezone.is_aware(moment) or not 1900 < moment.year < 9000:
        return None
    return (moment, int(rank), int(key))


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(_("There is nothing with this key."), field="key") from error


urlpatterns = [
    path("investigations/", investigation_search, name="investigation_search"),
    path("investigations/bundle/", investigation_bundle, name="investigation_bundle"),
    path("investigations/people/<uuid:pk>/", investigate_person, name="investigate_person"),
    path("investigations/payments/<uuid:pk>/", investigate_payment, name="investigate_payment"),
    path("investigations/payouts/<uuid:pk>/", investigate_payout, name="investigate_payout"),
]
