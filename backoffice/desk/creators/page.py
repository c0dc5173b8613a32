"""What stands around a creator on their page, each part for who may see it (W-004). A fixed number of statements."""

from typing import Any

from django.db.models import Count, F, Q

from backoffice.accounts.models import User
from backoffice.commerce.models import Purchase
from backoffice.commerce.states import PurchaseStatus
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator
from backoffice.finance.models import RuleVersion
from backoffice.finance.queries import balances
from backoffice.finance.queries import payouts as payout_queries
from backoffice.journeys.queries import suspension
from backoffice.support import queries as support

SHOWN = 5


def around(creator: Creator, user: User) -> dict[str, Any]:
    """Recognition, onboarding, offers, money, tickets and sanctions of a creator, as far as this person may see."""
    may_suspend = user.may(states.SUSPEND) and "suspend" in creator.machine.verbs_from(creator.verification_status)
    given = queries.badges_of(creator)
    held = {grant.badge for grant in given}
    return {
        "badges": given,
        "badges_to_give": [badge for badge in states.STAFF_BADGES if badge not in held],
        "may_recognise": user.may("users.edit"),
        "tiers": states.Tier.choices,
        "lessons": queries.training_of(creator),
        "agreements": list(creator.agreements.all()[:SHOWN]),
        "agreement_in_force": values.get("creator.agreement_version"),
        "missing": [] if creator.is_active else policies.missing_to_activate(creator),
        "help": _help(creator),
        "offerings": list(creator.offerings.all()),
        "blocks": list(creator.availability.filter(ends_at__gt=clock.now())[: SHOWN + 1]),
        "sanctions": list(creator.sanctions.select_related("issued_by", "ended_by")[:SHOWN]),
        "effects": suspension.effects(creator, at=clock.now()) if may_suspend else None,
        **_money(creator, user),
        **_tickets(creator, user),
    }


def _help(creator: Creator) -> list[tuple[str, str, Any]]:
    """Every step with who ticked it off, or None."""
    done = {step.code: step for step in creator.onboarding_steps.select_related("done_by")}
    return [(code, str(label), done.get(code)) for code, label in states.OnboardingHelp.choices]


def _money(creator: Creator, user: User) -> dict[str, Any]:
    """Balances and payouts for who sees payouts; sales counts for who sees payments (P-013, P-018)."""
    shown: dict[str, Any] = {}
    if user.may("payouts.view"):
        shown["balances"] = balances.for_creator(creator)
        shown["payouts"] = list(payout_queries.of_creator(creator).select_related("run")[:SHOWN])
    if user.may("payments.view"):
        shown["sales"] = Purchase.objects.filter(title__creator=creator).aggregate(
            paid=Count("id", filter=Q(status=PurchaseStatus.PAID)),
            refunded=Count("id", filter=Q(status=PurchaseStatus.REFUNDED)),
        )
    if user.may("fees.view"):
        now = clock.now()
        shown["own_rules"] = list(
            RuleVersion.objects.filter(creator=creator)
            .filter(Q(valid_to=None) | Q(valid_to__gt=now))
            .exclude(valid_to=F("valid_from"))
            .order_by("valid_from")[:SHOWN]
        )
    return shown


def _tickets(creator: Creator, user: User) -> dict[str, Any]:
    if not user.may("tickets.view"):
        return {}
    return {"tickets": list(support.of_customer(creator.user).prefetch_related(None)[:SHOWN])}
