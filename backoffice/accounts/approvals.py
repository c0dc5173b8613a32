"""Roles with much power are given by two Super Admins (P-030, X-047)."""

from datetime import datetime
from typing import Any

from django.utils import formats, timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.models import User
from backoffice.accounts.roles import ROLES
from backoffice.accounts.services import roles
from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.states import Status
from backoffice.core.errors import Forbidden
from backoffice.notifications.services import notify


def apply(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """The second yes: the role is given, or the request fails with the sentence."""
    roles.carry_out(request, by=by, at=at)


def check(request: ApprovalRequest, by: Any) -> None:
    """Nobody says yes to a role of their own."""
    if str(by.pk) == request.payload["user"]:
        raise Forbidden(_("This role would be yours: somebody else has to decide."), code="own_role")


def closed(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """Tells whoever asked. Who withdraws knows it already."""
    if request.status == Status.WITHDRAWN:
        return
    person = request.requested_by
    with translation.override(person.language):
        facts = {
            "kind": str(KIND.label),
            "reference": request.reference,
            "label": roles.role_name(request.payload["role"], person),
            "outcome": str(Status(request.status).label),
            "reason": request.failure or request.decision_reason,
        }
    notify(user=person, event="approval.decided", data=facts, by=by)


def lines(request: ApprovalRequest) -> list[kinds.Line]:
    """Who would have which role, until when and for which languages; and what to do when nobody can approve it."""
    asked, before = request.payload, request.before
    person = User.objects.filter(pk=asked["user"]).first()
    role = str(ROLES.get(asked["role"], asked["role"]))
    found = [
        kinds.Line(gettext_lazy("Person"), "", person.display_name if person is not None else ""),
        kinds.Line(gettext_lazy("Role"), role if before is not None else "", role),
        kinds.Line(
            gettext_lazy("Until"), _until(before["until"]) if before is not None else "", _until(asked["until"])
        ),
        kinds.Line(
            gettext_lazy("Languages"),
            _languages(before["languages"]) if before is not None else "",
            _languages(asked["languages"]),
        ),
    ]
    if person is None or request.status != Status.PENDING:
        return found
    if not roles.approvers(user=person, by=request.requested_by).exists():
        found.append(kinds.Line(gettext_lazy("Second person"), "", roles.nobody_else()))
    return found


def _until(text: str | None) -> str:
    at = parse_datetime(text) if text else None
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT") if at is not None else _("for good")


def _languages(codes: list[str]) -> str:
    return ", ".join(codes) or _("all")


KIND = kinds.register(
    kinds.Kind(
        code=roles.KIND,
        label=gettext_lazy("Staff role"),
        permission=roles.GIVE,
        asker_permission=(roles.GIVE,),
        apply=apply,
        check=check,
        closed=closed,
        lines=lines,
    )
)
