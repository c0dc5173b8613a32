"""Fee rules: what is in force, was and will be, one rule with its versions, and what a sale would cost (W-015)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit import queries as audit
from backoffice.core import clock, money, percent
from backoffice.core.errors import DomainError
from backoffice.desk.finance.fee_forms import CalculatorForm
from backoffice.desk.paging import keyset
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.desk.work.requests import TONES as REQUEST_TONES
from backoffice.finance.models import RuleVersion
from backoffice.finance.models.commission import Bearer, Component, Scope
from backoffice.finance.policies import commission as policy
from backoffice.finance.policies import fee_rules as rules_policy
from backoffice.finance.queries import fees as queries
from backoffice.finance.services import commission, fee_rules

VIEW, EDIT = "fees.view", "fees.edit"
TABS = {
    queries.IN_FORCE: gettext_lazy("In force"),
    queries.UPCOMING: gettext_lazy("Upcoming"),
    queries.PAST: gettext_lazy("Past"),
}


@screen(permission=VIEW, title=gettext_lazy("Fees"), methods=("GET", "HEAD"))
def fee_rule_list(request: StaffRequest) -> HttpResponse:
    """The rules of a tab, narrowed by component, scope and creator; the proposals that wait stand above them."""
    asked = {name: request.GET.get(name, "").strip()[:40] for name in ("component", "scope", "creator")}
    asked["component"] = asked["component"] if asked["component"] in Component.values else ""
    asked["scope"] = asked["scope"] if asked["scope"] in Scope.values else ""
    tab = request.GET.get("tab", queries.IN_FORCE)
    tab = tab if tab in TABS else queries.IN_FORCE
    found = queries.listing(tab=tab, at=clock.now(), **asked)
    by = ("component", "scope", "-valid_from", "-id") if tab == queries.IN_FORCE else ("-valid_from", "-id")
    page = keyset(request, found, by=by)
    waiting = list(queries.open_requests(fee_rules.KIND)[:20])
    return render(
        request,
        "desk/finance/fees/list.html",
        {
            "page": page,
            "rows": [(rule, rules_policy.scope_words(rule), rules_policy.rate(rule)) for rule in page.items],
            "waiting": waiting,
            "tabs": TABS.items(),
            "tab": tab,
            "asked": asked,
            "searching": any(asked.values()),
            "components": Component.choices,
            "scopes": Scope.choices,
            "request_tones": REQUEST_TONES,
            "may_edit": request.user.may(EDIT),
        },
    )


@screen(permission=VIEW, title=gettext_lazy("Fee rule"), methods=("GET", "HEAD"))
def fee_rule(request: StaffRequest, rule_id: UUID) -> HttpResponse:
    """One version: what it says, how often it was used, its other versions, and what was asked about it."""
    found = get_object_or_404(
        RuleVersion.objects.select_related("creator", "category", "created_by", "approval__decided_by"), pk=rule_id
    )
    at = clock.now()
    uses = queries.uses(found)
    request.desk["title"] = rules_policy.name(found)
    return render(
        request,
        "desk/finance/fees/detail.html",
        {
            "rule": found,
            "state": _state(found, at),
            "scope_words": rules_policy.scope_words(found),
            "rate": rules_policy.rate(found),
            "uses": min(uses, queries.COUNTED_USES),
            "more_uses": uses > queries.COUNTED_USES,
            "versions": [
                (version, rules_policy.rate(version), _state(version, at)) for version in queries.versions(found)
            ],
            "requests": queries.requests_about(found),
            "request_tones": REQUEST_TONES,
            "timeline": list(audit.for_subject(found)[:30]),
            "may_change": request.user.may(EDIT) and found.valid_to is None,
            "may_cancel": request.user.may(EDIT) and _state(found, at) == queries.UPCOMING,
        },
    )


def _state(rule: RuleVersion, at: Any) -> str:
    """The tab that a rule is in, or that it was cancelled."""
    if rule.is_cancelled:
        return queries.CANCELLED
    if rule.valid_from > at:
        return queries.UPCOMING
    return queries.IN_FORCE if rule.valid_to is None or rule.valid_to > at else queries.PAST


@screen(permission=VIEW, title=gettext_lazy("What would this sale cost?"), methods=("GET", "HEAD"))
def fee_calculator(request: StaffRequest) -> HttpResponse:
    """A sale that might be, split under the rules of its day, with the reason for every cent."""
    form = CalculatorForm(request.GET if request.GET else None)
    context: dict[str, Any] = {"form": form, "zone": timezone.get_current_timezone_name()}
    if form.is_valid():
        sale = _sale(form.cleaned_data)
        try:
            context |= {"sale": sale, "creator": form.cleaned_data["creator"], **_explained(sale)}
        except DomainError as error:
            form.refuse(error)
    return render(request, "desk/finance/fees/calculator.html", context)


def _sale(data: dict[str, Any]) -> policy.Sale:
    creator, category = data["creator"], data["category"]
    return policy.Sale(
        gross_minor=data["gross_minor"],
        currency=data["currency"],
        at=data["at"] or clock.now(),
        creator_id=creator.pk if creator else None,
        tier=data["tier"] or (creator.tier if creator else ""),
        country=data["country"] or (creator.country if creator else ""),
        category_id=category.pk if category else None,
        product=data["product"],
        promotion_code=data["promotion_code"].strip(),
        converts=creator is not None and creator.currency != data["currency"],
    )


def _explained(sale: policy.Sale) -> dict[str, Any]:
    """The split, each fee with its sum in words and the rules that stood behind the one that was chosen."""
    rules = {str(rule.pk): rule for rule in commission.rules_for(sale)}
    split = policy.split(sale, list(rules.values()))
    lines = []
    for line in split.lines:
        assert line.rule is not None
        lines.append(
            {
                "component": Component(line.component).label,
                "bearer": Bearer(line.bearer).label,
                "amount_minor": line.amount_minor,
                "sum": _sum_in_words(line, sale.currency),
                "rule": line.rule,
                "name": rules_policy.name(line.rule),
                "because": rules_policy.standing(line.trace["because"]),
                "others": [
                    (
                        rules[other["rule"]],
                        rules_policy.name(rules[other["rule"]]),
                        rules_policy.rate(rules[other["rule"]]),
                        _why_behind(line.trace, other),
                    )
                    for other in line.trace["candidates"][1:]
                ],
            }
        )
    return {"split": split, "lines": lines, "excess_minor": _excess(split)}


def _sum_in_words(line: policy.Line, currency: str) -> str:
    """How the fee comes about, "25 % of $100.00 = $25.00", with the bound where one decided."""
    assert line.rule is not None
    parts = []
    if line.percent_bp or not line.fixed_minor:
        parts.append(
            _("%(percent)s of %(price)s")
            % {"percent": percent.display(line.percent_bp), "price": money.display(line.base_minor, currency)}
        )
    if line.fixed_minor:
        parts.append(money.display(line.fixed_minor, currency))
    text = f"{' + '.join(parts)} = {money.display(line.amount_minor, currency)}"
    if line.rule.min_minor is not None and line.amount_minor == line.rule.min_minor:
        return _("%(sum)s (at least that)") % {"sum": text}
    if line.rule.max_minor is not None and line.amount_minor == line.rule.max_minor:
        return _("%(sum)s (at most that)") % {"sum": text}
    return text


def _why_behind(trace: dict[str, Any], other: dict[str, Any]) -> str:
    """Why another rule that applies too was not chosen."""
    if other["standing"] != trace["because"]:
        return _("it is only %(standing)s") % {"standing": rules_policy.standing(other["standing"])}
    if other["priority"] != trace["candidates"][0]["priority"]:
        return _("its priority %(number)s is lower") % {"number": other["priority"]}
    return _("it is older")


def _excess(split: policy.Split) -> int:
    """By how much the fees are more than the price, which the platform pays; minor units."""
    borne = sum(
        line.amount_minor
        for line in split.lines
        if line.component == Component.COMMISSION or line.bearer == Bearer.CREATOR
    )
    return max(0, borne - split.gross_minor)


urlpatterns = [
    path("fees/", fee_rule_list, name="fee_rule_list"),
    path("fees/calculator/", fee_calculator, name="fee_calculator"),
    path("fees/<uuid:rule_id>/", fee_rule, name="fee_rule"),
]
