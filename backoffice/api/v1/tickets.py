"""Support tickets of the caller (U-050)."""

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts.models import User
from backoffice.api.base import ApiView, created, ok
from backoffice.core.errors import Forbidden
from backoffice.support import policies, queries
from backoffice.support.models import IssueType, Ticket, TicketLink, TicketMessage
from backoffice.support.services import tickets


class LinkSerializer(serializers.Serializer[Any]):
    """What a ticket is about: a thing of the caller's own, by kind and id."""

    kind = serializers.ChoiceField(choices=TicketLink.Kind.choices)
    id = serializers.UUIDField(source="subject_id")
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]


class MessageSerializer(serializers.ModelSerializer[TicketMessage]):
    """One message that the customer may read."""

    author = serializers.SerializerMethodField()

    class Meta:
        model = TicketMessage
        fields = ("id", "side", "author", "body", "at")

    @extend_schema_field(serializers.CharField())
    def get_author(self, message: TicketMessage) -> str:
        return message.author.display_name if message.author else ""


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket in a list."""

    class Meta:
        model = Ticket
        fields: tuple[str, ...] = (
            "id",
            "reference",
            "issue_type",
            "priority",
            "status",
            "language",
            "subject",
            "created_at",
            "first_response_due",
            "resolution_due",
            "resolved_at",
            "csat",
        )


class TicketDetailSerializer(TicketSerializer):
    """A ticket with its text, links and conversation, without internal notes."""

    links = LinkSerializer(many=True)
    messages = MessageSerializer(many=True, source="public_messages")
    reopen_until = serializers.SerializerMethodField()

    class Meta(TicketSerializer.Meta):
        fields = (*TicketSerializer.Meta.fields, "body", "links", "messages", "reopen_until")

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_reopen_until(self, ticket: Ticket) -> Any:
        return policies.reopen_until(ticket)


class OpenSerializer(serializers.Serializer[Any]):
    """A new ticket. Without ``issue_type`` the words decide."""

    issue_type = serializers.ChoiceField(choices=IssueType.choices, required=False)
    subject = serializers.CharField(max_length=200)
    body = serializers.CharField(max_length=10_000)
    language = serializers.ChoiceField(choices=User.Language.choices, required=False)
    links = LinkSerializer(many=True, required=False)

    def validate_links(self, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """At most ten: a ticket is about something, not about everything."""
        if len(links) > 10:
            raise serializers.ValidationError(_("At most 10 links."))
        return links


class AnswerSerializer(serializers.Serializer[Any]):
    """The customer's message."""

    body = serializers.CharField(max_length=10_000)


class RatingSerializer(serializers.Serializer[Any]):
    """How the customer was served, 1 (badly) to 5 (very well)."""

    rating = serializers.IntegerField(min_value=1, max_value=5)
    comment = serializers.CharField(max_length=2_000, required=False, allow_blank=True)


class TicketsView(ApiView):
    """The caller's tickets."""

    resource = "own_tickets"

    @extend_schema(operation_id="tickets_list", responses=TicketSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's tickets, newest first."""
        return self.paginated(queries.of_customer(_caller(request)), TicketSerializer)

    @extend_schema(operation_id="tickets_open", request=OpenSerializer, responses={201: TicketDetailSerializer})
    def post(self, request: Request) -> Response:
        """Opens a ticket; answers with its reference and due times. 403 when a link is not the caller's."""
        asked = self.valid(OpenSerializer)
        caller = _caller(request)
        ticket = tickets.open(
            requester=caller,
            by=caller,
            issue_type=asked.get("issue_type", ""),
            subject=asked["subject"],
            body=asked["body"],
            language=asked.get("language", ""),
            about=[(link["kind"], link["subject_id"]) for link in asked.get("links", [])],
        )
        return created(_detail(ticket.pk, caller))


class TicketView(ApiView):
    """One ticket of the caller."""

    resource = "own_tickets"

    @extend_schema(operation_id="tickets_read", responses=TicketDetailSerializer)
    def get(self, request: Request, ticket_id: UUID) -> Response:
        """The ticket with its conversation."""
        return ok(_detail(ticket_id, _caller(request)))


class TicketMessagesView(ApiView):
    """The conversation of one ticket."""

    resource = "own_tickets"

    @extend_schema(operation_id="tickets_answer", request=AnswerSerializer, responses={201: TicketDetailSerializer})
    def post(self, request: Request, ticket_id: UUID) -> Response:
        """The customer writes; a resolved ticket opens again. 409 when it is closed."""
        asked = self.valid(AnswerSerializer)
        caller = _caller(request)
        tickets.answer(_own(ticket_id, caller), by=caller, body=asked["body"])
        return created(_detail(ticket_id, caller))


class TicketRatingView(ApiView):
    """The rating of one ticket."""

    resource = "own_tickets"

    @extend_schema(operation_id="tickets_rate", request=RatingSerializer, responses={201: TicketDetailSerializer})
    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Rates a resolved ticket, once. 409 before that and the second time."""
        asked = self.valid(RatingSerializer)
        caller = _caller(request)
        tickets.rate(_own(ticket_id, caller), by=caller, score=asked["rating"], comment=asked.get("comment", ""))
        return created(_detail(ticket_id, caller))


def _caller(request: Request) -> User:
    """The signed-in person; the matrix lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def _own(ticket_id: UUID, caller: User) -> Ticket:
    """The caller's ticket; Forbidden for any other id, whether there is such a ticket or not (U-050)."""
    ticket = queries.of_customer(caller).filter(pk=ticket_id).first()
    if ticket is None:
        raise Forbidden(_("This is not your ticket."))
    return ticket


def _detail(ticket_id: UUID, caller: User) -> Any:
    ticket = queries.with_public_messages(queries.of_customer(caller)).filter(pk=ticket_id).first()
    if ticket is None:
        raise Forbidden(_("This is not your ticket."))
    return TicketDetailSerializer(ticket).data


urlpatterns = [
    path("tickets", TicketsView.as_view(), name="tickets"),
    path("tickets/<uuid:ticket_id>", TicketView.as_view(), name="ticket"),
    path("tickets/<uuid:ticket_id>/messages", TicketMessagesView.as_view(), name="ticket_messages"),
    path("tickets/<uuid:ticket_id>/rating", TicketRatingView.as_view(), name="ticket_rating"),
]
