"""Watching: the signed link for a title that the caller may play (U-032)."""

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api.base import ApiView, ok
from backoffice.api.v1.titles import caller_of
from backoffice.catalogue.models import Title
from backoffice.commerce.services import playback
from backoffice.core.errors import NotFound


class SubtitleOutput(serializers.Serializer[Any]):
    """A subtitle file and its language."""

    language = serializers.CharField()
    url = serializers.CharField()


class PlaybackOutput(serializers.Serializer[Any]):
    """What a player needs. The link stops working at `expires_at`; ask again for a fresh one."""

    url = serializers.CharField()
    kind = serializers.ChoiceField(choices=["hls", "mp4"])
    expires_at = serializers.DateTimeField()
    subtitles = SubtitleOutput(many=True)


class Play(ApiView):
    """GET titles/{id}/play"""

    resource = "playback"

    @extend_schema(
        operation_id="titles_play",
        parameters=[OpenApiParameter("client", str, description="web, tv or mobile")],
        responses=PlaybackOutput,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The link; 403 with purchase_required, subscription_required, not_unlocked or geo_blocked; 409 not_ready."""
        user = caller_of(request)
        if user is None:
            raise NotAuthenticated
        title = Title.objects.select_related("creator", "video").filter(pk=pk).first()
        if title is None:
            raise NotFound(_("There is no such title."), code="not_found")
        return ok(PlaybackOutput(playback.play(title, user=user, client=request.query_params.get("client", ""))).data)


urlpatterns = [path("titles/<uuid:pk>/play", Play.as_view(), name="title_play")]
