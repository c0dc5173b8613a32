"""What a setting allows: kind, bounds, choices, and settings that depend on each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.setting import Setting
from backoffice.configuration.words import in_words
from backoffice.core.errors import Invalid

KINDS: dict[type, str | Promise] = {
    int: gettext_lazy("a whole number"),
    bool: gettext_lazy("yes or no"),
    str: gettext_lazy("a text"),
    list: gettext_lazy("a list of texts"),
}


@dataclass(frozen=True, slots=True)
class AtMost:
    """``times`` the lower setting may not be more than ``of`` times the upper one."""

    lower: str
    upper: str
    of: int = 1


TOGETHER = (
    AtMost("creator.review_due_days", "creator.review_days"),
    AtMost("offer.min_price", "offer.max_price"),
    AtMost("refund.auto_limit", "refund.auto_day_limit"),
    AtMost("signin.attempts", "signin.account_attempts"),
    AtMost("signin.attempts", "signin.network_attempts"),
    # Minutes and hours.
    AtMost("staff.idle_minutes", "staff.session_hours", of=60),
)


def check(key: str, value: Any, *, current: Callable[[str], Any]) -> None:
    """Invalid, naming the key and what is allowed, unless the setting may have this value.

    ``current`` reads the other settings' values.
    """
    setting = DEFAULTS[key]
    kind: type = type(value)
    if kind is not setting.type:
        raise _refused(key, _("it takes %(kind)s") % {"kind": KINDS[setting.type]})
    if setting.type is int:
        _check_number(key, setting, value)
    elif setting.type is str:
        _check_text(key, setting, value)
    elif setting.type is list:
        _check_list(key, setting, value)
    for pair in TOGETHER:
        if key == pair.lower:
            most = current(pair.upper)
            if value > pair.of * most:
                raise _refused(
                    key,
                    _("it may not be more than “%(other)s” (%(value)s)")
                    % {"other": pair.upper, "value": in_words(DEFAULTS[pair.upper], most)},
                )
        elif key == pair.upper:
            least = current(pair.lower)
            if least > pair.of * value:
                raise _refused(
                    key,
                    _("it may not be less than “%(other)s” (%(value)s)")
                    % {"other": pair.lower, "value": in_words(DEFAULTS[pair.lower], least)},
                )


def allowed(setting: Setting, *, labels: bool = False) -> str:
    """What the setting allows, for people: bounds, or choices by their codes or ``labels``."""
    if setting.type is bool:
        return ""
    if setting.choices:
        return ", ".join(str(label) if labels else code for code, label in setting.choices)
    least, most = setting.bounds()
    if setting.type is int:
        return _("%(least)s to %(most)s") % {"least": in_words(setting, least), "most": in_words(setting, most)}
    if setting.type is str:
        return _("%(least)s to %(most)s characters") % {"least": least, "most": most}
    return _("%(least)s to %(most)s items") % {"least": least, "most": most}


def _check_number(key: str, setting: Setting, value: int) -> None:
    least, most = setting.bounds()
    if not least <= value <= most:
        raise _refused(
            key,
            _("%(allowed)s is allowed") % {"allowed": allowed(setting)},
        )


def _check_text(key: str, setting: Setting, value: str) -> None:
    least, most = setting.bounds()
    if setting.choices:
        if value not in [code for code, _label in setting.choices]:
            raise _refused(key, _("allowed are %(codes)s") % {"codes": allowed(setting)})
    elif not least <= len(value.strip()) or len(value) > most or not value.isprintable():
        raise _refused(
            key, _("%(least)s to %(most)s characters on one line are allowed") % {"least": least, "most": most}
        )


def _check_list(key: str, setting: Setting, value: list[Any]) -> None:
    least, most = setting.bounds()
    if not all(isinstance(item, str) and 0 < len(item) <= 100 and item.isprintable() for item in value):
        raise _refused(key, _("every item is a text of 1 to 100 characters"))
    if len(set(value)) != len(value):
        raise _refused(key, _("every item may stand in it once"))
    if not least <= len(value) <= most:
        raise _refused(key, _("%(least)s to %(most)s items are allowed") % {"least": least, "most": most})
    if setting.choices and not set(value) <= {code for code, _label in setting.choices}:
        raise _refused(key, _("allowed are %(codes)s") % {"codes": allowed(setting)})


def _refused(key: str, why: str) -> Invalid:
    return Invalid(_("“%(key)s” cannot have this value: %(why)s.") % {"key": key, "why": why}, field="value")
