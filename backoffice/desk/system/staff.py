"""Staff and what their roles allow. Read only here: the matrix is data in `accounts.roles`."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from backoffice.accounts import factor, roles
from backoffice.accounts.models import User
from backoffice.desk.screens import StaffRequest, render, screen


@screen(permission="staff.view", title=_("Staff"), methods=("GET", "HEAD"))
def staff_list(request: StaffRequest) -> HttpResponse:
    """Everybody with a staff account: roles, second factor, last sign-in."""
    people = (
        User.objects.filter(is_staff=True)
        .annotate(
            has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=factor.FACTORS))
        )
        .prefetch_related("groups")
        .order_by("-is_active", "display_name", "id")
    )
    rows = [
        (person, [str(roles.ROLES.get(group.name, group.name)) for group in person.groups.all()])
        for person in people
    ]
    return render(request, "desk/system/staff/list.html", {"rows": rows})


@screen(permission="staff.view", title=_("Roles"), methods=("GET", "HEAD"))
def role_list(request: StaffRequest) -> HttpResponse:
    """The published matrix: areas down, roles across, verbs in the cells."""
    matrix = [
        (area, [row.get(role, "").split() for role in roles.ROLES]) for area, row in roles.MATRIX.items()
    ]
    return render(
        request, "desk/system/staff/roles.html", {"roles": list(roles.ROLES.values()), "matrix": matrix}
    )
