"""Applying to become a creator: contents, documents, submitting, answering (U-017, U-018)."""

from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.api.base import ApiView, WholeSerializer, created, failure, ok
from backoffice.catalogue.models import Category
from backoffice.configuration import values
from backoffice.core.errors import Invalid, NotFound
from backoffice.core.money import MoneyError, check_currency
from backoffice.creators import policies, queries, states
from backoffice.creators.models import CreatorApplication
from backoffice.creators.services import applications, documents
from backoffice.media.models import Asset


class SocialAccountInput(WholeSerializer):
    """One account elsewhere."""

    platform = serializers.ChoiceField(choices=states.Platform.choices)
    handle = serializers.CharField(max_length=100)
    url = serializers.URLField(max_length=300)
    follower_count = serializers.IntegerField(
        min_value=0, max_value=10_000_000_000, required=False, help_text="Left out: as it was; 0 for a new account"
    )

    def validate_url(self, value: str) -> str:
        if not value.startswith("https://"):
            raise serializers.ValidationError(_("The address begins with https://."))
        return value


class ApplicationInput(serializers.Serializer[Any]):
    """The contents of an application; every field may come later, submitting asks for all of them."""

    stage_name = serializers.CharField(max_length=200, required=False)
    legal_name = serializers.CharField(max_length=200, required=False)
    bio = serializers.CharField(max_length=4000, required=False)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    categories = serializers.ListField(child=serializers.SlugField(max_length=80), max_length=10, required=False)
    languages = serializers.ListField(
        child=serializers.RegexField(r"^[a-z]{2,3}(-[A-Z]{2})?$"), max_length=10, required=False
    )
    cultural_affiliations = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=10, required=False
    )
    social = SocialAccountInput(many=True, required=False, max_length=10)  # type: ignore[call-arg]
    sample = serializers.UUIDField(required=False, help_text="Id of the uploaded sample video")
    terms_version = serializers.CharField(
        max_length=20, required=False, help_text="Accepts these terms; only those in force can be accepted"
    )

    def validate_currency(self, value: str) -> str:
        try:
            return check_currency(value)
        except MoneyError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_categories(self, value: list[str]) -> list[str]:
        unknown = set(value) - set(Category.objects.filter(slug__in=value).values_list("slug", flat=True))
        if unknown:
            raise serializers.ValidationError(_("There is no category “%(slug)s”.") % {"slug": sorted(unknown)[0]})
        return value


class AnswerInput(serializers.Serializer[Any]):
    """The written part of an answer; the requested things are uploaded or changed before."""

    answer = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class MissingOutput(serializers.Serializer[Any]):
    """One thing that is missing."""

    code = serializers.CharField()
    text = serializers.CharField()


class SocialAccountOutput(serializers.Serializer[Any]):
    """An account as the applicant gave it."""

    platform = serializers.CharField()
    handle = serializers.CharField()
    url = serializers.CharField()
    follower_count = serializers.IntegerField()


class DocumentOutput(serializers.Serializer[Any]):
    """A document's state; the file itself is never returned."""

    id = serializers.UUIDField()
    document_type = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class ApplicationOutput(serializers.Serializer[Any]):
    """An application as its applicant sees it."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.CharField()
    stage_name = serializers.CharField()
    legal_name = serializers.CharField()
    bio = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    categories = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    cultural_affiliations = serializers.ListField(child=serializers.CharField())
    sample = serializers.UUIDField(source="sample_id", allow_null=True)
    terms_version = serializers.CharField(help_text="The terms that were accepted; empty before")
    terms_in_force = serializers.SerializerMethodField(help_text="The terms to accept")
    social = serializers.SerializerMethodField()
    documents = serializers.SerializerMethodField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    requested_info = serializers.SerializerMethodField()
    requested_items = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_code = serializers.CharField()
    decision_reason = serializers.CharField()
    may_reapply_at = serializers.SerializerMethodField()

    def get_terms_in_force(self, application: CreatorApplication) -> str:
        return str(values.get("application.terms_version"))

    def get_social(self, application: CreatorApplication) -> list[dict[str, Any]]:
        return list(SocialAccountOutput(application.social_accounts.all(), many=True).data)

    def get_documents(self, application: CreatorApplication) -> list[dict[str, Any]]:
        return list(DocumentOutput(application.documents.all(), many=True).data)

    def get_requested_info(self, application: CreatorApplication) -> str:
        return application.info_requested if self._waiting(application) else ""

    def get_requested_items(self, application: CreatorApplication) -> list[str]:
        return application.info_items if self._waiting(application) else []

    def get_missing(self, application: CreatorApplication) -> list[dict[str, str]]:
        return [{"code": item.code, "text": str(item.text)} for item in missing(application)]

    def get_may_reapply_at(self, application: CreatorApplication) -> str | None:
        again = policies.may_reapply_at(application)
        return again.isoformat() if again else None

    @staticmethod
    def _waiting(application: CreatorApplication) -> bool:
        return application.status == states.ApplicationStatus.ADDITIONAL_INFO_REQUIRED


def missing(application: CreatorApplication) -> list[policies.Unmet]:
    """What the applicant still has to bring in the present state; empty when nothing."""
    if application.status == states.ApplicationStatus.PENDING_SUBMISSION:
        return policies.missing_to_submit(application)
    if application.status == states.ApplicationStatus.ADDITIONAL_INFO_REQUIRED:
        return policies.missing_to_answer(application, answer="")
    if application.status == states.ApplicationStatus.APPROVED and application.creator is not None:
        return policies.missing_to_activate(application.creator)
    return []


def with_assets(user: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with upload ids turned into assets of this person; Invalid names an unknown one."""
    for name in ("sample", "avatar"):
        if fields.get(name):
            asset = Asset.objects.filter(pk=fields[name], owner_user=user).first()
            if asset is None:
                raise Invalid(_("There is no such upload of yours."), field=name)
            fields[name] = asset
    return fields


