"""Reads about files."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db.models import QuerySet

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.media.models import Asset, ProcessingStep, Upload
from backoffice.media.states import PROCESSED, UploadState


class Renditions(TypedDict):
    """The files made from one video; None where there is none (yet)."""

    thumbnail: Asset | None
    frame_grid: Asset | None
    hls: Asset | None
    preview: Asset | None


def renditions(asset: Asset) -> Renditions:
    """What was made from this asset, in one statement."""
    found = {made.kind: made for made in Asset.objects.filter(parent=asset)}
    return {
        "thumbnail": found.get(Asset.Kind.THUMBNAIL),
        "frame_grid": found.get(Asset.Kind.FRAME_GRID),
        "hls": found.get(Asset.Kind.HLS),
        "preview": found.get(Asset.Kind.PREVIEW),
    }


def checklist(asset: Asset) -> list[ProcessingStep]:
    """The steps of the asset in order (F-013), in one statement."""
    return list(ProcessingStep.objects.filter(asset=asset).order_by("position"))


def finished_since(moment: datetime) -> QuerySet[Asset]:
    """Uploaded files whose processing ended, well or badly, at or after `moment`, oldest first."""
    return Asset.objects.filter(
        parent__isnull=True, processing_status__in=PROCESSED, processed_at__gte=moment
    ).order_by("processed_at", "id")


def own_asset(user: User, asset_id: UUID | str) -> Asset | None:
    """The asset if this person owns it."""
    return Asset.objects.filter(owner_user=user, id=asset_id).first()


def own_upload(user: User, upload_id: UUID | str) -> Upload | None:
    """The upload if this person started it."""
    return Upload.objects.filter(by=user, id=upload_id).select_related("asset").first()


def open_uploads(user: User, *, at: datetime | None = None) -> int:
    """How many uploads this person has started and not ended."""
    return Upload.objects.filter(by=user, state=UploadState.STARTED, expires_at__gt=at or clock.now()).count()
