"""The way of an approved creator to going live, and what they offer: training, offers, calendar (S-009, U-020)."""

from typing import Any

from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from wagtail.rich_text import expand_db_html

from backoffice.api.base import ApiView, MoneySerializer, WholeSerializer, money, ok
from backoffice.configuration import values
from backoffice.core.errors import Invalid
from backoffice.core.money import MoneyError, check_currency, parse
from backoffice.creators import policies, queries, states
from backoffice.creators.models import AvailabilityBlock, Creator, ServiceOffering
from backoffice.creators.services import offers, training
from cms.training.queries import lessons


class ChecklistStepOutput(serializers.Serializer[Any]):
    """One thing that is still missing before going live."""

    code = serializers.CharField()
    text = serializers.CharField()


class OnboardingOutput(serializers.Serializer[Any]):
    """Whether the creator is live, and what is missing."""

    is_active = serializers.BooleanField()
    missing = ChecklistStepOutput(many=True)
    agreement_version = serializers.CharField(help_text="The version signed last; empty before the first")
    agreement_in_force = serializers.CharField(help_text="The version to sign; another one asks for it")
    badges = serializers.ListField(child=serializers.CharField())


class LessonOutput(serializers.Serializer[Any]):
    """One training module in the reader's language, with how far they are."""

    code = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField(help_text="HTML")
    video_url = serializers.CharField()
    minutes = serializers.IntegerField()
    language = serializers.CharField()
    position = serializers.IntegerField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # the answer's own field of that name
    status = serializers.CharField()
    completed_at = serializers.DateTimeField(allow_null=True)


class OfferingInput(WholeSerializer):
    """One personal video on offer; amounts in the creator's currency."""

    occasions = serializers.ListField(
        child=serializers.ChoiceField(choices=states.Occasion.choices), min_length=1, max_length=9
    )
    length_seconds = serializers.ChoiceField(choices=states.OfferLength.choices)
    delivery_hours = serializers.ChoiceField(choices=states.DeliverySpeed.choices)
    price = serializers.CharField(max_length=20, help_text="Decimal string such as 25.00")
    extra_recipient = serializers.CharField(max_length=20, required=False, default="0")
    special_requests = serializers.ListField(
        child=serializers.ChoiceField(choices=states.SpecialRequest.choices), max_length=2, required=False, default=list
    )
    corporate = serializers.BooleanField(required=False, default=False)
    active = serializers.BooleanField(required=False, default=True)


class OfferingsInput(serializers.Serializer[Any]):
    """The whole list; what is not in it is gone."""

    offerings = OfferingInput(many=True, max_length=offers.MOST_OFFERS)  # type: ignore[call-arg]


class OfferingOutput(serializers.Serializer[Any]):
    """One personal video on offer."""

    id = serializers.UUIDField()
    occasions = serializers.ListField(child=serializers.CharField())
    length_seconds = serializers.IntegerField()
    delivery_hours = serializers.IntegerField()
    price = serializers.SerializerMethodField()
    extra_recipient = serializers.SerializerMethodField()
    special_requests = serializers.ListField(child=serializers.CharField())
    corporate = serializers.BooleanField()
    active = serializers.BooleanField()

    @extend_schema(responses=MoneySerializer)
    def get_price(self, row: ServiceOffering) -> dict[str, str] | None:
        return money(row.price_minor, row.currency)

    def get_extra_recipient(self, row: ServiceOffering) -> dict[str, str] | None:
        return money(row.extra_recipient_minor, row.currency)


class GuidanceOutput(serializers.Serializer[Any]):
    """What others of the same category ask for this length."""

    length_seconds = serializers.IntegerField()
    low = MoneySerializer()
    median = MoneySerializer()
    high = MoneySerializer()
    offers = serializers.IntegerField()


class OwnOfferingsOutput(serializers.Serializer[Any]):
    """One's own offers, with what is allowed and what others ask."""

    offerings = OfferingOutput(many=True)
    least = MoneySerializer()
    most = MoneySerializer()
    guidance = GuidanceOutput(many=True)


