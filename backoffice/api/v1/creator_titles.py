"""A creator's own titles: making, changing, submitting (U-023, U-024)."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts import tokens
from backoffice.accounts.models import User
from backoffice.api.base import ApiView, MoneySerializer, WholeSerializer, created, money, ok
from backoffice.api.v1.titles import TitleOutput, caller_of
from backoffice.catalogue import queries
from backoffice.catalogue.models import Category, Tag, Title
from backoffice.catalogue.services import titles
from backoffice.catalogue.states import Moderation, Processing, Visibility
from backoffice.commerce.queries import sales_of
from backoffice.core import clock
from backoffice.core.errors import DomainError, Forbidden, Invalid, NotFound
from backoffice.core.money import check_currency, parse
from backoffice.creators.models import Creator
from backoffice.engagement.queries import plays_of
from backoffice.media.models import Asset
from backoffice.moderation.queries import last_message


class SubtitleInput(WholeSerializer):
    """A subtitle file and its language."""

    asset_id = serializers.UUIDField()
    language = serializers.RegexField(r"^[a-z]{2,3}(-[A-Z]{2})?$")


class TitleChange(serializers.Serializer[Any]):
    """What a creator may set. Files are ids of finished uploads of the caller."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    language = serializers.RegexField(r"^[a-z]{2,3}(-[A-Z]{2})?$", required=False)
    category = serializers.SlugField(required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.SlugField(max_length=80), max_length=20, required=False)
    age_rating = serializers.CharField(max_length=8, required=False, allow_blank=True)
    access_model = serializers.ChoiceField(choices=Title.Access.choices, required=False)
    price = MoneySerializer(required=False, allow_null=True)
    required_plan_rank = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    unlock_at = serializers.DateTimeField(required=False, allow_null=True)
    geo_allow = serializers.ListField(child=serializers.RegexField(r"^[A-Z]{2}$"), max_length=250, required=False)
    geo_deny = serializers.ListField(child=serializers.RegexField(r"^[A-Z]{2}$"), max_length=250, required=False)
    video_asset_id = serializers.UUIDField(required=False)
    poster_asset_id = serializers.UUIDField(required=False, allow_null=True)
    proof_asset_ids = serializers.ListField(child=serializers.UUIDField(), max_length=10, required=False)
    subtitles = SubtitleInput(many=True, required=False, max_length=40)  # type: ignore[call-arg]


class TitleInput(TitleChange):
    """A new title: its kind, and with its video it goes to review."""

    kind = serializers.ChoiceField(choices=Title.Kind.choices, required=False)
    video_asset_id = serializers.UUIDField()


class FileOutput(serializers.Serializer[Any]):
    """A file of a title."""

    asset_id = serializers.UUIDField()
    role = serializers.CharField()
    language = serializers.CharField()
    processing_status = serializers.CharField(source="asset.processing_status")


