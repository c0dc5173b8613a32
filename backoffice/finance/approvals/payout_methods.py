"""A change of a payout method is approved by another person than who proposed it (PG-010, X-047)."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.core import countries, money, percent
from backoffice.finance.models import PayoutMethod
from backoffice.finance.policies.payout_methods import Settings
from backoffice.finance.services import outcomes, payout_methods

LABELS = {
    "fee_bp": gettext_lazy("Fee in percent"),
    "fee_fixed_minor": gettext_lazy("Fixed fee"),
    "fee_min_minor": gettext_lazy("Fee entered per payout, at least"),
    "fee_max_minor": gettext_lazy("Fee entered per payout, at most"),
    "minimum_minor": gettext_lazy("Smallest payout"),
    "countries": gettext_lazy("Countries"),
    "hours_min": gettext_lazy("Takes at least (hours)"),
    "hours_max": gettext_lazy("Takes at most (hours)"),
    "enabled": gettext_lazy("In use"),
}


def apply(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """The last yes: the method changes, or the request fails with the sentence."""
    payout_methods.apply(request=request, by=by, at=at)


def closed(request: ApprovalRequest, *, by: Any, at: datetime) -> None:
    """Tells whoever asked."""
    outcomes.tell(request)


def lines(request: ApprovalRequest) -> list[kinds.Line]:
    """What changes, from and to; what stays is left out."""
    currency = PayoutMethod.objects.values_list("currency", flat=True).get(pk=request.subject_id)
    before, after = Settings.read(request.before or {}), Settings.read(request.payload)
    return changes(before, after, currency)


def changes(before: Settings, after: Settings, currency: str) -> list[kinds.Line]:
    """The fields that differ, in words."""
    return [
        kinds.Line(
            LABELS[name],
            words(name, getattr(before, name), currency),
            words(name, getattr(after, name), currency),
        )
        for name in LABELS
        if getattr(before, name) != getattr(after, name)
    ]


def words(name: str, value: Any, currency: str) -> str:
    """One field's value for people."""
    if name == "enabled":
        return _("yes") if value else _("no")
    if name == "countries":
        return ", ".join(countries.name(code) for code in value) or _("all")
    if value is None:
        return _("none")
    if name == "fee_bp":
        return percent.display(value)
    return money.display(value, currency) if name.endswith("_minor") else str(value)


KIND = kinds.register(
    kinds.Kind(
        code=payout_methods.KIND,
        label=gettext_lazy("Payout method"),
        permission=payout_methods.APPROVE,
        asker_permission=(payout_methods.EDIT,),
        apply=apply,
        closed=closed,
        lines=lines,
    )
)
