"""From what an audit row is about to the page of it."""

from django.apps import apps
from django.urls import reverse
from django.utils.text import capfirst

PAGES = {
    "accounts.user": "admin:accounts_user_change",
    "audit.exportrecord": "desk:export",
    "catalogue.title": "desk:title",
    **{
        f"cms.{kind}": "wagtailadmin_pages:edit"
        for kind in ("helparticlepage", "helpindexpage", "homepage", "policyindexpage", "policypage", "trainingpage")
    },
    "configuration.setting": "desk:setting",
    "creators.creator": "desk:creator_detail",
    "creators.creatorapplication": "desk:application_detail",
    "creators.legalhold": "desk:hold_detail",
    "creators.taxprofile": "desk:tax_detail",
    "finance.payment": "desk:payment",
    "finance.payoutitem": "desk:investigate_payout",
    "finance.payoutmethod": "desk:payout_method",
    "finance.payoutrun": "desk:payout",
    "finance.refundrequest": "desk:refund",
    "finance.ruleversion": "desk:fee_rule",
    "journeys.importrun": "desk:import_run",
    "moderation.case": "desk:case",
    "support.ticket": "desk:ticket",
    "wagtaildocs.document": "wagtaildocs:edit",
    "wagtailimages.image": "wagtailimages:edit",
}


def page(kind: str, key: str) -> str:
    """The address of the object's own page; empty where it has none. The page asks for its own permission."""
    return reverse(PAGES[kind], args=[key]) if kind in PAGES else ""


def known(kind: str) -> bool:
    """Whether there is a kind of object called ``app.model``."""
    app, _dot, model = kind.partition(".")
    return app in apps.all_models and model in apps.all_models[app]


def noun(kind: str) -> str:
    """The kind in words."""
    return capfirst(str(apps.get_model(kind)._meta.verbose_name)) if known(kind) else kind
