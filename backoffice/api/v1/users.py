"""The signed-in person's own account and notices (U-009, U-015)."""

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts.models import User
from backoffice.accounts.services import users
from backoffice.api.base import ApiView, no_content, ok
from backoffice.core.errors import NotFound
from backoffice.notifications import services as notifications
from backoffice.notifications.models import Notification


class MeOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "display_name", "language", "timezone", "country", "date_joined")


class MeInput(serializers.Serializer[Any]):
    display_name = serializers.CharField(max_length=100, required=False)
    language = serializers.ChoiceField(choices=User.Language.choices, required=False)
    timezone = serializers.CharField(max_length=50, required=False)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False)


class NotificationOutput(serializers.ModelSerializer[Notification]):
    class Meta:
        model = Notification
        fields = ("id", "event", "subject", "body", "created_at", "read_at")


class Me(ApiView):
    resource = "own_profile"

    @extend_schema(responses=MeOutput)
    def get(self, request: Request) -> Response:
        """The signed-in person."""
        return ok(MeOutput(self.member).data)

    @extend_schema(request=MeInput, responses=MeOutput)
    def patch(self, request: Request) -> Response:
        """Changes name, language, time zone or country."""
        return ok(MeOutput(users.update(self.member, by=self.member, **self.valid(MeInput, partial=True))).data)


class Notifications(ApiView):
    resource = "own_notifications"

    @extend_schema(responses=NotificationOutput(many=True))
    def get(self, request: Request) -> Response:
        """What the person was told, newest first; ``unread=true`` for what they have not read."""
        rows = Notification.objects.filter(user=self.member, channel=Notification.Channel.IN_APP)
        if request.query_params.get("unread") == "true":
            rows = rows.filter(read_at=None)
        return self.paginated(rows.order_by("-created_at"), NotificationOutput)


class NotificationRead(ApiView):
    resource = "own_notifications"

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, notification_id: UUID) -> Response:
        """Notes that the person has read it."""
        if not notifications.mark_read(notification_id, by=self.member):
            raise NotFound(_("There is no such notice."))
        return no_content()


urlpatterns = [
    path("users/me", Me.as_view(), name="api_me"),
    path("users/me/notifications", Notifications.as_view(), name="api_notifications"),
    path(
        "users/me/notifications/<uuid:notification_id>/read",
        NotificationRead.as_view(),
        name="api_notification_read",
    ),
]
