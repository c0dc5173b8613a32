"""Making, changing and submitting titles (S-049, S-052, S-054, S-055, S-057)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.catalogue import policies
from backoffice.catalogue.models import Category, Tag, Title, TitleFile
from backoffice.catalogue.services import featured
from backoffice.catalogue.services.titles.guards import (
    check_offer,
    open_case_when_ready,
)
from backoffice.catalogue.services.titles.processing import ASSET_FINISHED
from backoffice.catalogue.states import PROCESSING, Moderation, Processing, Visibility
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Invalid
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.media.models import Asset

# What an owner may change, and what of it a reviewer has to see again when it changes.
PLAIN = (
    "title",
    "description",
    "language",
    "category",
    "age_rating",
    "access_model",
    "price_minor",
    "currency",
    "required_plan_rank",
    "visibility",
    "unlock_at",
    "geo_allow",
    "geo_deny",
    "video",
    "poster",
)
LINKED = ("tags", "proofs", "subtitles")
REVIEWED = {
    "title",
    "description",
    "language",
    "age_rating",
    "access_model",
    "price_minor",
    "currency",
    "video",
}
REVIEWED |= {"poster", "proofs", "subtitles"}


@dataclass(frozen=True, slots=True)
class Files:
    """The files that come with a new title."""

    video: Asset | None = None
    poster: Asset | None = None
    proofs: Sequence[Asset] = ()
    subtitles: Sequence[tuple[Asset, str]] = field(default=())


def create(
    *,
    creator: Creator | None,
    by: User | None,
    title: str,
    kind: str = Title.Kind.VIDEO,
    language: str = "en",
    description: str = "",
    category: Category | None = None,
    tags: Iterable[Tag] = (),
    access_model: str = Title.Access.FREE,
    price_minor: int = 0,
    currency: str = "USD",
    required_plan_rank: int | None = None,
    visibility: str = Visibility.PUBLIC,
    unlock_at: datetime | None = None,
    geo_allow: Sequence[str] = (),
    geo_deny: Sequence[str] = (),
    age_rating: str = "",
    files: Files | None = None,
    slug: str = "",
    at: datetime | None = None,
) -> Title:
    """Makes a title, pending and not yet submitted (U-023, E-024). `price_minor` in minor units of `currency`.

    `by` is the creator's own user, staff with "titles.edit", or None for an import. A title without creator is the
    platform's own. Raises Forbidden for anybody else and for creators who are not verified, Invalid with the field
    that is wrong.
    """
    at = at or clock.now()
    files = files or Files()
    check_offer(creator, by)
    if creator is not None:
        policies.check_creator(creator)
    if not title.strip():
        raise Invalid(_("A title needs its name."), field="title")
    policies.check_price(access_model, price_minor, currency)
    policies.check_plan_rank(access_model, required_plan_rank)
    owners = _owners(creator, by)
    _check_files(files, owners)
    with transaction.atomic():
        made = Title(
            creator=creator,
            created_by=by,
            kind=kind,
            title=" ".join(title.split()),
            description=description,
            language=language,
            category=category,
            age_rating=age_rating,
            access_model=access_model,
            price_minor=price_minor,
            currency=currency.upper(),
            required_plan_rank=required_plan_rank,
            visibility=visibility,
            unlock_at=unlock_at,
            geo_allow=list(geo_allow),
            geo_deny=list(geo_deny),
            video=files.video,
            poster=files.poster,
            created_at=at,
        )
        _save_with_slug(made, slug)
        made.tags.set(tags)
        _attach(made, files)
        entries.record(
            action="title.create",
            by=by,
            subject=made,
            after={
                "kind": kind,
                "access_model": access_model,
                "price_minor": price_minor,
                "currency": currency,
            },
            at=at,
        )
        if files.video is not None:
            # The file may have been finished between our reading it and this commit; the job reads it again.
            jobs.enqueue(ASSET_FINISHED, {"asset_id": str(files.video.id)}, by=by)
    return made


def offer(*, creator: Creator, by: User, files: Files, at: datetime | None = None, **fields: Any) -> Title:
    """`create` and `submit` in one transaction: what a creator does by uploading (S-049, U-023)."""
    at = at or clock.now()
    with transaction.atomic():
        return submit(create(creator=creator, by=by, files=files, at=at, **fields), by=by, at=at)


def update(title: Title, *, by: User | None, changes: Mapping[str, Any], at: datetime | None = None) -> Title:
    """Changes what an owner may change (U-024); `changes` holds names of `PLAIN` and `LINKED` only.

    `proofs` and `subtitles` replace the files of that role. A changed name, video or price of an approved title
    sends it back to review when the setting says so (S-054). Raises Invalid, Forbidden or Conflict.
    """
    at = at or clock.now()
    if unknown := set(changes) - {*PLAIN, *LINKED}:
        raise Invalid(_("This cannot be changed: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    with transaction.atomic():
        found = Title.objects.select_for_update(of=("self",)).select_related("creator").get(pk=title.pk)
        check_offer(found.creator, by)
        if found.removed_at is not None:
            raise Conflict(_("This title was taken down by staff."), code="taken_down")
        old = {name: getattr(found, name) for name in PLAIN}
        if "unlock_at" in changes:
            policies.check_relock(found, changes["unlock_at"], at)
        for name in PLAIN:
            if name in changes:
                setattr(found, name, changes[name])
        found.title = " ".join(found.title.split())
        if not found.title:
            raise Invalid(_("A title needs its name."), field="title")
        policies.check_price(found.access_model, found.price_minor, found.currency)
        policies.check_plan_rank(found.access_model, found.required_plan_rank)
        files = Files(
            video=changes.get("video"),
            poster=changes.get("poster"),
            proofs=changes.get("proofs", ()),
            subtitles=changes.get("subtitles", ()),
        )
        _check_files(files, _owners(found.creator, by))
        changed = {name for name in PLAIN if getattr(found, name) != old[name]} | (set(changes) & set(LINKED))
        if changed & REVIEWED:
            found.revision += 1
        found.save()
        if "tags" in changes:
            found.tags.set(changes["tags"])
        for role in ("proofs", "subtitles"):
            if role in changes:
                found.files.filter(role=TitleFile.Role.PROOF if role == "proofs" else TitleFile.Role.SUBTITLES).delete()
        _attach(found, files)
        entries.record(
            action="title.update",
            by=by,
            subject=found,
            before={name: old[name] for name in changed if name in old},
            after={name: getattr(found, name) for name in changed if name in old},
            data={"changed": sorted(changed)},
            at=at,
        )
        if "video" in changed:
            _replace_video(found, by=by, at=at)
        material = policies.is_material(
            found,
            old_title=old["title"],
            old_video_id=old["video"].pk if old["video"] else None,
            old_price=old["price_minor"],
            old_currency=old["currency"],
            was_paid=old["access_model"] != Title.Access.FREE,
        )
        if found.moderation_status == Moderation.APPROVED and material and values.get("title.rereview_on_change"):
            advance(found, "rereview", by=by, at=at, changes={"submitted_at": at})
            open_case_when_ready(found, by=by)
        if "visibility" in changed:
            _apply_visibility(found, by=by, at=at)
    return found


def submit(title: Title, *, by: User | None, at: datetime | None = None) -> Title:
    """Sends a title to review (S-049), or a rejected one again after a change (S-052).

    The case is opened as soon as the video is ready. Raises Conflict or Invalid with what is missing.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = Title.objects.select_for_update(of=("self",)).select_related("creator").get(pk=title.pk)
        check_offer(found.creator, by)
        policies.check_submit(found)
        if found.moderation_status == Moderation.REJECTED:
            advance(found, "resubmit", by=by, at=at, changes={"submitted_at": at})
        elif found.submitted_at is None:
            found.submitted_at = at
            found.save(update_fields=["submitted_at", "updated_at"])
            entries.record(action="title.submit", by=by, subject=found, at=at)
        open_case_when_ready(found, by=by)
    return found


