"""Who may what, as data (spec 01-roles, PG-001 to PG-021; conflicts Q-015 to Q-018). Nothing else says it.

``MATRIX[area][role]`` lists the verbs of staff: permissions are ``area.verb`` strings, from which groups, screens, the
generic admin and the menu are made. ``API[resource][actor]`` lists the verbs of everybody else, from which the API's
permission class is made. The published pages are made from both.
"""

from django.utils.translation import gettext_lazy as _

SUPER, ADMIN, OPS = "super_admin", "admin", "ops_manager"
MODERATOR, SUPPORT, FINANCE = "content_moderator", "customer_support", "financial_admin"
REVIEWER, EDITOR, ANALYST = "verification_reviewer", "editor", "analyst"

ROLES = {
    SUPER: _("Super Admin"),
    ADMIN: _("Admin"),
    OPS: _("Operations Manager"),
    MODERATOR: _("Content Moderator"),
    SUPPORT: _("Customer Support"),
    FINANCE: _("Financial Admin"),
    REVIEWER: _("Verification Reviewer"),
    EDITOR: _("Editor"),
    ANALYST: _("Analyst"),
}

MATRIX: dict[str, dict[str, str]] = {
    # PG-001
    "users": {
        SUPER: "view edit decide suspend export",
        ADMIN: "view edit decide suspend export",
        OPS: "view suspend",
        MODERATOR: "view",
        SUPPORT: "view assist export_one",
        FINANCE: "view",
        REVIEWER: "view",
    },
    # PG-002
    "staff": {SUPER: "view edit decide", ADMIN: "view"},
    # PG-003
    "applications": {
        SUPER: "view edit decide supervise export",
        ADMIN: "view edit decide supervise export",
        OPS: "view decide supervise",
        MODERATOR: "view",
        SUPPORT: "status",
        REVIEWER: "view decide",
    },
    # PG-004, Q-018: nobody but the verification team
    "documents": {REVIEWER: "view decide"},
    # PG-005
    "titles": {
        SUPER: "view edit decide export",
        ADMIN: "view edit decide export",
        OPS: "view decide",
        MODERATOR: "view decide export",
        SUPPORT: "view flag",
        FINANCE: "name",
        REVIEWER: "samples",
        EDITOR: "view",
    },
    # PG-006
    "cases": {
        SUPER: "view edit decide supervise export",
        ADMIN: "view edit decide supervise export",
        OPS: "view decide supervise",
        MODERATOR: "view decide export",
        SUPPORT: "flag view_own",
    },
    # PG-007
    "bookings": {
        SUPER: "view edit decide export",
        ADMIN: "view edit decide export",
        OPS: "view intervene",
        MODERATOR: "view_reported",
        SUPPORT: "view",
        FINANCE: "view_money",
    },
    # PG-008
    "payments": {
        SUPER: "view edit decide approve export",
        ADMIN: "view edit decide approve export",
        OPS: "view",
        SUPPORT: "view_orders propose_refund",
        FINANCE: "view edit decide approve export",
    },
    # PG-009
    "payouts": {
        SUPER: "view edit decide approve export",
        ADMIN: "view edit decide approve export",
        OPS: "view",
        FINANCE: "view edit decide approve export",
    },
    # PG-010
    "fees": {
        SUPER: "view edit decide approve",
        ADMIN: "view edit decide approve",
        OPS: "view",
        FINANCE: "view edit decide approve",
    },
    # PG-011
    "plans": {
        SUPER: "view edit decide export",
        ADMIN: "view edit decide export",
        OPS: "view",
        SUPPORT: "view",
        FINANCE: "view edit decide export",
    },
    # PG-012
    "tickets": {
        SUPER: "view edit decide supervise export",
        ADMIN: "view edit decide supervise export",
        OPS: "view decide supervise",
        MODERATOR: "view_own",
        SUPPORT: "view edit decide",
        FINANCE: "view_finance",
    },
    # PG-013
    "cms": {
        SUPER: "view edit decide",
        ADMIN: "view edit decide",
        OPS: "view",
        MODERATOR: "view",
        SUPPORT: "view suggest",
        EDITOR: "view edit decide publish",
    },
    # PG-014
    "campaigns": {
        SUPER: "view edit decide export",
        ADMIN: "view edit decide export",
        OPS: "view decide",
        MODERATOR: "view_creative",
        SUPPORT: "view",
        FINANCE: "view_money",
        EDITOR: "view",
        ANALYST: "view_aggregates",
    },
    # PG-015
    "events": {
        SUPER: "view edit decide",
        ADMIN: "view edit decide",
        OPS: "view decide",
        MODERATOR: "view decide",
        SUPPORT: "view",
        FINANCE: "view_money",
        EDITOR: "view feature",
    },
    # PG-016; `view` opens the money reports, the other verbs their own family
    "reports": {
        SUPER: "view content support finance verification aggregates export",
        ADMIN: "view content support finance verification aggregates export",
        OPS: "view content support finance verification aggregates export",
        MODERATOR: "content export",
        SUPPORT: "support",
        FINANCE: "view finance export",
        REVIEWER: "verification",
        EDITOR: "content",
        ANALYST: "view aggregates",
    },
    # PG-017
    "settings": {
        SUPER: "view edit decide security",
        ADMIN: "view edit decide",
        OPS: "view edit_limited",
    },
    # PG-018
    "switches": {SUPER: "view edit decide", ADMIN: "view"},
    # PG-019
    "audit": {
        SUPER: "view export",
        ADMIN: "view export",
        OPS: "view",
        MODERATOR: "view_own",
        SUPPORT: "view_own",
        FINANCE: "view_finance",
        REVIEWER: "view_own",
        EDITOR: "view_own",
    },
    # PG-020
    "privacy": {
        SUPER: "view edit decide",
        ADMIN: "view edit decide",
        OPS: "view",
        SUPPORT: "view file",
    },
    # PG-021
    "risk": {
        SUPER: "view edit decide",
        ADMIN: "view edit decide",
        OPS: "view decide",
        MODERATOR: "view_content",
        SUPPORT: "view raise",
        FINANCE: "view decide_financial",
        REVIEWER: "view_identity",
    },
    # O-025: the system's own health and its dead letters
    "jobs": {SUPER: "view edit", ADMIN: "view edit", OPS: "view", FINANCE: "view"},
    # W-033
    "imports": {SUPER: "view edit", ADMIN: "view edit"},
}

