"""Writing down what viewers do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.core import clock
from backoffice.engagement.models import EngagementEvent


def record(
    *,
    event_type: str,
    title: Title,
    user: User | None = None,
    country: str = "",
    ip: str = "",
    session_id: str = "",
    client: str = "",
    properties: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> EngagementEvent:
    """Writes one event (E-030). The address is kept as a keyed hash only, so that it cannot be read back."""
    return EngagementEvent.objects.create(
        event_type=event_type,
        user=user,
        title=title,
        creator_id=title.creator_id,
        occurred_at=at or clock.now(),
        country=country,
        ip_hash=salted_hmac("engagement.address", ip, secret=settings.SECRET_KEY).hexdigest() if ip else "",
        session_id=session_id,
        client=client[:20],
        properties=dict(properties or {}),
    )
