"""Who may: the question that services and screens ask."""

from typing import Any

from django.utils.translation import gettext as _

from backoffice.core.errors import Forbidden


def require(user: Any, permission: str) -> None:
    """Forbidden unless the staff person holds ``area.verb``."""
    if user is None or not user.is_authenticated or not user.may(permission):
        raise Forbidden(_("Your roles do not include “%(permission)s”.") % {"permission": permission})
