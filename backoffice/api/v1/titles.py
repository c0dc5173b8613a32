"""Titles for everybody: the public list and page, and a creator's shelf (U-028, U-029)."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts.models import User
from backoffice.api.base import ApiView, MoneySerializer, money, ok
from backoffice.catalogue import queries
from backoffice.catalogue.models import Title
from backoffice.commerce.queries import with_ownership
from backoffice.commerce.services import playback
from backoffice.core import clock
from backoffice.core.errors import Invalid, NotFound
from backoffice.core.money import parse
from backoffice.media.services import links

# What `ordering` may name; the key at the end makes pages stable.
ORDERINGS = {
    "-published_at": ("-published_at", "-id"),
    "published_at": ("published_at", "id"),
    "price": ("price_minor", "id"),
    "-price": ("-price_minor", "-id"),
    "title": ("title", "id"),
}


class WordSerializer(serializers.Serializer[Any]):
    """A category or tag: its slug and its name in the reader's language."""

    slug = serializers.CharField()
    name = serializers.CharField()


class TitleCreatorSerializer(serializers.Serializer[Any]):
    """Whose title it is."""

    id = serializers.UUIDField()
    stage_name = serializers.CharField()
    slug = serializers.CharField()


class TitleOutput(serializers.Serializer[Title]):
    """A title as everybody may see it. `can_play` and `reason` answer for the caller."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    language = serializers.CharField()
    age_rating = serializers.CharField()
    creator = TitleCreatorSerializer(allow_null=True)
    category = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    access_model = serializers.CharField()
    required_plan_rank = serializers.IntegerField(allow_null=True)
    price = serializers.SerializerMethodField()
    duration_seconds = serializers.SerializerMethodField()
    poster_url = serializers.SerializerMethodField()
    published_at = serializers.DateTimeField(allow_null=True)
    unlock_at = serializers.DateTimeField(allow_null=True)
    can_play = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()

    @extend_schema_field(WordSerializer(allow_null=True))
    def get_category(self, title: Title) -> dict[str, str] | None:
        category = title.category
        return {"slug": category.slug, "name": category.name_in(get_language())} if category else None

    @extend_schema_field(WordSerializer(many=True))
    def get_tags(self, title: Title) -> list[dict[str, str]]:
        return [{"slug": tag.slug, "name": tag.name_in(get_language())} for tag in title.tags.all()]

    @extend_schema_field(MoneySerializer(allow_null=True))
    def get_price(self, title: Title) -> dict[str, str] | None:
        return money(title.price_minor, title.currency) if title.access_model == Title.Access.PURCHASE else None

    def get_duration_seconds(self, title: Title) -> int | None:
        return None if title.duration_ms is None else title.duration_ms // 1000

    def get_poster_url(self, title: Title) -> str | None:
        return links.signed_url(title.poster) if title.poster is not None and title.poster.is_ready else None

    def get_can_play(self, title: Title) -> bool:
        return self._verdict(title).allowed

    def get_reason(self, title: Title) -> str:
        return self._verdict(title).reason

    def _verdict(self, title: Title) -> playback.Verdict:
        caller = caller_of(self.context["request"])
        return playback.verdict(
            title,
            user=caller,
            owned=bool(getattr(title, "owned", False)),
            at=self.context["at"],
            country=country_of(self.context["request"]),
        )


def caller_of(request: Request) -> User | None:
    """The signed-in person, if any."""
    return request.user if isinstance(request.user, User) else None


def country_of(request: Request) -> str | None:
    """The caller's two-letter country: what they told us in their profile, else what the request asks for."""
    caller = caller_of(request)
    if caller is not None and caller.country:
        return caller.country
    region = request.query_params.get("region", "").strip().upper()
    return region if len(region) == 2 and region.isalpha() else None


