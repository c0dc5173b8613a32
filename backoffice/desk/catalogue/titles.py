"""Titles: the list, and the page of one with its files, price, decisions and slots (W-005)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit import queries as audit
from backoffice.catalogue import queries
from backoffice.catalogue.models import Category, FeaturedSlot, Tag, Title
from backoffice.catalogue.services import titles
from backoffice.catalogue.states import Moderation, Processing, Visibility
from backoffice.commerce.queries import sales_of
from backoffice.core import clock
from backoffice.core.errors import DomainError, NotFound
from backoffice.desk.moderation.evidence import link
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.engagement.queries import plays_of
from backoffice.media import queries as media
from backoffice.media.models import Asset
from backoffice.moderation import queries as moderation

VIEW = "titles.view"
DECIDE = "titles.decide"
TIMELINE = 40
TONES = {
    "pending": "info",
    "approved": "ok",
    "rejected": "danger",
    "processing": "info",
    "uploading": "info",
    "ready": "ok",
    "error": "danger",
    "quarantined": "danger",
    "public": "muted",
    "private": "warn",
    "live": "ok",
    "scheduled": "info",
    "unpaid": "warn",
    "done": "ok",
    "failed": "danger",
    "running": "info",
}
FILTERS: dict[str, tuple[str | Promise, list[tuple[str, Any]]]] = {
    "moderation": (gettext_lazy("Moderation"), Moderation.choices),
    "processing": (gettext_lazy("Processing"), Processing.choices),
    "visibility": (gettext_lazy("Visibility"), Visibility.choices),
}
COLUMNS = {"moderation": "moderation_status", "processing": "processing_status", "visibility": "visibility"}


@screen(permission=VIEW, title=gettext_lazy("Titles"), methods=("GET", "HEAD"))
def title_list(request: StaffRequest) -> HttpResponse:
    """Every title, newest first, narrowed by three states and a part of its or its creator's name."""
    asked = {name: request.GET.get(name, "").strip()[:100] for name in (*FILTERS, "q")}
    page = keyset(request, _narrowed(queries.for_staff(), asked))
    return render(
        request,
        "desk/catalogue/titles/list.html",
        {
            "page": page,
            "rows": [(title, link(title.poster)) for title in page.items],
            "asked": asked,
            "filters": [
                {"name": name, "label": label, "options": options, "value": asked[name]}
                for name, (label, options) in FILTERS.items()
            ],
            "searching": any(asked.values()),
            "shortcuts": _shortcuts(),
            "tones": TONES,
        },
    )


def _narrowed(rows: QuerySet[Title], asked: dict[str, str]) -> QuerySet[Title]:
    for name, column in COLUMNS.items():
        if asked[name] in {value for value, _label in FILTERS[name][1]}:
            rows = rows.filter(**{column: asked[name]})
    return queries.search(rows, asked["q"])


def _shortcuts() -> list[dict[str, object]]:
    counts = queries.work_counts()
    return [
        {
            "label": _("Waiting for a decision"),
            "query": "?" + urlencode({"moderation": "pending"}),
            "count": counts.get("pending", 0),
        },
        {
            "label": _("Processing failed"),
            "query": "?" + urlencode({"processing": "error"}),
            "count": counts.get("error", 0),
        },
    ]


class ReasonForm(forms.Form):
    """Why a title is taken down or put back."""

    reason = forms.CharField(max_length=2000)


