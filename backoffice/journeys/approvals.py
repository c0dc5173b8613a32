"""What needs a second person across domains: platform settings and kill switches (X-047)."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.configuration.setting import TO_APPROVE, Level
from backoffice.configuration.words import about, in_words
from backoffice.finance.services import outcomes
from backoffice.journeys.services import platform_settings


def closed(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """Tells whoever asked."""
    outcomes.tell(request)


def lines(request: ApprovalRequest) -> list[kinds.Line]:
    """The value in force when it was asked for, and the value asked for."""
    setting = platform_settings.find(request.subject_id)
    before = (request.before or {}).get("value")
    return [
        kinds.Line(request.subject_id, in_words(setting, before), in_words(setting, request.payload["value"])),
        kinds.Line(_("What it is"), about(setting), about(setting)),
    ]


SETTING, SECURITY_SETTING, KILL_SWITCH = (
    kinds.register(
        kinds.Kind(
            code=platform_settings.KIND_OF[level],
            label=label,
            permission=TO_APPROVE[level],
            asker_permission=platform_settings.asker_permission,
            apply=platform_settings.apply,
            check=platform_settings.check_approver,
            closed=closed,
            lines=lines,
        )
    )
    for level, label in (
        (Level.STANDARD, _("Setting")),
        (Level.SECURITY, _("Security setting")),
        (Level.SWITCH, _("Kill switch")),
    )
)
