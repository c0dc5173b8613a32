"""Staff people: their working profile, the networks they come from, leaving and coming back (E-008, P-001)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts import networks
from backoffice.accounts.models import RoleAccess, StaffProfile, User
from backoffice.accounts.permissions import require
from backoffice.accounts.roles import ROLES
from backoffice.accounts.services import duty, invitations, roles, sessions
from backoffice.approvals.services import requests
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.queues.services import people

EDIT = "staff.edit"
DECIDE = "staff.decide"
MOST_NETWORKS = 50
PROFILE_FIELDS = ("languages", "skills", "cultural_reviewer", "max_open_items", "on_duty")


def profile_of(user: User) -> StaffProfile:
    """The person's profile; a fresh, unsaved one when there is none yet."""
    return StaffProfile.objects.filter(user=user).first() or StaffProfile(user=user)


def update_profile(*, user: User, by: User, at: datetime | None = None, **fields: Any) -> StaffProfile:
    """Changes languages, skills, cultural reviewer, open items at most, on duty. Invalid names the field."""
    require(by, EDIT)
    if not user.is_staff:
        raise Invalid(_("Only staff have a working profile."), field="user")
    unknown = set(fields) - set(PROFILE_FIELDS)
    if unknown:
        raise TypeError(f"no such field: {unknown}")
    if set(fields.get("languages", ())) - set(User.Language.values):
        raise Invalid(_("This language is not offered."), field="languages")
    if not 1 <= fields.get("max_open_items", 1) <= 200:
        raise Invalid(_("From 1 to 200 open items."), field="max_open_items")
    with transaction.atomic():
        profile, _made = StaffProfile.objects.select_for_update().get_or_create(user=user)
        before = {name: getattr(profile, name) for name in fields if getattr(profile, name) != fields[name]}
        if before:
            for name in before:
                setattr(profile, name, fields[name])
            profile.save(update_fields=[*before, "updated_at"])
            if "on_duty" in before:
                duty.follow(profile, at=at)
            after = {name: fields[name] for name in before}
            entries.record(action="staff.profile", by=by, subject=user, before=before, after=after, at=at)
    return profile


def allow_person(
    *, user: User, allowed: Sequence[str], by: User, address: str, reason: str, at: datetime | None = None
) -> StaffProfile:
    """Sets the networks a person may come from; an empty list is anywhere.

    Refused when nobody could undo it: ``address`` is where the change is made from.
    """
    require(by, EDIT)
    _check(allowed, reason)
    with transaction.atomic():
        profile, _made = StaffProfile.objects.select_for_update().get_or_create(user=user)
        before = profile.allowed_ips
        profile.allowed_ips = list(allowed)
        profile.save(update_fields=["allowed_ips", "updated_at"])
        _nobody_locked_out(by=by, address=address)
        entries.record(
            action="staff.networks",
            by=by,
            subject=user,
            reason=reason,
            before={"networks": before},
            after={"networks": list(allowed)},
            at=at,
        )
    return profile


def allow_role(
    *, role: str, allowed: Sequence[str], by: User, address: str, reason: str, at: datetime | None = None
) -> RoleAccess:
    """Sets the networks from which holders of a role may come in; as `allow_person`."""
    require(by, EDIT)
    if role not in ROLES:
        raise Invalid(_("There is no role “%(role)s”.") % {"role": role}, field="role")
    _check(allowed, reason)
    with transaction.atomic():
        access, _made = RoleAccess.objects.select_for_update().get_or_create(role=role)
        before = access.allowed_ips
        access.allowed_ips = list(allowed)
        access.save(update_fields=["allowed_ips", "updated_at"])
        _nobody_locked_out(by=by, address=address)
        entries.record(
            action="role.networks",
            by=by,
            subject=access,
            reason=reason,
            before={"networks": before},
            after={"networks": list(allowed)},
            data={"role": role},
            at=at,
        )
    return access


def deactivate(*, user: User, by: User | None, reason: str, at: datetime | None = None) -> None:
    """Closes a staff account: out at the next request, sessions and tokens ended, what waits for approval in their
    name withdrawn. Nothing is deleted.
    """
    if by is not None:
        require(by, DECIDE)
        if by == user:
            raise Forbidden(_("Nobody deactivates themselves."))
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    if not user.is_staff:
        raise Invalid(_("This is not a staff account."), field="user")
    with transaction.atomic():
        roles.lock_requests(user)
        roles.withdraw_all(user=user, reason=reason, at=at)
        roles.keep_a_super_admin(user)
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            raise Conflict(_("This account is not active."))
        user.is_active = False
        people.leave(user=user, at=at)
        entries.record(action="staff.deactivate", by=by, subject=user, reason=reason, at=at)
        sessions.end_all(user=user, by=by, reason="deactivated", at=at)
        requests.withdraw_orphaned(asker=user, at=at)


def reactivate(*, user: User, by: User, reason: str, at: datetime | None = None) -> None:
    """Opens a staff account again, with the roles it has. Conflict while one of them is of `roles.two_people`: one
    person alone would give it, so it is taken away first and asked for anew.
    """
    require(by, DECIDE)
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    if not user.is_staff or by == user:
        raise Forbidden(_("This is not a staff account."))
    if invitations.never_came(user):
        raise Conflict(_("This person has not accepted an invitation yet. Invite them again."), code="never_came")
    powerful = [str(ROLES[role]) for role in user.role_codes if role in values.get("roles.two_people")]
    if powerful:
        raise Conflict(
            _("It takes two Super Admins to give this: %(roles)s. Take it away first and ask for it again.")
            % {"roles": ", ".join(powerful)},
            code="takes_two",
        )
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            raise Conflict(_("This account is active."))
        user.is_active = True
        duty.follow(profile_of(user), at=at)
        entries.record(action="staff.reactivate", by=by, subject=user, reason=reason, at=at)


def _check(allowed: Sequence[str], reason: str) -> None:
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")
    if len(allowed) > MOST_NETWORKS:
        raise Invalid(_("At most %(most)s networks.") % {"most": MOST_NETWORKS}, field="allowed_ips")
    networks.parse(" ".join(allowed))


def _nobody_locked_out(*, by: User, address: str) -> None:
    """Reads the lists as they are now in this transaction."""
    if not networks.may_come_from(by, address):
        raise Conflict(
            _("You would lock yourself out: your own address, %(address)s, is not in the list.") % {"address": address},
            code="locks_out",
        )
    if not any(networks.may_come_from(person, address) for person in roles.super_admins()):
        raise Conflict(_("No Super Admin could come in any more from where you are."), code="locks_out")
