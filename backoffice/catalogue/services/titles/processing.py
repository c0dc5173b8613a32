"""How a title follows its video (S-058 to S-061)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.catalogue.services.titles.guards import check_offer, locked, open_case_when_ready, tell_owner
from backoffice.catalogue.states import PROCESSING, Processing
from backoffice.core import clock
from backoffice.core.states import advance
from backoffice.media import queries as media
from backoffice.media.models import Asset
from backoffice.media.services import assets
from backoffice.media.states import PROCESSED

ASSET_FINISHED = "catalogue.asset_finished"


def mark_processing(title: Title, *, at: datetime | None = None) -> Title:
    """Takes over the state of the title's video (S-059, S-060); repeating it changes nothing.

    A ready video brings its duration and, where the title has none, its poster; a submitted title then goes to
    review. A failed one is told to its owner.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        video = found.video
        if video is None or found.processing_status != Processing.PROCESSING:
            return found
        if video.is_ready:
            poster = found.poster or media.renditions(video)["thumbnail"]
            advance(
                found,
                "finish_processing",
                by=None,
                at=at,
                machine=PROCESSING,
                changes={"duration_ms": video.duration_ms, "poster": poster},
            )
            open_case_when_ready(found, by=None)
        elif video.is_processed:
            advance(found, "fail_processing", by=None, at=at, machine=PROCESSING, reason=video.error_code)
            tell_owner(found, "title.processing_failed", by=None, reason=video.error_detail)
    return found


def asset_finished(*, asset_id: UUID | str, at: datetime | None = None) -> int:
    """Tells every title that shows this video how its processing ended; returns how many titles there are."""
    titles = list(Title.objects.filter(video_id=UUID(str(asset_id))))
    for title in titles:
        mark_processing(title, at=at)
    return len(titles)


def catch_up(*, at: datetime | None = None, limit: int = 200) -> int:
    """Takes over the state of every finished video whose title did not hear of it; returns how many titles."""
    late = Title.objects.filter(processing_status=Processing.PROCESSING, video__processing_status__in=PROCESSED)
    titles = list(late.order_by("id")[:limit])
    for title in titles:
        mark_processing(title, at=at)
    return len(titles)


def retry_video(asset: Asset, *, by: User, at: datetime | None = None) -> Asset:
    """Its owner has a failed file prepared again (S-061), and the titles that show it follow.

    Raises Conflict when it did not fail or the attempts are used up. Whether the file is the caller's is asked
    before.
    """
    at = at or clock.now()
    with transaction.atomic():
        # Titles before their file: the order in which `retry_processing` locks them.
        failed = Title.objects.select_for_update().filter(video=asset, processing_status=Processing.ERROR)
        titles = list(failed.order_by("id"))
        found = assets.retry(asset, by=by, at=at)
        for title in titles:
            advance(title, "retry_processing", by=by, at=at, machine=PROCESSING)
    return found


def retry_processing(title: Title, *, by: User, at: datetime | None = None) -> Title:
    """Prepares a failed video again (S-061). Raises Conflict when nothing failed or the attempts are used up."""
    if not by.may("titles.decide"):
        check_offer(title.creator, by)
    at = at or clock.now()
    with transaction.atomic():
        found = locked(title)
        advance(found, "retry_processing", by=by, at=at, machine=PROCESSING)
        if found.video is not None:
            assets.retry(found.video, by=by, at=at)
    return found
