"""May this be done to this title or slot now, and if not, why: sentences fit for the screen."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from backoffice.catalogue.models import FeaturedSlot, Title, TitleFile
from backoffice.catalogue.states import Moderation, Processing
from backoffice.core import money
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators.models import Creator
from backoffice.media.models import Asset

# N-013, N-012: whole units of the currency, not minor units.
HIGHEST_PRICE = Decimal("999999.99")
# S-054: a change of price beyond this share is looked at again.
PRICE_CHANGE_SHARE = Decimal("0.20")


def check_creator(creator: Creator) -> None:
    """Raises Forbidden unless the creator is verified and active (F-006, P-033)."""
    if creator.verification_status != "verified" or not creator.is_active:
        raise Forbidden(_("Only verified, active creators can offer titles."), code="creator_not_verified")


def check_price(access_model: str, price_minor: int, currency: str) -> None:
    """Raises Invalid when the price does not fit the access model or the ceiling (N-013)."""
    try:
        money.check_currency(currency)
    except money.MoneyError as error:
        raise Invalid(str(error), code=error.code, field="currency") from error
    if access_model == Title.Access.PURCHASE:
        if price_minor <= 0:
            raise Invalid(_("A title for sale needs a price above zero."), field="price")
    elif price_minor != 0:
        raise Invalid(_("Only a title for sale has a price."), field="price")
    if money.from_minor(price_minor, currency).amount > HIGHEST_PRICE:
        raise Invalid(
            _("The highest price is %(price)s %(currency)s.") % {"price": HIGHEST_PRICE, "currency": currency},
            field="price",
        )


def check_plan_rank(access_model: str, required_plan_rank: int | None) -> None:
    """Raises Invalid unless plan titles, and only they, name the rank that opens them."""
    if (access_model == Title.Access.PLAN) != (required_plan_rank is not None):
        raise Invalid(_("A plan title, and only a plan title, names a plan rank."), field="required_plan_rank")


def check_asset(asset: Asset, *, kinds: Iterable[str], owners: Iterable[object], field: str) -> None:
    """Raises Invalid unless the file is of the right kind and belongs to one of `owners` (user ids)."""
    if asset.owner_user_id not in set(owners):
        # The same answer as for a file that does not exist: nobody learns of others' files.
        raise Invalid(_("There is no such file."), code="unknown_asset", field=field)
    if asset.kind not in set(kinds):
        raise Invalid(_("This file is not of the right kind."), code="wrong_kind", field=field)


def check_once(assets: Iterable[Asset], *, field: str) -> None:
    """Raises Invalid when the same file is named twice."""
    keys = [asset.pk for asset in assets]
    if len(set(keys)) != len(keys):
        raise Invalid(_("The same file is named twice."), code="repeated_asset", field=field)


def has_proof(title: Title) -> bool:
    """Whether a proof-of-rights document lies with the title that is not quarantined (E-026)."""
    return (
        title.files.filter(role=TitleFile.Role.PROOF)
        .exclude(asset__processing_status__in=["quarantined", "error"])
        .exists()
    )


def check_submit(title: Title) -> None:
    """Raises unless the title may go to review now (S-049, S-052)."""
    if title.removed_at is not None:
        raise Conflict(_("This title was taken down by staff; it cannot be submitted again."), code="taken_down")
    if title.moderation_status == Moderation.APPROVED:
        raise Conflict(_("This title is already approved."), code="already_approved")
    if title.moderation_status == Moderation.REJECTED and title.revision <= title.reviewed_revision:
        raise Conflict(_("Change what was refused before you submit the title again."), code="unchanged")
    if title.video_id is None:
        raise Invalid(_("A title needs its video."), code="missing_video", field="video_asset_id")
    if title.is_paid and not has_proof(title):
        raise Invalid(
            _("A paid title needs a proof-of-rights document."), code="missing_proof", field="proof_asset_ids"
        )


def why_not_approve(title: Title) -> str:
    """Why the title cannot be approved now, or an empty string (S-050, E-026)."""
    if title.processing_status != Processing.READY:
        return _("The video is not ready.")
    if title.video is not None and title.video.processing_status == "quarantined":
        return _("The video is quarantined.")
    if title.is_paid and not has_proof(title):
        return _("There is no proof-of-rights document.")
    return ""


def check_approve(title: Title) -> None:
    """Raises Conflict with the reason of `why_not_approve`."""
    if why := why_not_approve(title):
        raise Conflict(why, code="not_approvable")


def check_reason(reason: str) -> None:
    """Raises Invalid unless a reason was given."""
    if not reason.strip():
        raise Invalid(_("Say why."), code="missing_reason", field="reason")


def check_relock(title: Title, unlock_at: datetime | None, at: datetime) -> None:
    """Raises Conflict when a title that buyers could already get would be locked again (S-057)."""
    was_open = title.published_at is not None and title.is_unlocked(at)
    if unlock_at is not None and unlock_at > at and was_open and title.access_model == Title.Access.PURCHASE:
        raise Conflict(_("This title is already on sale; it cannot be locked again."), code="already_on_sale")


def is_material(
    title: Title, *, old_title: str, old_video_id: object, old_price: int, old_currency: str, was_paid: bool
) -> bool:
    """Whether a change must be looked at again: name, video, or price by more than a fifth (S-054).

    Another currency is another price, and a free title that is to earn money needs its proof of rights looked at
    (E-026).
    """
    if title.title != old_title or title.video_id != old_video_id or (title.is_paid and not was_paid):
        return True
    if title.price_minor and old_price and title.currency != old_currency:
        return True
    return old_price > 0 and abs(title.price_minor - old_price) > old_price * PRICE_CHANGE_SHARE


def check_window(starts_at: datetime, ends_at: datetime | None) -> None:
    """Raises Invalid when a slot would end before it starts (E-033)."""
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid(_("The end lies before the start."), field="ends_at")


def check_featured(title: Title, starts_at: datetime) -> None:
    """Raises Conflict unless the title will be public when the slot starts (S-117)."""
    if not title.is_listed() or not title.is_unlocked(starts_at):
        raise Conflict(_("Only a published title can be featured."), code="not_published")


def check_fee(kind: str, fee_minor: int, currency: str) -> None:
    """Raises Invalid when fee and kind of a slot do not fit (Q-037, N-012)."""
    if kind == FeaturedSlot.Kind.EDITORIAL:
        if fee_minor:
            raise Invalid(_("An editorial slot has no fee."), field="fee")
        return
    if fee_minor <= 0:
        raise Invalid(_("A paid slot needs its fee."), field="fee")
    try:
        highest = money.from_minor(fee_minor, currency).amount > HIGHEST_PRICE
    except money.MoneyError as error:
        raise Invalid(str(error), code=error.code, field="fee_currency") from error
    if highest:
        raise Invalid(_("The fee is too high."), field="fee")