class BlockInput(WholeSerializer):
    """One span of time; it ends before the other begins."""

    kind = serializers.ChoiceField(choices=states.BlockKind.choices)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True, default=None)
    premium_price = serializers.CharField(max_length=20, required=False, allow_null=True, default=None)


class AvailabilityInput(WholeSerializer):
    """When orders are taken. Without ``blocks`` the calendar stays as it is."""

    mode = serializers.ChoiceField(choices=states.AvailabilityMode.choices)
    vacation_until = serializers.DateField(required=False, allow_null=True, default=None)
    daily_capacity = serializers.IntegerField(
        min_value=1, max_value=1000, required=False, allow_null=True, default=None
    )
    weekly_capacity = serializers.IntegerField(
        min_value=1, max_value=5000, required=False, allow_null=True, default=None
    )
    blocks = BlockInput(many=True, required=False, max_length=offers.MOST_BLOCKS)  # type: ignore[call-arg]


class BlockOutput(serializers.Serializer[Any]):
    """One span of time of one's own calendar."""

    kind = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField(allow_null=True)
    premium_price = serializers.SerializerMethodField()

    def get_premium_price(self, row: AvailabilityBlock) -> dict[str, str] | None:
        return money(row.premium_price_minor, row.creator.currency)


class AvailabilityOutput(serializers.Serializer[Any]):
    """When orders are taken."""

    mode = serializers.CharField(source="availability_mode")
    vacation_until = serializers.DateField(allow_null=True)
    daily_capacity = serializers.IntegerField(allow_null=True)
    weekly_capacity = serializers.IntegerField(allow_null=True)
    blocks = serializers.SerializerMethodField()

    @extend_schema(responses=BlockOutput(many=True))
    def get_blocks(self, creator: Creator) -> list[dict[str, Any]]:
        return list(BlockOutput(creator.availability.select_related("creator"), many=True).data)


class Onboarding(ApiView):
    """GET creators/me/onboarding"""

    resource = "own_creator"

    @extend_schema(responses=OnboardingOutput, operation_id="creators_me_onboarding")
    def get(self, request: Request) -> Response:
        """What is missing before going live (S-009); empty once the creator is."""
        creator: Creator = self.creator
        missing = [] if creator.is_active else policies.missing_to_activate(creator)
        return ok(
            OnboardingOutput(
                {
                    "is_active": creator.is_active,
                    "missing": [{"code": item.code, "text": str(item.text)} for item in missing],
                    "agreement_version": creator.agreement_version,
                    "agreement_in_force": values.get("creator.agreement_version"),
                    "badges": [given.badge for given in queries.badges_of(creator)],
                }
            ).data
        )


class Training(ApiView):
    """GET creators/me/training"""

    resource = "own_creator"

    @extend_schema(responses=LessonOutput(many=True), operation_id="creators_me_training")
    def get(self, request: Request) -> Response:
        """Every module in its order, in the language of the request where it is translated."""
        return ok(_lessons(self.creator))


class LessonStart(ApiView):
    """POST creators/me/training/{code}/start"""

    resource = "own_creator"

    @extend_schema(request=None, responses=LessonOutput(many=True), operation_id="creators_me_training_start")
    def post(self, request: Request, code: str) -> Response:
        """Opens a module; 409 says what comes first."""
        training.start(creator=self.creator, code=code, by=request.user)
        return ok(_lessons(self.creator))


class LessonComplete(ApiView):
    """POST creators/me/training/{code}/complete"""

    resource = "own_creator"

    @extend_schema(request=None, responses=LessonOutput(many=True), operation_id="creators_me_training_complete")
    def post(self, request: Request, code: str) -> Response:
        """Completes a module that was opened; 409 says what comes first."""
        training.complete(creator=self.creator, code=code, by=request.user)
        return ok(_lessons(self.creator))


def _lessons(creator: Creator) -> list[dict[str, Any]]:
    pages = lessons(get_language() or "en")
    rows = []
    for lesson in queries.training_of(creator):
        page = pages.get(lesson.code)
        rows.append(
            {
                "code": lesson.code,
                "title": page.title if page else lesson.title,
                "body": expand_db_html(page.body) if page else "",
                "video_url": page.video_url if page else "",
                "minutes": page.minutes if page else 0,
                "language": page.locale.language_code if page else "",
                "position": lesson.position,
                "required": lesson.required,
                "status": lesson.status,
                "completed_at": lesson.completed_at,
            }
        )
    return list(LessonOutput(rows, many=True).data)


