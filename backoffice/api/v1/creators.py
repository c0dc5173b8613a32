"""Creators: the public list and page, and one's own profile (U-019, U-021)."""

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api.base import ApiView, ok
from backoffice.api.v1.applications import with_assets
from backoffice.api.v1.onboarding import OfferingOutput, minor
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Forbidden, NotFound
from backoffice.creators import queries, states
from backoffice.creators.models import Creator
from backoffice.creators.services import creators
from backoffice.media.services import links


class CreatorOutput(serializers.Serializer[Any]):
    """A creator as everybody may see them."""

    id = serializers.UUIDField()
    stage_name = serializers.CharField()
    slug = serializers.CharField()
    bio = serializers.CharField()
    avatar_url = serializers.SerializerMethodField()
    categories = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    cultural_affiliations = serializers.ListField(child=serializers.CharField())
    country = serializers.CharField()
    verified = serializers.SerializerMethodField()
    tier = serializers.CharField()

    def get_avatar_url(self, creator: Creator) -> str | None:
        return links.signed_url(creator.avatar) if creator.avatar is not None and creator.avatar.is_ready else None

    def get_verified(self, creator: Creator) -> bool:
        return creator.verification_status == states.VerificationStatus.VERIFIED


class CreatorPageOutput(CreatorOutput):
    """A creator's own page: badges, and what can be ordered now."""

    badges = serializers.SerializerMethodField()
    availability_mode = serializers.CharField()
    offerings = serializers.SerializerMethodField()

    def get_badges(self, creator: Creator) -> list[str]:
        return [given.badge for given in queries.badges_of(creator)]

    @extend_schema(responses=OfferingOutput(many=True))
    def get_offerings(self, creator: Creator) -> list[dict[str, Any]]:
        return list(OfferingOutput(creator.offerings.filter(active=True), many=True).data)


class OwnCreatorOutput(CreatorOutput):
    """What creators see of themselves beyond the public part."""

    reference = serializers.CharField()
    verification_status = serializers.CharField()
    is_active = serializers.BooleanField()
    activated_at = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField()
    payout_schedule = serializers.CharField()
    payout_hold = serializers.BooleanField()
    tax_form_status = serializers.CharField()
    payout_account_ready = serializers.BooleanField()
    agreement_version = serializers.CharField(help_text="The version signed last; empty before the first")
    agreement_in_force = serializers.SerializerMethodField(help_text="The version to sign; another one asks for it")

    def get_agreement_in_force(self, creator: Creator) -> str:
        return str(values.get("creator.agreement_version"))


class ProfileInput(serializers.Serializer[Any]):
    """What creators may change of themselves: their public profile, and how often they are paid."""

    stage_name = serializers.CharField(max_length=200, required=False)
    bio = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False)
    categories = serializers.ListField(child=serializers.SlugField(max_length=80), max_length=10, required=False)
    languages = serializers.ListField(
        child=serializers.RegexField(r"^[a-z]{2,3}(-[A-Z]{2})?$"), max_length=10, required=False
    )
    cultural_affiliations = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=10, required=False
    )
    avatar = serializers.UUIDField(required=False, allow_null=True)
    payout_schedule = serializers.ChoiceField(
        choices=states.PayoutSchedule.choices, required=False, help_text="Another one needs a fresh code"
    )


class AgreementInput(serializers.Serializer[Any]):
    """The version of the creator agreement that is signed."""

    version = serializers.CharField(max_length=20)


class CreatorList(ApiView):
    """GET creators"""

    resource = "creators"

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, description="Part of the stage name"),
            OpenApiParameter("category", str, description="Category slug"),
            OpenApiParameter("language", str, description="Language code"),
            OpenApiParameter("country", str, description="Country code"),
            OpenApiParameter("price_max", str, description="A personal video costs at most so much, as 25.00"),
            OpenApiParameter("currency", str, description="Of price_max; USD unless told"),
            OpenApiParameter("available", bool, description="Takes orders for personal videos now"),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses=CreatorOutput(many=True),
        operation_id="creators_list",
    )
    def get(self, request: Request) -> Response:
        """Active creators by name."""
        asked = request.query_params
        found = queries.public_matching(
            text=asked.get("q", "").strip(),
            category=asked.get("category", "").strip(),
            language=asked.get("language", "").strip(),
            country=asked.get("country", "").strip(),
        )
        if asked.get("price_max") or asked.get("available") in ("1", "true"):
            currency = asked.get("currency", "USD")
            found = queries.offering(
                found,
                available=asked.get("available") in ("1", "true"),
                currency=currency,
                price_max_minor=minor(asked.get("price_max") or None, currency, "price_max"),
                at=clock.now(),
            )
        return self.paginated(found, CreatorOutput)


class CreatorDetail(ApiView):
    """GET creators/{id}"""

    resource = "creators"

    @extend_schema(responses=CreatorPageOutput, operation_id="creators_read")
    def get(self, request: Request, pk: UUID) -> Response:
        """One active creator; 404 for one who is not active or is suspended."""
        creator = queries.public().filter(pk=pk).first()
        if creator is None:
            raise NotFound(_("There is no such creator."))
        return ok(CreatorPageOutput(creator).data)


class Me(ApiView):
    """GET, PUT creators/me"""

    resource = "own_creator"

    @extend_schema(responses=OwnCreatorOutput, operation_id="creators_me")
    def get(self, request: Request) -> Response:
        """One's own creator; 403 before activation."""
        return ok(OwnCreatorOutput(self._own()).data)

    @extend_schema(request=ProfileInput, responses=OwnCreatorOutput, operation_id="creators_me_update")
    def put(self, request: Request) -> Response:
        """Changes the fields that are sent. Another payout schedule needs a fresh code, and its creator is told."""
        creator = self._own()
        fields = with_assets(request.user, self.valid(ProfileInput, partial=True))
        if fields.get("payout_schedule", creator.payout_schedule) != creator.payout_schedule:
            self.demand_fresh_code()
        creator = creators.update_profile(creator=creator, by=request.user, fields=fields)
        return ok(OwnCreatorOutput(creator).data)

    def _own(self) -> Creator:
        creator: Creator = self.creator
        if not creator.is_active:
            raise Forbidden(_("Your creator account is not active yet."), code="not_activated")
        return creator


class Agreement(ApiView):
    """POST creators/me/agreement"""

    resource = "own_creator"

    @extend_schema(request=AgreementInput, responses=OwnCreatorOutput, operation_id="creators_me_agreement")
    def post(self, request: Request) -> Response:
        """Signs the creator agreement in force; open to approved creators before they go live."""
        version = self.valid(AgreementInput)["version"]
        creators.sign_agreement(creator=self.creator, by=request.user, version=version)
        return ok(OwnCreatorOutput(self.creator).data)


urlpatterns = [
    path("creators", CreatorList.as_view(), name="creators"),
    path("creators/me", Me.as_view(), name="creators_me"),
    path("creators/me/agreement", Agreement.as_view(), name="creators_me_agreement"),
    path("creators/<uuid:pk>", CreatorDetail.as_view(), name="creator"),
]
