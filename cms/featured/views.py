"""The featured board at /cms/featured/ (W-021): every section, its slots, and what editors do to them.

Reads come from `queries`, writes go through `backoffice.catalogue.services.featured`. Nothing typed is
lost: a refused form comes back on the same board with its values and the reason beside the field.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from backoffice.accounts.models import User
from backoffice.catalogue.models import FeaturedSection, FeaturedSlot, Title
from backoffice.catalogue.services import featured
from backoffice.core import clock
from backoffice.core.errors import DomainError
from cms.featured import queries
from cms.featured.forms import PlaceForm, RescheduleForm, ViewForm


class EditorRequest(HttpRequest):
    """A request of a member of staff who may curate."""

    user: User  # type: ignore[assignment]


def for_curators[**P](
    view: Callable[Concatenate[Any, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Lets only holders of `cms.edit` in (PG-013); Wagtail only asks whether somebody may enter at all."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.may("cms.edit")):
            raise PermissionDenied
        if any("\x00" in value for given in (request.GET, request.POST) for _n, row in given.lists() for value in row):
            raise BadRequest("a zero byte is no text")
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@for_curators
def board(request: EditorRequest) -> HttpResponse:
    """The board, and with `q` or `title` the titles to place."""
    return _board(request)


@require_POST
@for_curators
def place(request: EditorRequest) -> HttpResponse:
    """Puts the chosen title into the section whose button was pressed."""
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _board(request, place_form=form)
    data = form.cleaned_data
    section = get_object_or_404(FeaturedSection, slug=data["section"])
    title = get_object_or_404(Title.objects.select_related("creator"), pk=data["title"])
    try:
        slot = featured.place(
            section,
            title=title,
            by=request.user,
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            position=0 if data["where"] == "front" else None,
            kind=data["kind"],
            fee_minor=data["fee_minor"],
            fee_currency=data["fee_currency"],
        )
    except DomainError as error:
        _add_refusal(form, error)
        return _board(request, place_form=form)
    messages.success(
        request, _("“%(title)s” is in “%(section)s”.") % {"title": title.title, "section": section.heading}
    )
    return _back(slot)


@require_POST
@for_curators
def schedule(request: EditorRequest, slot_id: UUID) -> HttpResponse:
    """Gives a slot another window."""
    slot = get_object_or_404(FeaturedSlot, pk=slot_id)
    form = RescheduleForm(request.POST, prefix=str(slot.pk))
    if form.is_valid():
        try:
            featured.schedule(
                slot,
                by=request.user,
                starts_at=form.cleaned_data["starts_at"],
                ends_at=form.cleaned_data["ends_at"],
            )
        except DomainError as error:
            _add_refusal(form, error)
        else:
            messages.success(request, _("The dates are changed."))
            return _back(slot)
    return _board(request, schedule_forms={slot.pk: form})


@require_POST
@for_curators
def reorder(request: EditorRequest, section_slug: str) -> HttpResponse:
    """Puts the section into the order that was sent; `move` is "<slot>:up" or "<slot>:down" from a button."""
    section = get_object_or_404(FeaturedSection, slug=section_slug)
    moved, _colon, direction = request.POST.get("move", "").partition(":")
    try:
        order = [UUID(value) for value in request.POST.getlist("slots")]
        if direction:
            order = _moved(order, UUID(moved), -1 if direction == "up" else 1)
    except ValueError:
        messages.error(request, _("The section has changed; here it is as it stands now."))
        return HttpResponseRedirect(reverse("cms_featured"))
    try:
        featured.reorder(section, slots=order, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    anchor = f"slot-{moved}" if direction else f"section-{section.slug}"
    return HttpResponseRedirect(f"{reverse('cms_featured')}#{anchor}")


@require_POST
@for_curators
def end(request: EditorRequest, slot_id: UUID) -> HttpResponse:
    """Ends a live slot now, or takes a scheduled one out."""
    slot = get_object_or_404(FeaturedSlot.objects.select_related("title", "section"), pk=slot_id)
    try:
        featured.end(slot, by=request.user, reason=request.POST.get("reason", "").strip())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("“%(title)s” is no longer featured here.") % {"title": slot.title.title})
    return HttpResponseRedirect(f"{reverse('cms_featured')}#section-{slot.section.slug}")


def _board(
    request: EditorRequest,
    *,
    place_form: PlaceForm | None = None,
    schedule_forms: dict[UUID, RescheduleForm] | None = None,
) -> HttpResponse:
    refused = place_form is not None or schedule_forms is not None
    view_form = ViewForm(request.GET)
    seen = view_form.cleaned_data if view_form.is_valid() else {}
    at = seen.get("on") or clock.now()
    text, title_id = _searched(request)
    choices = queries.choices(at=clock.now(), text=text, title_id=title_id)
    shelves = queries.board(at=at, language=seen.get("language", ""), country=seen.get("country", ""))
    forms_by_slot = schedule_forms or {}
    for shelf in shelves:
        for card in shelf.open:
            form = forms_by_slot.get(card.slot.pk) or RescheduleForm(
                prefix=str(card.slot.pk),
                initial={"starts_at": card.slot.starts_at, "ends_at": card.slot.ends_at},
            )
            card.slot.schedule_form = form  # type: ignore[attr-defined]
    return TemplateResponse(
        request,
        "cms/featured/board.html",
        {
            "header_title": _("Featured"),
            "header_icon": "pick",
            "breadcrumbs_items": [
                {"url": reverse("wagtailadmin_home"), "label": _("Home")},
                {"url": reverse("cms_featured"), "label": _("Featured")},
            ],
            "shelves": shelves,
            "view_form": view_form,
            "is_preview": bool(seen.get("on") or seen.get("language") or seen.get("country")),
            "at": at,
            "zone": timezone.get_current_timezone_name(),
            "text": text,
            "title_id": title_id,
            "choices": choices,
            "chosen": (place_form["title"].value() if place_form else None)
            or (str(choices[0].pk) if len(choices) == 1 else ""),
            "place_form": place_form or PlaceForm(),
            "states": FeaturedSlot.State,
        },
        status=422 if refused else 200,
    )


def _searched(request: HttpRequest) -> tuple[str, UUID | None]:
    """The search and the one title asked for; a refused form brings them back in its body."""
    source = request.POST if request.method == "POST" else request.GET
    try:
        only = UUID(source.get("only", ""))
    except ValueError:
        only = None
    return source.get("q", "").strip()[:100], only


def _moved(order: list[UUID], slot_id: UUID, step: int) -> list[UUID]:
    """The order with one slot a place further; at either end nothing changes. ValueError for a stranger."""
    here = order.index(slot_id)
    there = min(max(here + step, 0), len(order) - 1)
    order = [*order]
    order.insert(there, order.pop(here))
    return order


def _add_refusal(form: forms.Form, error: DomainError) -> None:
    """Puts the sentence beside the field that it names, or on top of the form."""
    form.add_error(error.field if error.field in form.fields else None, str(error))


def _back(slot: FeaturedSlot) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('cms_featured')}#slot-{slot.pk}")
