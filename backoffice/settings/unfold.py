"""The look of the staff admin: names, colours and callables of django-unfold.

Nothing of the desk is imported here; callables are dotted paths that Unfold resolves at request time.
The two colour ramps are the product's: `base` is a neutral with a little blue in it, `primary` is petrol,
the one accent. `desk/tokens.css` holds the same values for our own components.
"""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Backlot",
    "SITE_HEADER": "Backlot",
    "SITE_SUBHEADER": None,
    "SITE_URL": None,
    "SITE_ICON": "backoffice.desk.menu.icon",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "backoffice.desk.menu.icon"},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "ENVIRONMENT": "backoffice.desk.menu.environment",
    "STYLES": ["backoffice.desk.menu.tokens_css", "backoffice.desk.menu.desk_css"],
    "ACCOUNT": {"navigation": "backoffice.desk.menu.account_links"},
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "backoffice.desk.menu.navigation",
    },
    "COLORS": {
        "base": {
            "50": "oklch(98.4% .003 235)",
            "100": "oklch(96.4% .004 235)",
            "200": "oklch(92.2% .006 235)",
            "300": "oklch(86.6% .009 235)",
            "400": "oklch(70.5% .014 235)",
            "500": "oklch(54% .017 235)",
            "600": "oklch(44.5% .017 235)",
            "700": "oklch(36.5% .016 235)",
            "800": "oklch(27% .014 235)",
            "900": "oklch(20.5% .012 235)",
            "950": "oklch(15% .01 235)",
        },
        "primary": {
            "50": "oklch(97.5% .013 205)",
            "100": "oklch(94.5% .03 205)",
            "200": "oklch(89.5% .055 205)",
            "300": "oklch(82% .085 205)",
            "400": "oklch(75% .105 205)",
            "500": "oklch(68% .108 205)",
            "600": "oklch(50% .088 205)",
            "700": "oklch(43.5% .076 205)",
            "800": "oklch(37.5% .064 205)",
            "900": "oklch(32% .053 205)",
            "950": "oklch(24% .042 205)",
        },
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-50)",
        },
    },
}