class ClassifyForm(forms.Form):
    """Category and tags."""

    category = forms.ModelChoiceField(Category.objects.none(), required=False)
    tags = forms.ModelMultipleChoiceField(Tag.objects.none(), required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["category"].queryset = Category.objects.filter(kind=Category.Kind.TITLE, is_active=True)  # type: ignore[attr-defined]
        self.fields["tags"].queryset = Tag.objects.all()  # type: ignore[attr-defined]


@screen(permission=VIEW, title=gettext_lazy("Title"), methods=("GET", "HEAD"))
def title(request: StaffRequest, pk: UUID) -> HttpResponse:
    """One title: what it is, its files with their checklists, what was decided, where it is featured."""
    return _page(request, pk)


def _page(
    request: StaffRequest,
    pk: UUID,
    *,
    problem: str = "",
    dialog: str = "",
    typed: str = "",
    status: int = 200,
) -> HttpResponse:
    at = clock.now()
    film = _title(pk)
    may_decide = request.user.may(DECIDE)
    made = media.renditions(film.video) if film.video is not None else moderation.NOTHING_MADE
    request.desk["title"] = film.title
    tags = list(film.tags.all())
    return render(
        request,
        "desk/catalogue/titles/detail.html",
        {
            "film": film,
            "tags": tags,
            "tag_ids": {tag.pk for tag in tags},
            "published": film.is_published(at),
            "locked": not film.is_unlocked(at),
            "poster": link(film.poster),
            "player": link(made["preview"]),
            "checklist": media.checklist(film.video) if film.video is not None else [],
            "made": [asset for asset in made.values() if isinstance(asset, Asset)],
            "files": list(film.files.select_related("asset")),
            "history": list(moderation.history(film)[:20]),
            "cases": list(film.cases.order_by("-id")[:10]),
            "slots": [(slot, slot.state(at), FeaturedSlot.State(slot.state(at)).label) for slot in _slots(film)],
            "plays": plays_of(film),
            "sales": sales_of(film) if request.user.may("payments.view") else None,
            "entries": list(audit.for_subject(film)[:TIMELINE]),
            "categories": list(Category.objects.filter(kind=Category.Kind.TITLE, is_active=True)) if may_decide else [],
            "all_tags": list(Tag.objects.all()) if may_decide else [],
            "may_decide": may_decide,
            # What moderators note for each other; the message below it is what the creator read.
            "sees_notes": request.user.may("cases.view"),
            "can_take_down": may_decide and film.machine.allows(film.moderation_status, "take_down"),
            "can_restore": may_decide and film.removed_at is not None,
            "can_retry": may_decide and film.processing_status == Processing.ERROR,
            "problem": problem,
            "dialog": dialog,
            "typed": typed,
            "tones": TONES,
            "now": at,
        },
        status=status,
    )


@screen(permission=DECIDE, title=gettext_lazy("Title"), methods=("POST",))
def title_take_down(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Takes a title off the platform, with the reason that its creator reads (S-053)."""
    return _with_reason(
        request,
        pk,
        lambda film, reason: titles.take_down(film, by=request.user, reason=reason),
        dialog="take-down",
        done=_("The title was taken down."),
    )


@screen(permission=DECIDE, title=gettext_lazy("Title"), methods=("POST",))
def title_restore(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Puts a taken down title back."""
    return _with_reason(
        request,
        pk,
        lambda film, reason: titles.restore(film, by=request.user, reason=reason),
        dialog="restore",
        done=_("The title is back."),
    )


def _with_reason(
    request: StaffRequest, pk: UUID, act: Callable[[Title, str], object], *, dialog: str, done: str
) -> HttpResponse:
    film = _title(pk)
    form = ReasonForm(request.POST)
    typed = request.POST.get("reason", "")
    if not form.is_valid():
        return _page(request, pk, problem=_("Say why."), dialog=dialog, typed=typed, status=400)
    try:
        act(film, form.cleaned_data["reason"])
    except DomainError as refusal:
        return _page(request, pk, problem=str(refusal), typed=typed, status=409)
    messages.success(request, done)
    return redirect("desk:title", pk)


@screen(permission=DECIDE, title=gettext_lazy("Title"), methods=("POST",))
def title_retry(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Has a failed video processed again (S-061)."""
    try:
        titles.retry_processing(_title(pk), by=request.user)
    except DomainError as refusal:
        return _page(request, pk, problem=str(refusal), status=409)
    messages.success(request, _("The video is being processed again."))
    return redirect("desk:title", pk)


@screen(permission=DECIDE, title=gettext_lazy("Title"), methods=("POST",))
def title_classify(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Puts a title under another category and other tags."""
    form = ClassifyForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, problem=_("Choose a category and tags from the lists."), status=400)
    titles.classify(_title(pk), by=request.user, category=form.cleaned_data["category"], tags=form.cleaned_data["tags"])
    messages.success(request, _("Category and tags were changed."))
    return redirect("desk:title", pk)


def _title(pk: UUID) -> Title:
    found = (
        Title.objects.select_related("creator__user", "created_by", "category", "video", "poster").filter(pk=pk).first()
    )
    if found is None:
        raise NotFound(_("There is no such title."))
    return found


def _slots(film: Title) -> QuerySet[FeaturedSlot]:
    return film.slots.select_related("section", "curated_by").order_by("-starts_at")[:20]


urlpatterns = [
    path("titles/", title_list, name="title_list"),
    path("titles/<uuid:pk>/", title, name="title"),
    path("titles/<uuid:pk>/take-down/", title_take_down, name="title_take_down"),
    path("titles/<uuid:pk>/restore/", title_restore, name="title_restore"),
    path("titles/<uuid:pk>/retry/", title_retry, name="title_retry"),
    path("titles/<uuid:pk>/classify/", title_classify, name="title_classify"),
]