def not_ready(error: policies.NotReady) -> Response:
    """400 with every missing thing by its code (U-017)."""
    details = {item.code: [str(item.text)] for item in error.unmet}
    return failure("incomplete", str(error.message), http=status.HTTP_400_BAD_REQUEST, details=details)


def own(user: Any) -> CreatorApplication:
    """The newest application of this person. Raises NotFound when there is none."""
    application = queries.application_of(user)
    if application is None:
        raise NotFound(_("You have not applied yet."))
    return application


class Apply(ApiView):
    """POST creators/apply"""

    resource = "own_application"

    @extend_schema(request=ApplicationInput, responses={201: ApplicationOutput}, operation_id="creators_apply")
    def post(self, request: Request) -> Response:
        """Starts an application; 409 while one is open or when the person is a creator."""
        fields = with_assets(request.user, self.valid(ApplicationInput))
        application = applications.start(user=request.user, by=request.user, fields=fields)
        return created(ApplicationOutput(application).data)


class MyApplication(ApiView):
    """GET, PATCH creators/me/application"""

    resource = "own_application"

    @extend_schema(responses=ApplicationOutput, operation_id="creators_me_application")
    def get(self, request: Request) -> Response:
        """The newest application with what is missing."""
        return ok(ApplicationOutput(own(request.user)).data)

    @extend_schema(request=ApplicationInput, responses=ApplicationOutput, operation_id="creators_me_application_update")
    def patch(self, request: Request) -> Response:
        """Changes the contents while they may be changed."""
        fields = with_assets(request.user, self.valid(ApplicationInput, partial=True))
        application = applications.update(application=own(request.user), by=request.user, fields=fields)
        return ok(ApplicationOutput(application).data)


class Submit(ApiView):
    """POST creators/me/application/submit"""

    resource = "own_application"

    @extend_schema(request=AnswerInput, responses=ApplicationOutput, operation_id="creators_me_application_submit")
    def post(self, request: Request) -> Response:
        """Hands the application in, or sends the answer that was asked for; 400 names what is missing."""
        application = own(request.user)
        text = self.valid(AnswerInput)["answer"]
        try:
            if application.status == states.ApplicationStatus.ADDITIONAL_INFO_REQUIRED:
                application = applications.answer(application=application, by=request.user, text=text)
            else:
                application = applications.submit(application=application, by=request.user)
        except policies.NotReady as error:
            return not_ready(error)
        return ok(ApplicationOutput(application).data)


class DocumentTooLarge(Invalid):
    """The request itself is over the limit."""

    default_code = "file_too_large"
    http_status = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class InMemoryOnly(MemoryFileUploadHandler):
    """Keeps a document in memory whatever its size up to the limit: its plain bytes never reach a disk."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > values.get("document.max_bytes") + 100_000:
            raise DocumentTooLarge(_("The file is too large."), field="file")
        self.activated = True


class DocumentInput(serializers.Serializer[Any]):
    """A document, as a form with a file: it does not go by the upload service, which stores plain bytes."""

    document_type = serializers.ChoiceField(choices=states.DocumentType.choices)
    file = serializers.FileField()
    document_expires_on = serializers.DateField(required=False)


class Verification(ApiView):
    """POST creators/me/verification"""

    resource = "own_documents"
    parser_classes = (MultiPartParser,)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        handlers: list[FileUploadHandler] = [InMemoryOnly(request)]
        request.upload_handlers = handlers
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": DocumentInput},
        responses={201: DocumentOutput},
        operation_id="creators_me_verification",
    )
    def post(self, request: Request) -> Response:
        """Takes one identity document; 413 too large, 415 not a PDF, JPEG, PNG or WebP by content."""
        fields = self.valid(DocumentInput)
        file: InMemoryUploadedFile = fields["file"]
        try:
            document = documents.upload(
                application=own(request.user),
                document_type=fields["document_type"],
                content=file.read(),
                by=request.user,
                expires_on=fields.get("document_expires_on"),
            )
        except documents.TooLarge as error:
            return _refused(error, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        except documents.WrongType as error:
            return _refused(error, status.HTTP_415_UNSUPPORTED_MEDIA_TYPE)
        return created(DocumentOutput(document).data)


def _refused(error: Invalid, http: int) -> Response:
    return failure(error.code, str(error), http=http, details={"file": [str(error)]})


urlpatterns = [
    path("creators/apply", Apply.as_view(), name="creators_apply"),
    path("creators/me/application", MyApplication.as_view(), name="creators_me_application"),
    path("creators/me/application/submit", Submit.as_view(), name="creators_me_application_submit"),
    path("creators/me/verification", Verification.as_view(), name="creators_me_verification"),
]
