"""Featured slots: placing, scheduling, ordering and ending them (E-033, S-117)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.accounts.permissions import require
from backoffice.audit import entries
from backoffice.catalogue import policies
from backoffice.catalogue.models import FeaturedSection, FeaturedSlot, Title
from backoffice.core import clock
from backoffice.core.errors import Conflict, Invalid


def place(
    section: FeaturedSection,
    *,
    title: Title,
    by: User | None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    position: int | None = None,
    kind: str = FeaturedSlot.Kind.EDITORIAL,
    fee_minor: int = 0,
    fee_currency: str = "",
    at: datetime | None = None,
) -> FeaturedSlot:
    """Puts a title into a section from `starts_at` (default: now) to `ends_at` (default: open).

    `position` 0 is the front; without one the slot goes to the end. `fee_minor` in minor units, for paid slots,
    which are shown once `record_fee` was called. Raises Conflict when the title is not published or already there
    at that time.
    """
    _may_curate(by)
    at = at or clock.now()
    starts_at = starts_at or at
    policies.check_window(starts_at, ends_at)
    policies.check_featured(title, starts_at)
    policies.check_fee(kind, fee_minor, fee_currency)
    with transaction.atomic():
        # One curator at a time per section, or two would hand out the same position.
        FeaturedSection.objects.select_for_update().get(pk=section.pk)
        ids = list(section.slots.open(at).order_by("position", "starts_at").values_list("id", flat=True))
        last = section.slots.open(at).aggregate(last=Max("position"))["last"]
        slot = FeaturedSlot(
            section=section,
            title=title,
            position=0 if last is None else last + 1,
            kind=kind,
            fee_minor=fee_minor,
            fee_currency=fee_currency,
            starts_at=starts_at,
            ends_at=ends_at,
            curated_by=by,
        )
        _save(slot)
        if position is not None:
            ids.insert(position, slot.id)
            _renumber(section, ids)
            slot.refresh_from_db(fields=["position"])
        entries.record(
            action="featured.place",
            by=by,
            subject=slot,
            after={"section": section.slug, "title": str(title.id), **_window(slot)},
            at=at,
        )
    return slot


def schedule(
    slot: FeaturedSlot,
    *,
    by: User | None,
    starts_at: datetime,
    ends_at: datetime | None,
    at: datetime | None = None,
) -> FeaturedSlot:
    """Gives a slot that has not ended another window. Raises Conflict when it would overlap itself elsewhere."""
    _may_curate(by)
    at = at or clock.now()
    policies.check_window(starts_at, ends_at)
    with transaction.atomic():
        slot = _open_slot(slot, at)
        policies.check_featured(slot.title, starts_at)
        before = _window(slot)
        slot.starts_at, slot.ends_at = starts_at, ends_at
        _save(slot)
        entries.record(action="featured.schedule", by=by, subject=slot, before=before, after=_window(slot), at=at)
    return slot


def end(slot: FeaturedSlot, *, by: User | None, reason: str = "", at: datetime | None = None) -> FeaturedSlot:
    """Ends a live slot now, or removes one that has not begun. The row stays as history."""
    _may_curate(by)
    at = at or clock.now()
    with transaction.atomic():
        slot = _open_slot(slot, at)
        _end(slot, by=by, reason=reason, at=at)
    return slot


def end_all_of(title: Title, *, by: User | None, reason: str, at: datetime) -> int:
    """Ends every open slot of a title that is no longer public (S-053, S-117); returns how many."""
    with transaction.atomic():
        slots = list(FeaturedSlot.objects.select_for_update().filter(title=title).open(at))
        for slot in slots:
            _end(slot, by=by, reason=reason, at=at)
    return len(slots)


def reorder(
    section: FeaturedSection,
    *,
    slots: Sequence[FeaturedSlot | UUID],
    by: User | None,
    at: datetime | None = None,
) -> None:
    """Puts the open slots of a section in this order; open slots not named keep their order behind them."""
    _may_curate(by)
    at = at or clock.now()
    wanted = [slot.id if isinstance(slot, FeaturedSlot) else slot for slot in slots]
    with transaction.atomic():
        FeaturedSection.objects.select_for_update().get(pk=section.pk)
        before = list(section.slots.open(at).order_by("position", "starts_at").values_list("id", flat=True))
        if len(set(wanted)) != len(wanted) or not set(wanted) <= set(before):
            raise Invalid(_("The section has changed; load it again."), code="unknown_slot", field="slots")
        after = wanted + [slot_id for slot_id in before if slot_id not in set(wanted)]
        _renumber(section, after)
        entries.record(
            action="featured.reorder",
            by=by,
            subject=section,
            before={"slots": [str(slot_id) for slot_id in before]},
            after={"slots": [str(slot_id) for slot_id in after]},
            at=at,
        )


def record_fee(slot: FeaturedSlot, *, by: User | None, reference: str, at: datetime | None = None) -> FeaturedSlot:
    """Notes that the fee of a paid slot is in, so that it may be shown. A second call changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        slot = FeaturedSlot.objects.select_for_update().get(pk=slot.pk)
        if slot.kind != FeaturedSlot.Kind.PAID:
            raise Conflict(_("An editorial slot has no fee."))
        if slot.fee_paid_at is None:
            slot.fee_paid_at, slot.fee_reference = at, reference
            slot.save(update_fields=["fee_paid_at", "fee_reference", "updated_at"])
            entries.record(action="featured.record_fee", by=by, subject=slot, data={"reference": reference}, at=at)
    return slot


def _may_curate(by: User | None) -> None:
    if by is not None:
        require(by, "cms.edit")


def _open_slot(slot: FeaturedSlot, at: datetime) -> FeaturedSlot:
    found = FeaturedSlot.objects.select_for_update(of=("self",)).select_related("title__creator").get(pk=slot.pk)
    if found.state(at) in (FeaturedSlot.State.ENDED, FeaturedSlot.State.REMOVED):
        raise Conflict(_("This slot is already over."), code="slot_over")
    return found


def _end(slot: FeaturedSlot, *, by: User | None, reason: str, at: datetime) -> None:
    before = _window(slot)
    if slot.starts_at > at:
        slot.removed_at = at
    else:
        slot.ends_at = at
    slot.save(update_fields=["ends_at", "removed_at", "updated_at"])
    entries.record(action="featured.end", by=by, subject=slot, reason=reason, before=before, after=_window(slot), at=at)


def _save(slot: FeaturedSlot) -> None:
    try:
        with transaction.atomic():
            slot.save()
    except IntegrityError as error:
        if "slot_same_title_no_overlap" not in str(error):
            raise
        raise Conflict(_("The title is already in this section at that time."), code="slot_overlap") from error


def _renumber(section: FeaturedSection, ids: Sequence[UUID]) -> None:
    place_of = {slot_id: index for index, slot_id in enumerate(ids)}
    slots = list(section.slots.filter(id__in=ids))
    for slot in slots:
        slot.position = place_of[slot.id]
    FeaturedSlot.objects.bulk_update(slots, ["position"])


def _window(slot: FeaturedSlot) -> dict[str, str | None]:
    return {
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat() if slot.ends_at else None,
        "removed_at": slot.removed_at.isoformat() if slot.removed_at else None,
    }
