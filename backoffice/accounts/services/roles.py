"""Making the groups of the matrix and giving them to people; the roles of `roles.two_people` by two (P-030, X-047)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.accounts.models import Area, RoleGrant, SecurityEvent, StaffInvitation, User
from backoffice.accounts.permissions import require
from backoffice.accounts.roles import REVIEWER, ROLES, SUPER, all_permissions, permissions_of
from backoffice.accounts.services import security
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.notifications.services import notify

GIVE = "staff.decide"
KIND = "role"
# A role of a person: one request at a time. The key is the person's and the role's.
SUBJECT = "accounts.role"


def load() -> None:
    """Makes groups and permissions agree with the matrix. Safe to run again; other permissions are left alone."""
    with transaction.atomic():
        kind = ContentType.objects.get_for_model(Area)
        for codename in all_permissions():
            Permission.objects.update_or_create(content_type=kind, codename=codename, defaults={"name": codename})
        known = {p.codename: p for p in Permission.objects.filter(content_type=kind)}
        Permission.objects.filter(content_type=kind).exclude(codename__in=all_permissions()).delete()
        for role in ROLES:
            group, _made = Group.objects.get_or_create(name=role)
            wanted = {known[codename] for codename in permissions_of(role)}
            held = set(group.permissions.filter(content_type=kind))
            group.permissions.remove(*(held - wanted))
            group.permissions.add(*(wanted - held))


def give(
    *,
    user: User,
    role: str,
    by: User | None,
    reason: str = "",
    until: datetime | None = None,
    languages: Sequence[str] = (),
    at: datetime | None = None,
) -> RoleGrant | ApprovalRequest:
    """Gives a staff role, for good or ``until`` a time (P-035); a grant of the role that runs is replaced.

    ``languages`` limits a cultural reviewer's decisions (R-028); empty means all. Only Super Admins give roles (P-046),
    and nobody to themselves, except the documents' role for some hours, which every other Super Admin is told (Q-018).
    A role of the setting `roles.two_people` waits for another Super Admin: the answer is the request then, unless the
    change gives nothing that the person does not have. ``by=None`` is the command line. Raises Forbidden, Invalid, and
    Conflict when the same role waits already.
    """
    at = at or clock.now()
    _check(user=user, role=role, until=until, languages=languages, at=at)
    if by is not None:
        _may_give(user=user, role=role, by=by, reason=reason, until=until, at=at)
        if by != user and needs_two(user=user, role=role, until=until, languages=languages):
            return _ask(user=user, role=role, by=by, reason=reason, until=until, languages=languages, at=at)
    return _grant(user=user, role=role, by=by, reason=reason, until=until, languages=languages, at=at)


def needs_two(*, user: User, role: str, until: datetime | None, languages: Sequence[str]) -> bool:
    """Whether this would give the person more of a role of `roles.two_people` than they have: it, time or languages."""
    if role not in values.get("roles.two_people"):
        return False
    if not user.live_groups().filter(name=role).exists():
        return True
    held = RoleGrant.objects.filter(user=user, role=role, ended_at=None).first()
    if held is None:
        return False
    longer = held.expires_at is not None and (until is None or until > held.expires_at)
    wider = bool(held.languages) and (not languages or bool(set(languages) - set(held.languages)))
    return longer or wider


def carry_out(request: ApprovalRequest, *, by: User, at: datetime) -> RoleGrant:
    """What an approved request asked for; ``by`` is the second person. Raises what `give` raises, and Conflict."""
    asked = request.payload
    # The weaker lock: giving somebody a group refers to their row, and need not wait for this.
    user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=asked["user"])
    until = datetime.fromisoformat(asked["until"]) if asked["until"] else None
    _check(user=user, role=asked["role"], until=until, languages=asked["languages"], at=at)
    invited = StaffInvitation.objects.filter(user=user, accepted_at=None, revoked_at=None).exists()
    if not (user.is_active or invited):
        raise Conflict(_("The account is closed."))
    return _grant(
        user=user,
        role=asked["role"],
        by=request.requested_by,
        approved_by=by,
        reason=request.reason,
        until=until,
        languages=asked["languages"],
        at=at,
    )


def approvers(*, user: User, by: User) -> QuerySet[User]:
    """Who could approve that ``by`` gives this person a role: every Super Admin besides the two (P-030)."""
    return super_admins().exclude(pk__in=[user.pk, by.pk])


def nobody_else() -> str:
    """What to do when nobody could approve (P-030)."""
    return _(
        "This waits for a second Super Admin, and there is none who could approve it. Make one on the server: "
        "python manage.py create_super_admin --email ADDRESS. It goes on record."
    )


def asked_for(user: User) -> QuerySet[ApprovalRequest]:
    """Every request to give somebody a role, whatever became of it; the oldest first."""
    rows = ApprovalRequest.objects.filter(kind=KIND, subject_type=SUBJECT, subject_id__startswith=f"{user.pk}:")
    return rows.select_related("requested_by").order_by("id")


def waiting(user: User) -> QuerySet[ApprovalRequest]:
    """The roles that wait for a second person for somebody."""
    return asked_for(user).filter(status=Status.PENDING)


def lock_requests(user: User) -> list[ApprovalRequest]:
    """Every request that waits for a person or in their name, locked. Whoever ends a role calls it first, as approving
    does: the requests, then the lock of role changes (`_one_at_a_time`) and the rest.
    """
    about = Q(kind=KIND, subject_type=SUBJECT, subject_id__startswith=f"{user.pk}:")
    return requests.lock_asked_by(user, or_else=about)


def withdraw_all(*, user: User, reason: str, role: str = "", at: datetime | None = None) -> None:
    """Takes back what waits for a person, of one role or of all.

    Comes before the lock of role changes (`_one_at_a_time`), as approving does: the request first, then the rest. What
    was decided while this waited is left as it was decided.
    """
    rows = waiting(user).filter(subject_id=f"{user.pk}:{role}") if role else waiting(user)
    for request in rows.select_for_update(of=("self",)):
        requests.withdraw(request=request, by=None, reason=reason, at=at)


def take(*, user: User, role: str, by: User | None, reason: str = "", at: datetime | None = None) -> None:
    """Takes a staff role away at once, without a second person; what waits for approval of it is withdrawn, and what
    the person asked for and may not ask for any more.

    The last Super Admin keeps theirs (Conflict).
    """
    at = at or clock.now()
    if by is not None:
        require(by, GIVE)
        _needs_reason(reason)
    with transaction.atomic():
        lock_requests(user)
        withdraw_all(user=user, role=role, reason=reason, at=at)
        _one_at_a_time()
        if role == SUPER:
            _keep_a_super_admin(user)
        _end(user=user, role=role, by=by, at=at)
        entries.record(action="role.take", by=by, subject=user, reason=reason, before={"role": role}, at=at)
        requests.withdraw_orphaned(asker=user, at=at)


def expire_due(*, user: User | None = None, at: datetime | None = None) -> int:
    """Ends grants whose time is over, of one person or of everybody; returns how many.

    Their rights are gone since that moment already: see `StaffBackend`. This cleans up what else reads groups.
    """
    at = at or clock.now()
    due = RoleGrant.objects.filter(ended_at=None, expires_at__lte=at)
    if user is not None:
        due = due.filter(user=user)
    count = 0
    for key, person in due.values_list("pk", "user"):
        with transaction.atomic():
            lock_requests(User(pk=person))
            grant = due.select_for_update(skip_locked=True, of=("self",)).select_related("user").filter(pk=key).first()
            if grant is None:
                continue
            _end(user=grant.user, role=grant.role, by=None, at=at)
            entries.record(
                action="role.expire",
                by=None,
                subject=grant.user,
                before={"role": grant.role, "until": grant.expires_at},
                at=at,
            )
            requests.withdraw_orphaned(asker=grant.user, at=at)
            count += 1
    return count


def super_admins() -> QuerySet[User]:
    """Everybody who is a Super Admin now."""
    lapsed = RoleGrant.objects.filter(role=SUPER, ended_at=None, expires_at__lte=clock.now())
    return User.objects.filter(is_active=True, is_staff=True, groups__name=SUPER).exclude(pk__in=lapsed.values("user"))


def keep_a_super_admin(leaving: User) -> None:
    """Conflict when nobody but this person is a Super Admin for good. Takes the lock that role changes take."""
    _one_at_a_time()
    _keep_a_super_admin(leaving)


def _check(*, user: User, role: str, until: datetime | None, languages: Sequence[str], at: datetime) -> None:
    if role not in ROLES:
        raise Invalid(_("There is no role “%(role)s”.") % {"role": role}, field="role")
    if not user.is_staff:
        raise Invalid(_("Roles are for staff only."), field="user")
    if until is not None and until <= at:
        raise Invalid(_("The end has to be in the future."), field="until")
    if set(languages) - set(User.Language.values):
        raise Invalid(_("This language is not offered."), field="languages")


def _ask(
    *,
    user: User,
    role: str,
    by: User,
    reason: str,
    until: datetime | None,
    languages: Sequence[str],
    at: datetime,
) -> ApprovalRequest:
    held = RoleGrant.objects.filter(user=user, role=role, ended_at=None).first()
    before = {"until": held.expires_at, "languages": held.languages} if held is not None else None
    with translation.override("en"):
        # Everybody reads what is stored: in English, as a setting's.
        label = f"{ROLES[role]}: U-{str(user.pk)[-8:]}"
    with transaction.atomic():
        request = requests.open(
            kind=KIND,
            by=by,
            label=label,
            payload={"user": user.pk, "role": role, "until": until, "languages": list(languages)},
            before=before,
            subject=(SUBJECT, f"{user.pk}:{role}"),
            reason=reason,
            at=at,
        )
        for colleague in approvers(user=user, by=by):
            told = {
                "name": by.display_name,
                "person": user.display_name,
                "role": role_name(role, colleague),
                "reference": request.reference,
                "reason": reason,
                "until": until,
            }
            notify(user=colleague, event="role.asked", data=told, by=by)
    return request


def role_name(role: str, reader: User) -> str:
    """The role's name in the reader's language."""
    with translation.override(reader.language):
        return str(ROLES[role])


def _grant(
    *,
    user: User,
    role: str,
    by: User | None,
    reason: str,
    until: datetime | None,
    languages: Sequence[str],
    at: datetime,
    approved_by: User | None = None,
) -> RoleGrant:
    with transaction.atomic():
        _one_at_a_time()
        if role == SUPER and until is not None:
            _keep_a_super_admin(user)
        RoleGrant.objects.filter(user=user, role=role, ended_at=None).update(ended_at=at, ended_by=by, updated_at=at)
        grant = RoleGrant.objects.create(
            user=user,
            role=role,
            languages=list(languages),
            expires_at=until,
            granted_by=by,
            approved_by=approved_by,
            reason=reason,
        )
        user.groups.add(Group.objects.get(name=role))
        _forget(user)
        entries.record(
            action="role.give",
            by=by,
            subject=user,
            reason=reason,
            after={"role": role, "until": until, "languages": list(languages)},
            data={"approved_by": approved_by.pk} if approved_by is not None else None,
            at=at,
        )
        if by is not None and by == user:
            security.record(kind=SecurityEvent.Kind.SUSPICIOUS, user=user, data={"own_role": role}, at=at)
            for colleague in super_admins().exclude(pk=user.pk):
                told = {"name": by.display_name, "role": role_name(role, colleague), "reason": reason, "until": until}
                notify(user=colleague, event="security.own_role", data=told, by=by)
        if by is None and role == SUPER:
            for colleague in super_admins().exclude(pk=user.pk):
                told = {"person": user.display_name, "reason": reason}
                notify(user=colleague, event="security.super_admin_made", data=told)
        return grant


def _may_give(*, user: User, role: str, by: User, reason: str, until: datetime | None, at: datetime) -> None:
    require(by, GIVE)
    _needs_reason(reason)
    if by != user:
        return
    hours = values.get("staff.own_documents_hours")
    if role != REVIEWER or SUPER not in by.role_codes:
        raise Forbidden(_("Nobody gives a role to themselves."))
    if until is None or until > at + timedelta(hours=hours):
        raise Invalid(
            _("Access to documents that one gives to oneself ends within %(hours)s hours.") % {"hours": hours},
            field="until",
        )


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(_("Say why."), field="reason")


def _one_at_a_time() -> None:
    """Two Super Admins who take each other's role at once would leave none: changes wait for each other."""
    Group.objects.select_for_update().get(name=SUPER)


def _keep_a_super_admin(leaving: User) -> None:
    temporary = RoleGrant.objects.filter(role=SUPER, ended_at=None, expires_at__isnull=False)
    if SUPER not in leaving.groups.values_list("name", flat=True):
        return
    if not super_admins().exclude(pk=leaving.pk).exclude(pk__in=temporary.values("user")).exists():
        raise Conflict(_("This is the last Super Admin. Make somebody else one first."), code="last_super_admin")


def _end(*, user: User, role: str, by: User | None, at: datetime) -> None:
    RoleGrant.objects.filter(user=user, role=role, ended_at=None).update(ended_at=at, ended_by=by, updated_at=at)
    user.groups.remove(Group.objects.get(name=role))
    _forget(user)


def _forget(user: User) -> None:
    """Drops what Django and the model remember of the person's rights on this instance."""
    for name in ("role_codes", "_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(name, None)