def minor(text: str | None, currency: str, field: str) -> int | None:
    """A decimal string as minor units; Invalid names the field."""
    if text is None:
        return None
    try:
        return parse(text, check_currency(currency))
    except MoneyError as error:
        raise Invalid(str(error), field=field) from error


class Offerings(ApiView):
    """GET, PUT creators/me/offerings"""

    resource = "own_creator"

    @extend_schema(responses=OwnOfferingsOutput, operation_id="creators_me_offerings")
    def get(self, request: Request) -> Response:
        """One's own offers, the platform's bounds, and what others of the category ask."""
        return ok(self._shown())

    @extend_schema(request=OfferingsInput, responses=OwnOfferingsOutput, operation_id="creators_me_offerings_replace")
    def put(self, request: Request) -> Response:
        """Replaces the whole list; a wrong offer is named by its place and nothing changes (U-020)."""
        creator: Creator = self.creator
        rows = []
        for place, given in enumerate(self.valid(OfferingsInput)["offerings"]):
            price, extra = given.pop("price"), given.pop("extra_recipient")
            rows.append(
                {
                    **given,
                    "price_minor": minor(price, creator.currency, f"offerings.{place}.price"),
                    "extra_recipient_minor": minor(extra, creator.currency, f"offerings.{place}.extra_recipient"),
                }
            )
        offers.replace_offerings(creator=creator, offerings=rows, by=request.user)
        return ok(self._shown())

    def _shown(self) -> Any:
        creator: Creator = self.creator
        currency = creator.currency
        low, high = offers.bounds(currency)
        return OwnOfferingsOutput(
            {
                "offerings": creator.offerings.all(),
                "least": money(low, currency),
                "most": money(high, currency),
                "guidance": [
                    {
                        "length_seconds": row.length_seconds,
                        "low": money(row.low_minor, currency),
                        "median": money(row.median_minor, currency),
                        "high": money(row.high_minor, currency),
                        "offers": row.offers,
                    }
                    for row in queries.pricing_guidance(creator)
                ],
            }
        ).data


class Availability(ApiView):
    """GET, PUT creators/me/availability"""

    resource = "own_creator"

    @extend_schema(responses=AvailabilityOutput, operation_id="creators_me_availability")
    def get(self, request: Request) -> Response:
        """One's own mode and calendar."""
        return ok(AvailabilityOutput(self.creator).data)

    @extend_schema(
        request=AvailabilityInput, responses=AvailabilityOutput, operation_id="creators_me_availability_replace"
    )
    def put(self, request: Request) -> Response:
        """Sets the mode (S-124) and, when sent, the calendar from now on; overlaps are refused (U-020)."""
        creator: Creator = self.creator
        fields = self.valid(AvailabilityInput)
        blocks = fields.pop("blocks", None)
        if blocks is not None:
            blocks = [
                {
                    **{name: value for name, value in block.items() if name != "premium_price"},
                    "premium_price_minor": minor(
                        block["premium_price"], creator.currency, f"blocks.{place}.premium_price"
                    ),
                }
                for place, block in enumerate(blocks)
            ]
        creator = offers.set_availability(creator=creator, by=request.user, blocks=blocks, **fields)
        return ok(AvailabilityOutput(creator).data, message=_("Saved."))


urlpatterns = [
    path("creators/me/onboarding", Onboarding.as_view(), name="creators_me_onboarding"),
    path("creators/me/training", Training.as_view(), name="creators_me_training"),
    path("creators/me/training/<slug:code>/start", LessonStart.as_view(), name="creators_me_training_start"),
    path("creators/me/training/<slug:code>/complete", LessonComplete.as_view(), name="creators_me_training_complete"),
    path("creators/me/offerings", Offerings.as_view(), name="creators_me_offerings"),
    path("creators/me/availability", Availability.as_view(), name="creators_me_availability"),
]
