"""Writing down each decision to let somebody watch."""

from datetime import datetime

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.core import clock
from backoffice.engagement.models import PlaybackGrant


def record(
    *,
    user: User,
    title: Title,
    granted: bool,
    reason: str,
    expires_at: datetime | None = None,
    client: str = "",
    at: datetime | None = None,
) -> PlaybackGrant:
    """Writes the evidence of one answer (E-032); `expires_at` is the end of the link's life when granted."""
    return PlaybackGrant.objects.create(
        user=user,
        title=title,
        granted=granted,
        reason=reason,
        expires_at=expires_at,
        client=client[:20],
        at=at or clock.now(),
    )
