"""Uploads in parts, straight to storage, and what becomes of the files (U-025, A-093)."""

from typing import Any, cast
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.accounts.models import User
from backoffice.api.base import ApiView, accepted, created, no_content, ok
from backoffice.catalogue.services import titles
from backoffice.core.errors import NotFound
from backoffice.media import policies, queries
from backoffice.media.models import Asset, Upload
from backoffice.media.services import uploads

# A title may be waiting for these.
FOR_TITLES = {Upload.Purpose.VIDEO, Upload.Purpose.AUDIO}


class StartInput(serializers.Serializer[Any]):
    filename = serializers.CharField(max_length=255)
    bytes = serializers.IntegerField(min_value=1, max_value=2**53)
    content_type = serializers.CharField(max_length=100)
    purpose = serializers.ChoiceField(choices=Upload.Purpose.choices)
    checksum = serializers.CharField(
        max_length=64,
        required=False,
        default="",
        allow_blank=True,
        help_text="SHA-256 of the file, hexadecimal",
    )


class PartOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    url = serializers.URLField(help_text="PUT exactly `bytes` bytes here; the answer's ETag belongs to the part")
    bytes = serializers.IntegerField()


class ArrivedPart(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    etag = serializers.CharField()
    bytes = serializers.IntegerField()


class UploadOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    purpose = serializers.CharField()
    filename = serializers.CharField()
    bytes = serializers.IntegerField()
    part_size = serializers.IntegerField()
    parts = PartOutput(many=True, help_text="The parts that have not arrived, with fresh links")
    arrived = ArrivedPart(many=True)
    expires_at = serializers.DateTimeField()
    asset_id = serializers.UUIDField(allow_null=True)


class NamedPart(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=1, max_value=10_000)
    etag = serializers.CharField(max_length=100)


class CompleteInput(serializers.Serializer[Any]):
    parts = NamedPart(many=True, allow_empty=False)


class StepOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()
    detail = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class AssetOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    filename = serializers.CharField()
    content_type = serializers.CharField()
    bytes = serializers.IntegerField()
    checksum = serializers.CharField()
    status = serializers.CharField()
    error_code = serializers.CharField()
    error_message = serializers.CharField()
    attempts_left = serializers.IntegerField()
    duration_ms = serializers.IntegerField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    steps = StepOutput(many=True)


class AssetEnvelope(serializers.Serializer[Any]):
    asset = AssetOutput()


def shown_upload(upload: Upload, request: Request) -> dict[str, Any]:
    """An upload as the API shows it, with links for what is still to come."""
    links = [
        {"number": link.number, "url": request.build_absolute_uri(link.url), "bytes": link.bytes}
        for link in uploads.part_links(upload)
    ]
    return {
        "id": str(upload.id),
        "state": upload.state,
        "purpose": upload.purpose,
        "filename": upload.filename,
        "bytes": upload.bytes,
        "part_size": upload.part_bytes,
        "parts": links,
        "arrived": uploads.arrived_parts(upload),
        "expires_at": upload.expires_at,
        "asset_id": str(upload.asset_id) if upload.asset_id else None,
    }


def shown_asset(asset: Asset) -> dict[str, Any]:
    """A file as its owner sees it, with its checklist (F-013)."""
    return {
        "id": str(asset.id),
        "kind": asset.kind,
        "filename": asset.filename,
        "content_type": asset.content_type,
        "bytes": asset.bytes,
        "checksum": asset.checksum_sha256,
        "status": asset.processing_status,
        "error_code": asset.error_code,
        "error_message": policies.error_message(asset),
        "attempts_left": policies.attempts_left(asset),
        "duration_ms": asset.duration_ms,
        "width": asset.width,
        "height": asset.height,
        "steps": [
            {
                "name": step.name,
                "title": step.get_name_display(),
                "state": step.state,
                "detail": _(step.detail) if step.detail else "",
                "started_at": step.started_at,
                "finished_at": step.finished_at,
            }
            for step in queries.checklist(asset)
        ],
    }


class OwnersView(ApiView):
    """For whoever is signed in, about what is theirs."""

    @property
    def person(self) -> User:
        # The matrix lets nobody else this far.
        return cast(User, self.request.user)


class UploadView(OwnersView):
    """What the views of one upload share."""

    resource = "own_uploads"

    def upload(self, upload_id: UUID) -> Upload:
        found = queries.own_upload(self.person, upload_id)
        if found is None:
            raise NotFound(_("There is no such upload."))
        return found


class Uploads(UploadView):
    @extend_schema(request=StartInput, responses={201: UploadOutput})
    def post(self, request: Request) -> Response:
        """Announce a file; the answer says where to PUT its parts."""
        data = self.valid(StartInput)
        upload = uploads.start(by=self.person, **data)
        return created(shown_upload(upload, request))


class OneUpload(UploadView):
    @extend_schema(responses=UploadOutput)
    def get(self, request: Request, upload_id: UUID) -> Response:
        """Which parts have arrived, and fresh links for the others: a broken upload goes on here."""
        return ok(shown_upload(self.upload(upload_id), request))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Give the upload up."""
        uploads.abort(self.upload(upload_id), by=self.person)
        return no_content()


class CompleteUpload(UploadView):
    @extend_schema(request=CompleteInput, responses=AssetEnvelope)
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Join the parts; the file is then checked and prepared in the background."""
        parts = [(part["number"], part["etag"]) for part in self.valid(CompleteInput)["parts"]]
        upload = self.upload(upload_id)
        then: tuple[str, dict[str, str]] | None = (titles.ASSET_FINISHED, {}) if upload.purpose in FOR_TITLES else None
        asset = uploads.complete(upload, parts=parts, by=self.person, then=then)
        return ok({"asset": shown_asset(asset)})


class AssetView(OwnersView):
    """What the views of one file share."""

    resource = "own_files"

    def asset(self, asset_id: UUID) -> Asset:
        found = queries.own_asset(self.person, asset_id)
        if found is None:
            raise NotFound(_("There is no such file."))
        return found


class OneAsset(AssetView):
    @extend_schema(responses=AssetEnvelope)
    def get(self, request: Request, asset_id: UUID) -> Response:
        """How far the file is, step by step."""
        return ok({"asset": shown_asset(self.asset(asset_id))})


class RetryAsset(AssetView):
    @extend_schema(request=None, responses={202: AssetEnvelope})
    def post(self, request: Request, asset_id: UUID) -> Response:
        """Prepare a failed file again (S-061)."""
        asset = titles.retry_video(self.asset(asset_id), by=self.person)
        return accepted({"asset": shown_asset(asset)})


urlpatterns = [
    path("uploads", Uploads.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>", OneUpload.as_view(), name="upload"),
    path("uploads/<uuid:upload_id>/complete", CompleteUpload.as_view(), name="upload_complete"),
    path("assets/<uuid:asset_id>", OneAsset.as_view(), name="asset"),
    path("assets/<uuid:asset_id>/retry", RetryAsset.as_view(), name="asset_retry"),
]
