"""The one answer to "may this person watch this title?" and the link that follows from it (F-010, Q-008, U-032)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.catalogue.states import Moderation, Processing, Visibility
from backoffice.commerce import queries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError, Forbidden, NotFound
from backoffice.engagement.models import EngagementEvent
from backoffice.engagement.services import events, grants
from backoffice.media import queries as media
from backoffice.media.services import links

SENTENCES = {
    "login_required": _("Sign in to watch this."),
    "not_found": _("There is no such title."),
    "not_ready": _("This title is still being prepared."),
    "geo_blocked": _("This title is not available in your country."),
    "not_unlocked": _("This title is not unlocked yet."),
    "purchase_required": _("Buy this title to watch it."),
    "subscription_required": _("Subscribe to watch this title."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `reason` is why yes ("owner", "free" …) or why not ("purchase_required" …)."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Playback:
    """What a player needs: the signed link, its kind ("hls" or "mp4") and when it stops working."""

    url: str
    kind: str
    expires_at: datetime
    subtitles: list[dict[str, str]]


def verdict(title: Title, *, user: User | None, owned: bool, at: datetime, country: str | None = None) -> Verdict:
    """Whether `user` may watch `title` now. Reads nothing: `owned` says whether they paid for it.

    Staff and the owner may always watch what is ready; then existence, region and the time gate are asked, then the
    audience (Q-011: two independent gates).
    """
    mine = user is not None and (user.may("titles.view") or (title.creator and title.creator.user_id == user.pk))
    if mine:
        ready = title.processing_status == Processing.READY
        reason = "staff" if user is not None and user.is_staff else "owner"
        return Verdict(True, reason) if ready else Verdict(False, "not_ready")
    if not _is_known(title, owned=owned):
        return Verdict(False, "not_found")
    if title.processing_status != Processing.READY:
        return Verdict(False, "not_ready")
    if not title.is_open_in(country):
        return Verdict(False, "geo_blocked")
    if not title.is_unlocked(at):
        return Verdict(False, "not_unlocked")
    if user is None:
        return Verdict(False, "login_required")
    if owned:
        return Verdict(True, "purchase")
    if title.access_model == Title.Access.FREE:
        return Verdict(True, "free")
    if title.access_model == Title.Access.PURCHASE:
        return Verdict(False, "purchase_required")
    return Verdict(False, "subscription_required")


def can_play(title: Title, *, user: User, at: datetime | None = None) -> Verdict:
    """`verdict` for one title and a signed-in person; one statement."""
    owned = queries.owns(user, title)
    return verdict(title, user=user, owned=owned, at=at or clock.now(), country=user.country or None)


def play(title: Title, *, user: User, client: str = "", at: datetime | None = None) -> Playback:
    """The link to watch a title with, and the evidence of the answer in any case (E-032).

    Raises NotFound, Forbidden or Conflict with the reason as code.
    """
    at = at or clock.now()
    answer = can_play(title, user=user, at=at)
    made = media.renditions(title.video) if answer.allowed and title.video is not None else None
    stream = (made["hls"] or made["preview"]) if made is not None else None
    if answer.allowed and stream is None:
        answer = Verdict(False, "not_ready")
    expires_at = at + timedelta(hours=values.get("playback.url_hours"))
    with transaction.atomic():
        grants.record(
            user=user,
            title=title,
            granted=answer.allowed,
            reason=answer.reason,
            expires_at=expires_at if answer.allowed else None,
            client=client,
            at=at,
        )
        if answer.allowed:
            events.record(
                event_type=EngagementEvent.Type.PLAY,
                title=title,
                user=user,
                country=user.country,
                client=client,
                at=at,
            )
    if stream is None or not answer.allowed:
        raise _refusal(answer.reason)
    subtitles = [
        {"language": file.language, "url": links.signed_url(file.asset)}
        for file in title.files.filter(role="subtitles").select_related("asset")
        if file.asset.is_ready
    ]
    return Playback(
        url=links.playback_url(stream),
        kind="hls" if stream.kind == "hls" else "mp4",
        expires_at=expires_at,
        subtitles=subtitles,
    )


def _is_known(title: Title, *, owned: bool) -> bool:
    if title.moderation_status != Moderation.APPROVED or title.removed_at is not None:
        return False
    if title.creator is not None and not title.creator.is_live:
        return False
    return title.visibility == Visibility.PUBLIC or owned


def _refusal(reason: str) -> DomainError:
    kind: type[DomainError] = {"not_found": NotFound, "not_ready": Conflict}.get(reason, Forbidden)
    return kind(str(SENTENCES[reason]), code=reason)
