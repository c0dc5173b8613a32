"""The map of the staff screens: one row per entry, shown to those who may open it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.desk import access, badges


class Row(NamedTuple):
    """One entry. Who sees it is what its page asks for (`access`); ``badge`` counts what waits there."""

    section: str | Promise
    label: str | Promise
    url: str
    icon: str
    badge: Callable[[HttpRequest], int | str | None] | None = None

    def link(self) -> str:
        """The address."""
        return reverse(self.url)

    def open_to(self, user: User) -> bool:
        """Whether this person may open it."""
        return access.route_of(self.url).open_to(user)


WORK = _("Work")
PEOPLE = _("People")
CONTENT = _("Content")
MONEY = _("Money")
INSIGHT = _("Insight")
SYSTEM = _("System")

SECTIONS = [WORK, PEOPLE, CONTENT, MONEY, INSIGHT, SYSTEM]

ROWS: list[Row] = [
    Row(WORK, _("My work"), "desk:work", "inbox"),
    Row(WORK, _("Approvals"), "desk:approval_list", "rule", badges.approvals_waiting),
    Row(WORK, _("Creator applications"), "desk:application_list", "how_to_reg", badges.applications_waiting),
    Row(WORK, _("Queues"), "desk:queue_figures", "monitoring"),
    Row(PEOPLE, _("Creators"), "desk:creator_list", "groups"),
    Row(PEOPLE, _("People"), "admin:accounts_user_changelist", "group"),
    Row(WORK, _("Tickets"), "desk:ticket_list", "support_agent", badges.tickets_waiting),
    Row(PEOPLE, _("Reply templates"), "desk:response_template_list", "quickreply"),
    Row(PEOPLE, _("Due times"), "desk:sla_list", "timer"),
    Row(WORK, _("Moderation"), "desk:case_list", "gavel", badges.cases_waiting),
    Row(CONTENT, _("Titles"), "desk:title_list", "movie"),
    Row(CONTENT, _("Categories"), "admin:catalogue_category_changelist", "category"),
    Row(CONTENT, _("Tags"), "admin:catalogue_tag_changelist", "sell"),
    Row(CONTENT, _("Featured"), "cms_featured", "star"),
    Row(CONTENT, _("Pages and help"), "wagtailadmin_home", "article"),
    Row(INSIGHT, _("Revenue"), "desk:revenue", "bar_chart"),
    Row(WORK, _("Verifications to renew"), "desk:review_list", "event_repeat", badges.reviews_waiting),
    Row(MONEY, _("Payouts"), "desk:payout_list", "payments", badges.payouts_to_approve),
    Row(MONEY, _("Payments"), "desk:payment_list", "receipt_long", badges.payments_in_trouble),
    Row(MONEY, _("Refunds"), "desk:refund_list", "currency_exchange", badges.refunds_waiting),
    Row(MONEY, _("Tax forms"), "desk:tax_list", "description", badges.tax_forms_waiting),
    Row(MONEY, _("Ledger"), "desk:ledger", "balance"),
    Row(MONEY, _("Fees"), "desk:fee_rule_list", "percent"),
    Row(MONEY, _("Payout methods"), "desk:payout_method_list", "account_balance"),
    Row(MONEY, _("Provider events"), "desk:event_list", "webhook", badges.failed_events),
    Row(SYSTEM, _("Health"), "desk:health", "monitor_heart"),
    Row(SYSTEM, _("Jobs"), "desk:job_list", "manufacturing", badges.dead_jobs),
    Row(SYSTEM, _("Imports"), "desk:import_list", "upload_file"),
    Row(SYSTEM, _("Audit log"), "desk:audit_list", "history"),
    Row(SYSTEM, _("Investigations"), "desk:investigation_search", "troubleshoot"),
    Row(SYSTEM, _("Legal holds"), "desk:hold_list", "lock_clock"),
    Row(SYSTEM, _("Exports"), "desk:export_list", "download"),
    Row(SYSTEM, _("Settings"), "desk:setting_list", "tune"),
    Row(SYSTEM, _("Staff"), "desk:staff_list", "badge"),
    Row(SYSTEM, _("Sign-in log"), "desk:security_log", "login"),
    Row(SYSTEM, _("Roles"), "desk:role_list", "verified_user"),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar for this person: sections in order, entries they may open, the deepest match
    active.
    """
    user = request.user
    if not isinstance(user, User):
        return []
    allowed = [(row, row.link()) for row in ROWS if row.open_to(user)]
    here = max((link for _row, link in allowed if request.path.startswith(link)), key=len, default="")
    groups = []
    for section in SECTIONS:
        items = [
            {
                "title": str(row.label),
                "icon": row.icon,
                "link": link,
                "active": link == here,
                "permission": None,
                **({"badge": row.badge(request), "badge_variant": "primary"} if row.badge else {}),
            }
            for row, link in allowed
            if row.section == section
        ]
        if items:
            groups.append({"title": str(section), "items": items})
    return groups


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The entries behind the person's name."""
    return [
        {"title": gettext("My sessions"), "link": reverse("desk:my_sessions")},
        {"title": gettext("Two-step sign-in"), "link": reverse("mfa_index")},
        {"title": gettext("Change password"), "link": reverse("account_change_password")},
    ]


def environment(request: HttpRequest) -> list[str] | None:
    """A label in the header so that nobody takes a demo for the real thing."""
    return [gettext("Demo"), "warning"] if settings.DEMO_MODE else None


def icon(request: HttpRequest) -> str:
    """The product's mark."""
    return static("desk/mark.svg")


def tokens_css(request: HttpRequest) -> str:
    """Colours and measures, shared by desk, sign-in and editor."""
    return static("desk/tokens.css")


def desk_css(request: HttpRequest) -> str:
    """The components."""
    return static("desk/desk.css")
