"""Writes the pages of docs/ that are made from code: permissions, platform settings, state machines."""

from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTE = "<!-- Made by `make docs`. Change the code it is made from, not this page. -->\n"


def permissions() -> str:
    """Who may what, from the roles' data: staff by area and role, everybody else by resource of the API."""
    from backoffice.accounts.roles import ACTORS, API, API_VERBS, MATRIX, ROLES

    lines = [
        "# Who may what",
        "",
        NOTE,
        "A permission is `area.verb`. A role without a cell in an area has no access to it: no page, no menu entry, no",
        "action. Nobody stands above the roles.",
        "",
    ]
    for area, row in MATRIX.items():
        lines += [f"## {area}", "", "| Role | Verbs |", "| --- | --- |"]
        lines += [
            f"| {ROLES[role]} | {', '.join(f'`{verb}`' for verb in verbs.split())} |" for role, verbs in row.items()
        ]
        lines.append("")
    by_verb = {
        verb: [name for name, wanted in API_VERBS.items() if wanted == verb and name != "HEAD"]
        for verb in API_VERBS.values()
    }
    lines += [
        "## The API",
        "",
        "Each caller may also do what those to the left may. Resources that begin with `own` answer only about what is",
        "the caller's. Any other method, and any resource without a row, is refused. "
        + "; ".join(f"`{verb}`: {', '.join(names)}" for verb, names in by_verb.items())
        + ".",
        "",
        f"| Resource | {' | '.join(str(name) for name in ACTORS.values())} |",
        f"| --- |{' --- |' * len(ACTORS)}",
    ]
    for resource, row in API.items():
        cells = [", ".join(f"`{verb}`" for verb in row.get(actor, "").split()) for actor in ACTORS]
        lines.append(f"| `{resource}` | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def platform_settings() -> str:
    """What staff change while the platform runs."""
    from backoffice.accounts.roles import ROLES
    from backoffice.configuration.defaults import DEFAULTS
    from backoffice.configuration.setting import LEVELS, TO_APPROVE, TO_CHANGE, Level, group_label, group_of
    from backoffice.desk.access import has

    def holders(*permissions: str) -> str:
        return ", ".join(str(name) for role, name in ROLES.items() if any(has(role, asked) for asked in permissions))

    lines = [
        "# Platform settings",
        "",
        NOTE,
        "Changed at `/admin/system/settings/`, with a reason; every change is a version, and going back to an earlier",
        "one is a new version. A change is in force within a second in every process, and at the latest after a minute",
        "where a process died while it was saving.",
        "",
        "Where two people are asked for, the change waits until somebody else has approved it under *Approvals*. A",
        "kill switch is turned off at once by one person and on again by two.",
        "",
        "| Level | Who may change | Who may approve |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {LEVELS[level]} | {holders(*TO_CHANGE[level])} | {holders(TO_APPROVE[level])} |" for level in Level]
    groups: dict[str, list[str]] = {}
    for key, setting in sorted(DEFAULTS.items()):
        groups.setdefault(group_label(group_of(key, setting)), []).append(key)
    for group, keys in sorted(groups.items()):
        lines += [
            "",
            f"## {group}",
            "",
            "| Key | What it does | Kind | Unit | Default | Allowed | Level | Two people |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        lines += [_setting_row(key) for key in keys]
    return "\n".join([*lines, ""])


def _setting_row(key: str) -> str:
    """One line of the table of settings."""
    from backoffice.configuration.defaults import DEFAULTS
    from backoffice.configuration.rules import allowed
    from backoffice.configuration.setting import LEVELS, Level
    from backoffice.configuration.words import in_words

    setting = DEFAULTS[key]
    default = in_words(setting, setting.default).replace("\u202f", " ").replace("\u00a0", " ")
    two = "to turn it on" if setting.level == Level.SWITCH else "yes" if setting.two_people else ""
    bounds = allowed(setting).replace("\u202f", " ").replace("\u00a0", " ")
    cells = [
        f"`{key}`",
        str(setting.help),
        setting.type.__name__,
        str(setting.unit),
        default,
        bounds,
        str(LEVELS[setting.level]),
        two,
    ]
    return f"| {' | '.join(cells)} |"


def state_machines() -> str:
    """Every transition table, drawn."""
    from importlib import import_module

    from backoffice.core.states import Machine

    lines = ["# State machines", "", NOTE]
    seen: set[int] = set()
    for folder in sorted((ROOT / "backoffice").iterdir()):
        if not (folder / "states.py").exists() or folder.name == "core":
            continue
        for value in vars(import_module(f"backoffice.{folder.name}.states")).values():
            if isinstance(value, Machine) and id(value) not in seen:
                seen.add(id(value))
                lines += [f"## {folder.name}: {value.name}", "", "```mermaid", value.mermaid(), "```", ""]
    return "\n".join(lines)


def addresses() -> str:
    """Every address and who may reach it."""
    from backoffice.accounts.roles import ROLES
    from backoffice.desk import access

    kinds = {
        access.EVERYONE: "everyone",
        access.MEMBER: "signed-in members",
        access.CREATOR: "creators, their own",
        access.SESSION: "whoever is signed in",
        access.SIGNED: "who holds a signature",
        access.NOBODY: "nobody",
    }
    lines = [
        "# Every address",
        "",
        NOTE,
        "Staff addresses also need a session with a second factor. What a member or creator sees behind an address is",
        "theirs only.",
        "",
        "| Address | Who |",
        "| --- | --- |",
    ]
    for route in access.routes():
        if route.kind == access.STAFF:
            asked = " or ".join(f"`{permission}`" for permission in route.permissions)
            who = f"staff with {asked}" if asked else "all staff"
            if not route.roles:
                who += " (no role)"
            elif len(route.roles) < len(ROLES):
                who += ": " + ", ".join(str(ROLES[role]) for role in route.roles)
        else:
            who = kinds[route.kind] + (f" ({route.note})" if route.note else "")
            who += "".join(f"; {method}: {kinds[kind]}" for method, kind in route.by_method)
        lines.append(f"| `/{route.pattern}` | {who} |".replace("(?P<url>.*)$", "…").replace("|/$", "/"))
    return "\n".join([*lines, ""])


PAGES: dict[str, Callable[[], str]] = {
    "docs/staff/permissions.md": permissions,
    "docs/staff/addresses.md": addresses,
    "docs/operators/platform-settings.md": platform_settings,
    "docs/developers/state-machines.md": state_machines,
}


def main(arguments: list[str]) -> int:
    """Writes every generated page."""
    import os

    import django
    from django.utils import translation

    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings.local"
    django.setup()
    with translation.override("en"):
        for name, make in PAGES.items():
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(make())
    return 0
