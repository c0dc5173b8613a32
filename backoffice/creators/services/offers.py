"""What a creator offers and when: personal videos with their prices, and the calendar (E-019, E-020, U-020)."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock, money
from backoffice.core.errors import Forbidden, Invalid
from backoffice.creators import states
from backoffice.creators.models import AvailabilityBlock, Creator, ServiceOffering

MOST_OFFERS = 18
MOST_BLOCKS = 400


def replace_offerings(
    *, creator: Creator, offerings: Sequence[Mapping[str, Any]], by: Any, at: dt.datetime | None = None
) -> list[ServiceOffering]:
    """Sets the creator's whole list of offers; all of it or nothing.

    Each has ``occasions``, ``length_seconds``, ``delivery_hours``, ``price_minor`` and optionally
    ``extra_recipient_minor``, ``special_requests``, ``corporate``, ``active``; amounts in the creator's currency.
    Bounds are `offer.min_price` and `offer.max_price`, taken as so many units of the creator's currency. Invalid names
    the offer by its place in the list.
    """
    at = at or clock.now()
    _own(creator, by)
    if len(offerings) > MOST_OFFERS:
        raise Invalid(_("At most %(most)s offers.") % {"most": MOST_OFFERS}, field="offerings")
    kinds: set[tuple[Any, ...]] = set()
    rows = []
    for place, given in enumerate(offerings):
        row = _offering(creator, given, place)
        kind = (row.length_seconds, row.delivery_hours, row.corporate)
        if kind in kinds:
            raise Invalid(_("The same length and delivery time stands twice in the list."), field=f"offerings.{place}")
        kinds.add(kind)
        rows.append(row)
    with transaction.atomic():
        Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        before = [_facts(row) for row in creator.offerings.all()]
        creator.offerings.all().delete()
        ServiceOffering.objects.bulk_create(rows)
        entries.record(
            action="creator.offerings",
            by=by,
            subject=creator,
            before={"offerings": before},
            after={"offerings": [_facts(row) for row in rows]},
            at=at,
        )
    return rows


def _offering(creator: Creator, given: Mapping[str, Any], place: int) -> ServiceOffering:
    def wrong(name: str, sentence: str) -> Invalid:
        return Invalid(sentence, field=f"offerings.{place}.{name}")

    row = ServiceOffering(
        creator=creator,
        occasions=list(dict.fromkeys(given.get("occasions", ()))),
        length_seconds=given.get("length_seconds", 0),
        delivery_hours=given.get("delivery_hours", 0),
        price_minor=given.get("price_minor", 0),
        extra_recipient_minor=given.get("extra_recipient_minor", 0),
        currency=creator.currency,
        special_requests=list(dict.fromkeys(given.get("special_requests", ()))),
        corporate=bool(given.get("corporate", False)),
        active=bool(given.get("active", True)),
    )
    if not row.occasions or set(row.occasions) - set(states.Occasion.values):
        raise wrong("occasions", _("Choose at least one of the occasions."))
    if row.length_seconds not in states.OfferLength.values:
        raise wrong("length_seconds", _("Choose one of the lengths."))
    if row.delivery_hours not in states.DeliverySpeed.values:
        raise wrong("delivery_hours", _("Choose one of the delivery times."))
    if set(row.special_requests) - set(states.SpecialRequest.values):
        raise wrong("special_requests", _("There is no such special request."))
    low, high = bounds(creator.currency)
    if not low <= row.price_minor <= high:
        raise wrong(
            "price",
            _("The price is between %(low)s and %(high)s.")
            % {"low": money.display(low, creator.currency), "high": money.display(high, creator.currency)},
        )
    if not 0 <= row.extra_recipient_minor <= row.price_minor:
        raise wrong("extra_recipient", _("A further recipient costs no more than the first."))
    return row


def bounds(currency: str) -> tuple[int, int]:
    """The smallest and largest price in minor units of a currency."""
    units = 10 ** money.exponent(currency)
    return values.get("offer.min_price") * units // 100, values.get("offer.max_price") * units // 100


def set_availability(
    *,
    creator: Creator,
    by: Any,
    mode: str,
    vacation_until: dt.date | None = None,
    daily_capacity: int | None = None,
    weekly_capacity: int | None = None,
    blocks: Sequence[Mapping[str, Any]] | None = None,
    at: dt.datetime | None = None,
) -> Creator:
    """Sets when orders are taken (S-124); ``blocks`` None leaves the calendar as it is.

    Each block has ``kind``, ``starts_at``, ``ends_at`` and optionally ``capacity`` and ``premium_price_minor``. Invalid
    names the field, or the block by its place; overlapping blocks are refused.
    """
    at = at or clock.now()
    _own(creator, by)
    if mode not in states.AvailabilityMode.values:
        raise Invalid(_("Choose one of the modes."), field="mode")
    if mode == states.AvailabilityMode.VACATION and (vacation_until is None or vacation_until <= at.date()):
        raise Invalid(_("Say until when the vacation lasts."), field="vacation_until")
    if mode == states.AvailabilityMode.LIMITED and not (daily_capacity or weekly_capacity):
        raise Invalid(_("Say how many orders a day or a week."), field="daily_capacity")
    rows = None if blocks is None else _blocks(creator, blocks, at)
    fields = {
        "availability_mode": mode,
        "vacation_until": vacation_until if mode == states.AvailabilityMode.VACATION else None,
        "daily_capacity": daily_capacity,
        "weekly_capacity": weekly_capacity,
    }
    with transaction.atomic():
        creator = Creator.objects.select_for_update(of=("self",)).get(pk=creator.pk)
        before = {name: getattr(creator, name) for name in fields}
        for name, value in fields.items():
            setattr(creator, name, value)
        creator.save(update_fields=[*fields, "updated_at"])
        if rows is not None:
            creator.availability.filter(ends_at__gt=at).delete()
            try:
                with transaction.atomic():
                    AvailabilityBlock.objects.bulk_create(rows)
            except IntegrityError as error:
                # What is past stays; a new block that begins in it cannot lie over it.
                raise Invalid(_("A block overlaps one that has begun already."), field="blocks") from error
        entries.record(
            action="creator.availability",
            by=by,
            subject=creator,
            before=before,
            after={**fields, **({} if rows is None else {"blocks": len(rows)})},
            at=at,
        )
    return creator


def _blocks(creator: Creator, blocks: Sequence[Mapping[str, Any]], at: dt.datetime) -> list[AvailabilityBlock]:
    if len(blocks) > MOST_BLOCKS:
        raise Invalid(_("At most %(most)s blocks.") % {"most": MOST_BLOCKS}, field="blocks")
    rows = []
    for place, given in enumerate(blocks):
        row = AvailabilityBlock(creator=creator, **given)
        if row.kind not in states.BlockKind.values:
            raise Invalid(_("Choose one of the kinds."), field=f"blocks.{place}.kind")
        if row.ends_at <= row.starts_at:
            raise Invalid(_("The end comes after the beginning."), field=f"blocks.{place}.ends_at")
        if row.ends_at <= at:
            raise Invalid(_("This time is over."), field=f"blocks.{place}.ends_at")
        if row.premium_price_minor is not None and row.premium_price_minor <= 0:
            raise Invalid(_("The amount must be more than zero."), field=f"blocks.{place}.premium_price")
        rows.append((row.starts_at, place, row))
    ordered = sorted(rows, key=lambda found: found[:2])
    for (_start, _place, row), (start, place, _other) in itertools.pairwise(ordered):
        if start < row.ends_at:
            raise Invalid(_("This block overlaps another one."), field=f"blocks.{place}.starts_at")
    return [row for _start, _place, row in ordered]


def _own(creator: Creator, by: Any) -> None:
    if by is None or by.pk != creator.user_id:
        raise Forbidden(_("Only the creator can change this."), code="not_the_creator")


def _facts(row: ServiceOffering) -> dict[str, Any]:
    return {
        "length": row.length_seconds,
        "hours": row.delivery_hours,
        "corporate": row.corporate,
        "price": row.price_minor,
        "currency": row.currency,
        "active": row.active,
    }
