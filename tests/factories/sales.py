"""Published titles and sales of them, made by the services that make real ones."""

import itertools
from datetime import datetime
from typing import Any

from backoffice.accounts.models import User
from backoffice.catalogue.models import Category, Title
from backoffice.catalogue.states import Moderation, Processing
from backoffice.commerce.services import purchases
from backoffice.core import clock
from backoffice.creators.models import Creator
from backoffice.finance.models import Payment
from backoffice.finance.services import payments
from backoffice.media.models import Asset
from backoffice.media.states import Processing as AssetProcessing
from tests.factories import creators
from tests.factories.accounts import member

_numbers = itertools.count(1)


def category(slug: str = "drama", **fields: Any) -> Category:
    """A category of titles."""
    return Category.objects.get_or_create(slug=slug, defaults={"name_en": slug.title(), **fields})[0]


def published(creator: Creator | None = None, **fields: Any) -> Title:
    """A title that is on sale, without a file behind its video."""
    number = next(_numbers)
    creator = creator or creators.creator()
    video = Asset.objects.create(
        owner_user=creator.user,
        kind=Asset.Kind.VIDEO,
        filename="film.mp4",
        storage_key=f"assets/sold-{number}/original",
        content_type="video/mp4",
        bytes=1_000,
        processing_status=AssetProcessing.READY,
        processed_at=clock.now(),
        duration_ms=60_000,
    )
    values = {
        "title": f"Film {number}",
        "slug": f"film-{number}",
        "creator": creator,
        "created_by": creator.user,
        "access_model": Title.Access.PURCHASE,
        "price_minor": 999,
        "currency": "USD",
        "video": video,
        "moderation_status": Moderation.APPROVED,
        "processing_status": Processing.READY,
        "submitted_at": clock.now(),
        "published_at": clock.now(),
        **fields,
    }
    return Title.objects.create(**values)


def sale(title: Title | None = None, *, at: datetime, buyer: User | None = None) -> Payment:
    """A paid purchase of the title, split and posted at that time."""
    title = title or published()
    purchase = purchases.start(title=title, by=buyer or member(), at=at)
    return payments.record_sale(
        purchase=purchase,
        provider="stripe",
        provider_payment_id=f"pi_test_{next(_numbers)}",
        by=None,
        at=at,
    )


def refund(payment: Payment, cumulative_minor: int, *, at: datetime) -> None:
    """So much of the payment has gone back in all."""
    payments.record_refunded(payment=payment, cumulative_minor=cumulative_minor, currency=payment.currency, at=at)
