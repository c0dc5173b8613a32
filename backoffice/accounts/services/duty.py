"""Going on and off duty (E-008). Nothing is handed to somebody off duty, and nothing waits for them."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import StaffProfile, User
from backoffice.audit import entries
from backoffice.core.errors import Forbidden
from backoffice.queues.services import people


def switch(*, user: User, on: bool, by: User, at: datetime | None = None) -> StaffProfile:
    """Puts a staff person on or off duty; everybody does that for themselves.

    Off duty, what was to return to them is anybody's at once; what they hold stays theirs.
    """
    if by.pk != user.pk or not user.is_staff:
        raise Forbidden(_("Everybody goes on and off duty for themselves."))
    with transaction.atomic():
        profile, _made = StaffProfile.objects.select_for_update().get_or_create(user=user)
        if profile.on_duty != on:
            profile.on_duty = on
            profile.save(update_fields=["on_duty", "updated_at"])
            freed = follow(profile, at=at)
            entries.record(
                action="staff.duty",
                by=by,
                subject=user,
                before={"on_duty": not on},
                after={"on_duty": on},
                data={"returned_to_all": freed},
                at=at,
            )
    return profile


def follow(profile: StaffProfile, *, at: datetime | None = None) -> int:
    """Tells the queues what the profile says; returns how many items anybody gets now."""
    if profile.on_duty and profile.user.is_active:
        people.come_back(user=profile.user)
        return 0
    return people.leave(user=profile.user, at=at)
