"""Closing the account of somebody who is neither staff nor creator; each of those has a way of its own."""

from datetime import datetime

from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import Suspension, User
from backoffice.accounts.services import suspensions
from backoffice.core.errors import Conflict
from backoffice.creators import queries as creators
from backoffice.creators.models import Creator
from backoffice.creators.states import VerificationStatus


def is_creator(creator: Creator | None) -> bool:
    """Whether the creator page closes this person; one whose verification was refused has nothing there to suspend."""
    return creator is not None and creator.verification_status != VerificationStatus.REJECTED


def close(*, user: User, kind: str, by: User, reason: str, at: datetime | None = None) -> Suspension:
    """Suspends or deactivates a member. Raises what `suspensions.start` raises, and Conflict for a creator."""
    permissions.require(by, suspensions.PERMISSION[kind])
    if is_creator(creators.for_user(user)):
        raise Conflict(
            _("This person is a creator. Suspend them on their creator page: titles and payouts follow there."),
            code="is_creator",
        )
    return suspensions.start(user=user, kind=kind, by=by, reason=reason, at=at)
