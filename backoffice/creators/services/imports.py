"""Creators taken over from another system, many at a time (M-015). Called by `journeys.services.imports`.

A note to whoever changes `create_imported`: this is its bulk form and keeps the same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.text import slugify

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.ids import uuid7
from backoffice.creators import states
from backoffice.creators.models import Creator


@dataclass(slots=True)
class NewCreator:
    """A checked row."""

    stage_name: str = ""
    slug: str = ""
    bio: str = ""
    country: str = ""
    currency: str = "USD"
    languages: list[str] = field(default_factory=list)
    verified: bool = False


def import_batch(*, rows: Sequence[tuple[User, NewCreator]], by: User, at: datetime | None = None) -> list[Creator]:
    """New creators for these people, in the rows' order. `verified` keeps the old system's word and
    activates (M-015).

    A slug or person that was taken meanwhile raises IntegrityError and undoes everything.
    """
    at = at or clock.now()
    wanted = [slugify(row.slug or row.stage_name)[:70].strip("-") or "creator" for _user, row in rows]
    taken = set(Creator.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    made = []
    for (user, row), base in zip(rows, wanted, strict=True):
        pk = uuid7()
        slug = base if base not in taken else f"{base[:67]}-{str(pk)[-12:]}"
        taken.add(slug)
        made.append(
            Creator(
                id=pk,
                user=user,
                stage_name=row.stage_name,
                slug=slug,
                bio=row.bio,
                country=row.country,
                currency=row.currency,
                languages=row.languages,
                verification_status=states.VerificationStatus.VERIFIED
                if row.verified
                else states.VerificationStatus.PENDING,
                tier=states.Tier.VERIFIED if row.verified else states.Tier.STANDARD,
                is_active=row.verified,
                activated_at=at if row.verified else None,
                created_at=at,
            )
        )
    Creator.objects.bulk_create(made, batch_size=1000)
    verified = [creator for creator in made if creator.is_active]
    entries.record_each(action="creator.import", by=by, subjects=made, at=at)
    entries.record_each(action="creator.verify", by=by, subjects=verified, data={"reason": "imported"}, at=at)
    return made
