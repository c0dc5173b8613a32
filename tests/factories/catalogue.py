"""Creators, files and titles for tests."""

import itertools
from datetime import datetime
from typing import Any
from uuid import uuid4

from backoffice.accounts.models import User
from backoffice.catalogue.models import FeaturedSection, Title
from backoffice.catalogue.services import titles
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.media.models import Asset
from tests.factories.accounts import member

_numbers = itertools.count(1)


def creator(*, user: User | None = None, **fields: Any) -> Creator:
    """A verified, active creator."""
    number = next(_numbers)
    fields = {
        "stage_name": f"Creator {number}",
        "slug": f"creator-{number}",
        "verification_status": "verified",
        "is_active": True,
        **fields,
    }
    return Creator.objects.create(user=user or member(), **fields)


def asset(owner: User, kind: str = "video", *, status: str = "ready", **fields: Any) -> Asset:
    """A file of this person in this state; ready videos have a duration."""
    fields = {
        "filename": f"{kind}.bin",
        "storage_key": f"assets/{uuid4()}/original",
        "content_type": "video/mp4" if kind in ("video", "preview") else "image/jpeg",
        "bytes": 1000,
        "processed_at": clock.now() if status in ("ready", "error", "quarantined") else None,
        "error_code": "unreadable" if status in ("error", "quarantined") else "",
        "duration_ms": 60_000 if kind == "video" and status == "ready" else None,
        **fields,
    }
    return Asset.objects.create(owner_user=owner, kind=kind, processing_status=status, **fields)


def title(*, owner: Creator | None = None, video_status: str = "ready", **fields: Any) -> Title:
    """A new title with a video and a proof, not submitted yet; its processing follows the video."""
    owner = owner or creator()
    files = titles.Files(video=asset(owner.user, status=video_status), proofs=[asset(owner.user, "proof")])
    fields = {"title": f"Title {next(_numbers)}", "by": owner.user, "files": files, **fields}
    return titles.mark_processing(titles.create(creator=owner, **fields))


def for_sale(**fields: Any) -> Title:
    """A title sold for 4.99 USD, not submitted yet."""
    return title(**{"access_model": "purchase", "price_minor": 499, **fields})


def published(*, at: datetime | None = None, **fields: Any) -> Title:
    """A title on show, approved by policy."""
    made = title(**fields)
    titles.submit(made, by=None, at=at)
    return titles.approve(made, by=None, at=at)


def section(**fields: Any) -> FeaturedSection:
    """A shelf."""
    number = next(_numbers)
    return FeaturedSection.objects.create(**{"slug": f"shelf-{number}", "heading_en": f"Shelf {number}", **fields})
