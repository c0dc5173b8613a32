"""Reading what viewers did."""

from backoffice.catalogue.models import Title
from backoffice.engagement.models import EngagementEvent


def plays_of(title: Title) -> int:
    """How often playback of the title was started."""
    return EngagementEvent.objects.filter(title=title, event_type=EngagementEvent.Type.PLAY).count()