class OwnTitleOutput(TitleOutput):
    """A title as its creator sees it."""

    moderation_status = serializers.CharField()
    processing_status = serializers.CharField()
    visibility = serializers.CharField()
    geo_allow = serializers.ListField(child=serializers.CharField())
    geo_deny = serializers.ListField(child=serializers.CharField())
    video_asset_id = serializers.UUIDField(source="video_id", allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    # What one's own titles cost is shown whatever opens them.
    @extend_schema_field(MoneySerializer(allow_null=True))
    def get_price(self, title: Title) -> dict[str, str] | None:
        return money(title.price_minor, title.currency)


class OwnTitleDetail(OwnTitleOutput):
    """The same with files, what the reviewer wrote, sales and plays."""

    files = FileOutput(many=True)
    review_message = serializers.SerializerMethodField()
    sales = serializers.SerializerMethodField()
    plays = serializers.SerializerMethodField()

    def get_review_message(self, title: Title) -> str:
        return last_message(title) if title.moderation_status == Moderation.REJECTED else ""

    def get_sales(self, title: Title) -> int:
        return sales_of(title)

    def get_plays(self, title: Title) -> int:
        return plays_of(title)


class OwnTitles(ApiView):
    """GET, POST creators/me/titles"""

    resource = "own_titles"

    @extend_schema(
        operation_id="creators_me_titles_list",
        parameters=[
            OpenApiParameter("moderation_status", str, enum=list(Moderation.values)),
            OpenApiParameter("processing_status", str, enum=list(Processing.values)),
            OpenApiParameter("visibility", str, enum=list(Visibility.values)),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses=OwnTitleOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """The caller's titles whatever their state, newest first."""
        found = queries.for_creator(self.creator)
        for name in ("moderation_status", "processing_status", "visibility"):
            if value := request.query_params.get(name):
                found = found.filter(**{name: value})
        return self.paginated(found, OwnTitleOutput, context={"at": clock.now()})

    @extend_schema(operation_id="creators_me_titles_create", request=TitleInput, responses={201: OwnTitleDetail})
    def post(self, request: Request) -> Response:
        """Makes a title and sends it to review. 400 names what is missing; 403 unless verified and active."""
        caller = _caller(request)
        payload: Any = request.auth
        if tokens.factor_age(payload, caller) is None:
            raise Forbidden(_("Sign in with your authenticator app to offer titles."), code="mfa_required")
        asked = self.valid(TitleInput)
        fields = {"currency": self.creator.currency, **_fields(asked, creator=self.creator)}
        files = titles.Files(
            video=fields.pop("video"),
            poster=fields.pop("poster", None),
            proofs=fields.pop("proofs", ()),
            subtitles=fields.pop("subtitles", ()),
        )
        title = titles.offer(creator=self.creator, by=caller, files=files, **fields)
        return created(_detail(self, request, title.pk))


class OwnTitle(ApiView):
    """GET, PATCH creators/me/titles/{id}"""

    resource = "own_titles"

    @extend_schema(operation_id="creators_me_titles_read", responses=OwnTitleDetail)
    def get(self, request: Request, pk: UUID) -> Response:
        """One of the caller's titles; 404 for anybody else's."""
        return ok(_detail(self, request, pk))

    @extend_schema(operation_id="creators_me_titles_update", request=TitleChange, responses=OwnTitleDetail)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Changes the fields that are sent; a changed name, video or price of an approved title is reviewed again."""
        asked = self.valid(TitleChange, partial=True)
        caller = _caller(request)
        title = _own(self.creator, pk)
        titles.update(title, by=caller, changes=_fields(asked, creator=self.creator))
        return ok(_detail(self, request, pk))


class OwnTitleSubmission(ApiView):
    """POST creators/me/titles/{id}/submit"""

    resource = "own_titles"

    @extend_schema(operation_id="creators_me_titles_submit", request=None, responses=OwnTitleDetail)
    def post(self, request: Request, pk: UUID) -> Response:
        """Sends a changed title to review again after a rejection (S-052). 409 when nothing changed."""
        titles.submit(_own(self.creator, pk), by=_caller(request))
        return ok(_detail(self, request, pk))


def _caller(request: Request) -> User:
    caller = caller_of(request)
    assert caller is not None
    return caller


def _own(creator: Creator, pk: UUID) -> Title:
    title = _with_files(creator).filter(pk=pk).first()
    if title is None:
        raise NotFound(_("There is no such title."))
    return title


def _with_files(creator: Creator) -> QuerySet[Title]:
    return queries.for_creator(creator).prefetch_related("files__asset")


def _detail(view: ApiView, request: Request, pk: UUID) -> Any:
    return OwnTitleDetail(_own(view.creator, pk), context={"request": request, "at": clock.now()}).data


def _fields(asked: Mapping[str, Any], *, creator: Creator) -> dict[str, Any]:
    """The request's words as the service takes them: slugs and ids become rows, the price minor units."""
    plain = {"title", "description", "language", "age_rating", "access_model", "required_plan_rank", "kind"}
    plain |= {"visibility", "unlock_at", "geo_allow", "geo_deny"}
    fields: dict[str, Any] = {name: asked[name] for name in plain & set(asked)}
    if "category" in asked:
        fields["category"] = _category(asked["category"])
    if "tags" in asked:
        fields["tags"] = _tags(asked["tags"])
    if "price" in asked:
        fields["price_minor"], fields["currency"] = _price(asked["price"], creator.currency)
    wanted = [asked.get("video_asset_id"), asked.get("poster_asset_id"), *asked.get("proof_asset_ids", [])]
    wanted += [row["asset_id"] for row in asked.get("subtitles", [])]
    found = {asset.id: asset for asset in Asset.objects.filter(id__in=[key for key in wanted if key])}
    if "video_asset_id" in asked:
        fields["video"] = _asset(found, asked["video_asset_id"], "video_asset_id")
    if "poster_asset_id" in asked:
        key = asked["poster_asset_id"]
        fields["poster"] = _asset(found, key, "poster_asset_id") if key else None
    if "proof_asset_ids" in asked:
        fields["proofs"] = [_asset(found, key, "proof_asset_ids") for key in asked["proof_asset_ids"]]
    if "subtitles" in asked:
        fields["subtitles"] = [
            (_asset(found, row["asset_id"], "subtitles"), row["language"]) for row in asked["subtitles"]
        ]
    return fields


def _asset(found: Mapping[UUID, Asset], key: UUID, field: str) -> Asset:
    if key not in found:
        raise Invalid(_("There is no such file."), code="unknown_asset", field=field)
    return found[key]


def _category(slug: str | None) -> Category | None:
    if not slug:
        return None
    category = Category.objects.filter(slug=slug, kind=Category.Kind.TITLE, is_active=True).first()
    if category is None:
        raise Invalid(_("There is no such category."), field="category")
    return category


def _tags(slugs: Iterable[str]) -> list[Tag]:
    wanted = set(slugs)
    tags = list(Tag.objects.filter(slug__in=wanted))
    if missing := wanted - {tag.slug for tag in tags}:
        raise Invalid(_("There is no such tag: %(names)s.") % {"names": ", ".join(sorted(missing))}, field="tags")
    return tags


def _price(asked: Mapping[str, str] | None, currency: str) -> tuple[int, str]:
    if asked is None:
        return 0, currency
    try:
        code = check_currency(asked["currency"])
        return parse(asked["amount"], code), code
    except DomainError as error:
        raise Invalid(error.message, code=error.code, field="price") from error


urlpatterns = [
    path("creators/me/titles", OwnTitles.as_view(), name="own_titles"),
    path("creators/me/titles/<uuid:pk>", OwnTitle.as_view(), name="own_title"),
    path("creators/me/titles/<uuid:pk>/submit", OwnTitleSubmission.as_view(), name="own_title_submit"),
]
