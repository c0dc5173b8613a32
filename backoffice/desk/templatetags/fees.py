"""Fee rules in words."""

from django import template

from backoffice.finance.models import RuleVersion
from backoffice.finance.policies import fee_rules

register = template.Library()


@register.filter
def rule_name(rule: RuleVersion) -> str:
    """A rule in one line, without a person's name."""
    return fee_rules.name(rule)


@register.filter
def standing(code: str) -> str:
    """Why a rule goes before others."""
    return fee_rules.standing(code)
