"""What editors put forward (U-034)."""

from typing import Any

from django.urls import path
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api.base import ApiView, ok
from backoffice.api.v1.titles import country_of
from backoffice.catalogue import queries
from backoffice.catalogue.models import FeaturedSlot
from backoffice.media.services import links


class FeaturedItemOutput(serializers.Serializer[Any]):
    """A title on a shelf."""

    id = serializers.UUIDField(source="title.id")
    title = serializers.CharField(source="title.title")
    slug = serializers.CharField(source="title.slug")
    kind = serializers.CharField(source="title.kind")
    creator = serializers.SerializerMethodField()
    poster_url = serializers.SerializerMethodField()
    access_model = serializers.CharField(source="title.access_model")
    position = serializers.IntegerField()
    sponsored = serializers.BooleanField(source="is_sponsored")
    ends_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_creator(self, slot: FeaturedSlot) -> str | None:
        return slot.title.creator.stage_name if slot.title.creator is not None else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_poster_url(self, slot: FeaturedSlot) -> str | None:
        poster = slot.title.poster
        return links.signed_url(poster) if poster is not None and poster.is_ready else None


class ShelfOutput(serializers.Serializer[Any]):
    """A featured section with its titles in order."""

    slug = serializers.CharField(source="section.slug")
    heading = serializers.SerializerMethodField()
    page = serializers.CharField(source="section.page")
    layout = serializers.CharField(source="section.layout")
    items = FeaturedItemOutput(many=True, source="slots")

    def get_heading(self, shelf: queries.Shelf) -> str:
        return shelf.section.heading_in(self.context["language"])


class Featured(ApiView):
    """GET featured"""

    resource = "featured"

    @extend_schema(
        operation_id="featured_list",
        parameters=[
            OpenApiParameter("section", str, description="Section slug"),
            OpenApiParameter("page", str, description="Page of the storefront"),
            OpenApiParameter("language", str, description="Language code; without one, that of the request"),
            OpenApiParameter("region", str, description="Country code of a visitor without an account"),
        ],
        responses=ShelfOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """The sections addressed to this reader with what is current in them; a section may be empty."""
        language = (request.query_params.get("language") or get_language() or "en")[:2]
        shelves = queries.featured_now(
            request.query_params.get("section") or None,
            page=request.query_params.get("page") or None,
            language=language,
            country=country_of(request),
        )
        return ok(ShelfOutput(shelves, many=True, context={"language": language}).data)


urlpatterns = [path("featured", Featured.as_view(), name="featured")]
