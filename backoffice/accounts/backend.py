"""Rights from groups, without those whose time is over."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet


class StaffBackend(AuthenticationBackend):
    """allauth's sign-in; a group counts only while its grant runs (P-035), read from the database per request."""

    def _get_group_permissions(self, user_obj: Any) -> QuerySet[Permission]:
        return Permission.objects.filter(group__in=user_obj.live_groups())
