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
from backoffice.desk import badges


class Row(NamedTuple):
    """One entry. ``permission``: one, or several of which one is enough; "" is every member of staff.

    ``badge`` counts what waits there.
    """

    section: str | Promise
    label: str | Promise
    url: str
    permission: str | tuple[str, ...]
    icon: str
    badge: Callable[[HttpRequest], int | None] | None = None

    def link(self) -> str:
        """The address."""
        return reverse(self.url)

    def open_to(self, user: User) -> bool:
        """Whether this person may open it."""
        asked = (self.permission,) if isinstance(self.permission, str) else self.permission
        return not any(asked) or any(user.may(permission) for permission in asked)


WORK = _("Work")
PEOPLE = _("People")
CONTENT = _("Content")
MONEY = _("Money")
INSIGHT = _("Insight")
SYSTEM = _("System")

SECTIONS = [WORK, PEOPLE, CONTENT, MONEY, INSIGHT, SYSTEM]

ROWS: list[Row] = [
    Row(WORK, _("My work"), "desk:work", "", "inbox"),
    Row(
        WORK,
        _("Creator applications"),
        "desk:application_list",
        "applications.view",
        "how_to_reg",
        badges.applications_waiting,
    ),
    Row(PEOPLE, _("Creators"), "desk:creator_list", "users.view", "groups"),
    Row(PEOPLE, _("People"), "admin:accounts_user_changelist", "users.view", "group"),
    Row(
        WORK,
        _("Tickets"),
        "desk:ticket_list",
        ("tickets.view", "tickets.view_finance", "tickets.view_own"),
        "support_agent",
        badges.tickets_waiting,
    ),
    Row(PEOPLE, _("Reply templates"), "desk:response_template_list", "tickets.view", "quickreply"),
    Row(PEOPLE, _("Due times"), "desk:sla_list", "tickets.view", "timer"),
    Row(WORK, _("Moderation"), "desk:case_list", "cases.view", "gavel", badges.cases_waiting),
    Row(CONTENT, _("Titles"), "desk:title_list", "titles.view", "movie"),
    Row(CONTENT, _("Categories"), "admin:catalogue_category_changelist", "titles.view", "category"),
    Row(CONTENT, _("Tags"), "admin:catalogue_tag_changelist", "titles.view", "sell"),
    Row(CONTENT, _("Featured"), "cms_featured", "cms.edit", "star"),
    Row(CONTENT, _("Pages and help"), "wagtailadmin_home", "cms.edit", "article"),
    Row(INSIGHT, _("Revenue"), "desk:revenue", "reports.view", "bar_chart"),
    Row(MONEY, _("Payouts"), "desk:payout_list", "payouts.view", "payments", badges.payouts_to_approve),
    Row(
        MONEY,
        _("Payments"),
        "desk:payment_list",
        ("payments.view", "payments.view_orders"),
        "receipt_long",
        badges.payments_in_trouble,
    ),
    Row(MONEY, _("Ledger"), "desk:ledger", "payouts.view", "balance"),
    Row(MONEY, _("Provider events"), "desk:event_list", "payments.view", "webhook", badges.failed_events),
    Row(SYSTEM, _("Health"), "desk:health", "jobs.view", "monitor_heart"),
    Row(SYSTEM, _("Jobs"), "desk:job_list", "jobs.view", "manufacturing", badges.dead_jobs),
    Row(SYSTEM, _("Imports"), "desk:import_list", "imports.view", "upload_file"),
    Row(
        SYSTEM,
        _("Audit log"),
        "desk:audit_list",
        ("audit.view", "audit.view_own", "audit.view_finance"),
        "history",
    ),
    Row(
        SYSTEM,
        _("Investigations"),
        "desk:investigation_search",
        ("audit.view", "audit.view_finance"),
        "troubleshoot",
    ),
    Row(SYSTEM, _("Exports"), "desk:export_list", "audit.view", "download"),
    Row(SYSTEM, _("Staff"), "desk:staff_list", "staff.view", "badge"),
    Row(SYSTEM, _("Sign-in log"), "desk:security_log", "staff.view", "login"),
    Row(SYSTEM, _("Roles"), "desk:role_list", "staff.view", "verified_user"),
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
