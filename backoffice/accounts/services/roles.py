"""Making the groups of the matrix and giving them to people."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import Area, User
from backoffice.accounts.roles import ROLES, all_permissions, permissions_of
from backoffice.audit import entries
from backoffice.core.errors import Invalid


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


def give(*, user: User, role: str, by: Any, reason: str = "") -> None:
    """Gives a staff role. Invalid for an unknown role or for somebody who is not staff."""
    if role not in ROLES:
        raise Invalid(_("There is no role “%(role)s”.") % {"role": role}, field="role")
    if not user.is_staff:
        raise Invalid(_("Roles are for staff only."), field="user")
    with transaction.atomic():
        user.groups.add(Group.objects.get(name=role))
        _forget(user)
        entries.record(action="role.give", by=by, subject=user, reason=reason, after={"role": role})


def take(*, user: User, role: str, by: Any, reason: str = "") -> None:
    """Takes a staff role away; it is gone at the next request."""
    with transaction.atomic():
        user.groups.remove(Group.objects.get(name=role))
        _forget(user)
        entries.record(action="role.take", by=by, subject=user, reason=reason, before={"role": role})


def _forget(user: User) -> None:
    """Drops what Django and the model remember of the person's rights on this instance."""
    for name in ("role_codes", "_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(name, None)