LIST_PARAMETERS = [
    OpenApiParameter("q", str, description="Part of the title's or creator's name"),
    OpenApiParameter("category", str, description="Category slug"),
    OpenApiParameter("tag", str, description="Tag slug"),
    OpenApiParameter("creator", UUID, description="Creator id"),
    OpenApiParameter("language", str, description="Language code"),
    OpenApiParameter("access_model", str, enum=list(Title.Access.values)),
    OpenApiParameter("price_min", str, description="Lowest price, in the currency of `currency`"),
    OpenApiParameter("price_max", str, description="Highest price, in the currency of `currency`"),
    OpenApiParameter("currency", str, description="Currency of the price bounds, USD without one"),
    OpenApiParameter("ordering", str, enum=list(ORDERINGS)),
    OpenApiParameter("region", str, description="Country code of a visitor without an account"),
    OpenApiParameter("page", int),
    OpenApiParameter("page_size", int),
]


class TitleList(ApiView):
    """GET titles"""

    resource = "titles"

    @extend_schema(operation_id="titles_list", parameters=LIST_PARAMETERS, responses=TitleOutput(many=True))
    def get(self, request: Request) -> Response:
        """Published titles, newest first unless `ordering` says otherwise."""
        at = clock.now()
        found = _narrowed(queries.published(at, country=country_of(request)), request)
        return self.paginated(with_ownership(found, caller_of(request)), TitleOutput, context={"at": at})


class TitleDetail(ApiView):
    """GET titles/{id}"""

    resource = "titles"

    @extend_schema(operation_id="titles_read", responses=TitleOutput)
    def get(self, request: Request, pk: UUID) -> Response:
        """One published title; 404 for anything else."""
        at = clock.now()
        found = with_ownership(queries.published(at, country=country_of(request)), caller_of(request))
        title = found.filter(pk=pk).first()
        if title is None:
            raise NotFound(_("There is no such title."))
        return ok(TitleOutput(title, context={"request": request, "at": at}).data)


class CreatorShelf(ApiView):
    """GET creators/{id}/titles"""

    resource = "titles"

    @extend_schema(
        operation_id="creators_titles_list",
        parameters=[
            OpenApiParameter("status", str, enum=["unlocked", "locked", "all"], description="Default: unlocked"),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses=TitleOutput(many=True),
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """A creator's titles. Locked ones carry `unlock_at` and cannot be played yet."""
        at = clock.now()
        status = request.query_params.get("status", "unlocked")
        found = queries.listed(country=country_of(request)).filter(creator_id=pk)
        if status == "unlocked":
            found = found.unlocked(at)
        elif status == "locked":
            found = found.filter(unlock_at__gt=at)
        elif status != "all":
            raise Invalid(_("One of unlocked, locked, all."), field="status")
        if not queries.is_creator_shown(pk):
            raise NotFound(_("There is no such creator."))
        return self.paginated(with_ownership(found, caller_of(request)), TitleOutput, context={"at": at})


def _narrowed(titles: QuerySet[Title], request: Request) -> QuerySet[Title]:
    asked = {name: str(value).strip() for name, value in request.query_params.items() if str(value).strip()}
    for name, lookup in (("category", "category__slug"), ("tag", "tags__slug"), ("language", "language")):
        if name in asked:
            titles = titles.filter(**{lookup: asked[name]})
    if "access_model" in asked:
        if asked["access_model"] not in Title.Access.values:
            raise Invalid(_("There is no such access model."), field="access_model")
        titles = titles.filter(access_model=asked["access_model"])
    if "creator" in asked:
        try:
            titles = titles.filter(creator_id=UUID(asked["creator"]))
        except ValueError as error:
            raise Invalid(_("This is not an id."), field="creator") from error
    currency = asked.get("currency", "USD").upper()
    for name, lookup in (("price_min", "price_minor__gte"), ("price_max", "price_minor__lte")):
        if name in asked:
            titles = titles.filter(currency=currency, access_model="purchase", **{lookup: parse(asked[name], currency)})
    if "q" in asked:
        titles = queries.search(titles, asked["q"][:100])
    ordering = asked.get("ordering", "-published_at")
    if ordering not in ORDERINGS:
        raise Invalid(_("Titles cannot be ordered by this."), field="ordering")
    return titles.order_by(*ORDERINGS[ordering])


urlpatterns = [
    path("titles", TitleList.as_view(), name="titles"),
    path("titles/<uuid:pk>", TitleDetail.as_view(), name="title"),
    path("creators/<uuid:pk>/titles", CreatorShelf.as_view(), name="creator_titles"),
]
