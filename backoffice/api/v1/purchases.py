"""Buying a title, and the library of what was bought (U-030, U-031)."""

from typing import Any, cast
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts.models import User
from backoffice.api.base import ApiView, MoneySerializer, created, money
from backoffice.api.v1.titles import TitleCreatorSerializer, country_of
from backoffice.catalogue.models import Title
from backoffice.commerce import queries
from backoffice.commerce.models import Purchase
from backoffice.commerce.services import purchases
from backoffice.core.errors import NotFound
from backoffice.finance.services import payments
from backoffice.media.services import links

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="The same key never buys twice"
)


class PurchaseInput(serializers.Serializer[Any]):
    """Where the checkout page sends the buyer afterwards."""

    return_url = serializers.URLField(max_length=2000)
    cancel_url = serializers.URLField(max_length=2000, required=False)


class PurchaseOutput(serializers.Serializer[Purchase]):
    """What is being bought; `paid` once the provider has confirmed it."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.CharField()
    title_id = serializers.UUIDField()
    price = serializers.SerializerMethodField()

    @extend_schema_field(MoneySerializer)
    def get_price(self, purchase: Purchase) -> dict[str, str] | None:
        return money(purchase.price_minor, purchase.currency)


class PaymentOutput(serializers.Serializer[Any]):
    """How it is being paid."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.CharField()
    provider = serializers.CharField()


class CheckoutOutput(serializers.Serializer[Any]):
    """The purchase, its payment and the page where the buyer pays."""

    purchase = PurchaseOutput()
    payment = PaymentOutput()
    checkout_url = serializers.CharField()


class OwnedTitleOutput(serializers.Serializer[Title]):
    """A title in a library."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    slug = serializers.CharField()
    kind = serializers.CharField()
    creator = TitleCreatorSerializer(allow_null=True)
    poster_url = serializers.SerializerMethodField()

    def get_poster_url(self, title: Title) -> str | None:
        return links.signed_url(title.poster) if title.poster is not None and title.poster.is_ready else None


class LibraryOutput(PurchaseOutput):
    """Something that the caller owns."""

    purchased_at = serializers.DateTimeField()
    title = OwnedTitleOutput()


class Buy(ApiView):
    """POST titles/{id}/purchase"""

    resource = "own_purchases"

    @extend_schema(
        operation_id="titles_purchase", parameters=[KEY], request=PurchaseInput, responses={201: CheckoutOutput}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Opens the checkout page. 400 not for sale or payment refused; 409 owned already or key used before."""
        key = self.idempotency_key
        asked = self.valid(PurchaseInput)
        caller = cast(User, request.user)  # `access` lets nobody else this far
        title = Title.objects.select_related("creator").filter(pk=pk).first()
        if title is None:
            raise NotFound(_("There is no such title."))
        purchase = purchases.start(title=title, by=caller, country=country_of(request))
        payment = payments.start_checkout(
            purchase=purchase,
            by=caller,
            success_url=asked["return_url"],
            cancel_url=asked.get("cancel_url") or asked["return_url"],
            key=key,
        )
        found = {"purchase": purchase, "payment": payment, "checkout_url": payment.checkout_url}
        return created(CheckoutOutput(found).data)


class Library(ApiView):
    """GET library"""

    resource = "own_purchases"

    @extend_schema(
        operation_id="library_list",
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
        responses=LibraryOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """What the caller has paid for, latest first."""
        return self.paginated(queries.library(cast(User, request.user)), LibraryOutput)


urlpatterns = [
    path("titles/<uuid:pk>/purchase", Buy.as_view(), name="title_purchase"),
    path("library", Library.as_view(), name="library"),
]