def _owners(creator: Creator | None, by: User | None) -> set[object]:
    return {user_id for user_id in (creator.user_id if creator else None, by.pk if by else None) if user_id}


def _check_files(files: Files, owners: set[object]) -> None:
    if files.video is not None:
        policies.check_asset(files.video, kinds=("video", "audio"), owners=owners, field="video_asset_id")
    if files.poster is not None:
        policies.check_asset(files.poster, kinds=("image", "thumbnail"), owners=owners, field="poster_asset_id")
    for proof in files.proofs:
        policies.check_asset(proof, kinds=("proof",), owners=owners, field="proof_asset_ids")
    for subtitle, _language in files.subtitles:
        policies.check_asset(subtitle, kinds=("subtitle",), owners=owners, field="subtitles")
    policies.check_once(files.proofs, field="proof_asset_ids")
    policies.check_once([subtitle for subtitle, _language in files.subtitles], field="subtitles")


def _attach(title: Title, files: Files) -> None:
    TitleFile.objects.bulk_create(
        [TitleFile(title=title, asset=proof, role=TitleFile.Role.PROOF) for proof in files.proofs]
        + [
            TitleFile(title=title, asset=asset, role=TitleFile.Role.SUBTITLES, language=language)
            for asset, language in files.subtitles
        ]
    )


def _save_with_slug(title: Title, wanted: str) -> None:
    base = slugify(wanted or title.title)[:240] or "title"
    for slug in (base, f"{base}-{str(title.id)[-12:]}"):
        title.slug = slug
        try:
            with transaction.atomic():
                title.save(force_insert=True)
        except IntegrityError as error:
            if "slug" not in str(error) or slug != base:
                raise
        else:
            return


def _replace_video(title: Title, *, by: User | None, at: datetime) -> None:
    if title.processing_status != Processing.PROCESSING:
        advance(title, "replace_video", by=by, at=at, machine=PROCESSING, changes={"duration_ms": None})
    if title.video_id is not None:
        jobs.enqueue(ASSET_FINISHED, {"asset_id": str(title.video_id)}, by=by)


def _apply_visibility(title: Title, *, by: User | None, at: datetime) -> None:
    if title.visibility == Visibility.PRIVATE:
        featured.end_all_of(title, by=by, reason=_("The title is no longer public."), at=at)
    elif title.moderation_status == Moderation.APPROVED and title.published_at is None:
        title.published_at = at
        title.save(update_fields=["published_at", "updated_at"])
