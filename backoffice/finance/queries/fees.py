"""Fee rules for the screens: those in force, to come and past, the versions of one, and how much it was used."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from backoffice.approvals import queries as approvals
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.states import Status
from backoffice.finance.models import CommissionLine, PayoutItem, PayoutMethod, RuleVersion
from backoffice.finance.states import LIVE_ITEMS

# A rule that was used more often than this is not counted to the end.
COUNTED_USES = 10_000
IN_FORCE, UPCOMING, PAST = "in_force", "upcoming", "past"
CANCELLED = "cancelled"
TABS = (IN_FORCE, UPCOMING, PAST)


def listing(
    *, tab: str, at: datetime, component: str = "", scope: str = "", creator: str = ""
) -> QuerySet[RuleVersion]:
    """The rules of a tab at a moment; ``creator`` is a creator's reference. One statement per page.

    What was cancelled before its start is past at once.
    """
    where = {
        IN_FORCE: Q(valid_from__lte=at) & (Q(valid_to=None) | Q(valid_to__gt=at)),
        UPCOMING: Q(valid_from__gt=at) & (Q(valid_to=None) | Q(valid_to__gt=F("valid_from"))),
        PAST: Q(valid_to__lte=at) | Q(valid_to=F("valid_from")),
    }[tab]
    rows = RuleVersion.objects.filter(where).select_related("creator", "category", "created_by", "approval__decided_by")
    if component:
        rows = rows.filter(component=component)
    if scope:
        rows = rows.filter(scope=scope)
    if creator:
        rows = rows.filter(creator__reference__iexact=creator)
    return rows


def versions(rule: RuleVersion, *, limit: int = 50) -> list[RuleVersion]:
    """Every version of the same rule, the newest first: same component, scope, agreement, promotion, currency, rank."""
    same = RuleVersion.objects.filter(
        component=rule.component,
        scope=rule.scope,
        scope_value=rule.scope_value,
        agreement=rule.agreement,
        promotion_code=rule.promotion_code,
        currency=rule.currency,
        priority=rule.priority,
    )
    return list(same.select_related("created_by", "approval__decided_by").order_by("-valid_from", "-id")[:limit])


def uses(rule: RuleVersion) -> int:
    """In how many sales the rule was chosen; never more than one above `COUNTED_USES`."""
    return CommissionLine.objects.filter(rule=rule).order_by()[: COUNTED_USES + 1].count()


def open_requests(kind: str) -> QuerySet[ApprovalRequest]:
    """Proposals that wait or are being carried out, the oldest first."""
    return (
        ApprovalRequest.objects.filter(kind=kind, status__in=[Status.PENDING, Status.APPROVED])
        .select_related("requested_by")
        .order_by("id")
    )


def requests_about(rule: RuleVersion) -> list[ApprovalRequest]:
    """What was asked about this rule since it exists, the newest first."""
    return list(approvals.of_subject(rule).select_related("requested_by", "decided_by")[:20])


def methods() -> QuerySet[PayoutMethod]:
    """Every payout method, those in use first."""
    return PayoutMethod.objects.order_by("-enabled", "code", "currency")


def live_items(method: PayoutMethod) -> int:
    """Payouts by this method that are under way: their fee is fixed and no change touches it."""
    return PayoutItem.objects.filter(run__method=method, status__in=LIVE_ITEMS).count()


def rules_by_id(keys: Iterable[Any]) -> dict[Any, RuleVersion]:
    """The rules of these ids with their creator and category; one statement."""
    return RuleVersion.objects.select_related("creator", "category").in_bulk(list(keys))