VISITOR, MEMBER, CREATOR = "visitor", "member", "creator"
# Whoever calls the API, from least to most: each may also do what those before it may.
ACTORS = {VISITOR: _("Anybody"), MEMBER: _("Signed-in member"), CREATOR: _("Creator")}

# What a request wants to do, by its method.
API_VERBS = {"GET": "view", "HEAD": "view", "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "remove"}

# Resources that begin with ``own`` answer only about what is the caller's.
API: dict[str, dict[str, str]] = {
    "registration": {VISITOR: "add"},  # U-001
    "sign_in": {VISITOR: "add"},  # U-002
    "token": {VISITOR: "add"},  # U-003
    "own_session": {MEMBER: "add"},  # U-004
    "own_factor": {MEMBER: "add"},  # U-005
    "code": {VISITOR: "add"},  # U-005: the second step of a sign-in has no token yet
    "own_profile": {MEMBER: "view change"},  # U-009
    "own_notifications": {MEMBER: "view add"},  # U-015
    "own_application": {MEMBER: "view add change"},  # U-017
    "own_documents": {MEMBER: "add"},  # U-018: given, never shown again
    "own_creator": {CREATOR: "view add change"},  # U-019, S-009
    "creators": {VISITOR: "view"},  # U-021
    "own_titles": {CREATOR: "view add change"},  # U-023, U-024
    "own_uploads": {MEMBER: "view add remove"},  # U-025
    "own_files": {MEMBER: "view add"},  # U-025
    "own_balance": {CREATOR: "view"},  # U-026
    "own_payouts": {CREATOR: "view add"},  # U-027
    "own_tax_form": {CREATOR: "view add"},  # E-021, X-033
    "own_payout_accounts": {CREATOR: "view add"},  # U-027
    "titles": {VISITOR: "view"},  # U-028, U-029
    "own_purchases": {MEMBER: "view add"},  # U-030, U-031
    "playback": {MEMBER: "view"},  # U-032
    "featured": {VISITOR: "view"},  # U-034
    "own_tickets": {MEMBER: "view add"},  # U-050
    "help": {VISITOR: "view"},  # W-022
    "description": {VISITOR: "view"},  # G-011, A-058
}


def permissions_of(role: str) -> list[str]:
    """The permissions ``area.verb`` of a role, in matrix order."""
    return [f"{area}.{verb}" for area, row in MATRIX.items() for verb in row.get(role, "").split()]


def all_permissions() -> list[str]:
    """Every permission that any role holds, each once, in alphabetical order."""
    return sorted({permission for role in ROLES for permission in permissions_of(role)})


def api_actor(resource: str, verb: str) -> str | None:
    """The least actor who may do this in the API, or None when nobody may."""
    row = API.get(resource, {})
    return next((actor for actor in ACTORS if verb in row.get(actor, "").split()), None)


def api_verbs(resource: str) -> list[str]:
    """What can be done with a resource of the API by anybody."""
    return [verb for actor in ACTORS for verb in API.get(resource, {}).get(actor, "").split()]
