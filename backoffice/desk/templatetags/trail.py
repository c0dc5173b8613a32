"""From a page to everything that is on record about its object."""

from typing import Any

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.accounts.models import User

register = template.Library()

INVESTIGATED = {
    "finance.payment": "desk:investigate_payment",
    "finance.payoutitem": "desk:investigate_payout",
}


@register.inclusion_tag("desk/audit/links.html", takes_context=True)
def trail(context: Any, subject: Model, person: object = None) -> dict[str, Any]:
    """The whole history of an object, the investigation of it and of the person behind it, as far as the role goes."""
    user = context["request"].user
    kind, sees_all = subject._meta.label_lower, user.may("audit.view")
    money = kind.startswith("finance.") and user.may("audit.view_finance")
    links = []
    if sees_all or money:
        links.append((reverse("desk:audit_object", args=[kind, subject.pk]), _("Whole history")))
        if kind in INVESTIGATED:
            links.append((reverse(INVESTIGATED[kind], args=[subject.pk]), _("Investigate")))
    if sees_all and isinstance(person, User):
        links.append((reverse("desk:audit_person", args=[person.pk]), _("What this person did")))
        links.append((reverse("desk:investigate_person", args=[person.pk]), _("Journey of this person")))
    return {"links": links}
