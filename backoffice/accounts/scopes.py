"""The languages to which a right is limited: a cultural reviewer decides on theirs only (R-028)."""

from backoffice.accounts.models import RoleGrant, User
from backoffice.accounts.roles import permissions_of


def languages(user: User, permission: str) -> frozenset[str] | None:
    """The two-letter languages in which the person holds the right; None when no role limits it.

    One role that gives the right without a limit is enough for all languages.
    """
    giving = [role for role in user.role_codes if permission in permissions_of(role)]
    limits = dict(RoleGrant.objects.filter(user=user, role__in=giving, ended_at=None).values_list("role", "languages"))
    if not giving or any(not limits.get(role) for role in giving):
        return None
    return frozenset(language for role in giving for language in limits[role])


def covers(user: User, permission: str, language: str) -> bool:
    """Whether the person's right reaches content in this language."""
    allowed = languages(user, permission)
    return allowed is None or language[:2] in allowed
