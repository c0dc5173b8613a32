"""What a setting is: its default, its kind, what is allowed, and who may change it (E-078, P-004, P-009, Q-015)."""

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Level(StrEnum):
    """Who may change a setting."""

    # Limits and times of daily work: Operations Managers too (P-009).
    OPERATIONAL = "operational"
    STANDARD = "standard"
    # Sign-in, documents, sessions: Super Admins only.
    SECURITY = "security"
    # A kill switch (C-005): Super Admins stop at once, and let go again only together with a second one.
    SWITCH = "switch"


class Unit(StrEnum):
    """What a number counts."""

    NONE = ""
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    YEARS = "years"
    PERCENT = "percent"
    # Minor units of USD in storage.
    USD = "usd"
    BYTES = "bytes"
    MEBIBYTES = "mebibytes"
    ROWS = "rows"
    TIMES = "times"
    PIECES = "pieces"


LEVELS: dict[Level, str | Promise] = {
    Level.OPERATIONAL: _("Operational"),
    Level.STANDARD: _("Standard"),
    Level.SECURITY: _("Security"),
    Level.SWITCH: _("Kill switch"),
}

# Any one of them is enough.
TO_CHANGE: dict[Level, tuple[str, ...]] = {
    Level.OPERATIONAL: ("settings.edit", "settings.edit_limited"),
    Level.STANDARD: ("settings.edit",),
    Level.SECURITY: ("settings.security",),
    Level.SWITCH: ("switches.edit",),
}
TO_APPROVE: dict[Level, str] = {
    Level.OPERATIONAL: "settings.decide",
    Level.STANDARD: "settings.decide",
    Level.SECURITY: "settings.security",
    Level.SWITCH: "switches.decide",
}

# The first part of a key, in words.
GROUPS: dict[str, str | Promise] = {
    "application": _("Creator applications"),
    "approval": _("Approvals"),
    "creator": _("Creators"),
    "document": _("Identity documents"),
    "earnings": _("Earnings"),
    "export": _("Evidence bundles"),
    "import": _("Imports"),
    "media": _("Files and processing"),
    "moderation": _("Moderation"),
    "offer": _("Personal videos"),
    "onboarding": _("Onboarding"),
    "payout": _("Payouts"),
    "playback": _("Playback"),
    "queue": _("Queues"),
    "refund": _("Refunds"),
    "roles": _("Roles"),
    "signin": _("Signing in"),
    "staff": _("Staff accounts and sessions"),
    "switch": _("Kill switches"),
    "tax": _("Tax forms"),
    "ticket": _("Tickets"),
    "title": _("Titles"),
    "training": _("Training"),
}

# Larger numbers lose digits in a browser.
MOST_NUMBER = 10**15
MOST_TEXT = 200
MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """A default, the Python type of the value, and one sentence of help.

    ``least`` and ``most`` bound a number, the length of a text, or the items of a list. ``choices`` are the allowed
    texts, or the allowed items of a list. ``two_people``: a change waits for a second person's approval; of a kill
    switch only letting go does.
    """

    default: Any
    type: type
    help: str | Promise
    _: KW_ONLY
    unit: Unit = Unit.NONE
    least: int | None = None
    most: int | None = None
    choices: tuple[tuple[str, str | Promise], ...] = ()
    level: Level = Level.STANDARD
    two_people: bool = False
    group: str = ""

    def bounds(self) -> tuple[int, int]:
        """The least and the most that is allowed; a number is never below 0 unless its setting says so."""
        usual = {int: (0, MOST_NUMBER), str: (1, MOST_TEXT), list: (0, MOST_ITEMS)}.get(self.type, (0, 1))
        return (usual[0] if self.least is None else self.least, usual[1] if self.most is None else self.most)


def group_of(key: str, setting: Setting) -> str:
    """The code of the group that a setting is listed in."""
    return setting.group or key.partition(".")[0]


def group_label(code: str) -> str:
    """The group in words; a group without words of its own shows its code."""
    return str(GROUPS.get(code, code.replace("_", " ").capitalize()))
