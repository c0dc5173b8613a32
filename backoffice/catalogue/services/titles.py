"""Titles: making, changing, submitting, and what a decision does to them (S-049 to S-057)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.accounts.permissions import require
from backoffice.audit import entries
from backoffice.catalogue import policies
from backoffice.catalogue.models import Category, Tag, Title, TitleFile
from backoffice.catalogue.services import featured
from backoffice.catalogue.states import PROCESSING, Moderation, Processing, Visibility
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators.models import Creator
from backoffice.media import queries as media
from backoffice.media.models import Asset
from backoffice.media.services import assets
from backoffice.media.states import PROCESSED
from backoffice.notifications import services as notifications

# The job that a higher floor does when a submitted title can be looked at; named here, not imported.
OPEN_CASE = "moderation.open_case"
ASSET_FINISHED = "catalogue.asset_finished"

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
    _may_offer(creator, by)
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
        _may_offer(found.creator, by)
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
            found, old_title=old["title"], old_video_id=old["video"].pk if old["video"] else None,
            old_price=old["price_minor"],
        )  # fmt: skip
        if found.moderation_status == Moderation.APPROVED and material and values.get("title.rereview_on_change"):
            advance(found, "rereview", by=by, at=at, changes={"submitted_at": at})
            _open_case_when_ready(found, by=by)
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
        _may_offer(found.creator, by)
        policies.check_submit(found)
        if found.moderation_status == Moderation.REJECTED:
            advance(found, "resubmit", by=by, at=at, changes={"submitted_at": at})
        elif found.submitted_at is None:
            found.submitted_at = at
            found.save(update_fields=["submitted_at", "updated_at"])
            entries.record(action="title.submit", by=by, subject=found, at=at)
        _open_case_when_ready(found, by=by)
    return found


def approve(title: Title, *, by: User | None, at: datetime | None = None) -> Title:
    """Approves a pending title (S-050); `by` None is an approval by policy. Sets `published_at` when it is public.

    Raises Conflict with the reason when its video is not ready or proof of rights is missing (E-026).
    """
    _may_decide(by)
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
        policies.check_approve(found)
        advance(
            found,
            "approve",
            by=by,
            at=at,
            changes={"reviewed_revision": found.revision, "published_at": _first_publication(found, at)},
        )
    return found


def reject(title: Title, *, by: User | None, reason: str, at: datetime | None = None) -> Title:
    """Rejects a pending title (S-051) with the reason that staff see; the creator may change and resubmit it."""
    _may_decide(by)
    policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
        advance(found, "reject", by=by, at=at, reason=reason, changes={"reviewed_revision": found.revision})
    return found


def take_down(title: Title, *, by: User | None, reason: str, at: datetime | None = None) -> Title:
    """Takes an approved title off the platform (S-053): featured slots end, the creator is told why."""
    _may_decide(by)
    policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
        advance(found, "take_down", by=by, at=at, reason=reason, changes={"removed_at": at})
        featured.end_all_of(found, by=by, reason=_("The title was taken down."), at=at)
        _tell_owner(found, "title.removed", by=by, reason=reason)
    return found


def restore(title: Title, *, by: User | None, reason: str, at: datetime | None = None) -> Title:
    """Puts a taken down title back (Q-038). Raises Conflict for a title that was only ever rejected in review."""
    _may_decide(by)
    policies.check_reason(reason)
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
        if found.removed_at is None:
            raise Conflict(_("This title was not taken down; its creator may submit it again."), code="not_removed")
        advance(found, "restore", by=by, at=at, reason=reason, changes={"removed_at": None})
        _tell_owner(found, "title.restored", by=by, reason=reason)
    return found


def classify(
    title: Title, *, by: User, category: Category | None, tags: Iterable[Tag], at: datetime | None = None
) -> Title:
    """Staff put a title under another category and other tags (W-005)."""
    require(by, "titles.decide")
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
        before = {"category": found.category_id, "tags": sorted(found.tags.values_list("slug", flat=True))}
        found.category = category
        found.save(update_fields=["category", "updated_at"])
        found.tags.set(tags)
        entries.record(
            action="title.classify",
            by=by,
            subject=found,
            before=before,
            after={"category": found.category_id, "tags": sorted(found.tags.values_list("slug", flat=True))},
            at=at,
        )
    return found


def mark_processing(title: Title, *, at: datetime | None = None) -> Title:
    """Takes over the state of the title's video (S-059, S-060); repeating it changes nothing.

    A ready video brings its duration and, where the title has none, its poster; a submitted title then goes to
    review. A failed one is told to its owner.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
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
            _open_case_when_ready(found, by=None)
        elif video.is_processed:
            advance(found, "fail_processing", by=None, at=at, machine=PROCESSING, reason=video.error_code)
            _tell_owner(found, "title.processing_failed", by=None, reason=video.error_detail)
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


def retry_processing(title: Title, *, by: User, at: datetime | None = None) -> Title:
    """Prepares a failed video again (S-061). Raises Conflict when nothing failed or the attempts are used up."""
    if not by.may("titles.decide"):
        _may_offer(title.creator, by)
    at = at or clock.now()
    with transaction.atomic():
        found = _locked(title)
        advance(found, "retry_processing", by=by, at=at, machine=PROCESSING)
        if found.video is not None:
            assets.retry(found.video, by=by, at=at)
    return found


def owner_of(title: Title) -> User | None:
    """Who is told about a title: its creator's user, or for a platform title whoever made it."""
    return title.creator.user if title.creator is not None else title.created_by


def _locked(title: Title) -> Title:
    return (
        Title.objects.select_for_update(of=("self",))
        .select_related("creator__user", "created_by", "video", "poster")
        .get(pk=title.pk)
    )


def _may_offer(creator: Creator | None, by: User | None) -> None:
    if by is None or by.may("titles.edit") or (creator is not None and creator.user_id == by.pk):
        return
    raise Forbidden(_("This is not your title."))


def _may_decide(by: User | None) -> None:
    if by is not None:
        require(by, "titles.decide")


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


def _first_publication(title: Title, at: datetime) -> datetime | None:
    if title.published_at is not None or title.visibility != Visibility.PUBLIC:
        return title.published_at
    return at


def _open_case_when_ready(title: Title, *, by: User | None) -> None:
    waits = title.moderation_status == Moderation.PENDING and title.submitted_at is not None
    if waits and title.processing_status == Processing.READY:
        jobs.enqueue(OPEN_CASE, {"title_id": str(title.id)}, by=by)


def _tell_owner(title: Title, event: str, *, by: User | None, reason: str) -> None:
    owner = owner_of(title)
    if owner is not None:
        notifications.notify(user=owner, event=event, data={"title": title.title, "reason": reason}, by=by)
